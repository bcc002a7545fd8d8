"""Counts over HTTP: numbers alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from canary.pipeline.feedback import Window
from canary.records import Role
from canary.web.intake import Taken
from tests.unit.alert.findings import START
from tests.unit.web.desk import Desk

pytestmark = pytest.mark.anyio
SAID: dict[str, Any] = {
    "model": "opus",
    "platform": "api",
    "pool": "tpu-1",
    "class": "thumbs_down",
    "at": "2025-08-25T12:00:00Z",
    "seconds": 3600,
    "count": 12,
    "exposure": 1000,
}


@dataclass
class Book:
    """Notes what it is given."""

    windows_taken: list[Window] = field(default_factory=list)

    async def windows(self, windows: Sequence[Window], who: str) -> Taken:
        self.windows_taken += windows
        return Taken(len(windows), 0)


async def test_a_window_is_taken_as_it_was_said() -> None:
    book = Book()
    answer = await Desk(intake=book).post("/feedback", Role.INGEST, json={"windows": [SAID]})
    assert answer.json() == {"new": 1, "known": 0}
    assert book.windows_taken == [Window("opus/api/tpu-1", "thumbs_down", START, timedelta(hours=1), 12, 1_000.0)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "it answered in Thai"},
        {"count": -1},
        {"count": 1.5},
        {"count": "12"},
        {"exposure": 0},
        {"at": "2025-08-25T13:00:00Z"},
        {"at": "2025-05-25T12:00:00Z"},
        {"class": "thumbs down: it said\nsomething"},
        {"seconds": 0},
    ],
    ids=str,
)
async def test_what_is_no_count_is_refused(wrong: dict[str, Any]) -> None:
    book = Book()
    answer = await Desk(intake=book).post("/feedback", Role.INGEST, json={"windows": [{**SAID, **wrong}]})
    assert (answer.status_code, book.windows_taken) == (422, [])


@pytest.mark.parametrize("n", [0, 1_001])
async def test_a_batch_has_one_to_a_thousand_windows(n: int) -> None:
    assert (await Desk(intake=Book()).post("/feedback", Role.INGEST, json={"windows": [SAID] * n})).status_code == 422


@pytest.mark.parametrize("role", [None, Role.READ, Role.OPERATE])
async def test_only_an_ingester_hands_in_counts(role: Role | None) -> None:
    book = Book()
    answer = await Desk(intake=book).post("/feedback", role, json={"windows": [SAID]})
    assert answer.status_code in {401, 403}
    assert book.windows_taken == []
