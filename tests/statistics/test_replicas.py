"""Replicas as scopes of their own: what their detectors promise, and where the promise needs them to be alike."""

import numpy as np
import pytest

from canary.detect import EventDetector
from canary.pipeline.hearing import Bet, Hearing
from canary.pipeline.scopes import Hierarchy, Level, place_of
from canary.records import Score, SeriesKey
from canary.store.base import ScoreRow
from tests.statistics.test_false_alarms import lower_mean
from tests.unit.pipeline.stage import START

RATE, REPLICAS, ANSWERS, POOLS = 0.02, 10, 1_500, 30
DETECTOR = EventDetector(-np.log1p(-RATE))
TREE = Hierarchy((Level.REPLICA, Level.POOL), 0.5)
BUDGET = 1.0
"""Of each level in a pool, over all answers."""


def alarms(rates: list[float], pools: int, seed: int) -> dict[bool, list[int]]:
    """When replicas (True) and pools as wholes (False) alarm, in answers; each answer is of a replica at random."""
    found: dict[bool, list[int]] = {True: [], False: []}
    for pool in range(pools):
        rng, hearing = np.random.default_rng([seed, pool]), Hearing()
        chosen = rng.integers(REPLICAS, size=ANSWERS)
        events = rng.random(ANSWERS) < np.array(rates)[chosen]
        for nth, (replica, event) in enumerate(zip(chosen.tolist(), events.tolist(), strict=True)):
            heard = hearing.hear([_bet(replica, event=event)], START)
            for at in heard.alarmed:
                found[bool(place_of(heard.scope(at)).replica)].append(nth)
    return found


def _bet(replica: int, *, event: bool) -> Bet:
    series = SeriesKey("m/p/pool", "eu", "prose", "script")
    spends = float(np.log(BUDGET / ANSWERS) - TREE.log_weight)
    row = ScoreRow("s", series, START, Score("script", 1, float(event)), log_budget=spends, replica=f"r{replica}")
    return Bet(row, DETECTOR.bet(float(event), 1.0, 0.0), TREE, DETECTOR.bet_outcomes(1.0))


@pytest.mark.parametrize("rates", [[RATE] * REPLICAS, [RATE, 0.0] * (REPLICAS // 2)])
def test_replicas_that_keep_the_bound_of_their_pool_each_keep_the_budget_alike_or_not(rates):
    found = alarms(rates, POOLS, seed=1)
    assert lower_mean(len(found[True])) <= POOLS * BUDGET
    assert lower_mean(len(found[False])) <= POOLS * BUDGET
    assert found[True]  # not kept by never alarming


def test_where_one_of_ten_healthy_replicas_has_all_events_the_pool_keeps_the_budget_and_the_replica_breaks_it():
    """Why replicas are watched only where the user says that they are alike."""
    found = alarms([REPLICAS * RATE, *[0.0] * (REPLICAS - 1)], POOLS, seed=1)
    assert lower_mean(len(found[False])) <= POOLS * BUDGET
    assert lower_mean(len(found[True])) > 2 * POOLS * BUDGET


def test_a_fault_of_one_replica_is_heard_there_before_it_is_in_the_pool():
    fault = [RATE + 0.3, *[RATE] * (REPLICAS - 1)]
    first = [{of: min(times, default=ANSWERS) for of, times in alarms(fault, 1, seed).items()} for seed in range(2, 17)]
    replica, pool = (np.median([one[of] for one in first]) for of in (True, False))
    assert replica < 0.8 * pool
