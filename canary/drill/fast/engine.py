"""All detectors of a watch: fed with batches of units, they tell the alarms and, when asked, their states."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from canary.detect import EsrState
from canary.drill.fast.columns import Columns
from canary.drill.fast.lanes import Batch, Choir, Crossing, Section, grid
from canary.drill.fast.slots import moment
from canary.drill.fast.tables import Line
from canary.pipeline.advance import alarm_of, kept_state
from canary.records import Alarm
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
        self._sections = [Section(tables, ours, width) for width, ours in lines.items()]
        levels = tables.watch.hierarchy.levels if self._sections else ()
        self._choirs = [Choir(tables, nth, level) for nth, level in enumerate(levels)]

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
