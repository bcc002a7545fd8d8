"""A store in memory: the same contract, for tests and simulations.

A transaction works on a copy of the tables and puts it in the place of the old ones at its end, so an exception leaves
nothing behind and a reader keeps the tables that it began with.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from canary.errors import StoreUnavailable
from canary.store.base import Transaction
from canary.store.memory.access import AccessPart
from canary.store.memory.detectors import DetectorPart
from canary.store.memory.housekeeping import HousekeepingPart
from canary.store.memory.incidents import IncidentPart
from canary.store.memory.observations import ObservationPart
from canary.store.memory.silences import SilencePart
from canary.store.memory.tables import Tables
from canary.store.memory.verdicts import VerdictPart

_WAIT_S = 10


class MemoryTransaction(
    ObservationPart, DetectorPart, IncidentPart, HousekeepingPart, VerdictPart, AccessPart, SilencePart
):
    """All parts on one draft of the tables."""


class MemoryStore:
    """Nothing survives the process."""

    def __init__(self) -> None:
        self._tables = Tables()
        self._writing = threading.Lock()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        if not self._writing.acquire(timeout=_WAIT_S):
            raise StoreUnavailable(f"another transaction is open for more than {_WAIT_S} s")
        try:
            draft = self._tables.copy()
            yield MemoryTransaction(draft, writable=True)
            self._tables = draft
        finally:
            self._writing.release()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        yield MemoryTransaction(self._tables, writable=False)

    def close(self) -> None:
        """Nothing to close."""
