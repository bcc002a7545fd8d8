"""What a fast drill observed, in columns: rows are made when somebody asks for them.

A slot id is the unit's number in the order of firing, which is its `seq` too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from canary.detect import log_budget
from canary.drill.fast.odds import Ints
from canary.drill.fast.slots import Slots, milliseconds, moment
from canary.drill.fast.tables import Floats, Line, Tables
from canary.pipeline.watch import Watched
from canary.records import Observation, Purpose, Score, SeriesKey, Unscored, UnscoredReason
from canary.store.base import ScoreRow

_MOST_ROWS = 10_000
"""Rows of one series that are kept for another look."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The units of one track, in order: seq, slot time (ms), number, tokens."""

    seq: Ints
    slot: Ints
    unit: Ints
    tokens: Ints


class Columns:
    """All units of a drill, of which the first `seen` are observed so far."""

    def __init__(self, dealt: Slots, tables: Tables) -> None:
        units, tracks = tables.units, range(len(tables.tracks))
        self.seen = 0
        self.fired = dealt.fired
        numbers = [units.of(vectors) for vectors in dealt.vectors]
        seqs = [np.flatnonzero(dealt.track == track) + 1 for track in tracks]
        self.shelves = [
            Shelf(seq, dealt.slot[seq - 1], number, units.tokens(vectors))
            for seq, number, vectors in zip(seqs, numbers, dealt.vectors, strict=True)
        ]
        self.track, self.nth, self.slot = dealt.track, dealt.nth, dealt.slot
        self.unit = np.zeros(len(self.fired), dtype=np.int64)
        for shelf in self.shelves:
            self.unit[shelf.seq - 1] = shelf.unit
        self.judge_by(tables)

    def judge_by(self, tables: Tables) -> None:
        """From now on; what was fed before is what it would have been by these."""
        self.tables = tables
        self._per_week = tables.watch.terms.false_alarms_per_week
        self._lines = {line.series: line for line in tables.lines}
        self._fed: dict[SeriesKey, Ints] = {}
        self._rows: dict[SeriesKey, dict[int, ScoreRow]] = {}

    @property
    def lines(self) -> Sequence[Line]:
        return self.tables.lines

    def line(self, series: SeriesKey) -> Line | None:
        return self._lines.get(series)

    def visible(self, track: int) -> int:
        """How many units of a track are observed."""
        return int(np.searchsorted(self.shelves[track].seq, self.seen, side="right"))

    def fed(self, line: Line) -> Ints:
        """The places in the track of all units that are fed to the series, observed or not yet."""
        if line.series not in self._fed:
            units = self.shelves[line.track].unit
            self._fed[line.series] = np.flatnonzero(self.tables.fed[units, line.signal])
        return self._fed[line.series]

    def rows(self, line: Line, places: Sequence[int]) -> list[ScoreRow]:
        """At these places of the track."""
        kept = self._rows.setdefault(line.series, {})
        if len(kept) > _MOST_ROWS:
            for at in sorted(kept)[: len(kept) // 2]:
                del kept[at]
        return [row for at in places for row in [kept.get(at) or kept.setdefault(at, self._row(line, at))]]

    def latest(self, line: Line, *, fed: bool, since: datetime | None, limit: int | None) -> list[ScoreRow]:
        """As `Transaction.scores`."""
        seen = self.visible(line.track)
        every = self.fed(line) if fed else np.arange(seen)
        places = every[: np.searchsorted(every, seen)]
        if since is not None:
            places = places[self.shelves[line.track].slot[places] >= milliseconds(since)]
        if limit is not None:
            places = places[max(0, len(places) - limit) :]
        return self.rows(line, places.tolist())

    def judged(self, line: Line) -> tuple[NDArray[np.bool_], Floats, Ints]:
        """Of the scores that were fed: whether each was an event, its value, its slot time (ms)."""
        places = self.fed(line)
        places = places[: np.searchsorted(places, self.visible(line.track))]
        shelf = self.shelves[line.track]
        units, at = np.unique(shelf.unit[places], return_inverse=True)
        found = [self.tables.scores[unit][line.signal] for unit in units.tolist()]
        values = np.array([one.value if isinstance(one, Score) else 0.0 for one in found])
        return self.tables.event[shelf.unit[places], line.signal], values[at], shelf.slot[places]

    def observations(self, seq: int) -> Iterator[Observation]:
        """Those of a unit, without their bodies."""
        slot_time, fired = moment(int(self.slot[seq - 1])), moment(int(self.fired[seq - 1]))
        units = self.tables.units
        burst = self.tables.tracks[int(self.track[seq - 1])].entry.burst
        first = units.first(int(self.unit[seq - 1])).seen
        for nth in range(burst):
            slot_id = str(seq) if nth == 0 else f"{seq}.{nth}"
            yield replace(
                first, slot_id=slot_id, slot_time=slot_time, started_at=fired, ordinal=nth, purpose=Purpose.SCHEDULED
            )

    def of_unit(self, seq: int) -> tuple[ScoreRow, ...]:
        """All scores of a unit."""
        track, nth = int(self.track[seq - 1]), int(self.nth[seq - 1])
        scores = self.tables.scores[int(self.unit[seq - 1])]
        mine = [line for line in self.lines if line.track == track and scores[line.signal] is not None]
        return tuple(chain.from_iterable(self.rows(line, [nth]) for line in mine))

    def _row(self, line: Line, at: int) -> ScoreRow:
        shelf, tables = self.shelves[line.track], self.tables
        unit, seq, watched = int(shelf.unit[at]), int(shelf.seq[at]), line.watched
        if watched is not None and not tables.fed[unit, line.signal]:
            watched = None
        first = tables.units.first(unit)
        return ScoreRow(
            slot_id=str(seq),
            series=line.series,
            slot_time=moment(int(shelf.slot[at])),
            score=tables.scores[unit][line.signal] or _missing(line),
            probe_digest=first.variant.probe,
            detector=watched.digest if watched else None,
            log_budget=self._log_budget(line, watched, at) if watched else None,
            event=bool(tables.event[unit, line.signal]) if watched else None,
            replica=first.seen.replica,
            seq=seq,
        )

    def _log_budget(self, line: Line, watched: Watched, at: int) -> float:
        shelf, fed = self.shelves[line.track], self.fed(line)
        nth = at if len(fed) == len(shelf.seq) else int(np.searchsorted(fed, at))
        covered = int(shelf.slot[at] - shelf.slot[fed[nth - 1]]) if nth else None
        return _log_budget(self._per_week, watched.share, covered, watched.interval)


@lru_cache(maxsize=4_096)
def _log_budget(per_week: float, share: float, covered: int | None, interval: timedelta) -> float:
    """Of a slot that comes so many milliseconds after the one before."""
    now = moment(0)
    previous = None if covered is None else now - timedelta(milliseconds=covered)
    return log_budget(per_week=per_week, share=share, slot_time=now, previous=previous, interval=interval)


def _missing(line: Line) -> Unscored:
    return Unscored(line.series.signal, 0, UnscoredReason.UNSUPPORTED)
