import math

import numpy as np
import pytest

from canary.detect import (
    DistanceDetector,
    EventDetector,
    Growth,
    delay,
    esr,
    growth_delay,
    hierarchy,
    scope_growth,
    smallest_seen,
)

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


def simulated(detector, share, log_budget, runs=400):
    """Median answers to the alarm of a scope, by feeding it answer by answer."""
    rng = np.random.default_rng(7)
    (chances, bets), state = detector.healthy_bets(1.0), hierarchy.start((runs,))
    found = np.full(runs, np.inf)
    for n in range(-500, 5_000):
        bad = rng.random(runs) < share if n >= 0 else np.zeros(runs, dtype=bool)
        heard = np.where(bad, bets[0], rng.choice(bets, runs, p=chances))
        state = hierarchy.step(state, heard, log_budget, detector.bet_outcomes(1.0))
        alarmed = esr.evidence(state) >= 0.0
        found = np.where(alarmed & np.isinf(found) & (n >= 0), n + 1, found)
        if np.isfinite(found).mean() > 0.6:
            break
    return float(np.median(found))


@pytest.mark.parametrize("detector", [EventDetector(1e-3), DistanceDetector.from_golden([0.0] * 3000, 1e-4)])
@pytest.mark.parametrize("share", [0.03, 0.16])
def test_a_scopes_delay_is_that_of_feeding_it(detector, share):
    told = growth_delay(scope_growth({detector: 1.0}, 1.0), share, LOG_B)
    assert told == pytest.approx(simulated(detector, share, LOG_B), rel=0.3)


def test_a_scopes_members_weigh_by_the_answers_that_they_bring():
    noisy, quiet = EventDetector(0.01), EventDetector(1e-4)
    mixed = [scope_growth({noisy: 1.0, quiet: weight}, 1.0) for weight in (0.1, 1.0, 10.0)]
    delays = [growth_delay(growth, 0.05, LOG_B) for growth in mixed]
    assert delays == sorted(delays, reverse=True)
    assert growth_delay(scope_growth({quiet: 1.0}, 1.0), 0.05, LOG_B) < delays[-1]


def test_a_scope_without_a_member_is_refused():
    with pytest.raises(ValueError, match="member"):
        scope_growth({}, 1.0)


@pytest.mark.parametrize("detector", DETECTORS)
def test_the_smallest_share_that_is_seen_is_seen_and_a_tenth_less_is_not(detector):
    growth = Growth(*detector.typical(1.0))
    least = smallest_seen(growth, LOG_B)
    assert math.isfinite(growth_delay(growth, least, LOG_B))
    assert math.isinf(growth_delay(growth, 0.9 * least, LOG_B))


def test_a_detector_that_sees_nothing_has_no_smallest_share():
    assert smallest_seen(Growth(np.array([-1.0]), np.array([-0.1])), LOG_B) == math.inf


def test_a_growth_of_two_shapes_is_refused():
    with pytest.raises(ValueError, match="shape"):
        Growth(np.zeros(2), np.zeros(3))
