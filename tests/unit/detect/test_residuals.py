import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect.residuals import FLOOR, scales

DISTANCES = st.lists(st.one_of(st.just(0.0), st.floats(1e-300, 1e300)), max_size=12)
GROUPS = st.dictionaries(st.text(max_size=3), DISTANCES, max_size=6)


def noise(median: float, n: int, seed: int = 1) -> list[float]:
    """Distances above zero with that median, more or less."""
    return (median * np.exp(0.7 * np.random.default_rng(seed).standard_normal(n))).tolist()


@given(GROUPS)
def test_every_probe_has_a_finite_scale_that_is_not_below_the_floor(golden):
    found = scales(golden)
    assert found.keys() == golden.keys()
    assert all(FLOOR <= scale < math.inf for scale in found.values())


@given(GROUPS, st.floats(1e-3, 1e3))
def test_the_unit_of_the_distances_plays_no_part(golden, unit):
    golden = {probe: [min(value, 1e200) for value in values if value > 1e-200] for probe, values in golden.items()}
    other = scales({probe: [value * unit for value in values] for probe, values in golden.items()})
    assert all(other[probe] == pytest.approx(scale, rel=1e-6) for probe, scale in scales(golden).items())


def test_probes_ten_times_apart_have_scales_ten_times_apart():
    found = scales({"quiet": noise(0.01, 500, 1), "loud": noise(0.1, 500, 2), "usual": noise(0.03, 500, 3)})
    assert found["loud"] / found["quiet"] == pytest.approx(10.0, rel=0.15)


def test_probes_that_do_not_differ_have_one_scale():
    found = scales({str(seed): noise(0.03, 20, seed) for seed in range(12)})
    assert all(0.85 < scale < 1.15 for scale in found.values())


def test_the_fewer_distances_a_probe_has_the_nearer_is_its_scale_to_the_groups():
    others = {str(seed): noise(0.01 * 10 ** (seed / 10), 20, seed) for seed in range(11)}
    few, many = (scales({**others, "loud": [0.3, 0.3] * times})["loud"] for times in (1, 20))
    assert 1.0 < few < 0.8 * many


@pytest.mark.parametrize("values", [[], [0.0] * 20])
def test_a_probe_that_never_was_away_from_golden_has_the_groups_scale(values):
    assert scales({"silent": values, "quiet": noise(0.01, 50), "loud": noise(0.1, 50)})["silent"] == 1.0


def test_how_often_a_probe_is_at_distance_zero_plays_no_part():
    rest = {"quiet": noise(0.01, 50), "usual": noise(0.03, 50)}
    often, seldom = (scales({**rest, "loud": [0.0] * zeros + noise(0.1, 50)}) for zeros in (0, 500))
    assert often == seldom


def test_one_answer_of_each_probe_says_nothing():
    assert set(scales({"a": [0.01], "b": [1.0], "c": [30.0]}).values()) == {1.0}


def test_a_lone_probe_is_its_group():
    assert scales({"only": noise(0.01, 50)}) == {"only": 1.0}


def test_an_all_but_silent_probe_cannot_make_the_tail_of_its_group_of_ordinary_answers():
    rest = {str(seed): noise(0.1, 50, seed) for seed in range(5)}
    assert scales({**rest, "silent": noise(1e-9, 50)})["silent"] == FLOOR


def test_one_bad_reference_answer_moves_a_scale_little():
    rest = {str(seed): noise(0.01 * 3**seed, 50, seed) for seed in range(3)}
    clean, broken = (scales({**rest, "probe": [*noise(0.03, 15, 9), *more]})["probe"] for more in ([], [20.0]))
    assert broken == pytest.approx(clean, rel=0.35)
