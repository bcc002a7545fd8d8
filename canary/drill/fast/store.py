"""The store of a fast drill: in memory, its observations and scores in columns. Nothing is ever rolled back."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from heapq import merge
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from canary.drill.fast.columns import Columns
from canary.drill.fast.odds import Ints
from canary.drill.fast.slots import milliseconds, moment
from canary.drill.fast.tables import Floats
from canary.records import Observation, Purpose, SeriesKey
from canary.store.base import Kept, ScoreRow, Transaction, everything
from canary.store.memory import MemoryTransaction
from canary.store.memory.tables import Tables


class FastStore:
    """`canary.store.base.Store`. What is observed comes with `columns`."""

    def __init__(self) -> None:
        self.columns: Columns | None = None
        self.golden: dict[str, tuple[datetime, int]] = {}
        self._tables = Tables()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """On the tables themselves."""
        yield FastTransaction(self._tables, self, writable=True)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """As they are."""
        yield FastTransaction(self._tables, self, writable=False)

    def close(self) -> None:
        """Nothing to close."""


class FastTransaction(MemoryTransaction):
    """Reads observations and scores from columns; all else is as in memory."""

    def __init__(self, tables: Tables, store: FastStore, *, writable: bool) -> None:
        super().__init__(tables, writable=writable)
        self._store = store

    @property
    def _columns(self) -> Columns:
        if self._store.columns is None:
            raise RuntimeError("nothing is dealt yet")
        return self._store.columns

    @override
    def observation(self, slot_id: str) -> Observation | None:
        seq, _, nth = slot_id.partition(".")
        if not seq.isdecimal() or not 1 <= int(seq) <= self._columns.seen:
            return None
        found = list(self._columns.observations(int(seq)))
        return found[int(nth or 0)]

    @override
    def observations(
        self,
        *,
        target: str | None = None,
        group: str | None = None,
        purpose: Purpose = Purpose.SCHEDULED,
        since: datetime | None = None,
        until: datetime | None = None,
        bodies: bool = False,
    ) -> Iterator[Observation]:
        if purpose is not Purpose.SCHEDULED:
            return
        columns = self._columns
        tracks = [
            track
            for track, one in enumerate(columns.tables.tracks)
            if target in (None, one.entry.key[0]) and group in (None, one.entry.key[1])
        ]
        for seq in np.flatnonzero(_between(columns, since, until) & np.isin(columns.track, tracks)).tolist():
            yield from columns.observations(seq + 1)

    @override
    def kept(
        self, *, after: int = 0, since: datetime | None = None, until: datetime | None = None, limit: int = 1_000
    ) -> Sequence[Kept]:
        columns = self._columns
        found = np.flatnonzero(_between(columns, since, until)) + 1
        seqs = found[found > after][:limit].tolist()
        return [Kept(seq, next(columns.observations(seq)), columns.of_unit(seq)) for seq in seqs]

    @override
    def judged(self, slot_ids: Collection[str]) -> Mapping[str, Kept]:
        columns = self._columns
        seqs = [int(slot) for slot in slot_ids if slot.isdecimal() and 1 <= int(slot) <= columns.seen]
        return {str(seq): Kept(seq, next(columns.observations(seq)), columns.of_unit(seq)) for seq in seqs}

    @override
    def slot_ids(self, *, since: datetime) -> frozenset[str]:
        return frozenset(str(seq + 1) for seq in np.flatnonzero(_between(self._columns, since, None)).tolist())

    @override
    def last_slot(self, target: str, region: str) -> datetime | None:
        columns = self._columns
        shelves = [
            (shelf, columns.visible(track))
            for track, (one, shelf) in enumerate(zip(columns.tables.tracks, columns.shelves, strict=True))
            if one.entry.key[0] == target
        ]
        return max((moment(int(shelf.slot[seen - 1])) for shelf, seen in shelves if seen), default=None)

    @override
    def scores(
        self, series: SeriesKey, *, since: datetime | None = None, fed: bool = True, limit: int | None = None
    ) -> Sequence[ScoreRow]:
        line = self._columns.line(series)
        return [] if line is None else self._columns.latest(line, fed=fed, since=since, limit=limit)

    def judged_of(self, series: SeriesKey) -> tuple[NDArray[np.bool_], Floats, Ints]:
        """What a series was fed: events, values, slot times (ms)."""
        line = self._columns.line(series)
        if line is None:
            return np.zeros(0, dtype=np.bool_), np.zeros(0), np.zeros(0, dtype=np.int64)
        return self._columns.judged(line)

    @override
    def feed(self, chosen: Callable[[SeriesKey], bool] = everything) -> Iterator[ScoreRow]:
        lines = [line for line in self._columns.lines if chosen(line.series)]
        yield from merge(*(self.scores(line.series) for line in lines), key=attrgetter("seq"))

    @override
    def tokens_spent(self, *, target: str, since: datetime) -> int:
        at, golden = self._store.golden.get(target, (since, 0))
        columns, spent = self._columns, golden if at >= since else 0
        for track, shelf in enumerate(columns.shelves):
            if columns.tables.tracks[track].entry.key[0] == target:
                seen = columns.visible(track)
                spent += int(shelf.tokens[:seen][shelf.slot[:seen] >= milliseconds(since)].sum())
        return spent


def _between(columns: Columns, since: datetime | None, until: datetime | None) -> NDArray[np.bool_]:
    slot = columns.slot
    wanted = np.arange(len(slot)) < columns.seen
    if since is not None:
        wanted &= slot >= milliseconds(since)
    if until is not None:
        wanted &= slot < milliseconds(until)
    return wanted
