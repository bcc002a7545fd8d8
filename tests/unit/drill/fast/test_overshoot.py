"""Overshoot is saved as `canary.detect.esr` saves it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect import DistanceDetector, EsrState, EventDetector, step
from canary.drill.fast.overshoot import Payoff, extreme

DETECTORS = (EventDetector(1e-3), DistanceDetector.from_golden([n / 1000 for n in range(1000)], 0.01))


@given(st.sampled_from(DETECTORS), st.floats(-12.0, -1e-3), st.integers(0, 2**32 - 1))
def test_a_boost_is_what_a_step_is_multiplied_with(detector, log_total, seed):
    outcomes = detector.outcomes(1.0)
    parts = np.random.default_rng(seed).random(detector.alternatives) ** 3
    entering = np.exp(log_total) * parts / parts.sum()
    state = EsrState(np.log(entering), np.array(1))
    none = np.full(detector.alternatives, 0.0)
    after = np.exp(step(state, none, -np.inf, outcomes).log_r)
    assert Payoff.of(outcomes).boost(entering) == pytest.approx(float(after.sum() / entering.sum()), rel=1e-9)


def test_what_is_not_known_is_not_boosted():
    assert extreme(None, 3).tolist() == [0.0, 0.0, 0.0]
