import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect import DistanceDetector, EventDetector, lower_share, size, upper_share

DETECTORS = [EventDetector(1e-3), DistanceDetector.from_golden([0.0] * 2000, 1e-3)]


@pytest.mark.parametrize("detector", DETECTORS)
@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_the_interval_holds_the_estimate_within_zero_and_one(detector, events):
    found = size(detector, events, [1.0] * len(events))
    assert 0.0 <= found.low <= found.best <= found.high <= 1.0
    assert found.answers == len(events)


@pytest.mark.parametrize("detector", DETECTORS)
def test_the_healthy_rate_is_taken_off(detector):
    events = [True] * 20 + [False] * 80
    healthy = detector.healthy_event_rate(1.0)
    found = size(detector, events, [1.0] * 100)
    assert found.best == pytest.approx((0.2 - healthy) / (1 - healthy))
    assert found.low == pytest.approx((lower_share(20, 100, 0.025) - healthy) / (1 - healthy))
    assert found.high == upper_share(20, 100, 0.025)


def test_a_fault_in_every_answer_has_the_size_one():
    assert size(EventDetector(1e-3), [True] * 30, [5.0] * 30).best == 1.0


def test_events_that_healthy_answers_show_as_often_have_no_size():
    assert size(EventDetector(0.5), [True] + [False] * 9, [1.0] * 10).best == 0.0


@pytest.mark.parametrize(("events", "exposures"), [([], []), ([True], []), ([True], [1.0, 1.0])])
def test_answers_and_exposures_must_match_and_exist(events, exposures):
    with pytest.raises(ValueError, match="need the exposures"):
        size(EventDetector(1e-3), events, exposures)
