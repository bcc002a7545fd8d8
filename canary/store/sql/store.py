"""The store in SQLite or PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from canary.store.base import Transaction
from canary.store.sql.access import AccessPart
from canary.store.sql.detectors import DetectorPart
from canary.store.sql.engine import engine_for, parse, reader, writer
from canary.store.sql.housekeeping import HousekeepingPart
from canary.store.sql.incidents import IncidentPart
from canary.store.sql.observations import ObservationPart
from canary.store.sql.revision import require_head, revision
from canary.store.sql.silences import SilencePart
from canary.store.sql.verdicts import VerdictPart


class SqlTransaction(
    ObservationPart, DetectorPart, IncidentPart, HousekeepingPart, VerdictPart, AccessPart, SilencePart
):
    """All parts on one connection."""


class SqlStore:
    """Safe to share between threads and, through the database, between processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with writer(self._engine) as connection:
            yield SqlTransaction(connection, writable=True)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        with reader(self._engine) as connection:
            yield SqlTransaction(connection, writable=False)

    def close(self) -> None:
        self._engine.dispose()


def open_sql(url: str, *, create: bool) -> SqlStore:
    """See `canary.store.open_store`."""
    engine = engine_for(parse(url))
    try:
        found = revision(engine)
        if found is None and create:
            from canary.store.sql import schema  # the migration tool is slow to import, and seldom needed

            schema.upgrade(url)
            found = revision(engine)
        require_head(found)
    except BaseException:
        engine.dispose()
        raise
    return SqlStore(engine)
