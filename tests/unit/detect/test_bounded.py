import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc, betaln, gammaln

from canary.detect import evidence, lower_share, start, step
from canary.detect.bounded import BoundedDetector, mean_bound
from canary.detect.counts import CountDetector

MEANS = st.floats(0.02, 0.98)
SURE = 1e-4


def mean_e(detector: BoundedDetector, values: np.ndarray, law: np.ndarray) -> np.ndarray:
    return law @ np.exp(detector.log_e_many(values))


@given(MEANS, st.floats(0.0, 1.0), st.booleans())
def test_every_two_point_law_with_the_bound_as_mean_pays_at_most_one(mean, apart, two_sided):
    low, high = mean * (1.0 - apart), mean + (1.0 - mean) * apart
    law = (
        np.array([1.0 - (mean - low) / (high - low), (mean - low) / (high - low)])
        if high > low
        else np.array([0.5, 0.5])
    )
    detector = BoundedDetector(mean if two_sided else 0.0, mean, two_sided=two_sided)
    assert np.all(mean_e(detector, np.array([low, high]), law) <= 1.0 + 1e-9)


@given(MEANS, st.floats(-1.0, 3.0).map(lambda power: 10.0**power), st.booleans())
def test_every_beta_law_within_the_bounds_pays_at_most_one(mean, total, two_sided):
    edges = np.linspace(0.0, 1.0, 201)
    law, middle = np.diff(betainc(mean * total, (1 - mean) * total, edges)), (edges[:-1] + edges[1:]) / 2
    near = float(law @ middle)
    detector = BoundedDetector(near if two_sided else 0.0, near, two_sided=two_sided)
    assert np.all(mean_e(detector, middle, law) <= 1.0 + 1e-9)


@given(st.integers(2, 20), MEANS, st.floats(-1.0, 3.0).map(lambda power: 10.0**power))
def test_every_beta_binomial_unit_within_the_bounds_pays_at_most_one(answers, mean, total):
    k, a, b = np.arange(answers + 1), mean * total, (1 - mean) * total
    choose = gammaln(answers + 1) - gammaln(k + 1) - gammaln(answers - k + 1)
    law = np.exp(choose + betaln(k + a, answers - k + b) - betaln(a, b))
    assert np.all(mean_e(BoundedDetector(mean, mean, two_sided=True), k / answers, law) <= 1.0 + 1e-7)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=60), st.lists(st.floats(0.0, 1.0), min_size=60, max_size=60))
def test_every_discrete_law_within_the_bounds_pays_at_most_one(values, weights):
    law = np.array(weights[: len(values)]) + 1e-3
    law, at = law / law.sum(), np.array(values)
    high = min(float(law @ at) + 1e-9, 1.0)
    edge = float(np.median(at))
    detector = BoundedDetector(0.0, max(high, 1e-6), edge, min(1.0, float(law[at > edge].sum()) + 1e-9))
    assert np.all(mean_e(detector, at, law) <= 1.0 + 1e-6)


def test_the_bound_of_a_mean_fails_no_more_often_than_it_says():
    rng, runs, delta, missed = np.random.default_rng(1), 2000, 0.05, 0
    for values in rng.beta(0.3, 0.7, size=(runs, 100)):
        missed += mean_bound(float(values.mean()), 100, delta) < 0.3
    assert lower_share(missed, runs, SURE) <= delta


@pytest.mark.parametrize("rate", [0.05, 0.95])
def test_a_balance_that_tips_either_way_is_seen(rate):
    detector = BoundedDetector.from_golden([0.0, 1.0, 0.0, 0.0, 1.0] * 200, 1e-4, two_sided=True)
    state = start(detector.alternatives)
    for tipped in np.random.default_rng(2).random(200) < rate:
        state = step(state, detector.log_e(float(tipped), 1.0, 0.0), math.log(1e-5))
    assert float(evidence(state)) >= 0.0


def test_a_rare_low_score_is_seen_though_the_mean_hardly_moves():
    golden = np.random.default_rng(3).beta(1.0, 20.0, size=5000)
    detector = BoundedDetector.from_golden(golden.tolist(), 1e-4)
    state = start(detector.alternatives)
    for value in ([0.05] * 20 + [0.99]) * 10:
        state = step(state, detector.log_e(value, 1.0, 0.0), math.log(1e-5))
    assert float(evidence(state)) >= 0.0


@pytest.mark.parametrize("values", [[], [1.1], [math.nan], [-0.1]])
def test_golden_scores_outside_of_their_range_are_refused(values):
    with pytest.raises(ValueError, match="golden"):
        BoundedDetector.from_golden(values, 0.01)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=50), st.booleans())
def test_bounded_parameters_round_trip(values, two_sided):
    detector = BoundedDetector.from_golden(values, 0.01, two_sided=two_sided)
    again = BoundedDetector.from_json(detector.to_json())
    assert (again, again.digest) == (detector, detector.digest)


COUNTS = np.arange(2000)


@given(st.floats(0.5, 20.0), st.floats(1.0, 500.0), st.floats(0.1, 1.0), st.floats(1.0, 50.0))
def test_a_gamma_poisson_null_of_less_rate_and_less_wavering_pays_at_most_one(mean, shape, part, calmer):
    m, s = mean * part, shape * calmer
    law = np.exp(
        gammaln(COUNTS + s) - gammaln(s) - gammaln(COUNTS + 1) + COUNTS * np.log(m / (s + m)) + s * np.log(s / (s + m))
    )
    e = np.exp([CountDetector(mean, shape, (1.25, 2.0)).log_e(count, 1.0) for count in COUNTS[:400]])
    assert np.all(law[:400] @ e <= 1.0 + 1e-9)


@given(st.integers(5, 200), st.floats(0.01, 0.4), st.floats(1.0, 100.0))
def test_a_beta_binomial_null_pays_at_most_one(requests, share, first):
    k, a, b = np.arange(requests + 1), first, first * (1 - share) / share
    choose = gammaln(requests + 1) - gammaln(k + 1) - gammaln(requests - k + 1)
    law = np.exp(choose + betaln(k + a, requests - k + b) - betaln(a, b))
    e = np.exp([CountDetector(share, first).log_e(count, float(requests)) for count in k])
    assert np.all(law @ e <= 1.0 + 1e-9)


def test_golden_windows_bound_rate_and_wavering_as_often_as_they_say():
    rng, runs, delta, missed = np.random.default_rng(4), 200, 0.1, 0
    for _ in range(runs):
        counts = rng.poisson(rng.gamma(10.0, 20.0 / 10.0, size=60))
        found = CountDetector.from_golden(counts.tolist(), [1000.0] * 60, delta)
        missed += found.rate_upper < 0.02 or found.shape_lower > 10.0
    assert lower_share(missed, runs, SURE) <= delta


def test_steady_golden_windows_allow_little_wavering():
    counts = np.random.default_rng(5).poisson(20.0, size=400).tolist()
    found = CountDetector.from_golden(counts, [1000.0] * 400, 0.01)
    assert found.shape_lower >= 20.0
    assert found.rate_upper <= 0.026


def test_count_parameters_round_trip():
    detector = CountDetector(0.013, 17.5)
    assert CountDetector.from_json(detector.to_json()) == detector
