from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from canary.schedule.timebase import Timebase
from canary.testing import FakeClock
from tests.unit.schedule.builders import START, seconds

HOUR = timedelta(hours=1)


def test_it_is_the_wall_time():
    clock = FakeClock(START)
    base = Timebase(clock)
    clock.advance(seconds(7))
    assert base.read() == START + seconds(7)


def test_it_follows_a_clock_set_forward_at_once():
    clock = FakeClock(START)
    base = Timebase(clock)
    clock.jump(HOUR)
    assert base.read() == START + HOUR


def test_it_goes_on_at_nine_tenths_of_the_pace_after_a_clock_was_set_back():
    clock = FakeClock(START)
    base = Timebase(clock)
    clock.jump(-HOUR)
    clock.advance(seconds(100))
    assert base.read() == START + seconds(90)


def test_an_hour_back_is_made_up_in_ten_hours():
    clock = FakeClock(START)
    base = Timebase(clock)
    clock.jump(-HOUR)
    clock.advance(10 * HOUR - seconds(1))
    assert base.read() > clock.now()
    clock.advance(seconds(2))
    assert base.read() == clock.now()


def test_it_says_how_far_ahead_it_is():
    clock = FakeClock(START)
    base = Timebase(clock)
    clock.jump(-HOUR)
    base.read()
    assert base.ahead == HOUR


def test_after_a_restart_it_goes_on_from_where_it_was_though_the_clock_was_set_back():
    assert Timebase(FakeClock(START), START + HOUR).read() == START + HOUR


def test_a_past_wildly_ahead_is_not_believed():
    assert Timebase(FakeClock(START), START + timedelta(days=400)).read() == START


@given(st.lists(st.tuples(st.floats(0.001, 1e4), st.floats(-1e5, 1e5)), max_size=30))
def test_it_never_runs_backwards_or_stands_still(steps: list[tuple[float, float]]):
    clock = FakeClock(START)
    base = Timebase(clock)
    last = base.read()
    for passed, jump in steps:
        clock.jump(seconds(jump))
        clock.advance(seconds(passed))
        assert base.read() > last
        last = base.read()
