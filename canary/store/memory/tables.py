"""The tables in memory, and what all parts of a transaction share."""

from dataclasses import dataclass, field, fields
from datetime import datetime

from canary.errors import StoreError
from canary.records import (
    Alarm,
    AuditEntry,
    Baseline,
    Change,
    Incident,
    KeptVerdict,
    Notification,
    Observation,
    Recording,
    Reference,
    Response,
    SeriesKey,
    Silence,
    Token,
)
from canary.store.base import ScoreRow, StateKind, StoredState


@dataclass(frozen=True, slots=True)
class KeptObservation:
    seq: int
    observation: Observation  # without its response
    tokens: int
    response: Response | None
    kept: str = ""  # why past its time: "" not judged yet, EVIDENCE, or a recording's id


@dataclass(frozen=True, slots=True)
class Owed:
    notification: Notification
    leased_until: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True)
class Tables:
    observations: dict[str, KeptObservation] = field(default_factory=dict)  # by slot id, in seq order
    scores: dict[SeriesKey, tuple[tuple[int, int, ScoreRow], ...]] = field(default_factory=dict)  # (seq, n, row)
    states: dict[tuple[StateKind, SeriesKey], StoredState] = field(default_factory=dict)
    detectors: dict[str, str] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    outbox: dict[str, Owed] = field(default_factory=dict)
    silences: dict[str, Silence] = field(default_factory=dict)
    verdicts: dict[str, KeptVerdict] = field(default_factory=dict)
    recordings: dict[str, Recording] = field(default_factory=dict)
    baselines: dict[str, Baseline] = field(default_factory=dict)
    references: dict[tuple[str, int, str, int], Reference] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    audit: dict[int, AuditEntry] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=lambda: {"seq": 0, "score": 0})

    def copy(self) -> "Tables":
        return Tables(**{f.name: dict(getattr(self, f.name)) for f in fields(self)})


class Session:
    """An open transaction."""

    def __init__(self, tables: Tables, *, writable: bool) -> None:
        self._tables = tables
        self._writable = writable

    @property
    def _draft(self) -> Tables:
        if not self._writable:
            raise StoreError("a reading transaction cannot write")
        return self._tables

    def _next(self, counter: str) -> int:
        self._draft.counters[counter] += 1
        return self._draft.counters[counter]


def between(when: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or when >= since) and (until is None or when < until)
