import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.clock import SystemClock
from canary.records import Run
from canary.schedule.plan import Plan
from canary.schedule.scheduler import MissReason, Scheduler
from canary.testing import FakeClock
from tests.unit.schedule.builders import START, entry, plan, seconds

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
GRACE = seconds(30)
MINUTELY = plan(entry(jitter=5), entry("long", jitter=5))


class Probing:
    """What a scheduler fires and misses; runs hang while `hold` is cleared."""

    def __init__(self, clock: FakeClock | SystemClock) -> None:
        self.clock = clock
        self.fired: list[Run] = []
        self.missed: list[tuple[Run, MissReason]] = []
        self.late: list[timedelta] = []
        self.hold = asyncio.Event()
        self.hold.set()

    async def fire(self, volley: Sequence[Run]) -> None:
        self.fired.extend(volley)
        await self.hold.wait()

    def scheduler(
        self, the_plan: Plan, max_in_flight: int = 100, fire: Callable[[Sequence[Run]], Awaitable[None]] | None = None
    ) -> Scheduler:
        return Scheduler(
            the_plan,
            self.clock,
            fire or self.fire,
            missed=lambda run, reason: self.missed.append((run, reason)),
            lateness=lambda _run, late: self.late.append(late),
            grace=GRACE,
            max_in_flight=max_in_flight,
        )

    @property
    def reasons(self) -> Counter[MissReason]:
        return Counter(reason for _, reason in self.missed)

    @property
    def handled(self) -> Counter[str]:
        return Counter(run.slot_id for run in (*self.fired, *(run for run, _ in self.missed)))


async def pass_time(scheduler: Scheduler, clock: FakeClock, duration: timedelta, step: float = 1) -> None:
    for _ in range(int(duration / seconds(step))):
        clock.advance(seconds(step))
        scheduler.tick()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def due(the_plan: Plan, after: timedelta, until: timedelta) -> Counter[str]:
    return Counter(p.run.slot_id for p in the_plan.due(START + after, START + until))


STEPS = st.lists(
    st.tuples(st.sampled_from(["work", "stall", "forward", "back"]), st.floats(0.1, 900), st.booleans()), max_size=25
)


@settings(deadline=None, max_examples=60)
@given(STEPS, st.integers(1, 3))
def test_every_slot_is_fired_or_missed_exactly_once(steps: list[tuple[str, float, bool]], max_in_flight: int):
    busy = plan(entry(interval=10, jitter=9), entry("long", interval=60), entry("wide", interval=1, jitter=0))

    async def play() -> None:
        clock = FakeClock(START)
        probing = Probing(clock)
        scheduler = probing.scheduler(busy, max_in_flight)
        for kind, size, hang in steps:
            probing.hold.clear() if hang else probing.hold.set()
            if kind == "work":
                await pass_time(scheduler, clock, seconds(min(size, 40)))
            elif kind == "stall":
                clock.advance(seconds(size))
            else:
                clock.jump(seconds(size if kind == "forward" else -size))
            scheduler.tick()
        probing.hold.set()
        await pass_time(scheduler, clock, seconds(20), 0.5)
        end = clock.now() + scheduler.ahead
        assert probing.handled == due(busy, timedelta(0), end - START)
        await scheduler.drain(seconds(1))

    asyncio.run(play())


async def test_a_slot_is_fired_when_its_time_has_come():
    clock = FakeClock(START)
    probing = Probing(clock)
    await pass_time(probing.scheduler(MINUTELY), clock, seconds(120))
    assert Counter(run.slot_id for run in probing.fired) == due(MINUTELY, seconds(0), seconds(120))


async def test_lateness_is_measured_from_the_moment_of_firing():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(plan(entry(jitter=0)))
    (planned,) = plan(entry(jitter=0)).due(START, START + seconds(60))
    clock.advance(planned.fire_at - START + seconds(3))
    scheduler.tick()
    assert probing.late == [seconds(3)]


