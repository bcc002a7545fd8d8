from dataclasses import replace
from datetime import timedelta

import pytest

from canary.alert.incident import Policy, Reason, absorb
from canary.drill.judge import judge
from canary.drill.scenario import load
from canary.drill.stage import Event, Played
from canary.records import Blame, Interval, Place, Scope
from canary.store import MemoryStore
from tests.unit.alert.findings import finding
from tests.unit.alert.owed import owe
from tests.unit.drill.small import written

PLACE = Scope("mid", "api", "tpu")


def judged(folder, *edits, replica="api-tpu-1", nth=0):
    """What is said of one incident that opens a quarter of an hour after the fault began."""
    scenario = load(written(folder, *edits))
    began = next(truth.began for truth in scenario.truths if truth.name == "corruption")
    found = replace(
        finding(target="mid/api/tpu"),
        onset=Interval(began, began, began),
        blame=Blame(Place(PLACE, replica=replica), "mid/api/tpu"),
    )
    now = began + timedelta(minutes=15)
    incident, _ = absorb(None, found, now, Policy())
    told = owe(incident=incident.id)
    store = MemoryStore()
    with store.transaction() as tx:
        tx.put_incident(incident)
    played = Played(scenario, 1, None, None, 0, (Event(now, incident, Reason.OPENED),), (told,))
    return judge(played, store).outcomes[nth]


@pytest.mark.parametrize(("replica", "held"), [("api-tpu-1", True), ("api-tpu-2", False), ("", False)])
def test_a_replica_that_is_expected_has_to_be_named(tmp_path, replica, held):
    wanted = ("symptoms: [corruption], ", "symptoms: [corruption], replica: api-tpu-1, ")
    checks = {check.what: check.held for check in judged(tmp_path, wanted, replica=replica).checks}
    assert checks["on replica api-tpu-1"] is held


def test_a_fault_elsewhere_counts_from_where_it_began_first(tmp_path):
    earlier = (
        "timeline: [{at: +1h, share: 0.5, rate: 0.1}, {at: +2h, share: 0}]",
        "timeline: [{at: +1h, share: 0.5, rate: 0.1}, {at: +2h, share: 0}]\n"
        '    elsewhere: [{where: "*/api/gpu", timeline: [{at: +30m, share: 0.1}]}]',
    )
    assert judged(tmp_path, earlier).delay.time == timedelta(minutes=45)


def test_of_two_faults_with_its_symptom_an_incident_is_that_which_began_with_it(tmp_path):
    older = "  - {name: older, kind: corruption, where: mid/api/tpu, timeline: [{at: +10m, share: 0.1}]}\n"
    faults = ("faults:\n", f"faults:\n{older}")
    first = ("incidents: [", "incidents: [{fault: older, symptoms: [corruption]}, ")
    assert not judged(tmp_path, faults, first, nth=0).incidents
    assert judged(tmp_path, faults, first, nth=1).incidents


def test_what_was_noticed_first_is_told(tmp_path):
    history = (
        "probing:\n",
        "history: [{at: +2h, what: rolled back, fault: corruption}, {at: +90m, what: seen, fault: corruption}, "
        "{at: +1h, what: complaints}]\nprobing:\n",
    )
    outcome = judged(tmp_path, history)
    assert outcome.noticed - outcome.incidents[0].opened_at == timedelta(minutes=15)
