"""SQLite's own troubles: a full disk, a foreign lock, many processes."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from canary.errors import StoreError, StoreUnavailable
from canary.records import Act, AuditEntry
from canary.store import Store, open_store
from canary.store.sql.engine import engine_for, parse, writer
from canary.store.sql.store import SqlStore
from tests.contract.store_values import T0, observation

ROOT = Path(__file__).parents[2]
MARGIN = 8
"""Pages that the nearly full disk has left."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "canary.db"
    open_store(f"sqlite:///{path}", create=True).close()
    return path


@pytest.fixture
def nearly_full(file: Path) -> Iterator[Engine]:
    """Of a database that may grow by a few pages only."""
    with sqlite3.connect(file) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.close()
    engine = engine_for(parse(f"sqlite:///{file}"))

    @event.listens_for(engine, "connect")
    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages + MARGIN}").close()

    yield engine
    engine.dispose()


def fill(store: Store, acknowledged: list[int]) -> None:
    """Write one after another until the store cannot any more."""
    for i in range(10_000):
        with store.transaction() as tx:
            tx.add_observations([observation(i)])
        acknowledged.append(i)


def count(store: Store) -> int:
    with store.reading() as tx:
        return sum(1 for _ in tx.observations(bodies=True))


def test_the_files_are_nobody_elses(file: Path) -> None:
    store = open_store(f"sqlite:///{file}")
    with store.transaction() as tx:
        tx.add_observations([observation(1)])
        modes = {one.name: one.stat().st_mode & 0o777 for one in file.parent.iterdir()}
    store.close()
    assert modes == {"canary.db": 0o600, "canary.db-wal": 0o600, "canary.db-shm": 0o600}


def test_a_line_of_the_audit_log_is_not_replaced(file: Path) -> None:
    """SQLite's own way of an update, which no trigger of UPDATE or DELETE hears."""
    store = SqlStore(engine_for(parse(f"sqlite:///{file}")))
    noted = AuditEntry(T0, "ada", Act.CHANGE, "c-1", "engine 2.4")
    with store.transaction() as tx:
        tx.note(noted)
    forged = "INSERT OR REPLACE INTO audit (n, at, who, act, subject, detail) SELECT n, 0, 'x', act, '', '' FROM audit"
    with pytest.raises(StoreError, match="append-only"), writer(store._engine) as connection:
        connection.execute(text(forged))
    with store.reading() as tx:
        assert tx.audit() == [noted]
    store.close()


def test_a_full_disk_makes_the_store_unavailable_and_loses_nothing(nearly_full: Engine) -> None:
    store, acknowledged = SqlStore(nearly_full), list[int]()
    with pytest.raises(StoreUnavailable, match="full"):
        fill(store, acknowledged)
    assert count(store) == len(acknowledged) > 0


def test_when_the_disk_has_room_again_writing_goes_on(nearly_full: Engine) -> None:
    store, acknowledged = SqlStore(nearly_full), list[int]()
    with pytest.raises(StoreUnavailable):
        fill(store, acknowledged)
    with nearly_full.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    with store.transaction() as tx:
        tx.add_observations([observation(i) for i in range(1_000)])
    assert count(store) == 1_000


@pytest.fixture
def impatient(file: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{file}?timeout=0.1")
    yield store
    store.close()


@pytest.fixture
def locker(file: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the write lock until its input is closed."""
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE');"
        "print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process


def release(locker: subprocess.Popen[str]) -> None:
    assert locker.stdin is not None
    locker.stdin.close()
    locker.wait(30)


def test_a_lock_held_too_long_makes_the_store_unavailable(impatient: Store, locker: subprocess.Popen[str]) -> None:
    with pytest.raises(StoreUnavailable, match="locked"), impatient.transaction():
        pytest.fail("the lock was not respected")
    release(locker)


def test_when_the_lock_is_released_writing_goes_on(impatient: Store, locker: subprocess.Popen[str]) -> None:
    with pytest.raises(StoreUnavailable), impatient.transaction():
        pytest.fail("the lock was not respected")
    release(locker)
    with impatient.transaction() as tx:
        tx.put_fact("a", "b")
    with impatient.reading() as tx:
        assert tx.fact("a") == "b"


def test_a_reader_does_not_wait_for_a_writer(impatient: Store, locker: subprocess.Popen[str]) -> None:
    with impatient.reading() as tx:
        assert tx.fact("a") is None
    release(locker)


WRITER = """
import sys
from canary.store import open_store
from tests.contract.store_values import T0, observation

store = open_store(sys.argv[1])
for i in range(0, 200, 5):
    with store.transaction() as tx:
        known = int(tx.fact("writes") or 0)  # read, then write: the trap of deferred transactions
        tx.add_observations([observation(j) for j in range(i, i + 5)])
        tx.put_fact("writes", str(known + 1))
"""


def test_processes_that_write_at_once_lose_nothing_and_double_nothing(file: Path) -> None:
    url = f"sqlite:///{file}"
    started = [subprocess.Popen([sys.executable, "-c", WRITER, url], cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    store = open_store(url)
    with store.reading() as tx:
        assert (tx.fact("writes"), len(list(tx.observations()))) == ("120", 200)
    store.close()


def test_what_is_acknowledged_survives_a_loss_of_power(file: Path) -> None:
    engine = engine_for(parse(f"sqlite:///{file}"))
    with writer(engine) as connection:
        pragmas = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    engine.dispose()
    assert pragmas == ["wal", 2]


def test_a_damaged_file_is_an_error_of_the_store(tmp_path: Path) -> None:
    path = tmp_path / "canary.db"
    path.write_bytes(b"not a database, " * 1_000)
    with pytest.raises(StoreError, match="not a database"):
        open_store(f"sqlite:///{path}")
