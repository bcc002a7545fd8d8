"""Golden bursts bound the healthy rate of bursts, however much the answers of a burst depend on each other."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from canary.baseline import calibrate, plan_recording
from canary.detect import lower_share, rate_bound
from canary.records import Baseline
from tests.statistics.test_false_alarms import SURE
from tests.unit.baseline.golden import AT, RECORDING, SIGNALS, TARGET, answer, probe, score

K, N, SIZE, SETS = 1, 60, 8, 500
RATE, DELTA = 0.04, 0.1
RUNS = plan_recording(replace(RECORDING, n=N), TARGET, {"prose@8": [probe("first")]}, k=K)
ANSWERS = [answer(run) for run in RUNS]


def golden(rng: np.random.Generator) -> Baseline:
    """A healthy target in whose bad batches, one in 25, every answer shows an event."""
    bad = rng.random(len(RUNS) // SIZE) < RATE
    judged = [(seen, [score("script", float(bad[at // SIZE]))]) for at, seen in enumerate(ANSWERS)]
    (baseline,) = calibrate(RECORDING, judged, SIGNALS, stratified=(), now=AT, k=K)
    return baseline


def broken(bound: Callable[[Baseline], float], seed: int) -> int:
    """Of so many golden sets, how many give a bound below the true rate."""
    rng = np.random.default_rng(seed)
    return sum(bound(golden(rng)) < -np.log1p(-RATE) for _ in range(SETS))


def test_the_bound_from_golden_bursts_fails_with_probability_delta_at_most():
    found = broken(lambda one: rate_bound(one.events, one.n, one.exposure, DELTA), seed=1)
    assert lower_share(found, SETS, SURE) <= DELTA
    assert found / SETS >= DELTA / 2  # the promise is not kept by waste


def test_counted_by_answers_it_would_fail_more_often_than_delta():
    found = broken(lambda one: rate_bound(SIZE * one.events, SIZE * one.n, SIZE * one.exposure, DELTA), seed=1)
    assert lower_share(found, SETS, SURE) > DELTA
