"""The Store: what every store can do, and the rows that go in and out.

All work happens in a transaction: either all that was written in it is acknowledged together, or none of it.
`transaction()` is exclusive among writers, so `seq` is the order of commits and detectors may be advanced inside.
The interface is blocking; the daemon calls it from a worker thread.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from canary.records import (
    Alarm,
    AuditEntry,
    Baseline,
    BaselineStatus,
    Change,
    Incident,
    KeptVerdict,
    Notification,
    NotificationKind,
    Observation,
    Purpose,
    Recording,
    Reference,
    Score,
    SeriesKey,
    Silence,
    Token,
    Unscored,
)


def everything(_: SeriesKey, /) -> bool:
    """All series are chosen."""
    return True


class StateKind(StrEnum):
    """Which of a series' sequential tests a state belongs to."""

    ALARM = "alarm"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class StoredState:
    """A detector's state as kept: opaque, versioned `blob`, and what a person may want to see of it."""

    series: SeriesKey
    kind: StateKind
    detector: str  # digest of the parameters that made the last step
    version: int
    blob: bytes = field(repr=False)
    evidence: float  # ln R
    n: int  # scores that were fed
    slot_time: datetime | None  # of the last score


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A score as kept. `detector` and `log_budget` are set when it was fed: with them a replay is exact.

    `event` is what the detector made of the value (None when it was not fed). Its observation is in the store:
    `slot_time`, `probe_digest` and `replica` are read back from there, and the score's signal is the series' signal.
    """

    slot_id: str
    series: SeriesKey
    slot_time: datetime
    score: Score | Unscored
    probe_digest: str = ""
    detector: str | None = None
    log_budget: float | None = None
    event: bool | None = None
    replica: str = ""
    seq: int = 0  # of the observation; set by the store


@dataclass(frozen=True, slots=True)
class Kept:
    """An observation as kept, without its body; its scores in the order in which they were added."""

    seq: int
    observation: Observation
    scores: tuple[ScoreRow, ...]


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept after their slot time. Alarms, incidents and baselines are not touched.

    The state of an alarm's test goes when all that was fed to it is past its time: that of a replica long gone, say.
    """

    healthy_bodies: timedelta = timedelta(days=7)
    failure_bodies: timedelta = timedelta(days=90)  # answers with an event or a failure, their neighbours, verdicts'
    observations: timedelta = timedelta(days=400)  # rows without bodies, with their scores; verdicts on them
    notifications: timedelta = timedelta(days=30)  # after their delivery, and the end of their incident


AMENDABLE = (NotificationKind.TRIGGER, NotificationKind.UPDATE)
"""Kinds of what tells how an incident stands when it goes, and not what somebody did."""


@dataclass(frozen=True, slots=True)
class Telling:
    """The last that was owed to a receiver of an incident; `at` is when it was decided."""

    incident_id: str
    receiver: str
    kind: NotificationKind
    at: datetime


@dataclass(frozen=True, slots=True)
class GroupTimes:
    """Of a receiver's group: when those that wait are due, and when the last ones were delivered."""

    waiting: datetime | None = None
    told: datetime | None = None


