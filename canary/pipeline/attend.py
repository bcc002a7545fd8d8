"""What alarms and recoveries mean: findings, incidents, and who is told. Runs in the transaction of their batch."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

import numpy as np

from canary.alert import incident as machine
from canary.alert.incident import Decision, Policy, Reason
from canary.detect import (
    Detector,
    EsrState,
    EventDetector,
    RecoveryTest,
    evidence,
    from_bytes,
    hierarchy,
    onset,
    size,
    to_bytes,
)
from canary.pipeline import blame
from canary.pipeline.advance import Advance
from canary.pipeline.blame import Heard
from canary.pipeline.scopes import Hierarchy, is_scope, members
from canary.pipeline.watch import ANSWER, Watch
from canary.records import Alarm, Blame, Finding, Incident, Interval, Notification, SeriesKey
from canary.store.base import ScoreRow, StateKind, StoredState, Transaction

HISTORY = 5_000
"""Scores that an alarm is traced back through."""

_SURE = 0.999

Tell = Callable[[Transaction, Incident, Reason, datetime], Sequence[Notification]]
"""Which notifications a decision makes due."""


def attend(tx: Transaction, step: Advance, watch: Watch, policy: Policy, tell: Tell, now: datetime) -> list[Decision]:
    """Bring the incidents up to date with a batch: what recovered, what alarmed, what settled, who inhibits whom."""
    office = _Office(tx, policy, tell, now)
    office.recoveries(step.rows, watch.hierarchy)
    for alarm in step.alarms:
        office.alarm(alarm, watch)
    office.tidy()
    return office.decisions


class _Office:
    """Keeps the incidents of one transaction."""

    def __init__(self, tx: Transaction, policy: Policy, tell: Tell, now: datetime) -> None:
        self.decisions: list[Decision] = []
        self._tx = tx
        self._policy = policy
        self._tell = tell
        self._now = now

    def alarm(self, alarm: Alarm, watch: Watch) -> None:
        """Find out what it shows, and put it where it belongs."""
        recent = self._tx.incidents(since=self._now - self._policy.reopen_window)
        known = {i.id: i for i in (*recent, *self._tx.incidents(open_only=True))}.values()
        finding, test = _investigate(self._tx, alarm, watch, list(_ends(known, alarm.series)))
        inhibitor = machine.inhibitor(known, finding, self._policy)
        home = machine.home(known, finding, self._now, self._policy)
        self._keep(machine.absorb(home, finding, self._now, self._policy, suppressed_by=inhibitor))
        self._tx.put_detector(test.digest, test.to_json())
        self._tx.put_states([_stored(finding.series, test, test.start(), 0)])

    def recoveries(self, rows: Iterable[ScoreRow], hierarchy: Hierarchy) -> None:
        """Step the recovery tests of the series in open incidents over the batch."""
        events = defaultdict(list)
        for row in rows:
            if row.event is not None:
                for series in (row.series, *hierarchy.scopes(row.series, row.replica)):
                    events[series].append(row.event)
        for incident in self._tx.incidents(open_only=True) if events else ():
            for finding in machine.unrecovered(incident):
                if _recovers(self._tx, finding.series, events.get(finding.series, [])):
                    incident = self._keep(machine.recover(incident, finding.series, self._now))

    def tidy(self) -> None:
        """Settle what flapped, suppress and release."""
        for incident in self._tx.incidents(open_only=True):
            self._keep(machine.settle(incident, self._now, self._policy))
        for decision in machine.reconcile(self._tx.incidents(open_only=True), self._now, self._policy):
            self._keep(decision)

    def _keep(self, decision: Decision) -> Incident:
        incident, reason = decision
        if reason is not Reason.UNCHANGED:
            self._tx.put_incident(incident)
            self._tx.enqueue(self._tell(self._tx, incident, reason, self._now))
            self.decisions.append(decision)
        return incident


def _ends(incidents: Iterable[Incident], series: SeriesKey) -> Iterator[datetime]:
    """When the series was shown to be healthy again."""
    for incident in incidents:
        for finding in incident.findings:
            if finding.series == series and finding.recovered_at is not None:
                yield finding.recovered_at


def _investigate(tx: Transaction, alarm: Alarm, watch: Watch, ends: Sequence[datetime]) -> tuple[Finding, RecoveryTest]:
    """Trace an alarm back: since when, where, how many answers, which ones; and how its end will be known."""
    rows = _history(tx, alarm, watch, ends)
    began = onset(np.stack([_log_e(alarm.series, heard) for heard in rows]))
    touched = rows[began.best :]
    detector = _pooled(touched) if is_scope(alarm.series) else touched[0].watched.detector
    events = [bool(heard.row.event) for heard in touched]
    finding = Finding(
        series=alarm.series,
        symptom=watch.signals[touched[0].row.series].symptom,
        alarms=1,
        onset=Interval(*(rows[nth].row.slot_time for nth in (max(0, began.low - 1), began.best, began.high))),
        size=size(detector, events, [ANSWER] * len(events)),
        evidence=_strongest(touched, alarm),
        blame=_blame(tx, alarm, watch, rows[began.best].row.slot_time),
    )
    return finding, RecoveryTest.for_(detector, finding.size, ANSWER)


def _history(tx: Transaction, alarm: Alarm, watch: Watch, ends: Sequence[datetime]) -> list[Heard]:
    """What the alarming series, or the members of the alarming scope, were fed since all was last well."""
    series = members(alarm.series, watch.armed)
    fed = [heard for heard in blame.history(tx, watch, series, HISTORY) if heard.row.slot_time <= alarm.at]
    heard = [
        one for one in fed if one.row.slot_time >= max([one.watched.since, *ends]) and _heard_by(alarm.series, one.row)
    ]
    return heard or fed[-1:]  # clocks jump: `since` may lie after the alarm


def _heard_by(series: SeriesKey, row: ScoreRow) -> bool:
    """A replica hears its own answers."""
    replica = series.group.removeprefix("*@")
    return replica in (series.group, row.replica)


def _blame(tx: Transaction, alarm: Alarm, watch: Watch, since: datetime) -> Blame:
    """Looks at all series of the alarming one's signal."""
    whole = [key for key in watch.armed if key.signal == alarm.series.signal]
    heard = blame.history(tx, watch, whole, blame.ANSWERS)
    return blame.blame(alarm.series, (one for one in heard if since <= one.row.slot_time <= alarm.at))


