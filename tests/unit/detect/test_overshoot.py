"""The step that does not waste overshoot: `esr.step` with the possible outcomes, of a series or heard in a scope."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect import (
    BoundedDetector,
    DistanceDetector,
    EsrState,
    EventDetector,
    Outcomes,
    esr,
    evidence,
    hierarchy,
    step,
    tail_bounds,
)
from canary.detect.distance import ranks


def distance(n: int, delta: float) -> DistanceDetector:
    return DistanceDetector(n, tuple(float(-rank) for rank in ranks(n)), tail_bounds(n, delta))


DETECTORS = st.one_of(
    st.floats(-5.0, -0.3).map(lambda power: EventDetector(10.0**power)),
    st.builds(distance, st.integers(1, 300), st.sampled_from([1e-4, 0.01])),
)


LAWS = DETECTORS.flatmap(lambda detector: st.sampled_from([detector.outcomes(1.0), detector.bet_outcomes(1.0)]))
HEARD = DETECTORS.map(lambda detector: detector.bet_outcomes(1.0))
"""Of any members: what a scope heard before, of whichever of them, is a state like any other."""


@st.composite
def situations(draw):
    """What one score can bring, and a state with R < 1 that it meets."""
    outcomes = draw(LAWS)
    alternatives = outcomes.log_e.shape[1]
    parts = np.array(draw(st.lists(st.floats(0.0, 1.0), min_size=alternatives, max_size=alternatives)))
    r = parts / max(parts.sum(), 1e-9) * 10.0 ** draw(st.floats(-6.0, -1e-6))
    with np.errstate(divide="ignore"):
        return outcomes, EsrState(np.log(r), np.array(1)), draw(st.floats(-16.0, -3.0))


def after(outcomes: Outcomes, state: EsrState, log_b: float) -> np.ndarray:
    """R after each outcome, an alarm counted as 1."""
    r = [math.exp(float(evidence(step(state, log_e, log_b, outcomes)))) for log_e in outcomes.log_e]
    return np.minimum(r, 1.0)


def entered(state: EsrState, log_b: float) -> float:
    return math.exp(float(evidence(state))) + math.exp(log_b)


@given(situations())
def test_from_any_state_alarms_and_r_rise_on_average_by_no_more_than_the_budget(situation):
    """For any b: it is what makes E[false alarms] <= sum of b over slots of any spacing, fixed as late as one likes."""
    outcomes, state, log_b = situation
    mean = np.exp(outcomes.log_law) @ after(outcomes, state, log_b)
    whole = entered(state, log_b)
    assert mean <= whole * (1.0 + 1e-9)


@given(situations())
def test_at_the_worst_law_they_rise_by_nothing_less_so_no_overshoot_is_wasted(situation):
    outcomes, state, log_b = situation
    whole = entered(state, log_b)
    if 10.0 * math.exp(outcomes.log_law[0]) < whole < 1.0:  # else an event may pay more than can be spent
        mean = np.exp(outcomes.log_law) @ after(outcomes, state, log_b)
        assert mean == pytest.approx(whole, rel=1e-6)


@given(situations(), st.data())
def test_a_healthy_law_below_the_worst_gains_no_more(situation, data):
    outcomes, state, log_b = situation
    tails = np.cumsum(np.exp(outcomes.log_law))[:-1]
    parts = data.draw(st.lists(st.floats(0.0, 1.0), min_size=len(tails), max_size=len(tails)))
    law = np.diff([0.0, *np.maximum.accumulate(np.array(parts) * tails), 1.0])
    assert law @ after(outcomes, state, log_b) <= entered(state, log_b) * (1.0 + 1e-9)


@given(situations())
def test_no_outcome_leaves_less_evidence_than_the_plain_step(situation):
    outcomes, state, log_b = situation
    for log_e in outcomes.log_e:
        assert float(evidence(step(state, log_e, log_b, outcomes))) >= float(evidence(step(state, log_e, log_b)))


@given(situations(), st.integers(1, 5))
def test_many_series_at_once_get_the_bits_of_each_alone(situation, series):
    outcomes, state, log_b = situation
    many = EsrState(np.tile(state.log_r, (series, 1)), np.ones(series, dtype=np.int64))
    together = step(many, outcomes.log_e[-1], np.full(series, log_b), outcomes)
    assert together.log_r[-1].tobytes() == step(state, outcomes.log_e[-1], log_b, outcomes).log_r.tobytes()


@given(st.lists(st.one_of(HEARD, st.none()), min_size=1, max_size=6), st.randoms())
def test_outcomes_of_each_series_own_give_the_bits_of_each_alone(laws, rng):
    state, alone = hierarchy.start((len(laws),)), [hierarchy.start()] * len(laws)
    for _ in range(6):
        log_e = np.array([hierarchy.log_e(9.0) if law is None else rng.choice(law.log_e) for law in laws])
        log_b = np.array([rng.uniform(-9.0, -1.0) for _ in laws])
        state = esr.step_each(state, log_e, log_b, laws)
        alone = [step(*each) for each in zip(alone, log_e, log_b, laws, strict=True)]
        assert [each.log_r.tobytes() for each in alone] == [row.tobytes() for row in state.log_r]
        over = evidence(state) >= 0.0
        state, alone = esr.reset(state, over), [esr.reset(each, far) for each, far in zip(alone, over, strict=True)]


def test_outcomes_of_too_few_series_are_refused():
    with pytest.raises(ValueError, match="fit"):
        esr.step_each(hierarchy.start((2,)), np.zeros((2, 7)), np.zeros(2), [None])


@given(DETECTORS)
def test_what_scopes_hear_of_an_outcome_is_the_bet_on_it(detector):
    law, heard = detector.outcomes(1.0), detector.bet_outcomes(1.0)
    bets = [detector.bet(value, 1.0, 0.0) for value in (1.0, *getattr(detector, "edges", (0.0,)))]
    assert heard.log_law.tobytes() == law.log_law.tobytes()
    assert heard.log_e.tobytes() == hierarchy.log_e(bets).tobytes()


def test_of_a_bounded_score_too_little_is_known():
    assert BoundedDetector(0.1, 0.2).bet_outcomes(1.0) is None
