"""All detectors of a watch: fed with batches of units, they tell the alarms and, when asked, their states."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canary.detect import EsrState
from canary.drill.fast.columns import Columns
from canary.drill.fast.lanes import Batch, Choir, Crossing, Payoffs, Section, grid
from canary.drill.fast.odds import Ints
from canary.drill.fast.slots import moment
from canary.drill.fast.tables import Floats, Line
from canary.pipeline.advance import alarm_of, kept_state
from canary.pipeline.scopes import Level
from canary.records import Alarm, SeriesKey
from canary.store.base import StoredState


class Engine:
    """The detectors of what the columns hold."""

    def __init__(self, columns: Columns) -> None:
        tables = columns.tables
        self._columns = columns
        lines: dict[int, list[Line]] = defaultdict(list)
        for line in tables.lines:
            if line.watched is not None and line.watched.detector.alternatives in tables.books:
                lines[line.watched.detector.alternatives].append(line)
        payoffs = Payoffs()
        self._sections = [Section(tables, ours, width, payoffs) for width, ours in lines.items()]
        levels = tables.watch.hierarchy.levels if self._sections else ()
        self._choirs = [Choir(tables, nth, level, payoffs) for nth, level in enumerate(levels)]

    def marked(self) -> list[NDArray[Any]]:
        """Where it stands, to come back to."""
        sections = [(one.r, one.n, one.last) for one in self._sections]
        choirs = [(one.r, one.n, one.heard) for one in self._choirs]
        return [part.copy() for parts in (*sections, *choirs) for part in parts]

    def back_to(self, mark: Sequence[NDArray[Any]]) -> None:
        """Stand where it stood; a mark serves once."""
        parts = iter(mark)
        for section in self._sections:
            section.r, section.n, section.last = next(parts), next(parts), next(parts)
        for choir in self._choirs:
            choir.r, choir.n, choir.heard = next(parts), next(parts), next(parts)

    def carry(self, other: "Engine") -> None:
        """Go on where another one stands, whatever is watched now: no drill opens a new epoch half-way."""
        for section in self._sections:
            for at, line in enumerate(section.lines):
                if (found := other.series(line.series)) is not None:
                    section.r[at], section.n[at], section.last[at] = found
        for choir in self._choirs:
            for place, scope in enumerate(choir.scopes):
                if (heard := other.scope(choir.level, scope)) is not None:
                    choir.r[place], choir.n[place], choir.heard[place] = heard

    def series(self, series: SeriesKey) -> tuple[Floats, int, float] | None:
        """R, answers fed and the latest slot of a series that is watched."""
        for section in self._sections:
            for at, line in enumerate(section.lines):
                if line.series == series:
                    return section.r[at], int(section.n[at]), float(section.last[at])
        return None

    def scope(self, level: Level, scope: tuple[str, str]) -> tuple[Floats, Ints, Ints] | None:
        """The same of a scope, by signal."""
        for choir in self._choirs:
            if choir.level is level and scope in choir.scopes:
                at = choir.scopes.index(scope)
                return choir.r[at], choir.n[at], choir.heard[at]
        return None

    def hear(self, low: int, high: int) -> list[Alarm]:
        """Feed the units with low < seq <= high: the alarms, in the order in which a batch raises them."""
        columns, tables = self._columns, self._columns.tables
        ours = slice(low, high)
        tracks = columns.track[ours].astype(np.int64)
        batch = Batch(columns.unit[ours], tracks, columns.nth[ours], columns.slot[ours])
        spent = np.zeros((high - low + 1, len(tables.signals)))
        places = grid(tracks, len(tables.tracks))
        found = [one for section in self._sections for one in section.hear(batch, places, spent)]
        found += [one for choir in self._choirs for one in choir.hear(batch, spent)]
        return [self._alarm(low, one) for one in sorted(found, key=lambda one: self._place(low, one))]

    def states(self) -> Iterator[StoredState]:
        """Of every series and scope that heard something."""
        with np.errstate(divide="ignore"):
            for section in self._sections:
                for at, line in enumerate(section.lines):
                    if line.watched is not None and section.last[at] >= 0:
                        state = EsrState(np.log(section.r[at]), section.n[at])
                        yield kept_state(line.series, state, line.watched.digest, moment(int(section.last[at])))
            for choir in self._choirs:
                for place, signal in np.argwhere(choir.heard >= 0).tolist():
                    state = EsrState(np.log(choir.r[place, signal]), choir.n[place, signal])
                    at_last, digest = moment(int(choir.heard[place, signal])), self._scope_digest
                    yield kept_state(choir.key(place, signal), state, digest, at_last)

    def _place(self, low: int, crossing: Crossing) -> tuple[int, int, int, int]:
        """Within an answer: first series, then scopes, both in the order of the answer's scores."""
        tables = self._columns.tables
        names = [score.signal for score in tables.units.scores(int(self._columns.unit[low + crossing.unit]))]
        return crossing.unit, crossing.scope, names.index(tables.signals[crossing.signal]), crossing.level

    def _alarm(self, low: int, crossing: Crossing) -> Alarm:
        columns, at = self._columns, low + crossing.unit
        track, nth = int(columns.track[at]), int(columns.nth[at])
        line = next(one for one in columns.lines if (one.track, one.signal) == (track, crossing.signal))
        (row,) = columns.rows(line, [nth])
        digest = self._scope_digest if crossing.scope else row.detector or ""
        return alarm_of(crossing.series, row, crossing.evidence, digest)

    @property
    def _scope_digest(self) -> str:
        return self._columns.tables.watch.hierarchy.digest
