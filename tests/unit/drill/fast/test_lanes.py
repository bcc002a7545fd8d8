"""Many series and scopes at once: the same alarms as one after the other."""

import asyncio

import numpy as np
import pytest

from canary.drill.fast.lanes import grid
from canary.drill.fast.show import play_fast
from canary.drill.fast.store import FastStore
from canary.drill.scenario import load
from canary.pipeline.advance import Judged, advance, alarms_again
from canary.store.base import StateKind
from canary.store.memory import MemoryStore
from tests.unit.drill.small import written

BATCH = 7


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The small scenario, with the store that it left."""
    folder, store = tmp_path_factory.mktemp("fast"), FastStore()
    found, vectors = asyncio.run(play_fast(load(written(folder)), 2, store, folder, lambda *_: None))
    return found, store, vectors


@pytest.fixture(scope="module")
def again(played):
    """The same answers and scores, fed as the daemon feeds them, and the alarms that came."""
    found, fast, _ = played
    store = MemoryStore()
    with fast.reading() as tx:
        kept = tx.kept(limit=10_000)
    judged = [Judged(one.observation, tuple(row.score for row in one.scores)) for one in kept]
    with store.transaction() as tx:
        alarms = [
            alarm
            for at in range(0, len(judged), BATCH)
            for alarm in advance(tx, judged[at : at + BATCH], found.watch).alarms
        ]
    return store, alarms


def facts(alarms):
    return [(alarm.id, alarm.series, alarm.slot_id, alarm.at, alarm.detector) for alarm in alarms]


def test_the_very_alarms_of_the_pipeline_are_raised(played, again):
    with played[1].reading() as tx:
        ours = tx.alarms()
    assert len(ours) > 10
    assert sorted(facts(ours)) == sorted(facts(again[1]))
    evidence = {alarm.id: alarm.evidence for alarm in again[1]}
    assert [alarm.evidence for alarm in ours] == pytest.approx([evidence[alarm.id] for alarm in ours], abs=1e-9)


def test_states_are_those_of_the_pipeline(played, again):
    with played[1].reading() as tx, again[0].reading() as other:
        ours, theirs = tx.states(StateKind.ALARM), other.states(StateKind.ALARM)
    assert set(ours) == set(theirs)
    for series, state in ours.items():
        assert (state.n, state.slot_time, state.detector) == (
            theirs[series].n,
            theirs[series].slot_time,
            theirs[series].detector,
        )
        assert np.exp(state.evidence) == pytest.approx(np.exp(theirs[series].evidence), rel=1e-9)


def test_rows_replay_to_the_alarms_too(played):
    """What the rows keep (detector, event, budget) is what was fed."""
    with played[1].reading() as tx:
        assert sorted(facts(alarms_again(tx))) == sorted(facts(tx.alarms()))


def test_fed_rows_keep_what_the_pipeline_keeps(played, again):
    with played[1].reading() as tx, again[0].reading() as other:
        for series in played[0].watch.armed:
            ours, theirs = tx.scores(series), other.scores(series)
            assert [(row.score, row.event, row.log_budget) for row in ours] == [
                (row.score, row.event, row.log_budget) for row in theirs
            ]


def test_few_answers_are_fired_for_many_slots(played):
    found, _, vectors = played
    assert vectors < found.runs


def test_the_nth_unit_of_each_key_stands_in_the_nth_row():
    keys = np.array([2, 0, 2, 2, 0])
    assert grid(keys, 3).tolist() == [[1, -1, 0], [4, -1, 2], [-1, -1, 3]]
