"""What the drills of many seeds come to."""

from datetime import UTC, datetime, timedelta

import pytest

from canary.drill.distribution import distribution
from canary.drill.judge import Check, Delay, Judgement, Outcome, Told
from canary.drill.perform import Report
from canary.drill.quantiles import share_interval
from canary.drill.shape import Expected
from canary.records import Symptom

BEGIN = datetime(2025, 9, 1, tzinfo=UTC)


def told() -> Told:
    return Told("i", "mid/api/tpu", "", BEGIN, None, BEGIN, (Symptom.CORRUPTION,), (), (), (), ())


def report(hours: float | None, false: int = 0) -> Report:
    """Of a week, in which one fault is found after so many hours, or never."""
    delay = None if hours is None else Delay(timedelta(hours=hours), 1, 1)
    check = Check("found", held=delay is not None, found="")
    outcome = Outcome(Expected(fault="corruption"), (told(),) if delay else (), delay, (check,))
    judgement = Judgement((outcome,), (), (told(),) * false, 0.25, ())
    return Report("week", "why", 1, BEGIN, BEGIN + timedelta(weeks=1), 1, 1, 0, 9, 9, 9, 1, judgement, ())


def test_delays_are_told_by_quantiles_of_their_order():
    (fault,) = distribution([report(hours) for hours in range(1, 21)]).faults
    hour = 3600.0
    assert (fault.median.value, fault.median.low, fault.median.high) == (10 * hour, 6 * hour, 15 * hour)
    assert fault.p90.value == 18 * hour


def test_what_is_never_found_is_no_number():
    (fault,) = distribution([report(1.0), report(None), report(None)]).faults
    assert (fault.found, fault.held, fault.median.value) == (1, 1, None)


def test_false_alarms_are_counted_beside_what_the_budget_allows():
    found = distribution([report(1.0, false=2), report(1.0, false=1)])
    assert (found.false_alarms, found.weeks, found.budget) == (3, 2.0, 0.5)
    assert found.false_bounds == pytest.approx((0.6187, 8.7673), abs=1e-3)


def test_the_share_of_drills_as_expected_has_exact_bounds():
    found = distribution([report(1.0)] * 20)
    assert (found.held, found.held_bounds) == (20, pytest.approx((0.8316, 1.0), abs=1e-4))


def test_a_share_of_nothing_may_be_anything():
    assert share_interval(0, 0) == (0.0, 1.0)
