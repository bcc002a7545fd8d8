"""PostgreSQL's own troubles: restarts under load, several daemons at once."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from canary.errors import StoreUnavailable
from canary.store import Store, open_store
from tests.contract.store_values import DAY, T0, notification, observation, score
from tests.postgres import PostgresServer

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = open_store(url)
    yield made
    made.close()


@contextmanager
def stopped(postgres: PostgresServer) -> Iterator[None]:
    postgres.stop()
    try:
        yield
    finally:
        postgres.start()


class Load:
    """Writes batches, each until it is acknowledged, as a daemon does."""

    def __init__(self, store: Store, batches: int) -> None:
        self._store = store
        self._batches = batches
        self.failures = 0
        self.begun = threading.Event()

    def run(self) -> None:
        for batch in range(self._batches):
            while not self._write(batch):
                self.failures += 1
            if batch == 10:
                self.begun.set()

    def _write(self, batch: int) -> bool:
        made = [observation(batch * 10 + i) for i in range(10)]
        try:
            with self._store.transaction() as tx:
                new = tx.add_observations(made)
                tx.add_scores([score(o) for o in made if o.slot_id in new])
        except StoreUnavailable:
            return False
        return True


def test_a_restart_under_load_loses_nothing_and_doubles_nothing(postgres: PostgresServer, store: Store) -> None:
    load = Load(store, 300)
    thread = threading.Thread(target=load.run)
    thread.start()
    load.begun.wait(30)
    with stopped(postgres):
        pass
    thread.join(60)
    with store.reading() as tx:
        slots = [o.slot_id for o in tx.observations()]
        fed = [row.slot_id for row in tx.feed()]
    assert load.failures > 0
    assert slots == fed == [f"slot{i:06}" for i in range(3_000)]


def test_a_server_that_is_gone_makes_the_store_unavailable(postgres: PostgresServer, store: Store) -> None:
    with stopped(postgres), pytest.raises(StoreUnavailable), store.transaction():
        pytest.fail("there is no server")


def test_the_first_transaction_after_a_restart_works(postgres: PostgresServer, store: Store) -> None:
    with store.transaction() as tx:
        tx.put_fact("a", "b")
    with stopped(postgres):
        pass
    with store.transaction() as tx:
        assert tx.fact("a") == "b"


def lose_the_connection(postgres: PostgresServer, store: Store) -> None:
    with store.transaction() as tx:
        tx.put_fact("a", "b")
        with stopped(postgres):
            pass
        tx.put_fact("c", "d")


def test_a_connection_lost_inside_a_transaction_undoes_it(postgres: PostgresServer, store: Store) -> None:
    with pytest.raises(StoreUnavailable):
        lose_the_connection(postgres, store)
    with store.reading() as tx:
        assert (tx.fact("a"), tx.fact("c")) == (None, None)


WRITER = """
import sys
from canary.store import open_store
from tests.contract.store_values import observation

store = open_store(sys.argv[1])
for i in range(0, 200, 5):
    with store.transaction() as tx:
        known = int(tx.fact("writes") or 0)
        tx.add_observations([observation(j) for j in range(i, i + 5)])
        tx.put_fact("writes", str(known + 1))
"""


def test_daemons_that_write_at_once_lose_nothing_and_double_nothing(url: str, store: Store) -> None:
    started = [subprocess.Popen([sys.executable, "-c", WRITER, url], cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    with store.reading() as tx:
        assert (tx.fact("writes"), len(list(tx.observations()))) == ("120", 200)


@pytest.mark.slow
def test_a_lock_held_too_long_makes_the_store_unavailable(url: str, store: Store) -> None:
    impatient = open_store(url)
    with store.transaction(), pytest.raises(StoreUnavailable, match="lock timeout"), impatient.transaction():
        pytest.fail("the lock was not respected")
    impatient.close()


def test_two_workers_never_get_the_same_notification(url: str, store: Store) -> None:
    with store.transaction() as tx:
        tx.enqueue([notification(i, incident_id=f"inc{i}") for i in range(200)])
    claimed: dict[int, list[str]] = {0: [], 1: []}

    def work(worker: int) -> None:
        own = open_store(url)
        while True:
            with own.transaction() as tx:
                got = tx.claim(now=T0 + DAY, lease=DAY, limit=3)
            if not got:
                break
            claimed[worker] += [n.id for n in got]
        own.close()

    workers = [threading.Thread(target=work, args=(i,)) for i in claimed]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(claimed[0] + claimed[1]) == sorted(f"note{i}" for i in range(200))