async def test_a_short_stall_is_made_up_for():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(MINUTELY)
    for _ in range(8):
        clock.advance(seconds(29))
        scheduler.tick()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert not probing.missed


async def test_slots_older_than_the_grace_are_missed_as_late():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(MINUTELY)
    clock.advance(HOUR)
    scheduler.tick()
    missed = Counter(run.slot_id for run, reason in probing.missed if reason is MissReason.LATE)
    assert missed == due(MINUTELY, seconds(0), HOUR - GRACE)


async def test_a_clock_set_forward_counts_the_slots_in_between_as_late():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(MINUTELY)
    clock.jump(HOUR)
    scheduler.tick()
    assert probing.reasons == {MissReason.LATE: due(MINUTELY, seconds(0), HOUR - GRACE).total()}


async def test_a_clock_set_forward_by_a_century_is_told_in_bounded_portions():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(MINUTELY)
    clock.jump(timedelta(days=36_500))
    scheduler.tick()
    assert probing.reasons == {MissReason.LATE: 1_000}


async def test_a_gap_that_is_too_long_to_be_told_is_cut_with_a_warning(caplog: pytest.LogCaptureFixture):
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(plan(entry(interval=1, jitter=0)))
    clock.jump(timedelta(days=36_500))
    for _ in range(102):
        scheduler.tick()
    assert probing.reasons[MissReason.LATE] == 100_000
    assert [record.message for record in caplog.records] == ["missed_slots_untold"]


async def test_a_clock_set_back_an_hour_fires_nothing_twice():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(MINUTELY)
    await pass_time(scheduler, clock, seconds(300))
    clock.jump(-HOUR)
    await pass_time(scheduler, clock, 2 * HOUR)
    assert max(probing.handled.values()) == 1


async def test_a_clock_set_back_an_hour_does_not_stop_the_probing():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(MINUTELY)
    clock.jump(-HOUR)
    await pass_time(scheduler, clock, seconds(1_000))
    assert Counter(run.slot_id for run in probing.fired) == due(MINUTELY, seconds(0), seconds(900))


async def test_a_run_in_flight_makes_the_next_slot_of_its_entry_an_overrun():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(plan(entry(jitter=0)))
    probing.hold.clear()
    await pass_time(scheduler, clock, seconds(180))
    assert probing.reasons == {MissReason.OVERRUN: 2}
    probing.hold.set()
    await scheduler.drain(seconds(5))


async def test_a_run_in_flight_does_not_hold_up_another_group():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(plan(entry(), entry(group="code")))
    probing.hold.clear()
    await pass_time(scheduler, clock, seconds(66))
    assert {run.probe.group for run in probing.fired} == {"prose", "code"}
    probing.hold.set()
    await scheduler.drain(seconds(5))


async def test_no_more_than_the_most_runs_are_in_flight():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(plan(*(entry(f"pool-{i}", jitter=0) for i in range(10))), max_in_flight=3)
    probing.hold.clear()
    await pass_time(scheduler, clock, seconds(60))
    assert scheduler.in_flight == len(probing.fired) == 3
    assert probing.reasons == {MissReason.SATURATED: 7}
    probing.hold.set()
    await scheduler.drain(seconds(5))


async def test_a_crash_of_a_run_is_counted_and_the_schedule_goes_on(caplog: pytest.LogCaptureFixture):
    async def crash(_: Sequence[Run]) -> None:
        raise RuntimeError("a secret answer")

    clock = FakeClock(START)
    scheduler = Probing(clock).scheduler(plan(entry(jitter=0)), fire=crash)
    await pass_time(scheduler, clock, seconds(180))
    assert scheduler.crashed == 3
    assert scheduler.in_flight == 0
    assert "secret" not in caplog.text


