"""The detectors of many series, and of all scopes, over a batch of units.

The recursion of `canary.detect.esr` is linear in R, so here R itself is kept, not ln R: what one unit adds and
multiplies takes two operations for all series side by side. The few series where overshoot would count are stepped by
`esr.step` itself. What comes out differs from it by rounding alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canary.detect import EsrState, Outcomes, hierarchy
from canary.detect import step as esr_step
from canary.detect.budget import MOST_INTERVALS
from canary.drill.fast.odds import Ints
from canary.drill.fast.tables import Floats, Line, Tables
from canary.pipeline.scopes import Level, scope_of
from canary.pipeline.watch import ANSWER
from canary.records import SeriesKey, burst_size

_WEEK = 604_800_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Units in the order in which they are fired: their numbers, tracks, places in their tracks, slot times (ms)."""

    units: Ints
    tracks: Ints
    nth: Ints
    slots: Ints


@dataclass(frozen=True, slots=True, order=True)
class Crossing:
    """An alarm: of which unit of the batch, of a series (0) or a scope (1), on which signal, at which level."""

    unit: int
    scope: int
    signal: int
    level: int
    series: SeriesKey
    evidence: float


def grid(keys: Ints, size: int) -> Ints:
    """Where the nth unit of each key is: shape (most units of a key, size), -1 where there is none.

    >>> grid(np.array([0, 1, 0]), 2).tolist()
    [[0, 1], [2, -1]]
    """
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    counts = np.bincount(sorted_keys, minlength=size)
    first = np.cumsum(counts) - counts
    found = np.full((int(counts.max(initial=0)), size), -1, dtype=np.int64)
    found[np.arange(len(keys)) - first[sorted_keys], sorted_keys] = order
    return found


class Section:
    """The armed series whose detectors have K alternatives."""

    def __init__(self, tables: Tables, lines: Sequence[Line], width: int) -> None:
        watched = [line.watched for line in lines if line.watched is not None]
        self.lines = lines
        self._tables = tables
        self._track = np.array([line.track for line in lines])
        self._signal = np.array([line.signal for line in lines])
        week = tables.watch.terms.false_alarms_per_week / _WEEK
        self._rate = np.array([week * one.share for one in watched])
        self._interval = np.array([one.interval.total_seconds() * 1000.0 for one in watched])
        self._outcomes: list[Outcomes | None] = [one.detector.outcomes(ANSWER) for one in watched]
        self._extreme = np.stack([np.zeros(width) if one is None else np.exp(one.log_e[0]) for one in self._outcomes])
        self._log_rows = np.stack(tables.books[width].rows)
        self._rows = np.exp(self._log_rows)
        self.r = np.zeros((len(lines), width))
        self.n = np.zeros(len(lines), dtype=np.int64)
        self.last = np.full(len(lines), -1.0)

    def hear(self, batch: Batch, places: Ints, spent: Floats) -> Iterator[Crossing]:
        """Feed the units; `places` are a `grid` by track; what each spends is written into `spent`, (n + 1, signals)."""
        units, slots = np.append(batch.units, 0), np.append(batch.slots, 0)
        for at in places:
            here = at[self._track]
            row = self._tables.row[units[here], self._signal]
            fed = self._tables.fed[units[here], self._signal]
            budget = self._budget(slots[here].astype(np.float64), fed)
            spent[here, self._signal] = budget
            yield from self._step(here, row, budget, fed)

    def _budget(self, slot: Floats, fed: NDArray[np.bool_]) -> Floats:
        covered = np.where(
            self.last < 0.0, self._interval, np.minimum(slot - self.last, MOST_INTERVALS * self._interval)
        )
        self.last = np.where(fed, np.maximum(self.last, slot), self.last)
        return np.where(fed, self._rate * np.maximum(covered, 0.0), 0.0)

    def _step(self, here: Ints, row: Ints, budget: Floats, fed: NDArray[np.bool_]) -> Iterator[Crossing]:
        width = self.r.shape[1]
        entering = self.r + (budget / width)[:, None]
        near = fed & ((entering * self._extreme).max(axis=1) >= 1.0 / width)
        after = entering * self._rows[row]
        if near.any():
            self._exactly(np.flatnonzero(near), row, budget, after)
        self.n += fed
        total = after.sum(axis=1)
        if total.max() >= 1.0:
            for lane in np.flatnonzero(fed & (total >= 1.0)).tolist():
                line = self.lines[lane]
                yield Crossing(int(here[lane]), 0, line.signal, 0, line.series, float(np.log(total[lane])))
                after[lane], self.n[lane] = 0.0, 0
        self.r = after

    def _exactly(self, near: Ints, row: Ints, budget: Floats, after: Floats) -> None:
        """Those that the most extreme outcome would carry beyond 1."""
        alike: dict[int, list[int]] = {}
        for lane in near.tolist():
            alike.setdefault(id(self._outcomes[lane]), []).append(lane)
        for lanes in alike.values():
            with np.errstate(divide="ignore"):
                state = EsrState(np.log(self.r[lanes]), self.n[lanes])
                stepped = esr_step(state, self._log_rows[row[lanes]], np.log(budget[lanes]), self._outcomes[lanes[0]])
            after[lanes] = np.exp(stepped.log_r)


