"""Fires what the plan says is due. APScheduler only ticks: nothing depends on when its ticks come.

Every slot is fired, or told as missed with a reason. A gap (a stall, a suspended machine, a clock set forward, the
time before a start) may hold millions of slots: they are told in portions, tick by tick, and at most `_MOST_TOLD` of
one gap.

The extra slots of escalation are a gift: one that cannot be fired is neither told as missed nor made up for. As all
slots of a group on a target they are fired one after another, so that a series is fed in the order of its slots.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import islice

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from canary.clock import Clock
from canary.records import Run
from canary.schedule.plan import Key, Plan, Planned
from canary.schedule.rota import Rota
from canary.schedule.timebase import Timebase

_TICK = timedelta(milliseconds=50)  # half of the shortest interval
_WATCH = 2.0  # seconds
_CANCELLING = 1.0  # seconds that a cancelled run may take to end
_TOLD_PER_TICK = 1_000
_MOST_TOLD = 100_000

log = logging.getLogger(__name__)


class MissReason(StrEnum):
    """Why a slot was not fired."""

    LATE = "late"  # its time was more than the grace ago: a stall, a suspended machine, a clock set forward
    OVERRUN = "overrun"  # the previous run, or burst, of the same group on the same target was still in flight
    SATURATED = "saturated"  # too many runs were in flight
    DOWN = "down"  # no scheduler was running


class Scheduler:
    """Fires the runs of a plan, each once, those of a burst in one call; extra slots by `fire_extra`.

    `tick` may be called at any time, by anyone in the event loop's thread.
    """

    def __init__(
        self,
        plan: Plan,
        clock: Clock,
        fire: Callable[[Sequence[Run]], Awaitable[None]],
        *,
        missed: Callable[[Run, MissReason], None],
        lateness: Callable[[Run, timedelta], None],
        fire_extra: Callable[[Sequence[Run]], Awaitable[None]] | None = None,
        grace: timedelta = timedelta(seconds=30),
        max_in_flight: int = 256,
    ) -> None:
        self._rota = Rota(plan)
        self._clock = clock
        self._fire = fire
        self._fire_extra = fire_extra or fire
        self._escalated: frozenset[Key] = frozenset()
        self._missed = missed
        self._lateness = lateness
        self._grace = grace
        self._max_in_flight = max_in_flight
        self._time = Timebase(clock)
        self._cursor = self._time.read()  # everything up to here is fired, missed or in `_gaps`
        self._flights: dict[Key, asyncio.Task[None]] = {}
        self._runs_in_flight = 0
        self._gaps: deque[Iterator[tuple[Run, MissReason]]] = deque()
        self._ticker = _Ticker(self.tick)
        self._draining = False
        self.crashed = 0

    @property
    def in_flight(self) -> int:
        return self._runs_in_flight

    @property
    def ahead(self) -> timedelta:
        """How far the schedule runs ahead of a wall clock that was set back."""
        return self._time.ahead

    def start(self, since: datetime | None = None) -> None:
        """Fire what is due from now on; what was due since `since`, when a scheduler was last alive, was missed."""
        self._time = Timebase(self._clock, since)
        self._cursor = self._time.read()
        if since is not None and since < self._cursor:
            self._gaps.append(_gap(self._rota, since, self._cursor, MissReason.DOWN))
        self._ticker.start()

    def tick(self) -> None:
        """Handle every slot that came due since the last tick."""
        if self._draining:
            return
        now = self._time.read()
        if self._cursor < now - self._grace:
            self._gaps.append(_gap(self._rota, self._cursor, now - self._grace, MissReason.LATE))
            self._cursor = now - self._grace
        after, self._cursor = self._cursor, now
        for planned in self._rota.due(after, now, self._escalated):
            self._handle(planned, now)
        self._tell()

    def escalate(self, keys: Collection[Key]) -> None:
        """From now on the extra slots of these, and of no others, are fired as well."""
        self._escalated = frozenset(keys)

    def replace(self, plan: Plan) -> None:
        """Go on with another plan from the last tick on. Entries that are the same in both keep every slot."""
        self._rota, overdue = self._rota.switch(plan, self._cursor)
        for planned in overdue:
            self._handle(planned, self._cursor)

    async def drain(self, within: timedelta) -> int:
        """Stop ticking and wait for the runs in flight; returns how many had to be cancelled."""
        self._draining = True
        self._ticker.stop()
        flights = list(self._flights.values())
        if not flights:
            return 0
        _, late = await asyncio.wait(flights, timeout=within.total_seconds())
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_CANCELLING)
        return len(late)

    def _handle(self, planned: Planned, now: datetime) -> None:
        reason = self._obstacle(planned)
        if reason is not None:
            for run in () if planned.extra else planned.runs:
                self._missed(run, reason)
            return
        self._lateness(planned.run, now - planned.fire_at)
        task = asyncio.get_running_loop().create_task(self._fly(planned))
        self._flights[planned.key] = task
        self._runs_in_flight += planned.run.burst
        task.add_done_callback(partial(self._landed, planned))

    def _obstacle(self, planned: Planned) -> MissReason | None:
        if planned.key in self._flights:
            return MissReason.OVERRUN
        return MissReason.SATURATED if self.in_flight >= self._max_in_flight else None

    async def _fly(self, planned: Planned) -> None:
        await (self._fire_extra if planned.extra else self._fire)(planned.runs)

    def _landed(self, planned: Planned, task: asyncio.Task[None]) -> None:
        key = planned.key
        del self._flights[key]
        self._runs_in_flight -= planned.run.burst
        if not task.cancelled() and (error := task.exception()) is not None:
            self.crashed += 1
            log.error("run_crashed", extra={"target": key[0], "group": key[1], "error": type(error).__name__})

    def _tell(self) -> None:
        left = _TOLD_PER_TICK
        while self._gaps and left:
            portion = list(islice(self._gaps[0], left))
            for run, reason in portion:
                self._missed(run, reason)
            left -= len(portion)
            if left:
                self._gaps.popleft()


def _gap(rota: Rota, after: datetime, until: datetime, reason: MissReason) -> Iterator[tuple[Run, MissReason]]:
    for count, planned in enumerate(rota.walk(after, until)):
        if count == _MOST_TOLD:
            log.warning("missed_slots_untold", extra={"reason": reason, "after": planned.fire_at, "until": until})
            return
        for run in planned.runs:
            yield run, reason


class _Ticker:
    """Ticks twenty times a second.

    APScheduler waits for the wall clock: set back an hour, it would wait an hour. So a watch on the event loop's own
    clock sets the next tick anew every now and then.
    """

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._watch: asyncio.TimerHandle | None = None
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._job = self._scheduler.add_job(
            self._ticked, _Steadily(), max_instances=1, coalesce=True, misfire_grace_time=None
        )

    def start(self) -> None:
        self._scheduler.start()
        self._wind()

    def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._scheduler.shutdown(wait=False)

    async def _ticked(self) -> None:
        self._tick()

    def _wind(self) -> None:
        self._watch = asyncio.get_running_loop().call_later(_WATCH, self._rewind)

    def _rewind(self) -> None:
        self._job.reschedule(_Steadily())
        self._wind()


class _Steadily(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Next a tick from now: the interval trigger would list every tick of a year's jump before it merges them."""

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        return now + _TICK
