import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from canary.errors import StoreUnavailable
from canary.pipeline.writer import Writer, weight
from canary.testing import FakeClock
from tests.unit.pipeline.stage import fired

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


async def test_a_heavy_item_travels_with_few_others() -> None:
    shelf = Shelf()
    await write(Writer(shelf.commit, FakeClock(), weigh=lambda item: item, batch=7, linger=0.01), [1, 2, 3, 5, 1, 9, 1])
    assert shelf.batches == [[1, 2, 3], [5, 1], [9], [1]]


async def test_a_heavy_item_fills_the_queue_alone() -> None:
    writer = Writer[int](Shelf().commit, FakeClock(), weigh=lambda item: item, capacity=3)
    await writer.put(100)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(writer.put(1), 0.05)


async def test_those_who_wait_for_room_go_on_after_a_commit() -> None:
    shelf = Shelf()
    await write(Writer(shelf.commit, FakeClock(), capacity=3, linger=0), range(40))
    assert [item for batch in shelf.batches for item in batch] == list(range(40))


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


async def test_an_answer_a_hundred_times_as_long_weighs_a_hundred_times_as_much() -> None:
    assert weight(fired("long", 0, "a" * 1_000).observations) == 1
    assert weight(fired("long", 0, "a" * 200_000).observations) == 101


async def test_a_failure_weighs_as_an_ordinary_answer() -> None:
    assert weight(fired("long", 0, None).observations) == 1


async def test_what_waits_ages_until_it_is_committed() -> None:
    clock = FakeClock()
    shelf = Shelf()
    writer = Writer(shelf.commit, clock, batch=1, linger=0)
    for item in (1, 2):
        await writer.put(item)
        clock.advance(timedelta(seconds=5))
    before = writer.age
    running = asyncio.create_task(writer.run())
    await writer.drained()
    running.cancel()
    assert (before, writer.age) == (timedelta(seconds=10), timedelta(0))


async def test_a_batch_that_the_store_does_not_take_goes_on_ageing() -> None:
    clock = FakeClock()
    ages = []

    def away(_: Sequence[int]) -> None:
        clock.advance(timedelta(seconds=5))
        ages.append(writer.age)
        if len(ages) < 3:
            raise StoreUnavailable

    writer = Writer(away, clock, batch=1, linger=0)
    await write(writer, [1])
    assert ages == sorted(set(ages))
    assert ages[0] == timedelta(seconds=5)
