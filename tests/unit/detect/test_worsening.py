import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect import EventDetector, evidence, onset, start, step, worsening_detector
from canary.records import Size

SERIES = EventDetector(1e-4)


def sized(high: float) -> Size:
    return Size(high / 4, high / 2, high, 0.95, 500)


@given(st.floats(1e-4, 0.6), st.floats(0.0, 1.0))
def test_while_the_fault_is_no_larger_the_mean_of_e_is_at_most_one(high, part):
    detector = worsening_detector(SERIES, sized(high), 1.0)
    h = SERIES.healthy_event_rate(1.0)
    p = part * (h + high * (1.0 - h))
    e = [np.exp(detector.log_e(value, 1.0, 0.0)) for value in (0.0, 1.0)]
    assert np.all((1.0 - p) * e[0] + p * e[1] <= 1.0 + 1e-9)


def test_a_fault_of_a_hundredth_that_becomes_a_sixth_is_found_with_its_own_onset():
    detector, rng = worsening_detector(SERIES, sized(0.02), 1.0), np.random.default_rng(1)
    seen = np.r_[rng.random(500) < 0.008, rng.random(200) < 0.16]
    state, history = start(detector.alternatives), []
    for event in seen:
        history.append(detector.log_e(float(event), 1.0, 0.0))
        state = step(state, history[-1], math.log(1e-4), detector.outcomes(1.0))
        if float(evidence(state)) >= 0.0:
            break
    found = onset(history)
    assert 500 < len(history) < 600
    assert found.low <= 500 <= found.high


@pytest.mark.parametrize("high", [0.7, 1.0])
def test_a_fault_that_fills_the_answers_has_no_worse(high):
    assert worsening_detector(SERIES, sized(high), 1.0) is None