class Choir:
    """The scopes of one level of the hierarchy."""

    def __init__(self, tables: Tables, nth: int, level: Level) -> None:
        self.scopes: list[tuple[str, str]] = []
        self._nth = nth
        self._tables = tables
        self._region = next(iter(tables.watch.signals)).region
        self._place_of = self._placed(level)
        shares = np.array(hierarchy.SHARES)
        self._weight = tables.watch.hierarchy.weight / len(shares)
        bets, number = np.unique(np.where(tables.fed, tables.bet, 1.0), return_inverse=True)
        self._row = number.reshape(tables.bet.shape)
        self._rows = 1.0 - shares + shares * bets[:, None]
        self.r = np.zeros((len(self.scopes), len(tables.signals), len(shares)))
        self.n = np.zeros(self.r.shape[:2], dtype=np.int64)
        self.heard = np.full(self.r.shape[:2], -1, dtype=np.int64)

    def key(self, place: int, signal: int) -> SeriesKey:
        """Of a scope and a signal."""
        target, group = self.scopes[place]
        return SeriesKey(target, self._region, group, self._tables.signals[signal])

    def hear(self, batch: Batch, spent: Floats) -> Iterator[Crossing]:
        """Feed the units one after the other, each where it belongs."""
        place = self._place_of[batch.units]
        ours = np.flatnonzero(place >= 0)
        if not len(ours):
            return
        touched, local = np.unique(place[ours], return_inverse=True)
        at = grid(local, len(touched))
        at = np.where(at >= 0, ours[at], len(batch.units))
        units = np.append(batch.units, 0)[at]
        pays = self._rows[self._row[units]]
        budget = (spent[at] * self._weight)[..., None]
        fed = self._tables.fed[units]
        latest = np.where(fed, np.append(batch.slots, -1)[at][..., None], -1).max(axis=0)
        self.heard[touched] = np.maximum(self.heard[touched], latest)
        before, passed = self.r[touched], np.empty_like(pays)
        r = before
        for step in range(len(at)):
            np.add(r, budget[step], out=passed[step])
            np.multiply(passed[step], pays[step], out=passed[step])
            r = passed[step]
        if passed.sum(axis=-1).max() >= 1.0:
            yield from self._carefully(touched, before, at, budget, pays, fed)
        else:
            self.r[touched] = r
            self.n[touched] += fed.sum(axis=0)

    def _carefully(
        self, touched: Ints, r: Floats, at: Ints, budget: Floats, pays: Floats, fed: NDArray[np.bool_]
    ) -> Iterator[Crossing]:
        """Once more, with a reset after each alarm."""
        for step in range(len(at)):
            r = (r + budget[step]) * pays[step]
            self.n[touched] += fed[step]
            total = r.sum(axis=-1)
            if total.max() >= 1.0:
                for place, signal in np.argwhere(total >= 1.0).tolist():
                    key = self.key(int(touched[place]), signal)
                    reached = float(np.log(total[place, signal]))
                    yield Crossing(int(at[step, place]), 1, signal, self._nth, key, reached)
                    r[place, signal] = 0.0
                    self.n[touched[place], signal] = 0
        self.r[touched] = r

    def _placed(self, level: Level) -> Ints:
        """Which of the scopes hears each unit; -1 for none."""
        tables, known = self._tables, dict[tuple[str, str], int]()
        found = np.full(len(tables.units.members), -1, dtype=np.int64)
        for unit in range(1, len(found)):
            vector = tables.units.first(unit)
            replica = vector.seen.replica if level is Level.REPLICA else ""
            if level is Level.REPLICA and (not replica or burst_size(vector.variant.group) > 1):
                continue
            target, group = vector.variant.target, vector.variant.group
            scope = scope_of(level, SeriesKey(target, self._region, group, ""), replica)
            found[unit] = known.setdefault((scope.target, scope.group), len(known))
        self.scopes = list(known)
        return found
