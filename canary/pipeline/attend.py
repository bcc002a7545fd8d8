"""What alarms and recoveries mean: findings, incidents, and who is told. Runs in the transaction of their batch."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

import numpy as np

from canary.alert import incident as machine
from canary.alert.incident import Decision, Policy, Reason
from canary.detect import EsrState, RecoveryTest, evidence, from_bytes, onset, size, to_bytes
from canary.pipeline.advance import Advance
from canary.pipeline.watch import ANSWER, Watch, Watched
from canary.records import Alarm, Finding, Incident, Interval, Notification, Score, SeriesKey, Signal
from canary.store.base import ScoreRow, StateKind, StoredState, Transaction

HISTORY = 5_000
"""Scores of a series that an alarm is traced back through."""

Tell = Callable[[Transaction, Incident, Reason, datetime], Sequence[Notification]]
"""Which notifications a decision makes due."""


def attend(tx: Transaction, step: Advance, watch: Watch, policy: Policy, tell: Tell, now: datetime) -> list[Decision]:
    """Bring the incidents up to date with a batch: what recovered, what alarmed, what settled, who inhibits whom."""
    office = _Office(tx, policy, tell, now)
    office.recoveries(step.rows)
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
        watched = watch.armed[alarm.series]
        recent = self._tx.incidents(since=self._now - self._policy.reopen_window)
        known = {i.id: i for i in (*recent, *self._tx.incidents(open_only=True))}.values()
        since = max([watched.since, *_ends(known, alarm.series)])
        finding = _investigate(self._tx, alarm, watch.signals[alarm.series], watched, since)
        inhibitor = machine.inhibitor(known, alarm.series.target, finding.symptom, self._policy)
        home = machine.home(known, finding, self._now, self._policy)
        self._keep(machine.absorb(home, finding, self._now, self._policy, suppressed_by=inhibitor))
        _expect_recovery(self._tx, watched, finding)

    def recoveries(self, rows: Iterable[ScoreRow]) -> None:
        """Step the recovery tests of the series in open incidents over the batch."""
        events = defaultdict(list)
        for row in rows:
            if row.event is not None:
                events[row.series].append(row.event)
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


def _investigate(tx: Transaction, alarm: Alarm, signal: Signal, watched: Watched, since: datetime) -> Finding:
    """Trace an alarm back: since when, how many answers, which ones."""
    fed = [row for row in tx.scores(alarm.series, limit=HISTORY) if row.slot_time <= alarm.at]
    rows = [row for row in fed if row.slot_time >= since] or fed[-1:]  # clocks jump: `since` may lie after the alarm
    began = onset(np.stack([_log_e(watched, row) for row in rows]))
    touched = rows[began.best :]
    events = [bool(row.event) for row in touched]
    return Finding(
        series=alarm.series,
        symptom=signal.symptom,
        alarms=1,
        onset=Interval(rows[max(0, began.low - 1)].slot_time, rows[began.best].slot_time, rows[began.high].slot_time),
        size=size(watched.detector, events, [ANSWER] * len(events)),
        evidence=_strongest(touched, alarm),
    )


def _strongest(rows: Sequence[ScoreRow], alarm: Alarm) -> tuple[str, ...]:
    events = sorted((row for row in rows if row.event), key=lambda row: _score(row).value, reverse=True)
    return tuple(row.slot_id for row in events[: machine.EVIDENCE_KEPT]) or (alarm.slot_id,)


def _log_e(watched: Watched, row: ScoreRow) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    score = _score(row)
    return watched.detector.log_e(score.value, ANSWER, -np.inf if row.event else np.inf)


def _expect_recovery(tx: Transaction, watched: Watched, finding: Finding) -> None:
    """Start the recovery test of a finding that is new or of another size."""
    test = RecoveryTest.for_(watched.detector, finding.size, ANSWER)
    tx.put_detector(test.digest, test.to_json())
    tx.put_states([_stored(finding.series, test, test.start(), 0)])


def _recovers(tx: Transaction, series: SeriesKey, events: Sequence[bool]) -> bool:
    """Step the series' recovery test over new answers; whether it proved recovery on the way."""
    stored = tx.states(StateKind.RECOVERY, [series]).get(series)
    if stored is None or not events:
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


def _score(row: ScoreRow) -> Score:
    if not isinstance(row.score, Score):
        raise TypeError("an unscored answer is never fed")
    return row.score
