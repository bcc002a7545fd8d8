"""Time that passes only when somebody sleeps, or when it is told to."""

import asyncio
from datetime import datetime, timedelta


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
