"""What every store forgets, and what it keeps."""

from collections.abc import Iterable

import pytest

from canary.records import BaselineStatus, Observation, Purpose
from canary.store import Retention, StateKind, Store
from tests.contract.store_values import (
    DAY,
    MINUTE,
    OTHER,
    SERIES,
    T0,
    baseline,
    failed,
    notification,
    observation,
    recording,
    score,
    state,
)

GOLDEN = recording(1)


def golden(i: int) -> Observation:
    """Made in the session of GOLDEN."""
    at = GOLDEN.started_at + i * MINUTE
    return observation(100 + i, purpose=Purpose.GOLDEN, slot_time=at, started_at=at)


def keep(store: Store, observations: Iterable[Observation], events: Iterable[int] = ()) -> None:
    given = list(observations)
    with store.transaction() as tx:
        tx.add_observations(given)
        tx.add_scores([score(given[i], event=True) for i in events])


def forget(store: Store, days: float, limit: int = 5_000) -> int:
    """All that may be forgotten so long after T0; returns in how many steps."""
    steps = 0
    while True:
        with store.transaction() as tx:
            if not tx.forget(Retention(), T0 + days * DAY, limit=limit):
                return steps
        steps += 1


def bodies(store: Store, purpose: Purpose = Purpose.SCHEDULED) -> list[str]:
    with store.reading() as tx:
        return [o.slot_id for o in tx.observations(purpose=purpose, bodies=True) if o.response is not None]


def slots(*numbers: int) -> list[str]:
    return [f"slot{i:06}" for i in numbers]


def test_healthy_bodies_are_kept_for_a_week(store: Store) -> None:
    keep(store, [observation(0), observation(1)])
    forget(store, 7.0003)  # 26 seconds after the first one's week
    assert bodies(store) == slots(1)


def test_an_observation_outlives_its_body(store: Store) -> None:
    keep(store, [observation(0)])
    forget(store, 8)
    with store.reading() as tx:
        assert tx.observation("slot000000") == observation(0, response=None)
        assert tx.tokens_spent(target=observation().target, since=T0) == 18


def test_three_neighbours_of_an_event_are_kept_on_each_side(store: Store) -> None:
    keep(store, [observation(i) for i in range(20)], events=[10])
    forget(store, 30)
    assert bodies(store) == slots(7, 8, 9, 10, 11, 12, 13)


def test_neighbours_of_a_failure_are_kept(store: Store) -> None:
    keep(store, [failed(i) if i == 10 else observation(i) for i in range(20)])
    forget(store, 30)
    assert bodies(store) == slots(7, 8, 9, 11, 12, 13)


def test_neighbours_are_of_the_same_target_and_group(store: Store) -> None:
    strangers = [observation(i, group="language") for i in (9, 11)] + [observation(8, target="m/p/other")]
    keep(store, [observation(6), observation(10), observation(14), *strangers], events=[1])
    forget(store, 30)
    assert bodies(store) == slots(6, 10, 14)


def test_neighbours_are_found_across_the_steps(store: Store) -> None:
    keep(store, [observation(i) for i in range(20)], events=[10])
    forget(store, 30, limit=2)
    assert bodies(store) == slots(7, 8, 9, 10, 11, 12, 13)


def test_evidence_goes_after_ninety_days(store: Store) -> None:
    keep(store, [observation(i) for i in range(20)], events=[10])
    forget(store, 30)
    forget(store, 91)
    assert bodies(store) == []


def test_a_step_is_bounded(store: Store) -> None:
    keep(store, [observation(i) for i in range(20)])
    with store.transaction() as tx:
        assert tx.forget(Retention(), T0 + 8 * DAY, limit=7) == 7
    assert len(bodies(store)) == 13


@pytest.mark.parametrize("status", [BaselineStatus.PROPOSED, BaselineStatus.ACTIVE])
def test_golden_bodies_of_a_baseline_are_kept_for_good(store: Store, status: BaselineStatus) -> None:
    keep(store, [golden(0), golden(11), observation(0)])
    with store.transaction() as tx:
        tx.put_recording(GOLDEN)
        tx.put_baseline(baseline(1, status))
    forget(store, 1_000)
    assert bodies(store, Purpose.GOLDEN) == slots(100)  # the other one was made after the session


def test_a_golden_body_beside_a_failure_is_kept_for_good(store: Store) -> None:
    keep(store, [golden(0), failed(101, slot_time=GOLDEN.started_at + MINUTE), golden(2), observation(103)])
    with store.transaction() as tx:
        tx.put_recording(GOLDEN)
        tx.put_baseline(baseline(1, BaselineStatus.ACTIVE))
    forget(store, 1_000)
    assert bodies(store, Purpose.GOLDEN) == slots(100, 102)


def test_golden_bodies_go_when_their_baseline_is_retired(store: Store) -> None:
    keep(store, [golden(0)])
    with store.transaction() as tx:
        tx.put_recording(GOLDEN)
        tx.put_baseline(baseline(1, BaselineStatus.ACTIVE))
    forget(store, 30)
    with store.transaction() as tx:
        tx.put_baseline(baseline(1, BaselineStatus.RETIRED))
    forget(store, 30)
    assert bodies(store, Purpose.GOLDEN) == []


def test_observations_and_their_scores_go_after_four_hundred_days(store: Store) -> None:
    keep(store, [observation(0), observation(60)], events=[0, 1])
    forget(store, 400.01)  # 14 minutes after the first one's time
    with store.reading() as tx:
        assert [o.slot_id for o in tx.observations()] == slots(60)
        assert [row.slot_id for row in tx.scores(SERIES)] == slots(60)


def test_delivered_notifications_go_after_thirty_days_and_owed_ones_never(store: Store) -> None:
    with store.transaction() as tx:
        tx.enqueue([notification(0), notification(1)])
        tx.delivered("note0", T0)
    forget(store, 31)
    with store.transaction() as tx:
        tx.enqueue([notification(0)])  # forgotten, so owed anew
        assert tx.owed() == 2


def test_forgetting_twice_finds_nothing_more(store: Store) -> None:
    keep(store, [observation(i) for i in range(20)], events=[10])
    forget(store, 30)
    assert forget(store, 30) == 0


def test_the_state_of_what_has_heard_nothing_for_as_long_as_observations_are_kept_is_forgotten(store: Store) -> None:
    states = [state(SERIES, slot_time=T0), state(OTHER, slot_time=T0 + DAY)]
    with store.transaction() as tx:
        tx.put_states([*states, state(SERIES, kind=StateKind.RECOVERY, slot_time=None)])
    assert forget(store, 400.5) == 1
    with store.reading() as tx:
        assert set(tx.states(StateKind.ALARM)) == {OTHER}
        assert set(tx.states(StateKind.RECOVERY)) == {SERIES}
