import math

import numpy as np
import pytest

from canary.detect import DistanceDetector, EventDetector, delay

DETECTORS = [EventDetector(1e-4), DistanceDetector.from_golden(list(np.linspace(0.0, 1.0, 2000)), 1e-4)]
LOG_B = math.log(1e-6)


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_larger_fault_is_found_sooner(detector):
    delays = [delay(detector, share, 1.0, LOG_B) for share in (0.03, 0.05, 0.16, 1.0)]
    assert delays == sorted(delays, reverse=True)
    assert len(set(delays)) == len(delays)


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_smaller_budget_is_paid_for_in_delay(detector):
    assert delay(detector, 0.05, 1.0, LOG_B - 10.0) > delay(detector, 0.05, 1.0, LOG_B)


@pytest.mark.parametrize("detector", DETECTORS)
def test_the_same_question_has_the_same_answer(detector):
    assert delay(detector, 0.05, 1.0, LOG_B) == delay(detector, 0.05, 1.0, LOG_B)


@pytest.mark.parametrize("detector", [EventDetector(0.02), DistanceDetector.from_golden([0.0] * 300, 1e-4)])
def test_a_fault_below_the_healthy_bound_is_never_seen(detector):
    assert delay(detector, 0.001, 1.0, LOG_B) == math.inf


@pytest.mark.parametrize(("share", "log_budget"), [(0.0, -3.0), (1.5, -3.0), (0.1, -math.inf), (0.1, math.nan)])
def test_parameters_out_of_range_are_refused(share, log_budget):
    with pytest.raises(ValueError, match="share"):
        delay(DETECTORS[0], share, 1.0, log_budget)
