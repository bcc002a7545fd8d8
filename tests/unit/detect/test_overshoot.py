"""The step that does not waste overshoot: `esr.step` with the possible outcomes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect import Detector, DistanceDetector, EsrState, EventDetector, evidence, step, tail_bounds
from canary.detect.distance import ranks


def distance(n: int, delta: float) -> DistanceDetector:
    return DistanceDetector(n, tuple(float(-rank) for rank in ranks(n)), tail_bounds(n, delta))


DETECTORS = st.one_of(
    st.floats(-5.0, -0.3).map(lambda power: EventDetector(10.0**power)),
    st.builds(distance, st.integers(1, 300), st.sampled_from([1e-4, 0.01])),
)


@st.composite
def situations(draw):
    """A detector and a state of it with R < 1."""
    detector = draw(DETECTORS)
    parts = np.array(
        draw(st.lists(st.floats(0.0, 1.0), min_size=detector.alternatives, max_size=detector.alternatives))
    )
    r = parts / max(parts.sum(), 1e-9) * 10.0 ** draw(st.floats(-6.0, -1e-6))
    with np.errstate(divide="ignore"):
        return detector, EsrState(np.log(r), np.array(1)), draw(st.floats(-16.0, -3.0))


def after(detector: Detector, state: EsrState, log_b: float) -> np.ndarray:
    """R after each outcome, an alarm counted as 1."""
    outcomes = detector.outcomes(1.0)
    r = [math.exp(float(evidence(step(state, log_e, log_b, outcomes)))) for log_e in outcomes.log_e]
    return np.minimum(r, 1.0)


def entered(state: EsrState, log_b: float) -> float:
    return math.exp(float(evidence(state))) + math.exp(log_b)


@given(situations())
def test_from_any_state_alarms_and_r_rise_on_average_by_no_more_than_the_budget(situation):
    """For any b: it is what makes E[false alarms] <= sum of b over slots of any spacing, fixed as late as one likes."""
    detector, state, log_b = situation
    mean = np.exp(detector.outcomes(1.0).log_law) @ after(detector, state, log_b)
    whole = entered(state, log_b)
    assert mean <= whole * (1.0 + 1e-9)


@given(situations())
def test_at_the_worst_law_they_rise_by_nothing_less_so_no_overshoot_is_wasted(situation):
    detector, state, log_b = situation
    whole = entered(state, log_b)
    if 10.0 * math.exp(detector.outcomes(1.0).log_law[0]) < whole < 1.0:  # else an event may pay more than can be spent
        mean = np.exp(detector.outcomes(1.0).log_law) @ after(detector, state, log_b)
        assert mean == pytest.approx(whole, rel=1e-6)


@given(situations(), st.data())
def test_a_healthy_law_below_the_worst_gains_no_more(situation, data):
    detector, state, log_b = situation
    tails = np.cumsum(np.exp(detector.outcomes(1.0).log_law))[:-1]
    parts = data.draw(st.lists(st.floats(0.0, 1.0), min_size=len(tails), max_size=len(tails)))
    law = np.diff([0.0, *np.maximum.accumulate(np.array(parts) * tails), 1.0])
    assert law @ after(detector, state, log_b) <= entered(state, log_b) * (1.0 + 1e-9)


@given(situations())
def test_no_outcome_leaves_less_evidence_than_the_plain_step(situation):
    detector, state, log_b = situation
    outcomes = detector.outcomes(1.0)
    for log_e in outcomes.log_e:
        assert float(evidence(step(state, log_e, log_b, outcomes))) >= float(evidence(step(state, log_e, log_b)))


@given(situations(), st.integers(1, 5))
def test_many_series_at_once_get_the_bits_of_each_alone(situation, series):
    detector, state, log_b = situation
    outcomes = detector.outcomes(1.0)
    many = EsrState(np.tile(state.log_r, (series, 1)), np.ones(series, dtype=np.int64))
    together = step(many, outcomes.log_e[-1], np.full(series, log_b), outcomes)
    assert together.log_r[-1].tobytes() == step(state, outcomes.log_e[-1], log_b, outcomes).log_r.tobytes()
