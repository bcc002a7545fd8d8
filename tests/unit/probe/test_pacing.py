import asyncio
from datetime import timedelta

import pytest

from canary.clock import SystemClock
from canary.probe.pacing import Pacing
from canary.records import Failure, FailureKind, Limits
from canary.testing import FakeClock
from tests.unit.probe.builders import run

pytestmark = pytest.mark.anyio

LIMITS = Limits(concurrency=2, rate_per_second=1_000.0)


async def most_at_once(pacing: Pacing, runs: int) -> int:
    inside = most = 0

    async def one() -> None:
        nonlocal inside, most
        async with pacing.turn(run(limits=LIMITS).target):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(one() for _ in range(runs)))
    return most


async def test_a_target_bears_no_more_runs_at_a_time_than_its_limit() -> None:
    assert await most_at_once(Pacing(FakeClock()), 20) == 2


async def test_a_full_target_does_not_hold_up_another() -> None:
    pacing = Pacing(FakeClock())
    limits = Limits(concurrency=1, rate_per_second=1_000.0)
    full, other = run(limits=limits, pool="a").target, run(limits=limits, pool="b").target
    async with pacing.turn(full), asyncio.timeout(5), pacing.turn(other) as refusal:
        assert refusal is None


@pytest.mark.parametrize("rate", [20.0, 25.5, 100.0])
async def test_a_target_sees_at_most_its_rate_in_any_second(rate: float) -> None:
    pacing, clock = Pacing(SystemClock()), SystemClock()
    limits = Limits(concurrency=100, rate_per_second=rate)
    starts: list[float] = []

    async def one() -> None:
        async with pacing.turn(run(limits=limits).target):
            starts.append(clock.monotonic())

    await asyncio.gather(*(one() for _ in range(int(rate) + 1)))
    assert starts[-1] - starts[0] > int(rate) / rate - 0.001


async def test_a_burst_within_the_rate_goes_out_together() -> None:
    pacing = Pacing(FakeClock())
    target = run(limits=Limits(concurrency=8, rate_per_second=8.0)).target
    async with asyncio.timeout(0.9):  # less than the throttler's period
        await asyncio.gather(*(pacing.turn(target).__aenter__() for _ in range(8)))


async def test_a_run_waits_out_a_short_silence() -> None:
    clock = FakeClock()
    pacing, target = Pacing(clock), run().target
    pacing.silence(target, timedelta(seconds=4))
    async with pacing.turn(target) as refusal:
        assert (refusal, clock.monotonic()) == (None, 4.0)


async def test_a_run_is_not_sent_into_a_long_silence() -> None:
    pacing, target = Pacing(FakeClock()), run().target
    pacing.silence(target, timedelta(minutes=5))
    async with pacing.turn(target) as refusal:
        assert refusal == Failure(
            FailureKind.THROTTLED, "not sent: the target asked for silence", retry_after=timedelta(minutes=5)
        )


async def test_a_silence_ends() -> None:
    clock = FakeClock()
    pacing, target = Pacing(clock), run().target
    pacing.silence(target, timedelta(minutes=5))
    clock.advance(timedelta(minutes=5))
    async with pacing.turn(target) as refusal:
        assert refusal is None


async def test_a_shorter_wish_does_not_shorten_a_silence() -> None:
    pacing, target = Pacing(FakeClock()), run().target
    pacing.silence(target, timedelta(minutes=5))
    pacing.silence(target, timedelta(0))
    async with pacing.turn(target) as refusal:
        assert refusal is not None


async def test_a_silence_holds_for_its_target_alone() -> None:
    pacing = Pacing(FakeClock())
    pacing.silence(run(pool="a").target, timedelta(minutes=5))
    async with pacing.turn(run(pool="b").target) as refusal:
        assert refusal is None


async def test_new_limits_hold_from_the_next_run_on() -> None:
    pacing = Pacing(FakeClock())
    old, new = run(limits=Limits(concurrency=1)).target, run(limits=Limits(concurrency=2)).target
    async with pacing.turn(old), asyncio.timeout(5), pacing.turn(new) as refusal:
        assert refusal is None


async def test_a_burst_holds_a_place_for_each_of_its_runs() -> None:
    pacing = Pacing(FakeClock())
    target = run(limits=Limits(concurrency=8, rate_per_second=1_000.0)).target
    async with pacing.turn(target, 8):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), pacing.turn(target):
                pass
    async with asyncio.timeout(5), pacing.turn(target) as refusal:
        assert refusal is None


async def test_two_bursts_that_need_all_places_take_turns() -> None:
    pacing = Pacing(FakeClock())
    target = run(limits=Limits(concurrency=8, rate_per_second=1_000.0)).target
    inside = most = 0

    async def one() -> None:
        nonlocal inside, most
        async with pacing.turn(target, 8):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    async with asyncio.timeout(5):
        await asyncio.gather(*(one() for _ in range(5)))
    assert most == 1


async def test_a_burst_waits_until_the_rate_leaves_room_for_all_of_it() -> None:
    clock = FakeClock()
    pacing = Pacing(clock)
    target = run(limits=Limits(concurrency=20, rate_per_second=20.0)).target
    for _ in range(13):
        async with pacing.turn(target):
            pass
    clock.advance(timedelta(milliseconds=400))
    async with pacing.turn(target, 8):
        assert clock.monotonic() == pytest.approx(1.0)


async def test_a_burst_that_the_rate_has_room_for_does_not_wait() -> None:
    clock = FakeClock()
    pacing = Pacing(clock)
    target = run(limits=Limits(concurrency=20, rate_per_second=20.0)).target
    for _ in range(12):
        async with pacing.turn(target):
            pass
    async with pacing.turn(target, 8):
        assert clock.monotonic() == 0.0