class Transaction(Protocol):
    """Reads see what this transaction wrote. Nothing else sees it before the commit."""

    # -- observations and scores
    def add_observations(self, observations: Sequence[Observation]) -> Mapping[str, int]:
        """Insert those whose slot id is new; returns slot id -> seq of exactly these, seq ascending in input order."""
        ...

    def add_scores(self, rows: Sequence[ScoreRow]) -> None:
        """Raises: StoreError when the observation of one is not in the store."""
        ...

    def observation(self, slot_id: str) -> Observation | None:
        """With its response where the body is still kept."""
        ...

    def observations(
        self,
        *,
        target: str | None = None,
        group: str | None = None,
        purpose: Purpose = Purpose.SCHEDULED,
        since: datetime | None = None,
        until: datetime | None = None,
        bodies: bool = False,
    ) -> Iterator[Observation]:
        """In seq order, streamed; `since` <= slot time < `until`; without `bodies` the responses are None."""
        ...

    def kept(
        self, *, after: int = 0, since: datetime | None = None, until: datetime | None = None, limit: int = 1_000
    ) -> Sequence[Kept]:
        """The first `limit` scheduled observations with seq > `after`, in seq order; `since` <= slot time < `until`."""
        ...

    def judged(self, slot_ids: Collection[str]) -> Mapping[str, Kept]:
        """Those that are in the store, by slot id, whatever their purpose."""
        ...

    def slot_ids(self, *, since: datetime) -> frozenset[str]:
        """Of the scheduled observations with slot time >= `since`."""
        ...

    def last_slot(self, target: str, region: str) -> datetime | None:
        """The latest slot time of its scheduled observations, answered or not; None when there is none."""
        ...

    def scores(
        self, series: SeriesKey, *, since: datetime | None = None, fed: bool = True, limit: int | None = None
    ) -> Sequence[ScoreRow]:
        """The last `limit` scores of a series in seq order; only those that a detector was fed with, if `fed`."""
        ...

    def feed(self, chosen: Callable[[SeriesKey], bool] = everything) -> Iterator[ScoreRow]:
        """Every score that was fed to a detector, of the chosen series, in the order of feeding.

        That is by seq, then as added.
        """
        ...

    def tokens_spent(self, *, target: str, since: datetime) -> int:
        """Prompt and completion tokens of all observations with slot time >= `since`, their bodies kept or not."""
        ...

    # -- detectors
    def states(self, kind: StateKind, series: Collection[SeriesKey] | None = None) -> Mapping[SeriesKey, StoredState]:
        """Those that exist; all when `series` is None."""
        ...

    def put_states(self, states: Sequence[StoredState]) -> None: ...

    def drop_states(self, kind: StateKind, series: Collection[SeriesKey]) -> None:
        """With a test of recovery go its parameters, if no other has the same: no score and no alarm names them."""
        ...

    def put_detector(self, digest: str, parameters: str) -> None:
        """Keep a detector's parameters (JSON) under their digest; a second time is no error."""
        ...

    def detector(self, digest: str) -> str:
        """Raises: NotFound."""
        ...

    # -- alarms, incidents, notifications
    def add_alarms(self, alarms: Sequence[Alarm]) -> None:
        """One whose id is known is ignored."""
        ...

    def alarms(self, *, since: datetime | None = None) -> Sequence[Alarm]:
        """In the order of their times."""
        ...

    def put_incident(self, incident: Incident) -> None: ...

    def incident(self, incident_id: str) -> Incident:
        """By its id or an unambiguous prefix of it. Raises: NotFound."""
        ...

    def incidents(self, *, open_only: bool = False, since: datetime | None = None) -> Sequence[Incident]:
        """In the order of opening; `since` compares with `updated_at`."""
        ...

    def enqueue(self, notifications: Sequence[Notification]) -> None:
        """Owe them; one whose id is known is ignored."""
        ...

    def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Notification]:
        """Those due, oldest first, leased to the caller: nobody else gets them until `now + lease`.

        None is due while an earlier one of its incident is still owed to the same receiver: a resolve never overtakes
        its trigger, whoever delivers and however often they restart.
        """
        ...

    def delivered(self, notification_id: str, at: datetime) -> None: ...

    def retry(self, notification_id: str, *, not_before: datetime, reason: str) -> None:
        """Count an attempt and end the lease."""
        ...

    def owed(self) -> int: ...

    def oldest_owed(self) -> datetime | None:
        """When the one that has waited longest was enqueued; None when nothing is owed."""
        ...

    def waiting(self, incident_id: str, receiver: str) -> Notification | None:
        """The last one owed of the incident to the receiver, if it is a trigger or an update not yet tried."""
        ...

    def amend(self, notification: Notification) -> bool:
        """Tell its body instead of that of the one of its incident that is `waiting` for the same receiver.

        What waits keeps its kind and its time. False when nothing waits.
        """
        ...

    def told(self, incident_ids: Collection[str]) -> Sequence[Telling]:
        """The last one owed of each of these incidents to each receiver, delivered or not."""
        ...

    def last_told(self, incident_id: str, receiver: str, *, but: str = "") -> Notification | None:
        """The last one owed of the incident to the receiver, delivered or not; `but` is the id of one left out."""
        ...

    def standing(self, receiver: str, *, since: datetime) -> Sequence[Notification]:
        """The last one delivered to it of each incident that is unresolved or was touched since `since`."""
        ...

    def group_times(self, receiver: str, group: str) -> GroupTimes: ...

    # -- silences
    def put_silence(self, silence: Silence) -> None: ...

    def silence(self, silence_id: str) -> Silence:
        """By its id or an unambiguous prefix of it. Raises: NotFound."""
        ...

    def silences(self, *, since: datetime | None = None) -> Sequence[Silence]:
        """In the order of their ends; `since` leaves out those that ended by then."""
        ...

    # -- verdicts on demand
    def put_verdict(self, verdict: KeptVerdict) -> None: ...

    def verdict(self, verdict_id: str) -> KeptVerdict:
        """By its id or an unambiguous prefix of it. Raises: NotFound."""
        ...

    def verdicts(self, *, limit: int = 50) -> Sequence[KeptVerdict]:
        """The last ones, the newest first."""
        ...

    # -- baselines
    def put_recording(self, recording: Recording) -> None: ...

    def recordings(self, target: str | None = None) -> Sequence[Recording]: ...

    def put_baseline(self, baseline: Baseline) -> None: ...

    def baselines(
        self, *, target: str | None = None, status: BaselineStatus | None = None, epoch: int | None = None
    ) -> Sequence[Baseline]: ...

    def put_references(self, target: str, epoch: int, references: Sequence[Reference]) -> None: ...

    def reference(self, target: str, epoch: int, probe_digest: str, salt: int) -> Reference | None: ...

    # -- changes and small facts
    def add_change(self, change: Change) -> bool:
        """False when its id is known already."""
        ...

    def changes(self, *, since: datetime | None = None, until: datetime | None = None) -> Sequence[Change]: ...

    def fact(self, name: str) -> str | None: ...

    def put_fact(self, name: str, value: str) -> None: ...

    # -- who may, and who did
    def put_token(self, token: Token) -> None: ...

    def token(self, token_id: str) -> Token | None:
        """By its whole id."""
        ...

    def tokens(self) -> Sequence[Token]:
        """All that were ever made, in the order of their making."""
        ...

    def note(self, entry: AuditEntry) -> None:
        """Append to the audit log. There is no way to change or to forget what stands in it."""
        ...

    def audit(self, *, since: datetime | None = None, limit: int | None = None) -> Sequence[AuditEntry]:
        """The last `limit` entries since then, in the order in which they were written."""
        ...

    # -- housekeeping
    def forget(self, retention: Retention, now: datetime, *, limit: int = 5_000) -> int:
        """Judge up to `limit` things past their time; returns how many, so call again while it is > 0.

        Bodies of golden answers of a baseline that is not retired are kept, and their observations with them.
        """
        ...


class Store(Protocol):
    """Where everything is kept. Raises StoreUnavailable when it cannot be reached, is locked for long, or is full."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Exclusive; commits at the end, rolls back on an exception."""
        ...

    def reading(self) -> AbstractContextManager[Transaction]:
        """A consistent view that does not block writers; writing in it is a StoreError."""
        ...

    def close(self) -> None: ...
