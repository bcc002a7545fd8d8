"""What is wrong, where, since when and how badly; and who is told."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from canary.records.fleet import Scope
from canary.records.score import SeriesKey, Symptom


@dataclass(frozen=True, slots=True)
class Alarm:
    """A detector crossed its threshold on one series. `evidence` is ln R at the crossing (>= 0)."""

    id: str
    series: SeriesKey
    slot_id: str
    at: datetime
    evidence: float
    detector: str


class IncidentState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval of time with its best estimate."""

    low: datetime
    best: datetime
    high: datetime


@dataclass(frozen=True, slots=True)
class Size:
    """How many answers are touched: a share in [0, 1] with its confidence interval."""

    low: float
    best: float
    high: float
    confidence: float
    answers: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault is: a part of the fleet, perhaps in one probe group or on one replica alone ("": any)."""

    scope: Scope
    group: str = ""
    replica: str = ""

    @property
    def name(self) -> str:
        """As people write it: "mid/api/*", "mid/api/main, replica 7", "mid/api/main, probe group prose"."""
        replica = f", replica {self.replica}" if self.replica else ""
        return f"{self.scope.name}{replica}{f', probe group {self.group}' if self.group else ''}"


@dataclass(frozen=True, slots=True)
class Blame:
    """The smallest place that explains an alarm, the next best one, and by how many nats it explains it better.

    `target` is the one that shows the fault most.
    """

    place: Place
    target: str
    runner_up: Place | None = None
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one series of an incident shows. Where it `worsened` later, the size is that since then."""

    series: SeriesKey
    symptom: Symptom
    alarms: int
    onset: Interval
    size: Size
    evidence: tuple[str, ...]  # slot ids, strongest first
    recovered_at: datetime | None = None
    worsened: Interval | None = None
    blame: Blame | None = None

    @property
    def scope(self) -> Scope:
        """The part of the fleet that it speaks of."""
        return self.blame.place.scope if self.blame else Scope.of(self.series.target)

    @property
    def target(self) -> str:
        """The target that shows it most."""
        return self.blame.target if self.blame else self.series.target

    @property
    def group(self) -> str:
        """The probe group that it speaks of, "*" for any."""
        return self.blame.place.group or "*" if self.blame else self.series.group


@dataclass(frozen=True, slots=True)
class Incident:
    """Alarms judged one event, in the part of the fleet that is (model, platform, pool), where "*" is any."""

    id: str
    state: IncidentState
    model: str
    platform: str
    pool: str
    opened_at: datetime
    updated_at: datetime
    findings: tuple[Finding, ...]
    version: int = 1
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    reopened: int = 0
    flapping: bool = False
    suppressed_by: str | None = None

    @property
    def target(self) -> str:
        """The name of its part of the fleet: of one target, or with "*" of many."""
        return f"{self.model}/{self.platform}/{self.pool}"

    @property
    def scope(self) -> Scope:
        return Scope.of(self.target)

    def touches(self, target: str, region: str) -> bool:
        """Whether one of its findings speaks of this target."""
        return any(finding.scope.covers(target, region) for finding in self.findings)


class NotificationKind(StrEnum):
    TRIGGER = "trigger"
    UPDATE = "update"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    REPEAT = "repeat"  # nothing is new: it is still open
    REMINDER = "reminder"  # of a silence
    CHANGE = "change"  # was recorded


@dataclass(frozen=True, slots=True)
class Notification:
    """A message owed to a receiver. `id` is stable, so that a receiver can drop a repeat.

    `incident_id` is what it is about: an incident, or the silence or change that it tells of.
    """

    id: str
    incident_id: str
    kind: NotificationKind
    receiver: str
    body: str = field(repr=False)  # JSON
    created_at: datetime
    not_before: datetime
    attempts: int = 0
    group: str = ""  # those of one group go to their receiver together
