"""Everything that can happen to the incidents of one target, in any order."""

from datetime import datetime

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from canary.alert.home import home
from canary.alert.incident import (
    Decision,
    Policy,
    Reason,
    absorb,
    acknowledge,
    inhibitor,
    notification,
    reconcile,
    recover,
    resolve,
    settle,
    unrecovered,
)
from canary.records import Finding, Incident, IncidentState, NotificationKind, Symptom
from tests.unit.alert.findings import START, finding, minutes, series

POLICY = Policy(reopen_window=minutes(60), flap_limit=1)
SIGNALS = {
    "stray_script": Symptom.CORRUPTION,
    "syntax_error": Symptom.CORRUPTION,
    "distance": Symptom.DEVIATION,
    "dropped_top": Symptom.SELECTION,
    "no_answer": Symptom.AVAILABILITY,
}


class Incidents(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = START
        self.incidents: dict[str, Incident] = {}
        self.told: dict[str, list[NotificationKind | Reason]] = {}

    # -- what happens

    @rule(signal=st.sampled_from(sorted(SIGNALS)), onset=st.integers(-90, 0), share=st.sampled_from([0.01, 0.1, 1.0]))
    def alarm(self, signal: str, onset: int, share: float) -> None:
        minute = (self.now - START).total_seconds() / 60 + onset
        alarmed = finding(signal, SIGNALS[signal], onset=minute, share=share)
        before = home(self.incidents.values(), alarmed, self.now, POLICY)
        by = inhibitor(self.incidents.values(), alarmed, POLICY)
        after, reason = absorb(before, alarmed, self.now, POLICY, suppressed_by=by)
        self._keeps_what_was_known(before, after, alarmed)
        self._take(before, (after, reason))

    @precondition(lambda self: self.incidents)
    @rule(data=st.data(), signal=st.sampled_from(sorted(SIGNALS)))
    def recovery(self, data: st.DataObject, signal: str) -> None:
        incident = self._any(data)
        after, reason = recover(incident, series(signal), self.now)
        assert reason is not Reason.RESOLVED or not unrecovered(after)
        self._take(incident, (after, reason))

    @precondition(lambda self: self.incidents)
    @rule(data=st.data())
    def acknowledgement(self, data: st.DataObject) -> None:
        incident = self._any(data)
        self._take(incident, acknowledge(incident, "ann", self.now))

    @precondition(lambda self: self.incidents)
    @rule(data=st.data())
    def resolution_by_a_person(self, data: st.DataObject) -> None:
        incident = self._any(data)
        self._take(incident, resolve(incident, "ann", self.now))

    @rule(passing=st.integers(1, 120))
    def time(self, passing: int) -> None:
        self.now += minutes(passing)
        self._settle_all()

    @override
    def teardown(self) -> None:
        for incident in list(self.incidents.values()):
            for known in unrecovered(incident):
                current = self.incidents[incident.id]
                self._take(current, recover(current, known.series, self.now))
        self.now += POLICY.reopen_window
        self._settle_all()
        for incident in self.incidents.values():
            assert incident.state is IncidentState.RESOLVED
            kinds = [
                told for told in self.told[incident.id] if told in {NotificationKind.TRIGGER, NotificationKind.RESOLVE}
            ]
            assert kinds[-1] is NotificationKind.RESOLVE

    # -- laws

    @invariant()
    def only_a_person_resolves_what_has_not_recovered(self) -> None:
        for incident in self.incidents.values():
            if incident.state is IncidentState.RESOLVED and unrecovered(incident):
                assert incident.resolved_by is not None

    @invariant()
    def an_incident_speaks_either_of_availability_or_of_quality(self) -> None:
        for incident in self.incidents.values():
            assert len({known.symptom is Symptom.AVAILABILITY for known in incident.findings}) == 1

    @invariant()
    def every_series_has_one_finding_in_an_incident(self) -> None:
        for incident in self.incidents.values():
            assert len({known.series for known in incident.findings}) == len(incident.findings)

    @invariant()
    def no_series_alarms_in_two_open_incidents(self) -> None:
        standing = [
            known.series
            for incident in self.incidents.values()
            if incident.state is not IncidentState.RESOLVED
            for known in incident.findings
        ]
        assert len(standing) == len(set(standing))

    @invariant()
    def triggers_alternate_with_resolves_or_suppressions(self) -> None:
        for told in self.told.values():
            last: NotificationKind | Reason | None = None
            for word in told:
                assert (last, word) != (NotificationKind.TRIGGER, NotificationKind.TRIGGER)
                last = word

    @invariant()
    def availability_is_never_suppressed(self) -> None:
        for incident in self.incidents.values():
            if incident.findings[0].symptom is Symptom.AVAILABILITY:
                assert incident.suppressed_by is None

    @invariant()
    def the_resolved_state_has_its_time(self) -> None:
        for incident in self.incidents.values():
            assert (incident.state is IncidentState.RESOLVED) == (incident.resolved_at is not None)

    @invariant()
    def the_acknowledged_state_has_its_person(self) -> None:
        for incident in self.incidents.values():
            assert incident.state is not IncidentState.ACKNOWLEDGED or incident.acknowledged_by == "ann"

    # -- plumbing

    def _any(self, data: st.DataObject) -> Incident:
        return self.incidents[data.draw(st.sampled_from(sorted(self.incidents)))]

    def _settle_all(self) -> None:
        for incident in list(self.incidents.values()):
            self._take(incident, settle(incident, self.now, POLICY))

    def _keeps_what_was_known(self, before: Incident | None, after: Incident, alarmed: Finding) -> None:
        earlier = () if before is None else before.findings
        assert {known.series for known in after.findings} == {known.series for known in earlier} | {alarmed.series}
        assert sum(known.alarms for known in after.findings) == sum(known.alarms for known in earlier) + alarmed.alarms

    def _take(self, before: Incident | None, decision: Decision) -> None:
        self._keep(before, decision)
        for changed in list(reconcile(list(self.incidents.values()), self.now, POLICY)):
            self._keep(self.incidents[changed[0].id], changed)

    def _keep(self, before: Incident | None, decision: Decision) -> None:
        incident, reason = decision
        assert (reason is Reason.UNCHANGED) == (incident is before)
        assert incident.version == (0 if before is None else before.version) + (reason is not Reason.UNCHANGED)
        self.incidents[incident.id] = incident
        kind = notification(reason, incident)
        told = self.told.setdefault(incident.id, [])
        if kind in {NotificationKind.TRIGGER, NotificationKind.RESOLVE}:
            told.append(kind)
        elif reason is Reason.SUPPRESSED:
            told.append(reason)


Incidents.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestIncidents = Incidents.TestCase
