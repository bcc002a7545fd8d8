"""A count of wrong answers keeps its promises."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, poisson

from canary.detect import Tally, golden_events

tallies = st.builds(
    Tally,
    planned=st.integers(1, 2_000),
    healthy=st.floats(1e-6, 50.0),
    alpha=st.floats(1e-4, 0.2),
)


@given(tallies)
def test_as_many_healthy_answers_as_planned_fail_with_at_most_probability_alpha(tally: Tally) -> None:
    assert binom.sf(tally.needed - 1, tally.planned, tally.rate) <= tally.alpha * (1 + 1e-9)


@given(tallies)
def test_one_event_fewer_would_fail_too_many_unless_the_bound_itself_asks_for_it(tally: Tally) -> None:
    fewer = tally.needed - 1
    too_many = fewer >= 1 and binom.sf(fewer - 1, tally.planned, tally.rate) > tally.alpha
    assert too_many or fewer < tally.healthy + 1.0


@given(tallies, st.data())
def test_it_is_sure_exactly_when_the_events_are_there(tally: Tally, data: st.DataObject) -> None:
    answers = data.draw(st.integers(0, tally.planned))
    events = data.draw(st.integers(0, answers))
    assert (tally.log_likely(answers, events) == 0.0) is (events >= tally.needed)


@given(st.integers(1, 500), st.floats(1e-4, 5.0), st.integers(0, 2**32))
def test_answers_that_are_not_alike_reach_the_count_no_more_often(planned: int, healthy: float, seed: int) -> None:
    tally = Tally(planned, healthy, 0.01)
    rates = np.random.default_rng(seed).dirichlet(np.full(planned, 0.2)) * healthy
    law = np.ones(1)
    for rate in np.minimum(rates, 1.0):
        law = np.convolve(law, (1.0 - rate, rate))
    assert law[tally.needed :].sum() <= tally.alpha * (1 + 1e-9)


@given(st.integers(0, 50), st.floats(1e-6, 0.25))
def test_golden_answers_that_show_so_few_events_would_be_unlikely_above_the_bound(events: int, delta: float) -> None:
    assert poisson.cdf(events, golden_events(events, delta)) == pytest.approx(delta, rel=1e-6)


def test_evidence_rises_with_an_event_and_falls_with_each_answer_without() -> None:
    tally = Tally(400, 0.05, 0.0075)
    start, clean, event = (tally.log_likely(*seen) for seen in ((0, 0), (100, 0), (100, 1)))
    assert clean < start < event < 0.0


def test_what_cannot_be_reached_any_more_has_no_chance() -> None:
    assert Tally(400, 0.05, 0.0075).log_likely(400, 1) == -math.inf


@pytest.mark.parametrize("bad", [(0, 1.0, 0.1), (5, 0.0, 0.1), (5, math.inf, 0.1), (5, 1.0, 0.0), (5, 1.0, 1.0)])
def test_parameters_out_of_range_are_refused(bad: tuple[int, float, float]) -> None:
    with pytest.raises(ValueError, match="planned"):
        Tally(*bad)


@pytest.mark.parametrize("bad", [(-1, 0.1), (0, 0.0), (0, 0.3)])
def test_a_bound_out_of_range_is_refused(bad: tuple[int, float]) -> None:
    with pytest.raises(ValueError, match="delta"):
        golden_events(*bad)
