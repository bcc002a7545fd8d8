"""The store goes away under a running daemon, and comes back."""

import sqlite3
import time
from contextlib import closing

import pytest

from tests.acceptance.stage import SHORT, CountingLab, Daemon, Hook, Place, config, counting_lab, until
from tests.postgres import PostgresServer

pytestmark = pytest.mark.slow

BUSY = 10.0  # seconds that a writer waits for SQLite's lock


def not_ready(daemon: Daemon) -> bool:
    status, body = daemon.get("/readyz")
    return status == 503 and '"store","ok":false' in body.replace(" ", "")


def probing_goes_on(daemon: Daemon, lab: CountingLab) -> None:
    """Nothing was lost meanwhile, and new answers are kept."""
    until(lambda: daemon.get("/readyz")[0] == 200, 30)
    fired = len(lab.sessions)
    until(lambda: daemon.answers() > fired, 30)
    assert daemon.get("/healthz")[0] == 200


def test_a_sqlite_store_that_is_locked_for_longer_than_a_writer_waits_loses_nothing(place: Place) -> None:
    with counting_lab() as lab:
        place.write(config(lab.url))
        with place.daemon() as daemon:
            until(lambda: daemon.answers() > 30, 30)
            with closing(sqlite3.connect(place.folder / "canary.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                until(lambda: not_ready(daemon), 3 * BUSY)
                assert daemon.get("/healthz")[0] == 200
                other.execute("ROLLBACK")
            probing_goes_on(daemon, lab)
        assert place.sessions() == lab.sessions.keys()


@pytest.mark.postgres
def test_a_postgresql_that_is_stopped_and_started_loses_nothing(place: Place, postgres: PostgresServer) -> None:
    with counting_lab() as lab:
        place.write(config(lab.url, store={"url": postgres.new_database().replace("://", "+psycopg://")}))
        with place.daemon() as daemon:
            until(lambda: daemon.answers() > 30, 30)
            postgres.stop()
            try:
                until(lambda: not_ready(daemon), 30)
                time.sleep(2)
                assert daemon.get("/healthz")[0] == 200
            finally:
                postgres.start()
            probing_goes_on(daemon, lab)
        assert place.sessions() == lab.sessions.keys()


def test_a_daemon_terminated_while_its_store_is_locked_ends_in_time_and_loses_nothing_that_it_acknowledged(
    place: Place,
) -> None:
    with place.daemon() as daemon:
        until(lambda: daemon.answers() > 30, 30)
        kept = place.sessions()
        with closing(sqlite3.connect(place.folder / "canary.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(1)
            began = time.monotonic()
            daemon.stop()
            took = time.monotonic() - began
            other.execute("ROLLBACK")
    print(f"\nended {took:.0f} s after SIGTERM with the store locked")
    assert daemon.events("not_committed")
    assert took < 30
    assert kept <= place.sessions()


def test_a_state_that_cannot_be_read_ends_the_daemon_instead_of_half_of_it(place: Place, webhook: Hook) -> None:
    daemon = place.start()
    try:
        until(lambda: daemon.answers() > 10, 30)
        with closing(sqlite3.connect(place.folder / "canary.db", timeout=5)) as other, other:
            other.execute("UPDATE detector_states SET blob = x'00'")
        code = daemon.process.wait(30)
    finally:
        daemon.kill()
    assert code not in (0, -9)
    (failed,) = daemon.events("background_task_failed")
    assert failed["level"] == "critical"
    assert "Traceback" not in daemon.log_text()


def test_a_second_daemon_on_one_store_fires_but_counts_nothing_twice(place: Place) -> None:
    with place.daemon() as first, place.daemon("second.log") as second:
        until(lambda: min(first.answers(), second.answers()) > 30, 60)
    kept = place.observations()
    assert len({one.slot_id for one in kept}) == len(kept)
    assert place.fed()[SHORT, "availability"] == sum(one.target == SHORT for one in kept)
