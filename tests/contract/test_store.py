"""What every store does with transactions, observations and scores: the same over memory, SQLite and PostgreSQL."""

import threading
from dataclasses import replace

import pytest

from canary.errors import StoreError
from canary.records import Purpose, Unscored, UnscoredReason
from canary.store import StateKind, Store
from tests.contract.store_values import (
    MINUTE,
    OTHER,
    SERIES,
    T0,
    TARGET,
    change,
    failed,
    incident,
    notification,
    observation,
    score,
    state,
)


class Deliberate(Exception):
    pass


def test_an_observation_comes_back_as_it_went_in(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation()])
    with store.reading() as tx:
        assert tx.observation("slot000000") == observation()


def test_a_failure_comes_back_as_it_went_in(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([failed()])
    with store.reading() as tx:
        assert tx.observation("slot000000") == failed()


def test_the_observations_of_a_burst_come_back_as_one_unit(store: Store) -> None:
    """Which ones belong together follows from what is kept of each: group, slot time and ordinal."""
    bursts = [
        [observation(8 * n + i, group="script@8", slot_time=T0, ordinal=8 * n + i) for i in range(8)] for n in range(2)
    ]
    with store.transaction() as tx:
        tx.add_observations([one for burst in bursts for one in burst])
    with store.reading() as tx:
        kept = list(tx.observations(group="script@8"))
    assert [{one.unit for one in kept[:8]}, {one.unit for one in kept[8:]}] == [{b[0].unit} for b in bursts]
    assert {(one.burst, one.leads) for one in kept} == {(8, True), (8, False)}


def test_an_unknown_slot_has_no_observation(store: Store) -> None:
    with store.reading() as tx:
        assert tx.observation("slot000000") is None


def test_seq_rises_in_the_order_of_the_input(store: Store) -> None:
    with store.transaction() as tx:
        first = tx.add_observations([observation(5), observation(1)])
        second = tx.add_observations([observation(3)])
    assert list(first) == ["slot000005", "slot000001"]
    assert first["slot000005"] < first["slot000001"] < second["slot000003"]


def test_a_slot_that_is_known_is_counted_once(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation(1)])
    with store.transaction() as tx:
        assert list(tx.add_observations([observation(1, region="us"), observation(2)])) == ["slot000002"]
    with store.reading() as tx:
        assert tx.observation("slot000001") == observation(1)


def test_of_one_slot_twice_in_a_batch_the_first_counts(store: Store) -> None:
    with store.transaction() as tx:
        assert list(tx.add_observations([observation(1), observation(1, region="us")])) == ["slot000001"]
        assert tx.observation("slot000001") == observation(1)


def write_and_fail(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation()])
        tx.add_scores([score(observation())])
        tx.put_states([state()])
        tx.put_incident(incident())
        tx.enqueue([notification()])
        tx.put_fact("a", "b")
        raise Deliberate


def test_an_exception_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(Deliberate):
        write_and_fail(store)
    with store.reading() as tx:
        left = [tx.observation("slot000000"), tx.fact("a"), tx.owed()]
        assert [*left, *tx.feed(), *tx.states(StateKind.ALARM), *tx.incidents()] == [None, None, 0]


def test_the_next_transaction_after_an_exception_works(store: Store) -> None:
    with pytest.raises(Deliberate):
        write_and_fail(store)
    with store.transaction() as tx:
        assert list(tx.add_observations([observation()])) == ["slot000000"]


