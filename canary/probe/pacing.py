"""What one target is asked to bear: runs at a time, runs a second, and silence where it asks for it.

A run first takes one of the target's places, then stands alone before the throttler, which polls while somebody waits.
In any one second a target sees at most its rate. A burst is not pulled apart: it waits until there are places for all
of it, and until the last second leaves room for all of it.
"""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from asyncio_throttle.throttler import Throttler

from canary.clock import Clock
from canary.records import Failure, FailureKind, Limits, Target

PATIENCE = timedelta(seconds=10)
"""How long a run waits for a target that asked for silence; a later slot would be no measurement of this one."""


class Pacing:
    """Lets runs through to their targets, each in its turn."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gates: dict[str, _Gate] = {}

    @asynccontextmanager
    async def turn(self, target: Target, burst: int = 1) -> AsyncIterator[Failure | None]:
        """Hold one of the target's places, or `burst`. Where it is not to be asked now, the failure says so."""
        gate = self._gate(target)
        async with AsyncExitStack() as places:
            async with gate.entrance:  # else two bursts could each hold half of the places for ever
                for _ in range(burst):
                    await places.enter_async_context(gate.places)
            yield await gate.next(burst)

    def silence(self, target: Target, wait: timedelta) -> None:
        """The target asked not to be asked for that long."""
        self._gate(target).silence(wait)

    def _gate(self, target: Target) -> "_Gate":
        gate = self._gates.get(target.name)
        if gate is None or gate.limits != target.limits:
            gate = self._gates[target.name] = _Gate(target.limits, self._clock)
        return gate


class _Gate:
    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.limits = limits
        self.entrance = asyncio.Lock()
        self.places = asyncio.Semaphore(limits.concurrency)
        self._clock = clock
        self._door = asyncio.Lock()
        self._silent_until = clock.monotonic()
        self._throttler = _throttler(limits.rate_per_second)
        whole = self._throttler.rate_limit
        self._passed = deque([-math.inf] * whole, whole)  # when the last ones did, oldest first

    def silence(self, wait: timedelta) -> None:
        self._silent_until = max(self._silent_until, self._clock.monotonic() + wait.total_seconds())

    async def next(self, burst: int) -> Failure | None:
        async with self._door:
            while (wait := self._silent_until - self._clock.monotonic()) > 0:
                if wait > PATIENCE.total_seconds():
                    detail = "not sent: the target asked for silence"
                    return Failure(FailureKind.THROTTLED, detail, retry_after=timedelta(seconds=wait))
                await self._clock.sleep(wait)
            await self._room(burst)
            for _ in range(burst):
                async with self._throttler:
                    self._passed.append(self._clock.monotonic())
            return None

    async def _room(self, burst: int) -> None:
        """Wait until all of a burst may pass at this moment: the throttler would let it through bit by bit."""
        wait = self._passed[burst - 1] + self._throttler.period - self._clock.monotonic()
        if burst > 1 and wait > 0:
            await self._clock.sleep(wait)


def _throttler(rate: float) -> Throttler:
    """It takes whole numbers: 2.5 a second are 2 in 0.8 s, 0.1 a second are 1 in 10 s."""
    whole = max(1, int(rate))
    period = whole / rate
    return Throttler(rate_limit=whole, period=period, retry_interval=min(0.1, period / 20))
