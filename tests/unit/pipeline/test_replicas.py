"""Replicas as scopes of their own: what they hear, and what becomes of it when their pool is recorded anew."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from canary.hindsight.explain import cases, explain
from canary.pipeline.advance import alarms_again
from canary.pipeline.ledger import Fired, Ledger
from canary.pipeline.watch import Rhythm, Watch, muster
from canary.records import SeriesKey
from canary.store import MemoryStore
from canary.store.base import StateKind
from canary.testing import FakeClock
from tests.unit.pipeline.stage import BROKEN, CLEAN, MINUTE, PROBE, START, TERMS, baseline, fired, ledger, target

POOLS = ("long", "short")


def watch(epochs: Mapping[str, int]) -> Watch:
    rhythms = [Rhythm(target(pool).name, "prose", (PROBE,), MINUTE, replicas=True) for pool in POOLS]
    golden = [
        baseline(SeriesKey(target(pool).name, "eu", "prose", signal), epoch=epochs.get(pool, 1))
        for pool in POOLS
        for signal in ("script", "availability")
    ]
    return muster(rhythms, golden, TERMS, "eu")


def book() -> tuple[Ledger, MemoryStore]:
    store = MemoryStore()
    return ledger(store, FakeClock(START), watch({})), store


def by(replica: str, pool: str, minute: int, text: str = CLEAN) -> Fired:
    one = fired(pool, minute, text)
    return replace(one, observations=tuple(replace(seen, replica=replica) for seen in one.observations))


def heard(store: MemoryStore) -> Mapping[str, int]:
    """How many answers the evidence of each replica is of."""
    with store.reading() as tx:
        kept = {key: state.n for key, state in tx.states(StateKind.ALARM).items() if key.signal == "script"}
    return {f"{key.target} {key.group}": n for key, n in kept.items() if key.group.startswith("*@")}


def told(store: MemoryStore) -> tuple[Sequence[object], Sequence[object]]:
    """The alarms, as they were raised and as the store raises them again."""
    with store.reading() as tx:
        return sorted(tx.alarms(), key=lambda one: one.id), sorted(alarms_again(tx), key=lambda one: one.id)


def test_each_replica_hears_its_own_answers() -> None:
    on, store = book()
    on.commit([by(f"r{minute % 3}", "long", minute) for minute in range(10)])
    assert heard(store) == {"mid/api/long *@r0": 4, "mid/api/long *@r1": 3, "mid/api/long *@r2": 3}


def test_all_replicas_of_a_pool_start_afresh_with_its_epoch_and_those_of_other_pools_go_on() -> None:
    on, store = book()
    on.commit([by(f"r{minute % 2}", pool, minute) for minute in range(6) for pool in POOLS])
    on.watch = watch({"long": 2})
    on.commit([by("r0", "long", 6)])
    assert heard(store) == {"mid/api/long *@r0": 1, "mid/api/short *@r0": 3, "mid/api/short *@r1": 3}


def test_what_a_replica_heard_in_another_epoch_counts_no_more_when_it_answers_later() -> None:
    on, store = book()
    on.commit([by("r1", "long", minute, BROKEN) for minute in range(2)])
    on.watch = watch({"long": 2})
    for minute in range(2, 5):  # each a batch of its own
        on.commit([by("r0" if minute < 4 else "r1", "long", minute)])
    assert heard(store) == {"mid/api/long *@r0": 2, "mid/api/long *@r1": 1}


def test_alarms_of_replicas_over_two_epochs_are_raised_again_bit_for_bit() -> None:
    on, store = book()
    for epoch in (1, 2):
        on.watch = watch({"long": epoch})
        for minute in range(60 * epoch, 60 * epoch + 60):
            on.commit([by(f"r{minute % 3}", "long", minute, BROKEN if minute % 9 == 0 else CLEAN)])
    live, again = told(store)
    assert live == again
    assert {alarm.series.group for alarm in live} > {"*@r0"}  # of whom all the broken ones are


def test_a_replica_that_its_pools_new_epoch_made_forget_is_explained_without_differences() -> None:
    on, store = book()
    for minute in range(60):
        on.commit([by(f"r{minute % 3}", "long", minute, BROKEN if minute % 9 == 0 else CLEAN)])
    on.watch = watch({"long": 2})
    on.commit([by("r1", "long", 60)])
    with store.reading() as tx:
        alarm = next(alarm for alarm in tx.alarms() if alarm.series.group == "*@r0")
        _, (case,) = cases(tx, alarm.id)
        assert explain(tx, case).differences == ()