def test_nothing_is_seen_before_the_commit(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_fact("a", "b")
        with store.reading() as view:
            assert view.fact("a") is None


def test_a_view_stays_as_it_was_while_another_commits(store: Store) -> None:
    with store.reading() as view:
        before = view.fact("a")
        with store.transaction() as tx:
            tx.put_fact("a", "b")
        assert (before, view.fact("a")) == (None, None)


@pytest.mark.parametrize(
    "write",
    [
        lambda tx: tx.add_observations([observation()]),
        lambda tx: tx.put_states([state()]),
        lambda tx: tx.enqueue([notification()]),
        lambda tx: tx.claim(now=T0, lease=MINUTE, limit=1),
        lambda tx: tx.put_fact("a", "b"),
        lambda tx: tx.add_change(change()),
    ],
)
def test_writing_while_reading_is_refused(store: Store, write: object) -> None:
    with store.reading() as tx, pytest.raises(StoreError, match="cannot write"):
        write(tx)  # type: ignore[operator]


def test_two_threads_that_write_lose_nothing_and_double_nothing(store: Store) -> None:
    def write(start: int) -> None:
        for i in range(start, start + 40, 4):  # each slot is offered by both
            with store.transaction() as tx:
                tx.add_observations([observation(j) for j in range(i, i + 4)])

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as tx:
        slots = [o.slot_id for o in tx.observations()]
    assert sorted(slots) == [f"slot{i:06}" for i in range(60)]


# -- queries over observations


def test_observations_are_chosen_by_target_group_purpose_and_slot_time(store: Store) -> None:
    chosen = [observation(i, response=None) for i in (2, 3)]
    others = [
        observation(1),
        observation(4),
        replace(observation(2), slot_id="a", target="m/p/other"),
        replace(observation(2), slot_id="b", group="language"),
        replace(observation(2), slot_id="c", purpose=Purpose.REPLAY),
    ]
    with store.transaction() as tx:
        tx.add_observations([*others, *chosen])
        found = tx.observations(target=TARGET, group="script", since=T0 + 2 * MINUTE, until=T0 + 4 * MINUTE)
        assert list(found) == chosen


def test_observations_come_in_the_order_of_commits(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation(i) for i in (7, 1, 4)])
        assert [o.slot_id for o in tx.observations()] == ["slot000007", "slot000001", "slot000004"]


def test_observations_bring_their_bodies_when_asked(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation(), failed(1)])
        assert list(tx.observations(bodies=True)) == [observation(), failed(1)]


def test_slot_ids_are_those_of_scheduled_runs_since_a_time(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation(1), observation(2), observation(3, purpose=Purpose.GOLDEN)])
    with store.reading() as tx:
        assert tx.slot_ids(since=T0 + 2 * MINUTE) == {"slot000002"}


def test_tokens_of_all_purposes_are_spent(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation(i, purpose=p) for i, p in enumerate(list(Purpose)[:3])])
        tx.add_observations([failed(3), replace(observation(4), target="m/p/other")])
        assert tx.tokens_spent(target=TARGET, since=T0 + MINUTE) == 2 * (11 + 7)


def test_a_targets_last_slot_is_that_of_its_latest_scheduled_run_answered_or_not(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([failed(3), observation(1), observation(5, purpose=Purpose.GOLDEN)])
        tx.add_observations([observation(7, target="m/p/other"), observation(9, region="us")])
    with store.reading() as tx:
        assert tx.last_slot(TARGET, "eu") == T0 + 3 * MINUTE
        assert tx.last_slot("m/p/other", "eu") == T0 + 7 * MINUTE


def test_a_target_that_was_never_probed_has_no_last_slot(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation(1, purpose=Purpose.GOLDEN)])
        assert tx.last_slot(TARGET, "eu") is None


# -- scores


def test_scores_come_back_as_they_went_in(store: Store) -> None:
    given = [
        score(observation(1)),
        score(observation(2), event=True, score=Unscored("foreign_script", 4, UnscoredReason.TOO_SHORT)),
    ]
    with store.transaction() as tx:
        seqs = tx.add_observations([observation(1), observation(2)])
        tx.add_scores(given)
    with store.reading() as tx:
        assert list(tx.scores(SERIES)) == [replace(row, seq=seqs[row.slot_id]) for row in given]


def test_scores_may_follow_their_observation_later(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation(1)])
    with store.transaction() as tx:
        tx.add_scores([score(observation(1))])
        assert len(tx.scores(SERIES)) == 1


def test_a_score_without_its_observation_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="slot000001"), store.transaction() as tx:
        tx.add_scores([score(observation(1))])


