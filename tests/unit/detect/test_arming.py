from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import bdtr

from canary.detect import Armed, Learning, answers_needed, arm, clean_detector, rate_bound, upper_share
from canary.detect.arming import MARGIN, SPREAD
from canary.records import Baseline, BaselineStatus, SeriesKey, SignalKind

AT = datetime(2025, 8, 25, tzinfo=UTC)
GOLDEN = Baseline(
    id="b", series=SeriesKey("m/p/q", "r", "g", "script"), epoch=1, status=BaselineStatus.ACTIVE, scorer_version=1,
    created_at=AT, n=1000, exposure=1000.0, events=0, parts=(), calibration=(0.0,) * 1000,
)  # fmt: skip
KINDS = [SignalKind.EVENT, SignalKind.DISTANCE]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("delta", [1e-6, 1e-3, 0.05])
@pytest.mark.parametrize("share", [0.008, 0.05, 0.5])
def test_a_series_is_armed_exactly_at_the_number_of_answers_that_learning_names(kind, delta, share):
    def golden(n: int) -> Baseline:
        return replace(GOLDEN, n=n, exposure=float(n), calibration=(0.0,) * n)

    needed = answers_needed(0, kind, delta=delta, smallest_share=share)
    assert isinstance(arm(golden(needed), kind, delta=delta, smallest_share=share), Armed)
    learning = arm(golden(needed - 1), kind, delta=delta, smallest_share=share)
    assert isinstance(learning, Learning)
    assert (learning.n, learning.needed) == (needed - 1, needed)


@given(st.integers(1, 20), st.sampled_from([1e-5, 1e-2]), st.sampled_from([0.02, 0.2]))
def test_with_events_too_the_named_number_of_answers_arms(events, delta, share):
    needed = answers_needed(events, SignalKind.EVENT, delta=delta, smallest_share=share)
    armed = replace(GOLDEN, n=needed, exposure=float(needed), events=events)
    short = replace(armed, n=needed - 1, exposure=float(needed - 1))
    assert isinstance(arm(armed, SignalKind.EVENT, delta=delta, smallest_share=share), Armed)
    assert isinstance(arm(short, SignalKind.EVENT, delta=delta, smallest_share=share), Learning)


@pytest.mark.parametrize("kind", KINDS)
def test_learning_says_the_share_that_would_be_armed_now(kind):
    learning = arm(GOLDEN, kind, delta=1e-4, smallest_share=0.008)
    assert isinstance(learning, Learning)
    assert isinstance(arm(GOLDEN, kind, delta=1e-4, smallest_share=learning.visible * 1.0001), Armed)
    assert isinstance(arm(GOLDEN, kind, delta=1e-4, smallest_share=learning.visible * 0.9999), Learning)


@pytest.mark.parametrize("kind", KINDS)
def test_an_armed_detector_keeps_the_margin_below_the_smallest_share(kind):
    armed = arm(GOLDEN, kind, delta=1e-2, smallest_share=0.05)
    assert isinstance(armed, Armed)
    assert armed.detector.healthy_event_rate(1.0) <= 0.05 / MARGIN


@pytest.mark.parametrize("kind", KINDS)
def test_a_baseline_without_answers_is_learning_and_blind(kind):
    empty = replace(GOLDEN, n=0, exposure=0.0, calibration=())
    learning = arm(empty, kind, delta=1e-2, smallest_share=0.05)
    assert isinstance(learning, Learning)
    assert (learning.n, learning.visible) == (0, 1.0)


def test_a_series_whose_golden_answers_all_fail_is_learning():
    learning = arm(replace(GOLDEN, events=1000), SignalKind.EVENT, delta=1e-2, smallest_share=0.9)
    assert isinstance(learning, Learning)
    assert learning.visible == 1.0


def test_exposure_counts_more_text_gives_a_smaller_bound_per_unit():
    assert rate_bound(3, 100, 1e5, 0.01) == pytest.approx(rate_bound(3, 100, 1e3, 0.01) / 100)


@given(st.integers(0, 30), st.integers(31, 5000), st.sampled_from([1e-6, 1e-3, 0.1]))
def test_hoeffding_applies_where_the_bound_uses_it(events, n, delta):
    share = upper_share(events, n, delta)
    if SPREAD * share < 1.0:  # else the rate has no bound
        assert events <= n * share - 1.0 + 1e-9


def worst_lower_tail(events: int, n: int, exposure: float, rate: float, exposures: np.ndarray) -> float:
    """P(at most `events` events), by convolution over unequal answers."""
    law = np.array([1.0])
    for p in -np.expm1(-rate * exposures * exposure / exposures.sum()):
        law = np.convolve(law, [1.0 - p, p])
    return float(law[: events + 1].sum())


@pytest.mark.parametrize("events", [0, 1, 2, 5])
@pytest.mark.parametrize("exposures", [np.ones(60), np.r_[np.zeros(45), np.full(15, 4.0)], np.linspace(0.1, 2.0, 60)])
def test_at_the_bound_so_few_events_have_at_most_probability_delta(events, exposures):
    assert exposures.max() <= SPREAD * exposures.mean()
    rate = rate_bound(events, 60, 6000.0, 0.01)
    assert worst_lower_tail(events, 60, 6000.0, rate, exposures) <= 0.01 * (1 + 1e-9)


def test_the_exact_bound_of_a_share_leaves_delta_below():
    assert bdtr(4, 500, upper_share(4, 500, 0.01)) == pytest.approx(0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_the_detector_forecast_is_that_of_clean_golden_answers(kind):
    armed = arm(GOLDEN, kind, delta=1e-2, smallest_share=0.05)
    assert isinstance(armed, Armed)
    assert clean_detector(kind, 1000, 1.0, 1e-2) == armed.detector


@pytest.mark.parametrize(("delta", "share"), [(0.0, 0.1), (0.2, 0.1), (0.01, 0.0), (0.01, 1.1)])
def test_parameters_out_of_range_are_refused(delta, share):
    with pytest.raises(ValueError, match="out of range"):
        arm(GOLDEN, SignalKind.EVENT, delta=delta, smallest_share=share)


@pytest.mark.parametrize("ones", [0, 300, 400, 500])
def test_a_balance_arms_though_half_of_its_healthy_answers_are_events(ones):
    found = arm(replace(GOLDEN, events=ones), SignalKind.BOUNDED, delta=1e-4, smallest_share=0.05)
    assert isinstance(found, Armed)
    assert ones / 1000 < found.detector.healthy_event_rate(1.0) < ones / 1000 + 0.1


def test_a_balance_of_few_golden_answers_says_how_many_would_do():
    few = arm(replace(GOLDEN, n=40, exposure=40.0, events=20), SignalKind.BOUNDED, delta=1e-4, smallest_share=0.05)
    assert isinstance(few, Learning)
    enough = replace(GOLDEN, n=few.needed, exposure=float(few.needed), events=few.needed // 2)
    assert isinstance(arm(enough, SignalKind.BOUNDED, delta=1e-4, smallest_share=0.05), Armed)
