"""What is handed in: counts and scores."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from canary.records import UnscoredReason
from canary.web.api.fields import Identity, In, Moment, Out, Person


class WindowIn(In):
    """`count` complaints of a class among `exposure` requests, in the `seconds` until `at`."""

    model: Person
    platform: Person
    pool: Person
    kind: Annotated[Person, Field(alias="class")]
    at: Moment
    seconds: Annotated[int, Field(ge=1, le=604_800)]
    count: Annotated[int, Field(ge=0, le=1_000_000_000)]
    exposure: Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]


class FeedbackIn(In):
    """Numbers alone: there is no place for a text."""

    windows: Annotated[list[WindowIn], Field(min_length=1, max_length=1_000)]


class TakenOut(Out):
    """How many were new; those known already are left as they are."""

    new: int
    known: int


class MarkIn(In):
    """A value on an exposure, or the reason why there is none."""

    signal: Person
    version: Annotated[int, Field(ge=0, le=1_000_000)]
    value: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] | None = None
    exposure: Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)] = 1.0
    unscored: Annotated[UnscoredReason, Field(strict=False)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.value is None) == (self.unscored is None):
            raise ValueError("has either a value or the reason why there is none")
        return self


class LineIn(In):
    """What `canary score` writes of one answer."""

    id: Person
    probe: Person
    digest: Identity
    at: Moment
    replica: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._@:+-]{0,80}$")] = ""
    scores: Annotated[list[MarkIn], Field(min_length=1, max_length=100)]
