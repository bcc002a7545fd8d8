"""Who is told of what, and when not: routes, maintenance windows, links."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from canary.config.fields import Duration, Flag, Name, Some, Strict, Text, between
from canary.records import PLACE, Label, matcher
from canary.template import LINK, fault

_NEVER_LONGER = timedelta(days=365)


def _readable(text: str) -> str:
    matcher(text)
    return text


def _of_targets(matchers: tuple[str, ...]) -> tuple[str, ...]:
    for text in matchers:
        if matcher(text).label not in PLACE:
            raise ValueError(f"should ask for {', '.join(PLACE)}: a window covers whole targets")
    return matchers


def _moment(value: object) -> object:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, datetime) or found.tzinfo is None:
        raise PydanticCustomError("moment", "should be a time with its zone, as 2026-01-31T02:00Z")
    return found.astimezone(UTC)


def _sound_link(template: str) -> str:
    if wrong := fault(template, LINK):
        raise ValueError(wrong)
    if not template.startswith(("http://", "https://")):
        raise ValueError("should start with http:// or https://")
    return template


Labelled = Annotated[Label, Field(strict=False)]
Matcher = Annotated[Text, AfterValidator(_readable)]
Matchers = Annotated[tuple[Matcher, ...], Field(max_length=50)]
Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Wait = Annotated[Duration, between(timedelta(0), timedelta(days=1))]
Link = Annotated[Text, AfterValidator(_sound_link)]


class Route(Strict):
    """A node of the routing tree; what a node does not say is as its parent says. Exactly as in Alertmanager."""

    receiver: Name | None = None
    matchers: Matchers = ()
    continue_: Flag = Field(default=False, alias="continue")
    group_by: Annotated[tuple[Labelled, ...], Field(max_length=len(Label))] | None = None
    group_wait: Wait | None = None
    group_interval: Wait | None = None
    repeat_interval: Annotated[Duration, between(timedelta(minutes=1), _NEVER_LONGER)] | None = None
    routes: Annotated[tuple["Route", ...], Field(max_length=1_000)] = ()


class Maintenance(Strict):
    """When targets are worked on: nobody is told of them, and their detectors stand still. `every` repeats it."""

    name: Name
    matchers: Annotated[Matchers, Some, AfterValidator(_of_targets)]
    starts: Moment
    lasts: Annotated[Duration, between(timedelta(minutes=1), timedelta(days=90))]
    every: Duration | None = None
    reason: Text

    @field_validator("every")
    @classmethod
    def _apart(cls, every: timedelta | None, info: ValidationInfo) -> timedelta | None:
        if every is not None and "lasts" in info.data and every <= info.data["lasts"]:
            raise ValueError("should be longer than lasts: a window that never ends watches nothing")
        return every


class Links(Strict):
    """Where a person reads on; {id}, {model}, {platform}, {pool} and {symptom} stand for those of the incident."""

    dashboard: Link | None = None
    runbook: Link | None = None
