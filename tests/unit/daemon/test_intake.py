"""What is handed in is kept, fed and written down together."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from canary.config import Config, load
from canary.daemon.assembly import watch_of
from canary.daemon.intake import LedgerIntake, in_order
from canary.errors import NotFound, ReportError
from canary.pipeline.feedback import Window, judged
from canary.pipeline.ledger import Committed, Ledger
from canary.pipeline.record import REVISION
from canary.pipeline.tell import Audience
from canary.records import Act, AuditEntry
from canary.store import MemoryStore
from canary.testing import FakeClock
from tests.unit.pipeline.stage import START

pytestmark = pytest.mark.anyio
CONFIG = """\
version: 1
models: [mid]
platforms: [api]
pools: [short]
endpoints:
  - base_url: http://127.0.0.1:1/v1
suites:
  - {name: prose, interval: 10s, probes: [prose-glass]}
"""


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def config(folder: Path, more: str = "feedback: {classes: {thumbs_down: deviation, garbled: corruption}}\n") -> Config:
    (folder / "canary.yaml").write_text(CONFIG + more, encoding="utf-8")
    return load(folder / "canary.yaml", {})


def intake(store: MemoryStore, on: Config, told: list[Committed] | None = None) -> LedgerIntake:
    clock = FakeClock(START)
    ledger = Ledger(store, watch_of(on, store), Audience(), clock)
    return LedgerIntake(ledger, clock, lambda: on, (told if told is not None else []).append)


def window(target: str = "mid/api/short", kind: str = "garbled") -> Window:
    return Window(target, kind, START, timedelta(hours=1), 3, 1_000.0)


async def test_windows_are_kept_told_and_written_down(store: MemoryStore, tmp_path: Path) -> None:
    told: list[Committed] = []
    taken = await intake(store, config(tmp_path), told).windows([window(), window(kind="thumbs_down")], "token:ci")
    with store.reading() as tx:
        log = tx.audit()
    assert (taken.new, taken.known, len(told)) == (2, 0, 1)
    assert log == [AuditEntry(START, "token:ci", Act.FEEDBACK, "mid/api/short", "2 windows")]


async def test_windows_that_are_known_are_left_as_they_are(store: MemoryStore, tmp_path: Path) -> None:
    taker = intake(store, config(tmp_path))
    await taker.windows([window()], "token:ci")
    taken = await taker.windows([window(), window(kind="thumbs_down")], "token:ci")
    assert (taken.new, taken.known) == (1, 1)


async def test_a_window_of_another_length_is_refused(store: MemoryStore, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"feedback\.window of the config is 1:00:00"):
        await intake(store, config(tmp_path)).windows([replace(window(), length=timedelta(minutes=5))], "token:ci")


async def test_what_overlaps_is_refused_and_nothing_of_it_kept(store: MemoryStore, tmp_path: Path) -> None:
    rolling = replace(window(), at=START + timedelta(minutes=5))
    with pytest.raises(ReportError, match="before the end of another"):
        await intake(store, config(tmp_path)).windows([window(), rolling], "token:ci")
    with store.reading() as tx:
        assert (tx.audit(), tx.fact(REVISION)) == ([], None)


def test_the_senders_order_does_not_decide_who_is_fed_first() -> None:
    batch = [judged(window(f"mid/api/{n}"), "eu") for n in range(20)]
    assert in_order(batch) == in_order(reversed(batch)) != batch


async def test_a_new_series_is_made_known_to_every_daemon(store: MemoryStore, tmp_path: Path) -> None:
    on = config(tmp_path)
    await intake(store, on).windows([window()], "token:ci")
    with store.reading() as tx:
        assert tx.fact(REVISION) == "1"
    assert {key.group for key in watch_of(on, store).signals if key.signal == "feedback"} == {"feedback:garbled"}


@pytest.mark.parametrize(
    ("given", "more"),
    [
        (window("mid/api/none"), "feedback: {}\n"),
        (window(kind="other"), "feedback: {}\n"),
        (window(), ""),
    ],
)
async def test_what_the_config_does_not_know_is_refused_whole(
    store: MemoryStore, tmp_path: Path, given: Window, more: str
) -> None:
    with pytest.raises(NotFound):
        await intake(store, config(tmp_path, more)).windows([window(kind="thumbs_down"), given], "token:ci")
    with store.reading() as tx:
        assert (list(tx.observations()), tx.audit()) == ([], [])
