"""Where a fault is: the smallest place that explains the answers since it began.

The answers of a signal since the onset are sorted into cells, by target, probe group and replica. A place is a set of
cells: of a scope, of a series, or of one replica. To suppose that a fault touches a share p of the answers of a place,
and no other answer, is as likely as

    L = mean over p of the product of (1 - p + p * bet) over the answers of its cells

relative to no fault at all. A healthy cell costs L a factor of 1 - p for each of its answers, and a touched one that is
left out costs its bets. The levels of the hierarchy are equally probable beforehand, and so are the places of a level.
Places that have a cell in common with the alarming one are compared.

A replica is blamed where it alone is bad. Where a share of requests meets wrong servers, each of those looks like a bad
replica, and together they are none: then the parts of the fleet that they answered for are compared.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from canary.alert.home import DOUBT
from canary.detect import hierarchy
from canary.pipeline.scopes import Level, members, place_of, scope_of, servers_of
from canary.pipeline.watch import Watch, Watched, exposure_of, heard_as
from canary.records import Blame, SeriesKey
from canary.store.base import ScoreRow, Transaction

ANSWERS = 50_000
"""Answers that are looked at, shared out over the series: the latest of each."""
ROOM = 100_000
"""Scores of a batch that are kept for another look."""
MOST_LOOKS = 4
"""Times in a batch that what stands already is looked at again."""
_LEAST = 50  # of each series

Cell = tuple[SeriesKey, str]
"""A series, and the replica that answered."""
Bets = Sequence[float]


class Heard(NamedTuple):
    """A fed score with what judged it."""

    row: ScoreRow
    watched: Watched

    @property
    def threshold(self) -> float:
        """Any on that side of the value: whether it was an event is kept."""
        return -math.inf if self.row.event else math.inf

    @property
    def value(self) -> float:
        """The score's, standardised."""
        return heard_as(self.watched.detector, self.row)

    @property
    def exposure(self) -> float:
        """The score's, where it is a count."""
        return exposure_of(self.watched.detector, self.row)

    @property
    def bet(self) -> float:
        """What it says in the scopes of its series."""
        return self.watched.detector.bet(self.value, self.exposure, self.threshold)

    @property
    def log_e(self) -> np.ndarray:
        """What it says to the detector of its series."""
        return self.watched.detector.log_e(self.value, self.exposure, self.threshold)


