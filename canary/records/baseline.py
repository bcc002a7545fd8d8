"""What is golden."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from canary.records.score import SeriesKey


class BaselineStatus(StrEnum):
    PROPOSED = "proposed"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class BaselinePart:
    """One probe's share of a baseline. An answer is an event when its value exceeds `threshold`.

    `calibration` holds the golden values of a DISTANCE signal in its unit, ascending. They are judged, and those of
    production too, divided by `scale`: how wide the golden distances of this probe are beside what is usual in its
    probe group. The other fields are those of the baseline, of this probe's answers alone.
    """

    probe_digest: str
    n: int
    threshold: float = 0.0
    events: int = 0
    calibration: tuple[float, ...] = field(default=(), repr=False)
    scale: float = 1.0

    @property
    def standardised(self) -> tuple[float, ...]:
        """The golden values as they are judged."""
        return tuple(value / self.scale for value in self.calibration)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The golden, frozen, in-control reference of a series.

    `n` judged golden answers with total `exposure`, `events` of which were events. For a DISTANCE signal `calibration`
    holds their values as they are judged, standardised part by part, ascending. In a probe group of bursts, a burst
    counts as one answer: its worst. `version` is that of the model, where somebody declared one.
    """

    id: str
    series: SeriesKey
    epoch: int
    status: BaselineStatus
    scorer_version: int
    created_at: datetime
    n: int
    exposure: float
    events: int
    parts: tuple[BaselinePart, ...]
    calibration: tuple[float, ...] = field(default=(), repr=False)
    version: str = ""

    @property
    def golden(self) -> tuple[float, ...]:
        """The golden values in the signal's unit, ascending: for people, and for what knows of no scales."""
        return tuple(sorted(value for part in self.parts for value in part.calibration))


@dataclass(frozen=True, slots=True)
class Recording:
    """A session of golden answers from one target: epoch `epoch`, `n` judged answers or bursts for each probe group."""

    id: str
    target: str
    region: str
    epoch: int
    n: int
    started_at: datetime
    finished_at: datetime | None = None
