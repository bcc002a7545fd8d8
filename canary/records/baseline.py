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

    The other fields are those of the baseline, of this probe's answers alone.
    """

    probe_digest: str
    n: int
    threshold: float = 0.0
    events: int = 0
    calibration: tuple[float, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The golden, frozen, in-control reference of a series.

    `n` judged golden answers with total `exposure`, `events` of which were events. For a DISTANCE signal `calibration`
    holds their sorted values. In a probe group of bursts, a burst counts as one answer: its worst. `version` is that
    of the model, where somebody declared one.
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
