"""What alarms and recoveries mean: findings, incidents, and who is told. Runs in the transaction of their batch."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from canary.alert import incident as machine
from canary.alert.home import home
from canary.alert.incident import Decision, Policy, Reason
from canary.detect import EsrState, RecoveryTest, evidence, from_bytes, to_bytes
from canary.pipeline.advance import Advance
from canary.pipeline.blame import Past
from canary.pipeline.inquiry import investigate
from canary.pipeline.scopes import hears, of_place
from canary.pipeline.watch import Watch
from canary.records import Alarm, Finding, Incident, IncidentState, SeriesKey
from canary.store.base import ScoreRow, StateKind, StoredState, Transaction

MEMORY = timedelta(days=14)
"""Incidents that ended longer ago explain nothing any more. (None of them is reopened as late.)"""

Tell = Callable[[Transaction, Incident, Reason, datetime], None]
"""Owes the notifications that a decision makes due."""


def attend(tx: Transaction, step: Advance, watch: Watch, policy: Policy, tell: Tell, now: datetime) -> list[Decision]:
    """Bring the incidents up to date with a batch: what recovered, what alarmed, what settled, who inhibits whom."""
    office, past = _Office(tx, policy, tell, now), Past(tx, watch)
    office.recoveries(step.rows)
    for alarm in step.alarms:
        office.alarm(alarm, watch, past)
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
        self._known: dict[str, Incident] | None = None

    def alarm(self, alarm: Alarm, watch: Watch, past: Past) -> None:
        """Find out what it shows, and put it where it belongs."""
        known = self._incidents().values()
        told = [finding for incident in known for finding in incident.findings]
        finding, test = investigate(past, alarm, watch, told, _standing(known))
        inhibitor = machine.inhibitor(known, finding, self._policy)
        taker = home(known, finding, self._now, self._policy)
        after = self._keep(machine.absorb(taker, finding, self._now, self._policy, suppressed_by=inhibitor))
        if test is not None:
            tested = sorted({finding.series, *machine.relocated(taker, after)})
            self._tx.drop_states(StateKind.RECOVERY, tested)
            self._tx.put_detector(test.digest, test.to_json())
            self._tx.put_states([_stored(series, test, test.start(), 0) for series in tested])

    def recoveries(self, rows: Iterable[ScoreRow]) -> None:
        """Step the recovery tests of the series in open incidents over the batch."""
        fed: dict[tuple[str, str], list[ScoreRow]] = defaultdict(list)
        for row in rows:
            if row.event is not None:
                fed[row.series.signal, row.series.region].append(row)
        for incident in self._tx.incidents(open_only=True) if fed else ():
            for finding in machine.unrecovered(incident):
                series = finding.series
                if _recovers(self._tx, series, _heard(finding, fed[series.signal, series.region])):
                    incident = self._keep(machine.recover(incident, series, self._now))

    def tidy(self) -> None:
        """Settle what flapped, suppress and release."""
        for incident in self._tx.incidents(open_only=True):
            self._keep(machine.settle(incident, self._now, self._policy))
        for decision in machine.reconcile(self._tx.incidents(open_only=True), self._now, self._policy):
            self._keep(decision)

    def _incidents(self) -> dict[str, Incident]:
        """Those that an alarm may be of, read once."""
        if self._known is None:
            recent = self._tx.incidents(since=self._now - MEMORY)
            self._known = {i.id: i for i in (*recent, *self._tx.incidents(open_only=True))}
        return self._known

    def _keep(self, decision: Decision) -> Incident:
        incident, reason = decision
        if reason is not Reason.UNCHANGED:
            self._incidents()[incident.id] = incident
            self._tx.put_incident(incident)
            self._tell(self._tx, incident, reason, self._now)
            self.decisions.append(decision)
        return incident


def _standing(incidents: Iterable[Incident]) -> list[Finding]:
    open_ones = (incident for incident in incidents if incident.state is not IncidentState.RESOLVED)
    return [finding for incident in open_ones for finding in machine.unrecovered(incident)]


def watching(finding: Finding) -> SeriesKey:
    """The series or scope of the place that a finding speaks of: its answers show whether it is over."""
    return of_place(finding.blame.place, finding.series) if finding.blame else finding.series


def _heard(finding: Finding, events: Sequence[ScoreRow]) -> list[bool]:
    """Whether the answers of the place that the finding speaks of were events."""
    series = watching(finding)
    cells = {(row.series, row.replica) for row in events}
    heard = {cell for cell in cells if hears(series, *cell)}
    return [bool(row.event) for row in events if (row.series, row.replica) in heard]


def _recovers(tx: Transaction, series: SeriesKey, events: Sequence[bool]) -> bool:
    """Step the series' recovery test over new answers; whether it proved recovery on the way."""
    stored = tx.states(StateKind.RECOVERY, [series]).get(series) if events else None
    if stored is None:
        return False
    test = RecoveryTest.from_json(tx.detector(stored.detector))
    state = from_bytes(stored.blob)
    state = test.steps(state, events)
    if test.recovered(state):
        tx.drop_states(StateKind.RECOVERY, [series])
        return True
    tx.put_states([_stored(series, test, state, stored.n + len(events))])
    return False


def _stored(series: SeriesKey, test: RecoveryTest, state: EsrState, n: int) -> StoredState:
    reached = float(evidence(state))
    return StoredState(series, StateKind.RECOVERY, test.digest, state.version, to_bytes(state), reached, n, None)
