import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect import DistanceDetector, tail_bounds
from canary.detect.distance import ranks

VALUES = st.lists(st.one_of(st.just(0.0), st.floats(0.0, 5.0)), min_size=1, max_size=300)
DELTAS = st.sampled_from([1e-6, 1e-4, 0.01, 0.1])


def with_distinct_edges(n: int, delta: float) -> DistanceDetector:
    edges = tuple(float(-rank) for rank in ranks(n))
    return DistanceDetector(n, edges, tail_bounds(n, delta))


def a_value_of_each_cell(detector: DistanceDetector) -> list[float]:
    """The most extreme first."""
    return [detector.edges[0] + 1.0, *detector.edges]


def simes(n: int, delta: float, rank: int) -> float:
    """The generalised Simes bound of that rank (Bates et al., k = n / 2)."""
    k, i = n // 2, n + 1 - rank
    return -math.expm1((math.log(delta) + sum(math.log((i - j) / (n - j)) for j in range(k))) / k)


@given(st.integers(1, 300), DELTAS, st.data())
def test_the_mean_of_e_is_at_most_one_for_every_law_whose_tail_keeps_the_bounds(n, delta, data):
    detector = with_distinct_edges(n, delta)
    cells = len(detector.tails)
    parts = data.draw(st.lists(st.floats(0.0, 1.0), min_size=cells, max_size=cells))
    beyond = np.maximum.accumulate(np.array(parts) * detector.tails)  # P(healthy > edges[j]) <= tails[j]
    law = np.diff(np.array([0.0, *beyond, 1.0]))
    e = np.exp([detector.log_e(value, 1.0, 0.0) for value in a_value_of_each_cell(detector)])
    assert np.all(law @ e <= 1.0 + 1e-9)


@given(st.integers(1, 300), DELTAS)
def test_the_mean_of_e_is_one_for_the_worst_such_law_so_nothing_is_wasted(n, delta):
    detector = with_distinct_edges(n, delta)
    law = np.diff(np.array([0.0, *detector.tails, 1.0]))
    e = np.exp([detector.log_e(value, 1.0, 0.0) for value in a_value_of_each_cell(detector)])
    assert np.allclose(law @ e, 1.0, rtol=1e-9)


@given(VALUES, DELTAS)
def test_no_larger_value_has_a_larger_p_value(values, delta):
    detector = DistanceDetector.from_golden(values, delta)
    ordered = sorted(a_value_of_each_cell(detector))
    p_values = [detector.p_value(value) for value in ordered]
    assert p_values == sorted(p_values, reverse=True)


def test_a_value_equal_to_golden_is_not_more_extreme_than_golden():
    detector = DistanceDetector.from_golden([0.0] * 100, 0.01)
    assert detector.p_value(0.0) == 1.0
    assert not detector.is_event(0.0, 0.0)


def test_the_smallest_noise_above_constant_golden_is_beyond_it():
    detector = DistanceDetector.from_golden([0.0] * 100, 0.01)
    assert detector.is_event(5e-324, 0.0)
    assert detector.p_value(5e-324) == detector.healthy_event_rate(1.0)


def test_a_fault_far_beyond_rare_tiny_noise_is_an_event():
    detector = DistanceDetector.from_golden([0.0] * 990 + [3e-4] * 10, 1e-4)
    assert detector.is_event(0.05, 0.0)
    assert not detector.is_event(3e-4, 0.0)


@pytest.mark.parametrize("delta", [1e-6, 1e-4, 0.01])
@pytest.mark.parametrize("n", [50, 500, 5000])
def test_the_first_bound_beats_the_generalised_simes_bound(n, delta):
    assert tail_bounds(n, delta)[0] < 0.75 * simes(n, delta, 1)


@given(st.integers(1, 20_000))
def test_ranks_ascend_from_one_by_less_than_a_doubling(n):
    grid = ranks(n)
    assert grid[0] == 1
    assert grid[-1] <= n < 2 * grid[-1] + 1
    assert all(low < high <= 2 * low for low, high in pairwise(grid))


@given(st.integers(1, 5_000), DELTAS)
def test_bounds_ascend_within_zero_and_one(n, delta):
    bounds = tail_bounds(n, delta)
    assert all(0.0 < bound <= 1.0 for bound in bounds)
    assert list(bounds) == sorted(bounds)