def test_the_last_scores_are_in_the_order_of_commits(store: Store) -> None:
    order = (4, 1, 3, 2)
    with store.transaction() as tx:
        tx.add_observations([observation(i) for i in order])
        tx.add_scores([score(observation(i)) for i in (1, 2, 3, 4)])
        assert [row.slot_id for row in tx.scores(SERIES, limit=3)] == ["slot000001", "slot000003", "slot000002"]


def test_a_limit_of_zero_gives_no_scores(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation()])
        tx.add_scores([score(observation())])
        assert list(tx.scores(SERIES, limit=0)) == []


def test_scores_that_were_not_fed_are_left_out_unless_asked_for(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation(1), observation(2)])
        tx.add_scores([score(observation(1)), score(observation(2), detector=None, log_budget=None, event=None)])
        assert (len(tx.scores(SERIES)), len(tx.scores(SERIES, fed=False))) == (1, 2)


def test_scores_since_a_slot_time(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation(1), observation(2)])
        tx.add_scores([score(observation(1)), score(observation(2))])
        assert [row.slot_id for row in tx.scores(SERIES, since=T0 + 2 * MINUTE)] == ["slot000002"]


def test_the_feed_is_by_seq_then_as_added(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation(2), observation(1)])
        tx.add_scores([score(observation(1), OTHER), score(observation(1))])
        tx.add_scores([score(observation(2)), score(observation(2), OTHER)])
        tx.add_scores([score(observation(2), replace(OTHER, signal="x"), detector=None)])
    with store.reading() as tx:
        fed = [(row.slot_id, row.series) for row in tx.feed()]
    assert fed == [
        ("slot000002", SERIES),
        ("slot000002", OTHER),
        ("slot000001", OTHER),
        ("slot000001", SERIES),
    ]


def test_the_feed_of_one_series_is_of_that_series_alone(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation(1), observation(2)])
        tx.add_scores([score(observation(1)), score(observation(1), OTHER), score(observation(2))])
    with store.reading() as tx:
        assert list(tx.feed(SERIES.__eq__)) == [row for row in tx.feed() if row.series == SERIES]


def test_the_feed_of_several_series_is_in_the_order_of_all(store: Store) -> None:
    third = replace(OTHER, signal="x")
    with store.transaction() as tx:
        tx.add_observations([observation(1), observation(2)])
        tx.add_scores([score(observation(n), key) for n in (1, 2) for key in (OTHER, third, SERIES)])
    with store.reading() as tx:
        chosen = list(tx.feed(lambda key: key != third))
        assert chosen == [row for row in tx.feed() if row.series != third]
    assert len(chosen) == 4


def test_what_is_kept_comes_in_pages_without_bodies_and_with_all_its_scores_as_added(store: Store) -> None:
    unfed = replace(score(observation(2), OTHER), detector=None, log_budget=None, event=None)
    with store.transaction() as tx:
        tx.add_observations([observation(2), observation(1), observation(3)])
        tx.add_scores([unfed, score(observation(2)), score(observation(1))])
    with store.reading() as tx:
        first = tx.kept(limit=2)
        rest = tx.kept(after=first[-1].seq, limit=2)
    assert [one.observation for one in (*first, *rest)] == [observation(n, response=None) for n in (2, 1, 3)]
    scored = [[(row.series, row.detector) for row in one.scores] for one in (*first, *rest)]
    assert scored == [[(OTHER, None), (SERIES, "d1")], [(SERIES, "d1")], []]


def test_what_is_kept_is_scheduled_and_of_the_span_that_is_asked_for(store: Store) -> None:
    replayed = observation(3, purpose=Purpose.REPLAY)
    with store.transaction() as tx:
        tx.add_observations([observation(1), observation(2), replayed, observation(4), observation(5)])
        tx.add_scores([score(replayed), score(observation(4))])
    with store.reading() as tx:
        found = tx.kept(since=T0 + 2 * MINUTE, until=T0 + 5 * MINUTE)
    assert [(one.observation.slot_id, len(one.scores)) for one in found] == [("slot000002", 0), ("slot000004", 1)]
