"""The shape of a scenario file. What one value must be stands here; how they fit together, in `scenario`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError, field_validator

from canary.changes import scope
from canary.config.fields import Duration, Flag, Name, Scalar, Some, Strict, Text, between
from canary.config.settings import Budget, Detect, Suite
from canary.lab.faults import FaultKind
from canary.records import ChangeKind, Symptom

_ELAPSED: TypeAdapter[timedelta] = TypeAdapter(Duration)
_YEAR = timedelta(days=366)
_DAY = len("2025-08-29")


def _when(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("should be a moment such as 2025-08-29T12:00:00Z, or +12h after the start")  # noqa: TRY004
    if value.startswith("+"):
        return _elapsed(value[1:])
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("is no time: write 2025-08-29, 2025-08-29T12:00:00Z, or +12h after the start") from None
    if when.tzinfo is None and len(value) > _DAY:
        raise ValueError("says no zone: write it like 2025-08-29T12:00:00Z")
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def _elapsed(text: str) -> timedelta:
    try:
        return _ELAPSED.validate_python(text)
    except ValidationError:
        raise ValueError("should be a duration after the start such as +90m, +12h or +3d") from None


def _moment(value: datetime | timedelta) -> datetime:
    if isinstance(value, timedelta):
        raise ValueError("should be a moment such as 2025-08-05T00:00:00Z")  # noqa: TRY004  pydantic's way
    return value


def _where(text: str) -> str:
    scope(text)
    return text


When = Annotated[datetime | timedelta, BeforeValidator(_when)]
"""A day or a moment in UTC, or the time since the scenario's start."""
Where = Annotated[str, AfterValidator(_where)]
Share = Annotated[float, Field(ge=0, le=1), Scalar]
Spread = Annotated[float, Field(ge=0, le=5), Scalar]
Lapse = Annotated[Duration, between(timedelta(0), _YEAR)]


class Pool(Strict):
    """Servers that are set up alike; see `canary.lab.spec.Pool`."""

    name: Name
    scaling: Spread = 0.0
    context: Annotated[int, Field(ge=1, le=10_000_000), Scalar] = 32_768
    replicas: Annotated[int, Field(ge=1, le=1_000), Scalar] = 3
    latency: Annotated[Duration, between(timedelta(0), timedelta(seconds=60))] = timedelta(milliseconds=500)


class Platform(Strict):
    """Where models are served; see `canary.lab.spec.Platform`."""

    name: Name
    pools: Annotated[tuple[Pool, ...], Field(max_length=100), Some]
    drift: Spread = 0.05


class Fleet(Strict):
    """Every model on every pool of every platform. `swing`: how far the day's load sways the sizes of batches."""

    models: Annotated[tuple[Name, ...], Field(max_length=100), Some]
    platforms: Annotated[tuple[Platform, ...], Field(max_length=100), Some]
    swing: Share = 0.0


class Stage(Strict):
    """From `at` on the fault has this share and rate; the share gets there evenly within `over`."""

    at: When
    share: Share = 1.0
    rate: Share | None = None
    over: Lapse = timedelta(0)


Timeline = Annotated[tuple[Stage, ...], Field(max_length=10_000), Some]


class Elsewhere(Strict):
    """The same fault in another part of the fleet, with a timeline of its own."""

    where: Where
    timeline: Timeline


class FaultPlan(Strict):
    """A fault of a kind that the lab has, in a part of the fleet, with a timeline; `settings` are the kind's own.

    It may be `elsewhere` too, at other times and shares. What is `benign` is noise: nobody may be paged for it.
    """

    name: Name
    kind: Annotated[FaultKind, Field(strict=False)]
    where: Where = "*"
    timeline: Timeline
    elsewhere: Annotated[tuple[Elsewhere, ...], Field(max_length=100)] = ()
    settings: dict[Name, Any] = Field(default_factory=dict, max_length=20)
    benign: Flag = False


class ChangePlan(Strict):
    """A change that somebody records when it is made: the cause of a fault, or a decoy."""

    id: Name
    kind: Annotated[ChangeKind, Field(strict=False)]
    at: When
    until: When | None = None
    where: Where = "*"
    summary: Text


class Note(Strict):
    """Something that happened, for the report alone. With a `fault`: that it was noticed, where it was real."""

    at: When
    what: Text
    fault: Name | None = None


class Probing(Strict):
    """What watches the fleet: suites, budget and detectors as in Canary's config.

    `golden` answers are recorded for each target and probe group; without it, as many as arm the detectors.
    """

    suites: Annotated[tuple[Suite, ...], Field(max_length=100), Some]
    budget: Budget = Budget()
    detect: Detect = Detect()
    golden: Annotated[int, Field(ge=20, le=1_000_000), Scalar] | None = None


class Expected(Strict):
    """The incident, or as many as `count`, that has to come of a fault.

    It must open with one of the `symptoms` (if any are named), name exactly the part of the fleet that is `where` (by
    default all that the fault is in) and the `replica` (if any is named), open `within` that time of its start, and
    have `suspect` ranked first with at least that `probability`, as its cause, or as what made it worse (`worsening`).
    """

    fault: Name
    count: Annotated[int, Field(ge=0, le=100), Scalar] = 1
    symptoms: tuple[Annotated[Symptom, Field(strict=False)], ...] = ()
    where: tuple[Where, ...] = ()
    replica: Text | None = None
    within: Lapse | None = None
    suspect: Name | None = None
    probability: Share = 0.5
    worsening: Flag = False


class Expectations(Strict):
    """`incidents` are all that may open, but for `false_alarms`: incidents where nothing is wrong."""

    incidents: Annotated[tuple[Expected, ...], Field(max_length=100)] = ()
    false_alarms: Annotated[int, Field(ge=0, le=1_000), Scalar] = 0


class ScenarioFile(Strict):
    """A scenario file."""

    version: Annotated[Literal[1], Scalar]
    why: Text
    seed: Annotated[int, Field(ge=0), Scalar] = 1
    start: Annotated[When, AfterValidator(_moment)]
    lasts: Annotated[Duration, between(timedelta(minutes=1), _YEAR)]
    fleet: Fleet
    faults: Annotated[tuple[FaultPlan, ...], Field(max_length=100)] = ()
    changes: Annotated[tuple[ChangePlan, ...], Field(max_length=1_000)] = ()
    history: Annotated[tuple[Note, ...], Field(max_length=100)] = ()
    probing: Probing
    expect: Expectations = Expectations()

    @field_validator("faults")
    @classmethod
    def _in_order(cls, faults: tuple[FaultPlan, ...]) -> tuple[FaultPlan, ...]:
        for fault in faults:
            for timeline in (fault.timeline, *(part.timeline for part in fault.elsewhere)):
                moments = [stage.at for stage in timeline if isinstance(stage.at, datetime)]
                spans = [stage.at for stage in timeline if isinstance(stage.at, timedelta)]
                if moments and spans:
                    raise ValueError(f"{fault.name}: the timeline mixes moments and times since the start")
                if moments != sorted(moments) or spans != sorted(spans):
                    raise ValueError(f"{fault.name}: the timeline is out of order: sort its stages")
        return faults
