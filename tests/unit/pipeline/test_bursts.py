"""A burst in the pipeline: kept whole, one step of each detector, and the same steps again from the store."""

import random
from collections.abc import Iterator, Sequence

import pytest

from canary.pipeline.advance import alarms_again
from canary.pipeline.ledger import Fired
from canary.records import Alarm, Score, SeriesKey
from canary.store import MemoryStore, Store
from canary.store.base import ScoreRow, StateKind
from canary.testing import FakeClock
from tests.unit.pipeline.stage import BROKEN, CLEAN, MINUTE, START, fired, ledger, target, watch

SIZE = 8
GROUPS = ("prose", "prose@8")
SCRIPT = SeriesKey(target("long").name, "eu", "prose@8", "script")
AVAILABILITY = SeriesKey(target("long").name, "eu", "prose@8", "availability")


def burst(minute: int, *, broken: Sequence[int] = (), failed: Sequence[int] = ()) -> Fired:
    texts = [None if n in failed else BROKEN if n in broken else CLEAN for n in range(SIZE)]
    return fired("long", minute, *texts)


def commit(store: Store, batches: Sequence[Sequence[Fired]]) -> None:
    clock = FakeClock(START)
    book = ledger(store, clock, watch(["long"], groups=GROUPS))
    for batch in batches:
        clock.advance(len(batch) * MINUTE)
        book.commit(batch)


def fed(store: Store, series: SeriesKey = SCRIPT) -> Sequence[ScoreRow]:
    with store.reading() as tx:
        return tx.scores(series)


def alarms(store: Store) -> tuple[list[Alarm], list[Alarm]]:
    """As they were raised, and as the store raises them again."""
    with store.reading() as tx:
        return sorted(tx.alarms(), key=_name), sorted(alarms_again(tx), key=_name)


def _name(alarm: Alarm) -> str:
    return alarm.id


def test_a_burst_is_one_step_of_each_detector():
    store = MemoryStore()
    commit(store, [[burst(minute) for minute in range(10)]])
    with store.reading() as tx:
        steps = {series: state.n for series, state in tx.states(StateKind.ALARM).items()}
    assert {steps[SCRIPT], steps[AVAILABILITY], *steps.values()} == {10}


def test_the_worst_answer_is_fed_and_the_scores_of_all_are_kept():
    store = MemoryStore()
    commit(store, [[burst(0, broken=[5])]])
    (row,) = fed(store)
    assert row.slot_id == burst(0).observations[5].slot_id
    with store.reading() as tx:
        kept = tx.scores(SCRIPT, fed=False)
    assert sum(isinstance(each.score, Score) and each.score.value > 0 for each in kept) == 1
    assert len(kept) == SIZE


def test_a_burst_spends_the_budget_of_one_slot():
    store = MemoryStore()
    commit(store, [[burst(minute), fired("long", minute, CLEAN)] for minute in range(5)])
    lone = SeriesKey(SCRIPT.target, "eu", "prose", "script")
    assert [row.log_budget for row in fed(store)] == pytest.approx([row.log_budget for row in fed(store, lone)])


def test_a_burst_with_failed_runs_is_judged_by_its_other_answers():
    store = MemoryStore()
    commit(store, [[burst(0, failed=[0, 1, 2, 3, 4, 5], broken=[7])]])
    assert [row.event for row in fed(store)] == [True]


def test_a_burst_in_which_a_run_failed_is_an_event_of_availability():
    store = MemoryStore()
    commit(store, [[burst(0, failed=[6]), burst(1)]])
    assert [row.event for row in fed(store, AVAILABILITY)] == [True, False]


def test_a_burst_of_which_every_run_failed_is_no_step_of_the_other_detectors():
    store = MemoryStore()
    commit(store, [[burst(0, failed=range(SIZE))]])
    assert fed(store) == []


def test_half_a_burst_is_kept_and_not_fed():
    store = MemoryStore()
    whole = burst(0, broken=range(SIZE))
    commit(store, [[Fired(whole.probe, whole.observations[:4])]])
    with store.reading() as tx:
        assert len(list(tx.observations())) == 4
    assert fed(store) == []


def test_a_burst_that_comes_twice_changes_nothing():
    once, twice = MemoryStore(), MemoryStore()
    commit(once, [[burst(0)], [burst(1)]])
    commit(twice, [[burst(0)], [burst(0), burst(1)]])
    assert fed(once) == fed(twice)


def _days(seed: int) -> Iterator[Fired]:
    """Healthy hours, then a fault that touches one answer or several of half of the bursts; now and then a failure."""
    rng = random.Random(seed)
    for minute in range(150):
        broken = [rng.randrange(SIZE)] * (minute >= 60 and rng.random() < 0.5)
        failed = [n for n in range(SIZE) if rng.random() < 0.002]
        yield burst(minute, broken=broken, failed=failed)


@pytest.mark.parametrize("batch", [1, 7, 150])
def test_alarms_over_bursts_are_raised_again_from_the_store_bit_for_bit(batch: int):
    store, days = MemoryStore(), list(_days(3))
    commit(store, [days[begin : begin + batch] for begin in range(0, len(days), batch)])
    live, again = alarms(store)
    assert live == again
    assert {alarm.series for alarm in live} >= {SCRIPT}


def test_the_size_of_a_batch_changes_no_alarm():
    found = []
    for batch in (1, 7, 150):
        store, days = MemoryStore(), list(_days(3))
        commit(store, [days[begin : begin + batch] for begin in range(0, len(days), batch)])
        found.append(alarms(store)[0])
    assert found[0] == found[1] == found[2]


def test_the_incident_of_a_burst_shows_the_answers_that_were_touched():
    store = MemoryStore()
    commit(store, [[burst(minute, broken=[3] if minute >= 30 else [])] for minute in range(60)])
    with store.reading() as tx:
        (incident,) = tx.incidents()
        finding = next(finding for finding in incident.findings if finding.series == SCRIPT)
        shown = [tx.observation(slot_id) for slot_id in finding.evidence]
    assert {(seen.ordinal, seen.response.text) for seen in shown if seen and seen.response} == {(3, BROKEN)}
