from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.alert.maintenance import Window, fault, frozen, windows_of
from canary.alert.silences import made
from canary.records import Observation, matcher
from tests.unit.alert.findings import START, TARGET

HOUR = timedelta(hours=1)
ASKED = (matcher("pool=tpu-*"),)
ONCE = Window("once", ASKED, START, 2 * HOUR)
DAILY = Window("daily", ASKED, START, 2 * HOUR, every=24 * HOUR)


def seen(slot: datetime, *, took: timedelta = timedelta(0), target: str = TARGET) -> Observation:
    return Observation("s", "p", "d", "g", target, "eu", slot, slot, took, 0)


@pytest.mark.parametrize(
    ("window", "after", "held"),
    [
        (ONCE, -1, False),
        (ONCE, 0, True),
        (ONCE, 1.99, True),
        (ONCE, 2, False),
        (ONCE, 24, False),
        (DAILY, -1, False),
        (DAILY, 1, True),
        (DAILY, 2, False),
        (DAILY, 23.9, False),
        (DAILY, 24, True),
        (DAILY, 24 * 365 + 1, True),
        (DAILY, 24 * 365 + 3, False),
    ],
)
def test_a_window_holds_for_its_time_and_again_after_each_interval(window: Window, after: float, held: bool) -> None:
    assert window.meets(START + after * HOUR, START + after * HOUR) is held


def test_an_answer_that_was_under_way_when_the_window_began_is_in_it() -> None:
    before = START - timedelta(seconds=5)
    assert not frozen([ONCE], seen(before))
    assert frozen([ONCE], seen(before, took=timedelta(seconds=6)))


@pytest.mark.parametrize(("ends", "held"), [(0, False), (0.5, True), (2.5, True), (3, False)])
def test_complaints_are_in_it_where_their_own_window_meets_it(ends: float, held: bool) -> None:
    slot = START + ends * HOUR
    counted = Observation("s", "p", "d", "g", TARGET, "eu", slot, slot - HOUR, HOUR, 0)
    assert frozen([ONCE], counted) is held


def test_an_answer_of_another_target_is_not() -> None:
    assert not frozen([ONCE], seen(START, target="opus/api/gpu-1"))


@given(
    st.integers(0, 10_000),
    st.integers(0, 600),
    st.integers(1, 300),
    st.integers(0, 300) | st.none(),
    st.integers(-50, 50),
)
def test_a_span_meets_a_window_just_when_one_of_its_minutes_is_in_it(
    begin: int, length: int, lasts: int, gap: int | None, shift: int
) -> None:
    minute = timedelta(minutes=1)
    every = None if gap is None else (lasts + gap + 1) * minute
    window = Window("w", (), START + shift * minute, lasts * minute, every)
    first = START + begin * minute
    each = any(window.meets(first + n * minute, first + n * minute) for n in range(length + 1))
    assert window.meets(first, first + length * minute) is each


def test_a_window_that_comes_again_ends_each_time() -> None:
    day = timedelta(days=1)
    lasts = DAILY.ends(START + HOUR) - START
    assert DAILY.ends(START + 3 * day + HOUR) == START + 3 * day + lasts


def test_of_silences_those_that_freeze_are_windows() -> None:
    quiet, freezing = (made(ASKED, "ann", "why", START, START + HOUR, freezes=freezes) for freezes in (False, True))
    assert windows_of([quiet, freezing]) == (Window(freezing.id, ASKED, START, HOUR, reason="why"),)


def test_a_window_may_ask_only_for_places() -> None:
    assert fault((matcher("pool=a"), matcher("region!=eu"))) is None
    assert "symptom" in (fault((matcher("symptom=shape"),)) or "")
