"""Batched writes off the event loop.

One writer commits whole batches in a worker thread. When the store is away the batch is kept and tried again, and
the bounded queue makes those who put wait: nothing is dropped, and probing slows down instead of filling memory.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Generic, TypeVar

from canary.clock import Clock
from canary.errors import StoreUnavailable
from canary.records import Observation

T = TypeVar("T")
log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 15.0


def weight(observations: Sequence[Observation]) -> int:
    """In ordinary answers: what it takes to hold these observations and to judge them, at least 1 for each."""
    return sum(map(_weight, observations))


def _weight(observation: Observation) -> int:
    response = observation.response
    if response is None:
        return 1
    positions = len(response.logprobs.chosen) if response.logprobs else 0
    return 1 + len(response.text) // 2_000 + positions // 200


def _one(_: object) -> int:
    return 1


class Writer(Generic[T]):
    """Hands what is put to `commit`, in batches that weigh at most `batch`, after at most `linger` seconds.

    What is put and not yet committed weighs at most `capacity`, but for the last item: an answer may weigh a hundred
    times what others do, and take as long to judge.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[T]], None],
        clock: Clock,
        *,
        weigh: Callable[[T], int] = _one,
        batch: int = 500,
        linger: float = 0.2,
        capacity: int = 4000,
    ) -> None:
        self._commit = commit
        self._clock = clock
        self._weigh = weigh
        self._batch = batch
        self._linger = linger
        self._capacity = capacity
        self._waiting: deque[tuple[T, float]] = deque()  # with the moment that it was put
        self._oldest: float | None = None  # of the batch under way
        self._arrived = asyncio.Event()
        self._weight = 0  # of all that is not yet committed
        self._room = asyncio.Condition()
        self.healthy = True

    @property
    def depth(self) -> int:
        """How many wait to be committed."""
        return len(self._waiting)

    @property
    def age(self) -> timedelta:
        """How long the first of what is not yet committed has waited."""
        first = self._waiting[0][1] if self._oldest is None and self._waiting else self._oldest
        return timedelta(0) if first is None else timedelta(seconds=self._clock.monotonic() - first)

    async def put(self, item: T) -> None:
        """Leave it, once there is room."""
        async with self._room:
            await self._room.wait_for(lambda: self._weight < self._capacity)
            self._weight += self._weigh(item)
            self._waiting.append((item, self._clock.monotonic()))
            self._arrived.set()

    async def run(self) -> None:
        """Commit until cancelled; await `drained()` before that to lose nothing."""
        while True:
            batch = await self._gather()
            await self._commit_surely(batch)
            self._oldest = None
            async with self._room:
                self._weight -= sum(map(self._weigh, batch))
                self._room.notify_all()

    async def drained(self) -> None:
        """Wait until all that was put is committed."""
        async with self._room:
            await self._room.wait_for(lambda: self._weight == 0)

    async def _gather(self) -> list[T]:
        await self._arrived.wait()
        if len(self._waiting) < self._batch:
            await asyncio.sleep(self._linger)
        first, self._oldest = self._waiting.popleft()
        batch, left = [first], self._batch - self._weigh(first)
        while self._waiting and (left := left - self._weigh(self._waiting[0][0])) >= 0:
            batch.append(self._waiting.popleft()[0])
        if not self._waiting:
            self._arrived.clear()
        return batch

    async def _commit_surely(self, batch: list[T]) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await asyncio.to_thread(self._commit, batch)
            except StoreUnavailable as error:
                self.healthy = False
                log.warning("store_unavailable", extra={"waiting": len(batch), "reason": str(error)})
                await self._clock.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self.healthy = True
                return
