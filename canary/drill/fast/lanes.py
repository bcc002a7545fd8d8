"""The detectors of many series, and of all scopes, over a batch of units.

The recursion of `canary.detect.esr` is linear in R, so here R itself is kept, not ln R: what one unit adds and
multiplies takes two operations for all series side by side. The few where overshoot would count are boosted one by one
(`overshoot`), and those that cross the threshold start afresh. What comes out differs from `esr` by rounding alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canary.detect import Outcomes, hierarchy
from canary.detect.budget import MOST_INTERVALS
from canary.drill.fast.odds import Ints
from canary.drill.fast.overshoot import Payoff, extreme
from canary.drill.fast.tables import Floats, Line, Tables
from canary.pipeline.scopes import Level, scope_of
from canary.pipeline.watch import ANSWER
from canary.records import SeriesKey, burst_size

_WEEK = 604_800_000

Flags = NDArray[np.bool_]


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


class Payoffs:
    """Those of detectors, made once for all that share them."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Outcomes, Payoff]] = {}

    def of(self, outcomes: Outcomes | None) -> Payoff | None:
        """None where nothing is known."""
        if outcomes is None:
            return None
        return self._known.setdefault(id(outcomes), (outcomes, Payoff.of(outcomes)))[1]


class Section:
    """The armed series whose detectors have K alternatives."""

    def __init__(self, tables: Tables, lines: Sequence[Line], width: int, payoffs: Payoffs) -> None:
        watched = [line.watched for line in lines if line.watched is not None]
        self.lines = lines
        self._tables = tables
        self._track = np.array([line.track for line in lines])
        self._signal = np.array([line.signal for line in lines])
        week = tables.watch.terms.false_alarms_per_week / _WEEK
        self._rate = np.array([week * one.share for one in watched])
        self._interval = np.array([one.interval.total_seconds() * 1000.0 for one in watched])
        self._payoffs = [payoffs.of(one.detector.outcomes(ANSWER)) for one in watched]
        self._extreme = np.stack([extreme(one, width) for one in self._payoffs])
        self._rows = np.exp(np.stack(tables.books[width].rows))
        self.r = np.zeros((len(lines), width))
        self.n = np.zeros(len(lines), dtype=np.int64)
        self.last = np.full(len(lines), -1.0)

    def hear(self, batch: Batch, places: Ints, spent: Floats) -> Iterator[Crossing]:
        """Feed the units; `places` are a `grid` by track. What each spends goes into `spent`, (n + 1, signals)."""
        units, slots = np.append(batch.units, 0), np.append(batch.slots, 0)
        for at in places:
            here = at[self._track]
            row = self._tables.row[units[here], self._signal]
            fed = self._tables.fed[units[here], self._signal]
            budget = self._budget(slots[here].astype(np.float64), fed)
            spent[here, self._signal] = budget
            yield from self._step(here, row, budget, fed)

    def _budget(self, slot: Floats, fed: Flags) -> Floats:
        later = np.minimum(slot - self.last, MOST_INTERVALS * self._interval)
        covered = np.where(self.last < 0.0, self._interval, later)
        self.last = np.where(fed, np.maximum(self.last, slot), self.last)
        return np.where(fed, self._rate * np.maximum(covered, 0.0), 0.0)

    def _step(self, here: Ints, row: Ints, budget: Floats, fed: Flags) -> Iterator[Crossing]:
        entering = self.r + (budget / self.r.shape[1])[:, None]
        after = entering * self._rows[row]
        for lane in np.flatnonzero(fed & ((entering * self._extreme).sum(axis=1) >= 1.0)).tolist():
            payoff = self._payoffs[lane]
            if payoff is not None:
                after[lane] *= payoff.boost(entering[lane])
        self.n += fed
        total = after.sum(axis=1)
        if total.max() >= 1.0:
            for lane in np.flatnonzero(fed & (total >= 1.0)).tolist():
                line = self.lines[lane]
                yield Crossing(int(here[lane]), 0, line.signal, 0, line.series, float(np.log(total[lane])))
                after[lane], self.n[lane] = 0.0, 0
        self.r = after


class Choir:
    """The scopes of one level of the hierarchy."""

    def __init__(self, tables: Tables, nth: int, level: Level, payoffs: Payoffs) -> None:
        self.level = level
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
        self._payoffs = {
            (line.track, line.signal): payoffs.of(line.watched.detector.bet_outcomes(ANSWER))
            for line in tables.lines
            if line.watched is not None and tables.watch.hierarchy.saves
        }
        self._extreme = np.zeros((len(tables.tracks), len(tables.signals), len(shares)))
        for at, payoff in self._payoffs.items():
            self._extreme[at] = extreme(payoff, len(shares))
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
        pays, fed = self._rows[self._row[units]], self._tables.fed[units]
        budget = (spent[at] * self._weight)[..., None]
        before = self.r[touched]
        entering, passed = np.empty_like(pays), np.empty_like(pays)
        r = before
        for step in range(len(at)):
            np.add(r, budget[step], out=entering[step])
            np.multiply(entering[step], pays[step], out=passed[step])
            r = passed[step]
        self.r[touched] = r
        self.n[touched] += fed.sum(axis=0)
        latest = np.where(fed, np.append(batch.slots, -1)[at][..., None], -1).max(axis=0)
        self.heard[touched] = np.maximum(self.heard[touched], latest)
        reach = np.maximum(passed.sum(axis=-1), (entering * self._extreme.max(axis=(0, 1))).sum(axis=-1))
        if reach.max() >= 1.0:
            row, signal = np.nonzero(reach.max(axis=0) >= 1.0)
            lanes = _Hot(before[row, signal], at[:, row], budget[:, row, signal], pays[:, row, signal])
            yield from self._carefully(batch, (touched[row], signal), lanes, fed[:, row, signal])

    def _carefully(self, batch: Batch, where: tuple[Ints, Ints], lanes: "_Hot", fed: Flags) -> Iterator[Crossing]:
        """Once more, for the few that come near 1: with boosts, and afresh after each alarm."""
        tracks, (place, signal) = np.append(batch.tracks, 0), where
        r, n = lanes.r, self.n[where] - fed.sum(axis=0)
        for step, at in enumerate(lanes.at):
            entering = r + lanes.budget[step]
            r = entering * lanes.pays[step]
            n += fed[step]
            near = fed[step] & ((entering * self._extreme[tracks[at], signal]).sum(axis=1) >= 1.0)
            for lane in np.flatnonzero(near).tolist():
                payoff = self._payoffs.get((int(tracks[at[lane]]), int(signal[lane])))
                if payoff is not None:
                    r[lane] *= payoff.boost(entering[lane])
            total = r.sum(axis=1)
            for lane in np.flatnonzero(fed[step] & (total >= 1.0)).tolist():
                key, reached = self.key(int(place[lane]), int(signal[lane])), float(np.log(total[lane]))
                yield Crossing(int(at[lane]), 1, int(signal[lane]), self._nth, key, reached)
                r[lane], n[lane] = 0.0, 0
        self.r[where], self.n[where] = r, n

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


@dataclass(frozen=True, slots=True, eq=False)
class _Hot:
    """H scopes over the steps of a batch: R before, shape (H, K); by step: units (H,), budgets (H, 1), e (H, K)."""

    r: Floats
    at: Ints
    budget: Floats
    pays: Floats
