"""Batched writes off the event loop.

One writer commits whole batches in a worker thread. When the store is away the batch is kept and tried again, and
the bounded queue makes those who put wait: nothing is dropped, and probing slows down instead of filling memory.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from canary.clock import Clock
from canary.errors import StoreUnavailable

T = TypeVar("T")
log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 15.0


class Writer(Generic[T]):
    """Collects what is put and hands it to `commit` in batches of at most `batch`, after at most `linger` seconds."""

    def __init__(
        self,
        commit: Callable[[Sequence[T]], None],
        clock: Clock,
        *,
        batch: int = 500,
        linger: float = 0.2,
        capacity: int = 4000,
    ) -> None:
        self._commit = commit
        self._clock = clock
        self._batch = batch
        self._linger = linger
        self._queue: asyncio.Queue[T] = asyncio.Queue(capacity)
        self.healthy = True

    @property
    def depth(self) -> int:
        """How many wait to be committed."""
        return self._queue.qsize()

    async def put(self, item: T) -> None:
        await self._queue.put(item)

    async def run(self) -> None:
        """Commit until cancelled; await `drained()` before that to lose nothing."""
        while True:
            batch = await self._gather()
            await self._commit_surely(batch)
            for _ in batch:
                self._queue.task_done()

    async def drained(self) -> None:
        """Wait until all that was put is committed."""
        await self._queue.join()

    async def _gather(self) -> list[T]:
        batch = [await self._queue.get()]
        if self._queue.qsize() < self._batch:
            await asyncio.sleep(self._linger)
        while len(batch) < self._batch and not self._queue.empty():
            batch.append(self._queue.get_nowait())
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