async def test_slots_before_the_start_were_missed_as_down():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(MINUTELY)
    scheduler.start(since=START - HOUR)
    scheduler.tick()
    await scheduler.drain(seconds(1))
    missed = Counter(run.slot_id for run, reason in probing.missed if reason is MissReason.DOWN)
    assert missed == due(MINUTELY, -HOUR, seconds(0))


async def test_a_restart_after_the_clock_was_set_back_fires_nothing_again():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(MINUTELY)
    scheduler.start(since=START + HOUR)
    await pass_time(scheduler, clock, seconds(600))
    await scheduler.drain(seconds(1))
    assert probing.fired
    assert min(run.slot_time for run in probing.fired) > START + HOUR - seconds(5)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=5), st.lists(st.floats(0, 59), min_size=6, max_size=6))
def test_reloads_neither_lose_nor_repeat_a_slot(times: list[int], jitters: list[float]):
    async def play() -> None:
        clock = FakeClock(START)
        probing = Probing(clock)
        scheduler = probing.scheduler(plan(entry(jitter=jitters[0])))
        for after, jitter in zip(times, jitters[1:], strict=False):
            await pass_time(scheduler, clock, seconds(after))
            scheduler.replace(plan(entry(jitter=jitter), entry("new", jitter=jitter)))
        await pass_time(scheduler, clock, seconds(180))
        slots = [run.slot_time for run in probing.fired if run.target.pool == "short"]
        assert not probing.missed
        assert {b - a for a, b in pairwise(slots)} == {seconds(60)}
        assert slots[0] <= START + seconds(60)

    asyncio.run(play())


async def test_a_drain_waits_for_runs_in_flight():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(plan(entry(jitter=0)))
    probing.hold.clear()
    await pass_time(scheduler, clock, seconds(60))
    asyncio.get_running_loop().call_later(0.05, probing.hold.set)
    assert await scheduler.drain(seconds(30)) == 0
    assert scheduler.in_flight == 0


async def test_a_drain_cancels_what_takes_too_long_and_counts_it():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(plan(entry(jitter=0), entry("long", jitter=0)))
    probing.hold.clear()
    await pass_time(scheduler, clock, seconds(60))
    assert await scheduler.drain(seconds(0.01)) == 2
    assert scheduler.in_flight == 0


async def test_nothing_is_fired_after_a_drain():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(MINUTELY)
    await scheduler.drain(seconds(1))
    await pass_time(scheduler, clock, seconds(120))
    assert not probing.fired


async def test_a_started_scheduler_ticks_by_itself(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.WARNING)
    probing = Probing(SystemClock())
    scheduler = probing.scheduler(plan(entry(interval=1, jitter=0)))
    scheduler.start()
    async with asyncio.timeout(20):
        while len(probing.fired) < 3:
            await asyncio.sleep(0.05)
    assert await scheduler.drain(seconds(1)) == 0
    assert not caplog.records


async def test_ticks_come_back_when_the_wall_clock_that_they_wait_for_was_set_back():
    probing = Probing(SystemClock())
    scheduler = probing.scheduler(plan(entry(interval=1, jitter=0)))
    scheduler.start()
    job = scheduler._ticker._job
    job.modify(next_run_time=job.next_run_time + HOUR)
    async with asyncio.timeout(20):
        while not probing.fired:
            await asyncio.sleep(0.05)
    await scheduler.drain(seconds(1))


async def test_a_burst_is_fired_in_one_call():
    clock = FakeClock(START)
    volleys: list[list[int]] = []

    async def fire(volley: Sequence[Run]) -> None:
        volleys.append([run.ordinal for run in volley])

    await pass_time(Probing(clock).scheduler(plan(entry(jitter=0, burst=4)), fire=fire), clock, timedelta(seconds=60))
    assert volleys == [[0, 1, 2, 3]]


