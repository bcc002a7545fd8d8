"""What takes seconds is worked out beside what people do."""

import asyncio
from threading import Event

import pytest
from fastapi import HTTPException

from canary.store import MemoryStore
from canary.web.api.kit import Access, Api
from canary.web.api.lane import MOST_UNDER_WAY
from tests.unit.web.fleet import api, snapshot

pytestmark = pytest.mark.anyio


def made() -> Api:
    return api(snapshot(), MemoryStore(), Access(), None, None)


async def test_who_asks_the_same_meanwhile_waits_for_the_same_answer() -> None:
    asked, worked, may = made(), [], Event()

    def work() -> int:
        worked.append(may.wait(10))
        return len(worked)

    both = asyncio.gather(*(asked.aside("q", work) for _ in range(2)))
    await asyncio.sleep(0.05)
    may.set()
    assert await both == [1, 1]
    assert await asked.aside("q", work) == 2


async def test_too_many_questions_at_once_are_refused_with_a_time_to_come_back() -> None:
    asked, may = made(), Event()
    several = [asyncio.ensure_future(asked.aside(n, lambda: may.wait(10))) for n in range(MOST_UNDER_WAY)]
    await asyncio.sleep(0.05)
    with pytest.raises(HTTPException) as refused:
        await asked.aside("one more", lambda: True)
    may.set()
    await asyncio.gather(*several)
    assert (refused.value.status_code, refused.value.headers) == (429, {"retry-after": "5"})


async def test_a_question_that_nobody_waits_for_any_more_still_counts() -> None:
    asked, may = made(), Event()
    given_up = asyncio.ensure_future(asked.aside("q", lambda: may.wait(10)))
    await asyncio.sleep(0.05)
    given_up.cancel()
    joined = asyncio.ensure_future(asked.aside("q", lambda: False))
    await asyncio.sleep(0.05)
    may.set()
    assert await joined is True


async def test_while_they_are_worked_out_people_read_and_act() -> None:
    asked, may = made(), Event()
    several = [asyncio.ensure_future(asked.aside(n, lambda: may.wait(10))) for n in range(MOST_UNDER_WAY)]
    await asyncio.sleep(0.05)
    assert await asyncio.wait_for(asked.read(lambda _: 1), 5) == 1
    assert await asyncio.wait_for(asked.write(lambda _: 2), 5) == 2
    may.set()
    await asyncio.gather(*several)
