import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect import DistanceDetector, EventDetector, Growth, delay, log_budget
from canary.detect.escalation import Levels, extra_while_healthy, hastened_delay

AT = datetime(2025, 8, 25, tzinfo=UTC)
MINUTE, WEEK = timedelta(minutes=1), timedelta(weeks=1)
LEVELS = Levels(-6.0)
LOG_B = math.log(1e-6)
GROWTH = Growth(*EventDetector(1e-3).typical(1.0))
DETECTORS = [EventDetector(1e-3), DistanceDetector.from_golden(list(np.linspace(0.0, 1.0, 5000)), 1e-3)]

policies = st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=80)
"""Slot by slot: the factor that a policy chose, by whatever rule, and whether the slot was fed."""


@given(policies)
def test_no_policy_of_probing_spends_more_than_the_budget_of_the_time(policy: Sequence[tuple[int, bool]]):
    now, latest, total = AT, AT, 0.0
    for factor, fed in policy:
        now += MINUTE / factor
        if fed:
            b = log_budget(per_week=2.0, share=0.25, slot_time=now, previous=latest, interval=MINUTE)
            total, latest = total + math.exp(b), now
    assert total <= 0.5 * ((now - AT) / WEEK) * (1.0 + 1e-9)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=80))
def test_a_policy_that_misses_no_slot_spends_just_the_budget_of_the_time(factors: Sequence[int]):
    now, total = AT, 0.0
    for factor in factors:
        before, now = now, now + MINUTE / factor
        total += math.exp(log_budget(per_week=2.0, share=0.25, slot_time=now, previous=before, interval=MINUTE))
    assert total == pytest.approx(0.5 * ((now - AT) / WEEK))


def test_a_series_falls_back_only_below_the_lower_level():
    passed, told = False, []
    for evidence in (-7.5, -6.5, -6.0, -6.5, -7.0, -7.1, -6.5):
        passed = LEVELS.passed(evidence, before=passed)
        told.append(passed)
    assert told == [False, False, True, True, True, False, False]


@pytest.mark.parametrize("warning", [0.0, 1.0, -math.inf, math.nan])
def test_a_warning_at_or_above_the_alarm_is_refused(warning: float):
    with pytest.raises(ValueError, match="below the alarm"):
        Levels(warning)


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("share", [0.05, 0.16])
def test_the_faster_the_escalated_are_probed_the_sooner_a_fault_is_found(detector, share):
    times = [hastened_delay(detector, share, 1.0, LOG_B, factor=factor, levels=LEVELS) for factor in (1, 2, 5, 20)]
    assert times == sorted(times, reverse=True)
    assert times[2] < 0.8 * times[0]


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("share", [0.05, 0.16])
def test_without_escalation_the_time_is_that_of_delay(detector, share):
    plain = hastened_delay(detector, share, 1.0, LOG_B, factor=1, levels=LEVELS)
    assert plain == pytest.approx(delay(detector, share, 1.0, LOG_B), rel=0.3)


def test_what_is_never_seen_is_not_seen_faster():
    assert hastened_delay(EventDetector(0.02), 0.001, 1.0, LOG_B, factor=20, levels=LEVELS) == math.inf


def test_a_healthy_series_without_events_causes_no_extra_slots():
    assert extra_while_healthy(GROWTH, 0.0, LOG_B, factor=5, levels=LEVELS) == 0.0


def test_a_lower_warning_costs_more_while_all_is_well():
    costs = [
        extra_while_healthy(GROWTH, 1e-3, LOG_B, factor=5, levels=Levels(warning)) for warning in (-4.0, -6.0, -8.0)
    ]
    assert 0.0 < costs[0] < costs[1] < costs[2]
