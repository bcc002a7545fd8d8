import asyncio
from collections.abc import Sequence

import pytest

from canary.errors import StoreUnavailable
from canary.pipeline.writer import Writer
from canary.testing import FakeClock

pytestmark = pytest.mark.anyio


class Shelf:
    """Takes batches; fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.batches: list[list[int]] = []

    def commit(self, batch: Sequence[int]) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable
        self.batches.append(list(batch))


async def write(writer: Writer[int], items: Sequence[int]) -> None:
    running = asyncio.create_task(writer.run())
    for item in items:
        await writer.put(item)
    await writer.drained()
    running.cancel()


async def test_all_that_is_put_is_committed_in_order() -> None:
    shelf = Shelf()
    await write(Writer(shelf.commit, FakeClock(), batch=7, linger=0), range(40))
    assert [item for batch in shelf.batches for item in batch] == list(range(40))


async def test_a_batch_is_never_larger_than_asked() -> None:
    shelf = Shelf()
    await write(Writer(shelf.commit, FakeClock(), batch=7, linger=0.01), range(40))
    assert max(len(batch) for batch in shelf.batches) == 7


async def test_a_store_that_is_away_loses_and_doubles_nothing() -> None:
    shelf = Shelf(failures=5)
    await write(Writer(shelf.commit, FakeClock(), batch=7, linger=0), range(20))
    assert [item for batch in shelf.batches for item in batch] == list(range(20))


async def test_a_store_that_is_away_shows_as_unhealthy() -> None:
    shelf = Shelf(failures=10**9)
    writer = Writer(shelf.commit, FakeClock(), linger=0)
    running = asyncio.create_task(writer.run())
    await writer.put(1)
    while writer.healthy:
        await asyncio.sleep(0.001)
    running.cancel()
    assert not writer.healthy


async def test_a_full_queue_makes_those_who_put_wait() -> None:
    writer = Writer(Shelf().commit, FakeClock(), capacity=3)
    for item in range(3):
        await writer.put(item)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(writer.put(4), 0.05)
