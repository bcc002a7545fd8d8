import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect import Verdict, lower_share, upper_share
from canary.detect.twosample import KEPT, STAKES, Kind, PairRule, PairState, judge, start, step, visible_excess

RULE = PairRule(share=0.1, alpha=0.05, beta=0.05)
SURE = 1e-4
SCORES = st.floats(-1e6, 1e6)
KINDS = st.sampled_from(Kind)


def fed(kind: Kind, pairs, state: PairState | None = None) -> PairState:
    state = state or start()
    for a, b in pairs:
        state = step(RULE, kind, state, float(a), float(b))
    return state


def verdict(kind: Kind, pairs, every: int = 10) -> Verdict:
    """The first pass or fail of a look after every tenth pair."""
    state = start()
    for at, (a, b) in enumerate(pairs):
        state = step(RULE, kind, state, float(a), float(b))
        if at % every == 0 and (found := judge(RULE, {"signal": state}).verdict) is not Verdict.INCONCLUSIVE:
            return found
    return Verdict.INCONCLUSIVE


@given(KINDS, st.lists(st.tuples(SCORES, SCORES), max_size=20), SCORES, SCORES)
def test_whatever_came_before_a_pair_swapped_at_random_pays_one_on_average(kind, past, a, b):
    state = fed(kind, past)
    swapped = [fed(kind, [pair], state) for pair in ((a, b), (b, a))]
    for grid in ("log_worse", "log_better"):
        mean = np.mean([np.exp(getattr(each, grid) - getattr(state, grid)) for each in swapped], axis=0)
        assert np.allclose(mean, 1.0, rtol=1e-9)


@given(st.floats(0.01, 0.9), st.floats(0.0, 1.0))
def test_while_b_is_worse_by_the_share_soundness_pays_at_most_one(share, part):
    worse = share + part * (1.0 - share)  # P(side = 1) - P(side = -1) >= share
    better = min(worse - share, 1.0 - worse)
    rule = PairRule(share)
    e = [np.exp(step(rule, Kind.EVENT, start(), *pair).log_sound) for pair in ((0.0, 1.0), (1.0, 0.0), (0.0, 0.0))]
    assert np.all(np.array([worse, better, 1.0 - worse - better]) @ e <= 1.0 + 1e-9)


@pytest.mark.parametrize("kind", Kind)
def test_alike_targets_are_called_different_with_at_most_probability_alpha(kind):
    rng, runs, failed = np.random.default_rng(1), 200, 0
    for _ in range(runs):
        pairs = rng.standard_t(2, size=(150, 2)) + 10.0 * rng.random((150, 1))
        failed += verdict(kind, pairs if kind is Kind.NUMBER else pairs > 6.0) is Verdict.FAIL
    assert lower_share(failed, runs, SURE) <= RULE.alpha


def test_a_b_that_is_worse_by_the_share_passes_with_at_most_probability_beta():
    rng, runs = np.random.default_rng(2), 200
    passed = sum(
        verdict(Kind.EVENT, np.c_[rng.random(400) < 0.05, rng.random(400) < 0.15]) is Verdict.PASS for _ in range(runs)
    )
    assert lower_share(passed, runs, SURE) <= RULE.beta


def test_alike_targets_pass():
    rng = np.random.default_rng(3)
    found = [verdict(Kind.EVENT, rng.random((400, 2)) < 0.01) for _ in range(20)]
    assert found.count(Verdict.PASS) >= 18


def test_a_shift_of_numbers_fails():
    rng = np.random.default_rng(4)
    assert verdict(Kind.NUMBER, rng.normal([0.0, 1.0], size=(200, 2))) is Verdict.FAIL


def test_what_is_visible_fails_with_about_the_stated_power():
    rng, runs, pairs = np.random.default_rng(5), 400, 100
    visible = visible_excess(RULE, pairs)
    failed = 0
    for only_b in rng.random((runs, pairs)) < visible:
        failed += judge(RULE, {"signal": fed(Kind.EVENT, np.c_[np.zeros(pairs), only_b])}).verdict is Verdict.FAIL
    assert lower_share(failed, runs, SURE) <= RULE.power <= upper_share(failed, runs, SURE)


@given(KINDS, st.lists(st.tuples(SCORES, SCORES), max_size=30), st.integers(0, 30))
def test_any_cut_of_the_same_pairs_gives_the_same_bits(kind, pairs, cut):
    whole, parts = fed(kind, pairs), fed(kind, pairs[cut:], fed(kind, pairs[:cut]))
    assert whole.log_worse.tobytes() == parts.log_worse.tobytes()
    assert whole.distances == parts.distances


def test_no_more_distances_are_kept_than_ranks_need():
    assert len(fed(Kind.NUMBER, [(0.0, 1.0)] * (KEPT + 5)).distances) == KEPT


def test_ties_say_nothing():
    assert np.array_equal(fed(Kind.NUMBER, [(1.0, 1.0)] * 9).log_worse, np.zeros(len(STAKES)))


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="cannot compare"):
        step(RULE, Kind.NUMBER, start(), math.nan, 1.0)
    with pytest.raises(ValueError, match="one signal"):
        judge(RULE, {})
