"""The time of a scenario: as fast as the machine can, or so many times as fast as it really passes."""

import asyncio
from datetime import datetime, timedelta

from canary.clock import Clock


class VirtualClock:
    """A clock of a simulated world (`canary.clock.Clock`).

    Those who fall asleep at one moment wake each at its own: the requests of a burst take as long as the longest.
    """

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._now = start

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    async def sleep(self, seconds: float) -> None:
        until = self._now + timedelta(seconds=max(0.0, seconds))
        await asyncio.sleep(0)  # so that all who sleep from this moment on have said so
        self.reach(until)

    def reach(self, moment: datetime) -> None:
        """It is that late now, unless it is later already."""
        self._now = max(self._now, moment)


class HurriedClock:
    """Wall time is `start` in `lead` real seconds, and passes `speed` times as fast as the other clock's.

    Durations and sleep are the other clock's: what waits for an answer waits in real time.
    """

    def __init__(self, clock: Clock, start: datetime, speed: float, lead: float = 0.0) -> None:
        self._clock = clock
        self._start = start
        self._speed = speed
        self._begins = clock.monotonic() + lead

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._speed * (self._clock.monotonic() - self._begins))

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
