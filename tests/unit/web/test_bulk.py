"""What is read by the page keeps nobody else waiting."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typing_extensions import override

from canary.records import Role
from canary.store import MemoryStore
from canary.store.base import Transaction
from canary.web.api import bulk
from canary.web.api.kit import Access, Api
from canary.web.api.lane import MOST_UNDER_WAY
from tests.contract.store_values import observation
from tests.unit.web.desk import Desk
from tests.unit.web.fleet import api, snapshot

pytestmark = pytest.mark.anyio


def made() -> Api:
    return api(snapshot(), MemoryStore(), Access(), None, None)


class Watched(MemoryStore):
    """Says which threads read."""

    def __init__(self) -> None:
        super().__init__()
        self.readers = set[str]()

    @contextmanager
    @override
    def reading(self) -> Iterator[Transaction]:
        self.readers.add(threading.current_thread().name)
        with super().reading() as tx:
            yield tx


async def test_while_pages_are_read_people_act_and_see_the_fleet() -> None:
    asked, may = made(), threading.Event()
    pages = [asyncio.ensure_future(asked.bulk(n, lambda _: may.wait(10))) for n in range(MOST_UNDER_WAY)]
    await asyncio.sleep(0.05)
    assert await asyncio.wait_for(asked.write(lambda _: 1), 5) == 1
    assert await asyncio.wait_for(asked.aside("survey", lambda: 2), 5) == 2
    may.set()
    assert {page.body for page in await asyncio.gather(*pages)} == {b"true"}


@pytest.mark.parametrize("path", ["/observations", "/observations?after=0"])
async def test_observations_are_read_in_the_lane_of_bulk(path: str) -> None:
    store = Watched()
    assert (await Desk(store=store).get(path)).status_code == 200
    assert store.readers == {"canary-api-bulk_0"}


async def test_rows_are_made_and_written_in_the_lane_of_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, threads, plain = Desk(), set[str](), bulk._plain

    def watched(cell: Any) -> Any:
        threads.add(threading.current_thread().name)
        return plain(cell)

    monkeypatch.setattr(bulk, "_plain", watched)
    with desk.store.transaction() as tx:
        tx.add_observations([observation(1)])
    rows = (await desk.get("/export/observations", Role.READ)).json()["rows"]
    assert (len(rows), threads) == (1, {"canary-api-bulk_0"})


async def test_json_is_written_in_the_lane_of_bulk() -> None:
    threads = set[str]()

    class Page(dict[str, int]):
        @override
        def items(self) -> Any:
            threads.add(threading.current_thread().name)
            return super().items()

    answer = await made().bulk("q", lambda _: Page(n=1))
    assert (answer.body, answer.media_type, threads) == (b'{"n":1}', "application/json", {"canary-api-bulk_0"})


async def test_what_hardly_anything_fits_is_looked_for_so_far_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_LOOKED", 500)
    desk = Desk()
    with desk.store.transaction() as tx:
        tx.add_observations([observation(0, target="opus/api/rare"), *(observation(n) for n in range(1, 600))])
    assert (await desk.get("/observations?target=opus/api/rare")).json()["observations"] == []


async def test_who_looks_for_the_last_ones_has_so_much_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "LOOK_SECONDS", 0.0)
    desk = Desk()
    with desk.store.transaction() as tx:
        tx.add_observations([observation(1)])
    assert (await desk.get("/observations")).json() == {"observations": [], "next": 1, "full": False}