def _strongest(touched: Sequence[Heard], alarm: Alarm) -> tuple[str, ...]:
    events = sorted((heard for heard in touched if heard.row.event), key=lambda heard: heard.value, reverse=True)
    return tuple(heard.row.slot_id for heard in events[: machine.EVIDENCE_KEPT]) or (alarm.slot_id,)


def _log_e(series: SeriesKey, heard: Heard) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """What an answer says to the detector of the series or scope."""
    return hierarchy.log_e(heard.bet) if is_scope(series) else heard.log_e


def _pooled(touched: Sequence[Heard]) -> Detector:
    """A scope's healthy rate of events: the mean over the answers."""
    rates = [heard.watched.detector.healthy_event_rate(ANSWER) for heard in touched]
    mean = min(sum(rates) / len(rates), _SURE)
    return EventDetector(-math.log1p(-mean))


def _recovers(tx: Transaction, series: SeriesKey, events: Sequence[bool]) -> bool:
    """Step the series' recovery test over new answers; whether it proved recovery on the way."""
    stored = tx.states(StateKind.RECOVERY, [series]).get(series) if events else None
    if stored is None:
        return False
    test = RecoveryTest.from_json(tx.detector(stored.detector))
    state = from_bytes(stored.blob)
    for event in events:
        state = test.step(state, event=event)
        if test.recovered(state):
            tx.drop_states(StateKind.RECOVERY, [series])
            return True
    tx.put_states([_stored(series, test, state, stored.n + len(events))])
    return False


def _stored(series: SeriesKey, test: RecoveryTest, state: EsrState, n: int) -> StoredState:
    reached = float(evidence(state))
    return StoredState(series, StateKind.RECOVERY, test.digest, state.version, to_bytes(state), reached, n, None)