def test_a_value_beyond_golden_is_evidence_and_a_golden_one_is_not():
    detector = DistanceDetector.from_golden(list(np.linspace(0.0, 1.0, 1000)), 1e-4)
    assert np.all(detector.log_e(2.0, 1.0, 0.0) > 0.0)
    assert np.all(detector.log_e(0.1, 1.0, 0.0) < 0.0)


def test_like_golden_answers_lose_evidence_on_average():
    healthy, _ = DistanceDetector.from_golden(list(np.linspace(0.0, 1.0, 300)), 1e-3).typical(1.0)
    assert np.all(healthy < 0.0)


@given(VALUES, DELTAS)
def test_parameters_round_trip_to_the_same_bits_and_digest(values, delta):
    detector = DistanceDetector.from_golden(values, delta)
    again = DistanceDetector.from_json(detector.to_json())
    assert again == detector
    assert again.digest == detector.digest
    assert again.log_e(0.3, 1.0, 0.0).tobytes() == detector.log_e(0.3, 1.0, 0.0).tobytes()


SCALES = st.dictionaries(st.text(max_size=4), st.floats(1e-3, 1e3), max_size=5)


@given(VALUES, SCALES)
def test_scales_round_trip_to_the_same_bits_and_digest(values, scales):
    detector = DistanceDetector.from_golden(values, 0.01, scales)
    again = DistanceDetector.from_json(detector.to_json())
    assert (again, again.digest) == (detector, detector.digest)
    assert [again.standardised(0.3, probe) for probe in scales] == [0.3 / scale for scale in scales.values()]


def test_parameters_of_before_there_were_scales_are_read_and_spelled_as_then():
    text = '{"edges":[1.0,0.0],"kind":"distance","n":2,"tails":[0.5,0.75],"version":1}'
    detector = DistanceDetector.from_json(text)
    assert detector.standardised(0.3, "any") == 0.3
    assert detector.to_json() == text


def test_scales_of_one_leave_the_parameters_as_they_are_without():
    plain, alike = (DistanceDetector.from_golden([0.0, 1.0], 0.1, told) for told in (None, {"a": 1.0, "b": 1.0}))
    assert alike.digest == plain.digest


def test_a_probe_without_a_scale_has_that_of_the_group():
    assert DistanceDetector.from_golden([1.0], 0.1, {"quiet": 0.1}).standardised(0.3, "new") == 0.3


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_a_scale_out_of_range_is_refused(scale):
    with pytest.raises(ValueError, match="scales must be positive"):
        DistanceDetector.from_golden([1.0], 0.1, {"probe": scale})


@pytest.mark.parametrize("change", [{"version": 1}, {"scales": [1.0]}, {"scales": {"a": "1"}}, {"version": 3}])
def test_parameters_with_scales_that_do_not_fit_their_version_are_refused(change):
    facts = json.loads(DistanceDetector.from_golden([0.0, 1.0], 0.1, {"quiet": 0.5}).to_json()) | change
    with pytest.raises(ValueError, match=r"expected|has the parameters|not the parameters"):
        DistanceDetector.from_json(json.dumps(facts))


def test_infinity_is_a_distance_and_nan_is_none():
    detector = DistanceDetector.from_golden([0.0, 1.0], 0.1)
    assert detector.is_event(math.inf, 0.0)
    with pytest.raises(ValueError, match="nan"):
        detector.log_e(math.nan, 1.0, 0.0)


@pytest.mark.parametrize(
    "change",
    [{"n": 9}, {"edges": [0.0, 1.0]}, {"tails": [0.9, 0.5]}, {"tails": [0.0, 0.5]}, {"tails": [0.5, 1.5]}, {"n": 0}],
)
def test_parameters_out_of_range_are_refused(change):
    facts = json.loads(DistanceDetector.from_golden([0.0, 1.0], 0.1).to_json()) | change
    with pytest.raises(ValueError, match="must"):
        DistanceDetector.from_json(json.dumps(facts))


def test_without_golden_values_there_is_no_detector():
    with pytest.raises(ValueError, match="no golden value"):
        DistanceDetector.from_golden([], 0.1)
