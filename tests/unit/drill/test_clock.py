import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from canary.drill.clock import HurriedClock, VirtualClock
from canary.testing import FakeClock

pytestmark = pytest.mark.anyio
START = datetime(2025, 8, 5, tzinfo=UTC)


async def test_time_passes_for_those_who_sleep():
    clock = VirtualClock(START)
    await clock.sleep(90)
    assert (clock.now(), clock.monotonic()) == (START + timedelta(seconds=90), 90.0)


async def test_those_who_sleep_at_the_same_moment_sleep_side_by_side():
    clock = VirtualClock(START)
    await asyncio.gather(clock.sleep(2), clock.sleep(5), clock.sleep(3))
    assert clock.monotonic() == 5.0


def test_time_never_runs_backwards():
    clock = VirtualClock(START)
    clock.reach(START + timedelta(hours=1))
    clock.reach(START)
    assert clock.now() == START + timedelta(hours=1)


def test_hurried_time_begins_after_its_lead_and_passes_as_many_times_as_fast():
    real = FakeClock()
    clock = HurriedClock(real, START, speed=60.0, lead=10.0)
    real.advance(timedelta(seconds=70))
    assert clock.now() == START + timedelta(hours=1)


async def test_hurried_sleep_takes_its_real_time():
    real = FakeClock()
    await HurriedClock(real, START, speed=60.0).sleep(3.0)
    assert real.monotonic() == 3.0
