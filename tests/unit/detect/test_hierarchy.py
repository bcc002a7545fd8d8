import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect import DistanceDetector, EventDetector, evidence, from_bytes, hierarchy, tail_bounds, to_bytes
from canary.detect.distance import ranks

BETS = st.lists(st.floats(0.0, 1e6), min_size=0, max_size=8)


@given(st.floats(-7.0, -0.1).map(lambda power: 10.0**power), st.floats(0.0, 1.0))
def test_the_mean_of_an_event_bet_is_at_most_one_for_every_healthy_rate(rate, part):
    detector = EventDetector(rate)
    p = part * detector.healthy_event_rate(1.0)
    assert p * detector.bet(1.0, 1.0, 0.0) + (1.0 - p) * detector.bet(0.0, 1.0, 0.0) <= 1.0 + 1e-12


@given(st.integers(1, 300), st.sampled_from([1e-6, 0.01, 0.1]), st.data())
def test_the_mean_of_a_distance_bet_is_at_most_one_for_every_law_whose_tail_keeps_the_bounds(n, delta, data):
    detector = DistanceDetector(n, tuple(float(-rank) for rank in ranks(n)), tail_bounds(n, delta))
    cells = len(detector.tails)
    parts = data.draw(st.lists(st.floats(0.0, 1.0), min_size=cells, max_size=cells))
    law = np.diff([0.0, *np.maximum.accumulate(np.array(parts) * detector.tails), 1.0])
    bets = [detector.bet(value, 1.0, 0.0) for value in (1.0, *detector.edges)]
    assert law @ bets <= 1.0 + 1e-9


def test_an_event_bet_mixed_over_a_share_is_the_likelihood_ratio_of_bernoulli():
    detector, h = EventDetector(1e-3), EventDetector(1e-3).healthy_event_rate(1.0)
    for at, p in enumerate(hierarchy.SHARES[:-1]):
        q = h + p * (1.0 - h)
        e = [math.exp(hierarchy.log_e(detector.bet(value, 1.0, 0.0))[at]) for value in (1.0, 0.0)]
        assert e == pytest.approx([q / h, (1.0 - q) / (1.0 - h)])


@given(BETS, st.integers(1, 4), st.randoms())
def test_the_order_of_simultaneous_members_does_not_matter_to_the_bit(bets, missing, rng):
    shuffled = rng.sample(bets, len(bets))
    assert hierarchy.together(bets, len(bets) + missing) == hierarchy.together(shuffled, len(bets) + missing)


@given(BETS, st.integers(1, 4))
def test_the_bet_of_a_slot_mixed_is_the_mean_of_its_members_e_values_for_each_share(bets, missing):
    together = np.exp(hierarchy.log_e(hierarchy.together(bets, len(bets) + missing)))
    assert np.allclose(together, np.exp(hierarchy.log_e([*bets, *[1.0] * missing])).mean(axis=0))


def test_a_slot_without_any_judged_member_is_no_evidence():
    assert np.array_equal(hierarchy.log_e(hierarchy.together([], 3)), np.zeros(7))


@pytest.mark.parametrize(("bets", "members"), [([1.0, 1.0], 1), ([], 0), ([-1.0], 1), ([math.nan], 1), ([math.inf], 1)])
def test_members_that_cannot_be_are_refused(bets, members):
    with pytest.raises(ValueError, match="bet"):
        hierarchy.together(bets, members)


@given(st.lists(st.sampled_from([0.0, 0.3, 1000.0]), min_size=1, max_size=20), st.integers(0, 20))
def test_a_scope_fed_over_a_restart_or_in_an_array_has_the_same_bits(bets, cut):
    state, many = hierarchy.start(), hierarchy.start((3,))
    for at, bet in enumerate(bets):
        state = from_bytes(to_bytes(state)) if at == cut else state
        state, many = hierarchy.step(state, bet, -9.0), hierarchy.step(many, [bet] * 3, [-9.0] * 3)
    assert state.log_r.tobytes() == many.log_r[1].tobytes()


def test_a_fault_of_many_members_is_seen_by_their_scope_before_any_of_them():
    detector, scope, b = EventDetector(1e-4), hierarchy.start(), math.log(1e-5)
    for _ in range(2):  # two members show one event each
        scope = hierarchy.step(scope, detector.bet(1.0, 1.0, 0.0), b)
    member = hierarchy.step(hierarchy.start(), detector.bet(1.0, 1.0, 0.0), b)
    assert float(evidence(scope)) >= 0.0 > float(evidence(member))
