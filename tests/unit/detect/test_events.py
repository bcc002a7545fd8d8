import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect import EventDetector

RATES = st.floats(-8.0, 0.5).map(lambda power: 10.0**power)
EXPOSURES = st.floats(-1.0, 4.0).map(lambda power: 10.0**power)


def mean_e(detector: EventDetector, p: float, exposure: float) -> np.ndarray:
    event, none = detector.log_e(1.0, exposure, 0.0), detector.log_e(0.0, exposure, 0.0)
    return p * np.exp(event) + (1.0 - p) * np.exp(none)


@given(RATES, EXPOSURES, st.floats(0.0, 1.0))
def test_the_mean_of_e_is_at_most_one_for_every_healthy_probability_up_to_the_bound(rate, exposure, part):
    detector = EventDetector(rate)
    p = part * detector.healthy_event_rate(exposure)
    assert np.all(mean_e(detector, p, exposure) <= 1.0 + 1e-12)


@given(st.floats(-8.0, -1.0).map(lambda power: 10.0**power), EXPOSURES)
def test_the_mean_of_e_is_one_at_the_bound_so_nothing_is_wasted(rate, exposure):
    detector = EventDetector(rate)
    assert np.allclose(mean_e(detector, detector.healthy_event_rate(exposure), exposure), 1.0, rtol=1e-9)


def test_an_alternative_at_the_true_rate_gains_its_divergence_per_answer():
    detector, p, q = EventDetector(1e-3, ratios=(10.0,)), -math.expm1(-1e-3), -math.expm1(-1e-2)
    gain = q * detector.log_e(1.0, 1.0, 0.0)[0] + (1 - q) * detector.log_e(0.0, 1.0, 0.0)[0]
    assert gain == pytest.approx(q * math.log(q / p) + (1 - q) * math.log((1 - q) / (1 - p)), rel=1e-9)


def test_a_value_at_the_golden_threshold_is_no_event():
    detector = EventDetector(1e-3)
    assert not detector.is_event(2.0, 2.0)
    assert detector.is_event(3.0, 2.0)


def test_an_event_in_little_text_says_more_than_one_in_much():
    detector = EventDetector(1e-3)
    assert np.all(detector.log_e(1.0, 1.0, 0.0) > detector.log_e(1.0, 1000.0, 0.0))


@pytest.mark.parametrize("exposure", [5e-324, 1e-300])
def test_a_vanishing_exposure_keeps_the_ratio(exposure):
    assert np.allclose(np.exp(EventDetector(1e-3, (10.0,)).log_e(1.0, exposure, 0.0)), 10.0)


@pytest.mark.parametrize(
    ("value", "exposure"), [(math.nan, 1.0), (0.0, 0.0), (0.0, -1.0), (0.0, math.inf), (0.0, math.nan)]
)
def test_what_cannot_be_judged_is_refused(value, exposure):
    with pytest.raises(ValueError, match="cannot judge"):
        EventDetector(1e-3).log_e(value, exposure, 0.0)


@pytest.mark.parametrize(
    ("rate", "ratios"), [(0.0, (2.0,)), (math.inf, (2.0,)), (0.1, ()), (0.1, (1.0,)), (0.1, (math.inf,))]
)
def test_parameters_out_of_range_are_refused(rate, ratios):
    with pytest.raises(ValueError, match="must be"):
        EventDetector(rate, ratios)


@given(RATES)
def test_parameters_round_trip_to_the_same_bits_and_digest(rate):
    detector = EventDetector(rate)
    again = EventDetector.from_json(detector.to_json())
    assert again == detector
    assert again.digest == detector.digest
    assert again.log_e(1.0, 3.0, 0.0).tobytes() == detector.log_e(1.0, 3.0, 0.0).tobytes()


def test_other_parameters_have_another_digest():
    assert EventDetector(0.1).digest != EventDetector(math.nextafter(0.1, 1.0)).digest


@pytest.mark.parametrize(
    "change",
    [{"version": 2}, {"kind": "distance"}, {"extra": 1}, {"rate_upper": "1"}, {"rate_upper": True}, {"ratios": 3}],
)
def test_foreign_parameters_are_refused(change):
    facts = json.loads(EventDetector(0.1).to_json()) | change
    with pytest.raises(ValueError, match=r"expected|parameters"):
        EventDetector.from_json(json.dumps(facts))
