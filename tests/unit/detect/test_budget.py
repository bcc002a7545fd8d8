import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect import log_budget

AT = datetime(2025, 8, 25, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def spent(slot_time: datetime, previous: datetime | None) -> float:
    b = log_budget(per_week=2.0, share=0.25, slot_time=slot_time, previous=previous, interval=MINUTE)
    return math.exp(b)


def test_a_week_of_slots_spends_the_share_of_a_weeks_budget():
    week = (AT + n * MINUTE for n in range(1, 7 * 24 * 60 + 1))
    assert sum(spent(at, at - MINUTE) for at in week) == pytest.approx(0.5)


def test_a_pause_of_weeks_spends_ten_intervals():
    assert spent(AT + timedelta(weeks=10), AT) == spent(AT + 10 * MINUTE, AT)


def test_the_first_slot_covers_one_interval():
    assert spent(AT, None) == spent(AT, AT - MINUTE)


@pytest.mark.parametrize("late", [timedelta(0), -MINUTE, -timedelta(days=3)])
def test_a_late_slot_spends_no_budget(late):
    assert spent(AT + late, AT) == 0.0


@given(st.lists(st.integers(-600, 6000), min_size=1, max_size=50))
def test_any_order_and_spacing_of_slots_spends_no_more_than_the_time_covered(seconds):
    total, latest = 0.0, AT
    for second in seconds:
        at = AT + timedelta(seconds=second)
        total += spent(at, latest)
        latest = max(latest, at)
    assert total <= 0.5 * ((latest - AT) / timedelta(weeks=1)) + 1e-15


@given(st.lists(st.integers(0, 600), min_size=1, max_size=50))
def test_slots_at_most_ten_intervals_apart_spend_just_the_time_covered(gaps):
    total, latest = 0.0, AT
    for gap in gaps:
        total += spent(latest + timedelta(seconds=gap), latest)
        latest += timedelta(seconds=gap)
    assert total == pytest.approx(0.5 * ((latest - AT) / timedelta(weeks=1)), abs=1e-15)


@pytest.mark.parametrize(("per_week", "share"), [(0.0, 0.5), (-1.0, 0.5), (1.0, 0.0), (1.0, 1.5), (math.nan, 0.5)])
def test_a_budget_out_of_range_is_refused(per_week, share):
    with pytest.raises(ValueError, match="per_week"):
        log_budget(per_week=per_week, share=share, slot_time=AT, previous=None, interval=MINUTE)