class Past:
    """What the armed series were fed, for one batch: read once, and looked through a few times only."""

    def __init__(self, tx: Transaction, watch: Watch) -> None:
        self._tx = tx
        self._watch = watch
        self._looks = 0
        self._alike: dict[tuple[str, str], list[SeriesKey]] = {}
        self._read: dict[SeriesKey, tuple[int, Sequence[ScoreRow]]] = {}
        self._room = ROOM

    @property
    def tired(self) -> bool:
        """Whether what stands already is not looked at again: in a storm, all of its alarms say the same."""
        return self._looks >= MOST_LOOKS

    def look(self) -> None:
        """Count a look at what stands already."""
        self._looks += 1

    def alike(self, series: SeriesKey) -> Sequence[SeriesKey]:
        """All armed series of its signal."""
        if not self._alike:
            for key in self._watch.armed:
                self._alike.setdefault((key.signal, key.region), []).append(key)
        return self._alike.get((series.signal, series.region), [])

    def members(self, series: SeriesKey) -> Sequence[SeriesKey]:
        """The armed series that a scope hears; a series hears itself."""
        return members(series, self.alike(series))

    def answer(self, slot_id: str) -> Sequence[ScoreRow]:
        """What one answer was fed to."""
        kept = self._tx.judged([slot_id]).get(slot_id)
        return [row for row in kept.scores if row.detector is not None] if kept else ()

    def history(
        self, series: Sequence[SeriesKey], answers: int, since: datetime | None = None, until: datetime | None = None
    ) -> list[Heard]:
        """The latest fed scores of armed series, in the order of feeding."""
        each = max(_LEAST, answers // max(1, len(series)))
        found: list[Heard] = []
        for key in series:
            watched = self._watch.armed[key]
            found += [Heard(row, watched) for row in _within(self._latest(key, each), since, until)]
        return found if len(series) == 1 else sorted(found, key=_fed_as)

    def cells(self, series: Sequence[SeriesKey], answers: int, since: datetime, until: datetime) -> dict[Cell, Bets]:
        """What the latest of these scores bet, in the order of feeding; cells in the order of their first."""
        each = max(_LEAST, answers // max(1, len(series)))
        found: dict[Cell, tuple[int, Bets]] = {}
        for key in series:
            watched, by_replica = self._watch.armed[key], dict[str, list[ScoreRow]]()
            for row in _within(self._latest(key, each), since, until):
                by_replica.setdefault(row.replica, []).append(row)
            for replica, rows in by_replica.items():
                found[key, replica] = rows[0].seq, [Heard(row, watched).bet for row in rows]
        return {cell: bets for cell, (_, bets) in sorted(found.items(), key=lambda cell: cell[1][0])}

    def _latest(self, series: SeriesKey, n: int) -> Sequence[ScoreRow]:
        limit, rows = self._read.get(series, (0, ()))
        if limit < n:
            rows = self._tx.scores(series, limit=n)
            if self._room >= len(rows):
                self._room -= len(rows)
                self._read[series] = n, rows
        return rows[max(0, len(rows) - n) :]


def _within(rows: Sequence[ScoreRow], since: datetime | None, until: datetime | None) -> Sequence[ScoreRow]:
    if since is not None:
        rows = [row for row in rows if row.slot_time >= since]
    return rows if until is None else [row for row in rows if row.slot_time <= until]


def _fed_as(heard: Heard) -> int:
    return heard.row.seq


def blame(alarming: SeriesKey, cells: Mapping[Cell, Bets]) -> Blame:
    """By what was bet since the onset, on all series of the alarming one's signal."""
    if not cells:
        return Blame(place_of(alarming), alarming.target)
    evidence = {cell: hierarchy.log_e(bets).sum(axis=0) for cell, bets in cells.items()}
    ranked = sorted(_scored(alarming, evidence), key=lambda scored: scored[1], reverse=True)
    if _is_replica(ranked[0][0]) and not _alone(ranked[0][0], evidence):
        ranked = [scored for scored in ranked if not _is_replica(scored[0])] or ranked
    (best, reached), *others = ranked
    target = max(_targets(best, evidence), key=lambda found: found[1])[0]
    if not others:
        return Blame(place_of(best), target)
    return Blame(place_of(best), target, place_of(others[0][0]), reached - others[0][1])


def _scored(alarming: SeriesKey, evidence: Mapping[Cell, np.ndarray]) -> Iterator[tuple[SeriesKey, float]]:
    """The places that are compared, narrowest first, each with ln of its posterior weight."""
    places = _places(evidence)
    ours = places.get(alarming, frozenset(evidence))
    sizes: dict[int, int] = {}
    for place in places:
        sizes[_breadth(place)] = sizes.get(_breadth(place), 0) + 1
    told = set()
    for place in sorted(places, key=_breadth):
        cells = places[place]
        if cells in told or not cells & ours:
            continue
        told.add(cells)
        yield place, _log_likelihood(sum(evidence[cell] for cell in cells)) - math.log(sizes[_breadth(place)])


def _log_likelihood(log_e: np.ndarray | int) -> float:
    """Ln L, from the sum of ln e^p over answers, of shape (shares,)."""
    return float(np.logaddexp.reduce(log_e)) - math.log(len(hierarchy.SHARES))


def _alone(replica: SeriesKey, evidence: Mapping[Cell, np.ndarray]) -> bool:
    """Whether no other replica of the same model shows anything."""
    here = place_of(replica)
    others: dict[tuple[str, str], np.ndarray] = {}
    for (series, name), log_e in evidence.items():
        if (series.target, name) != (replica.target, here.replica) and place_of(series).scope.model == here.scope.model:
            others[series.target, name] = others.get((series.target, name), np.zeros(len(hierarchy.SHARES))) + log_e
    bar = DOUBT + math.log(max(1, len(others)))
    return all(_log_likelihood(log_e) < bar for log_e in others.values())


def _places(evidence: Mapping[Cell, np.ndarray]) -> Mapping[SeriesKey, frozenset[Cell]]:
    found: dict[SeriesKey, set[Cell]] = {}
    for cell in evidence:
        series, replica = cell
        levels = [level for level in Level if replica or level is not Level.REPLICA]
        for place in (series, *(scope_of(level, series, replica) for level in levels), servers_of(series)):
            found.setdefault(place, set()).add(cell)
    for series, _ in evidence:  # where a platform has one pool, it is the platform
        if found.get(servers_of(series)) == found[scope_of(Level.PLATFORM, series)]:
            del found[servers_of(series)]
    return {place: frozenset(cells) for place, cells in found.items()}


def _is_replica(place: SeriesKey) -> bool:
    return place.group.startswith("*@")


def _breadth(place: SeriesKey) -> int:
    """How much a place leaves open: replicas first, then series, pools, and on to all."""
    replica, groups = _is_replica(place), place.group == "*"
    return 0 if replica else 1 + 2 * place.target.split("/").count("*") + groups


def _targets(place: SeriesKey, evidence: Mapping[Cell, np.ndarray]) -> Iterator[tuple[str, float]]:
    inside = set(members(place, (series for series, _ in evidence)))
    sums: dict[str, np.ndarray] = {}
    for (series, _), log_e in evidence.items():
        if series in inside:
            sums[series.target] = sums.get(series.target, np.zeros(len(hierarchy.SHARES))) + log_e
    for target, log_e in sums.items():
        yield target, float(np.logaddexp.reduce(log_e))
