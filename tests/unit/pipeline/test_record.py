import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import pytest

from canary.errors import StoreError
from canary.pipeline.record import begin, promote_epoch, record
from canary.records import BaselineStatus, Finish, Logprobs, Observation, Purpose, Response, Run
from canary.store import MemoryStore, Transaction
from canary.testing import FakeClock
from tests.unit.pipeline.stage import CLEAN, PROBE, START, target

pytestmark = pytest.mark.anyio

TARGET = target("long")
GROUPS = {"prose": (PROBE,)}


async def healthy(volley: Sequence[Run]) -> list[Observation]:
    return [an_answer(run) for run in volley]


def an_answer(run: Run) -> Observation:
    logprobs = Logprobs((1,), (-0.1 - run.ordinal % 3 / 100,), ((1,),), ((-0.1,),))
    return Observation(
        slot_id=run.slot_id,
        probe_id=run.probe.id,
        probe_digest=run.probe.digest,
        group=run.group,
        target=run.target.name,
        region=run.region,
        slot_time=run.slot_time,
        started_at=START + timedelta(seconds=run.ordinal),
        duration=timedelta(seconds=1),
        ordinal=run.ordinal,
        purpose=run.purpose,
        response=Response(CLEAN, Finish.STOP, logprobs=logprobs),
    )


class Tally:
    """Counts how often it is told, and remembers the last."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def __call__(self, done: int, total: int) -> None:
        self.told.append((done, total))


async def recorded(store: MemoryStore, fired: Tally, judged: Tally) -> None:
    clock = FakeClock(START)
    recording = begin(store, TARGET, "eu", 30, clock.now())
    await record(store, healthy, clock, recording, TARGET, GROUPS, fired, judged)


async def test_every_run_is_told_when_fired_and_when_judged() -> None:
    fired, judged = Tally(), Tally()
    await recorded(MemoryStore(), fired, judged)
    assert fired.told == judged.told == [(n, 50) for n in range(1, 51)]


async def test_a_recording_proposes_a_baseline_for_each_signal() -> None:
    store = MemoryStore()
    await recorded(store, Tally(), Tally())
    with store.reading() as tx:
        proposed = tx.baselines(target=TARGET.name, status=BaselineStatus.PROPOSED)
    assert {(one.series.signal, one.n) for one in proposed} == {("script", 30), ("availability", 30)}


async def test_distinct_reference_answers_are_kept() -> None:
    store = MemoryStore()
    await recorded(store, Tally(), Tally())
    with store.reading() as tx:
        reference = tx.reference(TARGET.name, 1, PROBE.digest, 0)
    assert reference is not None
    assert len(reference.logprobs) == 3


async def test_a_resumed_recording_fires_only_what_is_left() -> None:
    store, clock = MemoryStore(), FakeClock(START)
    recording = begin(store, TARGET, "eu", 30, clock.now())
    left = 20

    async def broken_off(volley: Sequence[Run]) -> list[Observation]:
        nonlocal left
        left -= 1
        if left < 0:
            raise ConnectionError
        return await healthy(volley)

    with pytest.raises(ConnectionError):
        await record(store, broken_off, clock, recording, TARGET, GROUPS, Tally(), Tally())
    with store.reading() as tx:
        kept = len(list(tx.observations(purpose=Purpose.GOLDEN)))
    fired = Tally()
    again = begin(store, TARGET, "eu", 30, clock.now())
    assert again == recording
    await record(store, healthy, clock, again, TARGET, GROUPS, fired, Tally())
    assert len(fired.told) == 50 - kept


async def test_promoted_baselines_are_active() -> None:
    store = MemoryStore()
    await recorded(store, Tally(), Tally())
    promoted = promote_epoch(store, TARGET.name, 1)
    assert {one.status for one in promoted} == {BaselineStatus.ACTIVE}


class Refusing(MemoryStore):
    """Takes no golden answer."""

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with super().transaction() as tx:
            if tx.recordings():
                raise StoreError("no")
            yield tx


async def test_a_store_that_refuses_ends_the_recording_with_its_error() -> None:
    with pytest.raises(StoreError, match="no"):
        await asyncio.wait_for(recorded(Refusing(), Tally(), Tally()), 5)


BURSTS = {"prose": (PROBE,), "prose@8": (PROBE,)}


async def test_bursts_are_recorded_one_by_one_with_nothing_beside_them() -> None:
    store, clock = MemoryStore(), FakeClock(START)
    under_way: list[int] = []
    seen: list[tuple[int, int]] = []

    async def fire(volley: Sequence[Run]) -> list[Observation]:
        under_way.append(len(volley))
        await asyncio.sleep(0)
        seen.append((len(volley), len(under_way)))
        under_way.remove(len(volley))
        return await healthy(volley)

    fired = Tally()
    await record(store, fire, clock, begin(store, TARGET, "eu", 30, START), TARGET, BURSTS, fired, Tally())
    assert {beside for size, beside in seen if size == 8} == {1}
    assert max(beside for size, beside in seen if size == 1) == TARGET.limits.concurrency
    assert fired.told[-1] == (9 * 50, 9 * 50)


async def test_a_group_of_bursts_gets_baselines_of_as_many_bursts() -> None:
    store, clock = MemoryStore(), FakeClock(START)
    proposed = await record(
        store, healthy, clock, begin(store, TARGET, "eu", 30, START), TARGET, BURSTS, Tally(), Tally()
    )
    assert {(one.series.group, one.n) for one in proposed} == {("prose", 30), ("prose@8", 30)}


async def test_a_recording_that_was_broken_off_in_a_burst_fires_that_burst_again_as_a_whole() -> None:
    store, clock = MemoryStore(), FakeClock(START)
    recording = begin(store, TARGET, "eu", 30, clock.now())

    async def broken_off(volley: Sequence[Run]) -> list[Observation]:
        if len(volley) == 8 and volley[0].ordinal > 8 * 10:
            raise ConnectionError
        return await healthy(volley)

    with pytest.raises(ConnectionError):
        await record(store, broken_off, clock, recording, TARGET, BURSTS, Tally(), Tally())
    sizes: list[int] = []

    async def resumed(volley: Sequence[Run]) -> list[Observation]:
        sizes.append(len(volley))
        return await healthy(volley)

    proposed = await record(store, resumed, clock, recording, TARGET, BURSTS, Tally(), Tally())
    assert set(sizes) == {8}
    assert {one.n for one in proposed} == {30}