async def test_all_runs_of_a_burst_are_in_flight_until_it_lands():
    clock = FakeClock(START)
    probing = Probing(clock)
    probing.hold.clear()
    scheduler = probing.scheduler(plan(entry(jitter=0, burst=8)))
    await pass_time(scheduler, clock, timedelta(seconds=60))
    assert (len(probing.fired), scheduler.in_flight) == (8, 8)
    probing.hold.set()
    await pass_time(scheduler, clock, timedelta(seconds=2))
    assert scheduler.in_flight == 0


async def test_a_burst_in_flight_overruns_the_whole_next_one():
    clock = FakeClock(START)
    probing = Probing(clock)
    probing.hold.clear()
    await pass_time(probing.scheduler(plan(entry(jitter=0, burst=8))), clock, timedelta(seconds=120))
    assert (len(probing.fired), probing.reasons) == (8, {MissReason.OVERRUN: 8})


async def test_a_burst_in_flight_does_not_hold_up_the_lone_probe():
    clock = FakeClock(START)
    probing = Probing(clock)
    probing.hold.clear()
    scheduler = probing.scheduler(plan(entry(jitter=0), entry(jitter=0, burst=8)))
    await pass_time(scheduler, clock, timedelta(seconds=60))
    assert Counter(run.burst for run in probing.fired) == {1: 1, 8: 8}


HASTY = replace(plan(entry(jitter=0), entry("long", jitter=0)), factor=6)


async def test_what_is_escalated_is_fired_faster_and_nothing_else():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(HASTY)
    scheduler.escalate({entry().key})
    await pass_time(scheduler, clock, timedelta(minutes=10))
    fired = Counter(run.target.pool for run in probing.fired)
    assert fired == {"short": 60, "long": 10}
    scheduler.escalate(())
    await pass_time(scheduler, clock, timedelta(minutes=10))
    assert Counter(run.target.pool for run in probing.fired) - fired == {"short": 10, "long": 10}


async def test_extra_slots_are_fired_by_a_function_of_their_own():
    clock, extra = FakeClock(START), []

    async def fire_extra(volley: Sequence[Run]) -> None:
        extra.extend(volley)

    probing = Probing(clock)
    scheduler = Scheduler(
        HASTY,
        clock,
        probing.fire,
        missed=lambda run, reason: probing.missed.append((run, reason)),
        lateness=lambda _run, _late: None,
        fire_extra=fire_extra,
    )
    scheduler.escalate({entry().key})
    await pass_time(scheduler, clock, timedelta(minutes=10))
    assert (len(probing.fired), len(extra)) == (20, 50)


async def test_an_extra_slot_that_cannot_be_fired_is_not_a_missed_one():
    clock = FakeClock(START)
    probing = Probing(clock)
    scheduler = probing.scheduler(HASTY)
    scheduler.escalate({entry().key, entry("long").key})
    probing.hold.clear()
    await pass_time(scheduler, clock, timedelta(minutes=10))
    probing.hold.set()
    clock.advance(HOUR)
    await pass_time(scheduler, clock, timedelta(minutes=1))
    regular = due(HASTY, timedelta(0), timedelta(minutes=71))
    assert {run.slot_id for run, _ in probing.missed} <= regular.keys()
    await scheduler.drain(timedelta(0))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(0.1, 200), st.sampled_from(["on", "off", "reload"])), max_size=20))
def test_however_escalation_comes_and_goes_no_slot_is_fired_twice_and_no_regular_one_is_lost(steps):
    async def play() -> None:
        clock = FakeClock(START)
        probing = Probing(clock)
        scheduler = probing.scheduler(HASTY)
        for length, what in steps:
            if what == "reload":
                scheduler.replace(HASTY)
            else:
                scheduler.escalate({entry().key} if what == "on" else ())
            await pass_time(scheduler, clock, seconds(length))
        counts = Counter(run.slot_id for run in probing.fired)
        assert set(counts.values()) <= {1}
        assert due(HASTY, timedelta(0), clock.now() - START).keys() <= counts.keys()

    asyncio.run(play())
