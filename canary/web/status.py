"""What the web page and the health endpoints are told, and by whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from canary.alert.quiet import Quiet
from canary.records import Incident

STALE_INTERVALS = 3


class TargetState(StrEnum):
    """What is known of a target, worst first."""

    INCIDENT = "incident"
    UNREACHABLE = "unreachable"
    STALE = "stale"  # no result for three intervals
    ACKNOWLEDGED = "acknowledged"  # an incident that a person has taken
    SUPPRESSED = "suppressed"  # an incident that another one explains
    LEARNING = "learning"  # not every series is armed yet
    HEALTHY = "healthy"


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of health; `detail` is ours and may be shown to anybody."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """A cell of the fleet matrix. `expected_since` is when its plan started; `escalated` are probe groups.

    `silenced`: what keeps it quiet now, as a whole or in part.
    """

    model: str
    platform: str
    pool: str
    state: TargetState
    interval: timedelta
    expected_since: datetime
    last_result_at: datetime | None
    armed: int
    series: int
    escalated: tuple[str, ...] = ()
    silenced: Quiet | None = None

    @property
    def name(self) -> str:
        return f"{self.model}/{self.platform}/{self.pool}"

    def stale(self, now: datetime) -> bool:
        """Whether nothing came back for three intervals."""
        return now - (self.last_result_at or self.expected_since) > STALE_INTERVALS * self.interval


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The program at one moment. `live`: it works at all. `ready`: it does its duty. `incidents`: the unresolved.

    `silenced` says by an incident's id what keeps it quiet.
    """

    at: datetime
    version: str
    region: str
    live: tuple[Check, ...]
    ready: tuple[Check, ...]
    targets: tuple[TargetStatus, ...]
    incidents: tuple[Incident, ...]
    silenced: Mapping[str, Quiet] = field(default_factory=dict)


class Status(Protocol):
    """Who knows. Called in the event loop, so it must not block."""

    def snapshot(self) -> Snapshot: ...
