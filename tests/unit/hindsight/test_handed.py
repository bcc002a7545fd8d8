"""What a rerun leaves out is named, and not held against it."""

from dataclasses import replace

from canary.hindsight.handed import handed_in, without
from canary.hindsight.verdicts import Side
from canary.records import Purpose
from canary.store import MemoryStore
from tests.contract.store_values import T0, observation
from tests.unit.hindsight.test_verdicts import MINUTE, alarm, incident

LONG = "mid/api/long"


def test_what_was_handed_in_is_counted_by_target_and_group_in_the_span() -> None:
    store = MemoryStore()
    with store.transaction() as tx:
        for nth, purpose in enumerate((Purpose.SCHEDULED, Purpose.REPORTED, Purpose.REPORTED, Purpose.GOLDEN)):
            tx.add_observations([observation(nth, target=LONG, purpose=purpose)])
    region, group = observation(0).region, observation(0).group
    assert handed_in(store, region, None, None) == {(LONG, group): 2}
    assert handed_in(store, "elsewhere", None, None) == {}
    assert handed_in(store, region, T0 + 1_000 * MINUTE, None) == {}


def test_what_is_left_out_is_no_alarm_that_was_missed() -> None:
    both = replace(incident(61, 70), findings=(*incident(61, 70).findings, *incident(61, 70, LONG).findings))
    side = Side((alarm(70), alarm(75, LONG)), (both, incident(61, 75, LONG, name="j")))
    assert without(side, {(LONG, "prose"): 9}) == Side((alarm(70),), (both,))
    assert without(side, {}) == side
