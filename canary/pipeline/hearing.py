"""Scopes on their way through a batch: each answer's bets are heard in every scope that it belongs to."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from canary.detect import EsrState, Outcomes, esr, hierarchy
from canary.pipeline.scopes import Hierarchy, is_replica_of
from canary.records import SeriesKey
from canary.store.base import ScoreRow

Place = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Bet:
    """What a fed score says in the scopes of its series: an e-value whose mean is <= 1 while all is well.

    `outcomes` are what it might have said, where that is known. A burst says one thing, as a lone answer does.
    """

    row: ScoreRow
    value: float
    hierarchy: Hierarchy
    outcomes: Outcomes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """The steps of all scopes that one answer was heard in, S of them.

    Attributes:
        rows: the score that each heard.
        digests: of the hierarchy that each belongs to.
        log_budgets: ln b, shape (S,).
        log_e: ln e^p, shape (S, K).
        state: after the step and before any reset, of shape (S,).
        reached: ln R, shape (S,); an alarm where it is >= 0.
    """

    places: Sequence[Place]
    rows: Sequence[ScoreRow]
    digests: Sequence[str]
    log_budgets: NDArray[np.float64]
    log_e: NDArray[np.float64]
    state: EsrState
    reached: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.places)

    @property
    def alarmed(self) -> list[int]:
        """Those that crossed the threshold."""
        return [int(nth) for nth in np.flatnonzero(self.reached >= 0.0)]

    def scope(self, nth: int) -> SeriesKey:
        return _key(self.places[nth])

    def log_budget(self, nth: int) -> float:
        return float(self.log_budgets[nth])

    def after(self, nth: int) -> EsrState:
        return EsrState(self.state.log_r[nth], self.state.n[nth])


class Hearing:
    """The states of scopes, stacked, so that all scopes of an answer make their step at once."""

    def __init__(self, known: Mapping[SeriesKey, EsrState] | None = None) -> None:
        self._at: dict[Place, int] = {}
        self._log_r = np.full((256, len(hierarchy.SHARES)), -np.inf)
        self._n = np.zeros(256, dtype=np.int64)
        self._told: dict[Place, tuple[str, datetime]] = {}
        for key, state in (known or {}).items():
            at = self._place((key.target, key.region, key.group, key.signal))
            self._log_r[at], self._n[at] = state.log_r, state.n

    def hear(self, bets: Sequence[Bet], slot_time: datetime) -> Heard:
        """One answer. Its scores are of different signals, so no scope hears two of them."""
        spread = [(bet, place) for bet in bets for place in _places(bet)]
        places = [place for _, place in spread]
        for bet, place in spread:
            before = self._told.get(place)
            self._told[place] = bet.hierarchy.digest, slot_time if before is None else max(before[1], slot_time)
        at = [self._place(place) for place in places]
        budgets = np.array([_log_budget(bet) for bet, _ in spread], dtype=np.float64)
        log_e = hierarchy.log_e(np.array([bet.value for bet, _ in spread], dtype=np.float64))
        known = [bet.outcomes for bet, _ in spread]
        after = esr.step_each(EsrState(self._log_r[at], self._n[at]), log_e, budgets, known)
        reached = esr.evidence(after)
        left = esr.reset(after, reached >= 0.0)
        self._log_r[at], self._n[at] = left.log_r, left.n
        rows, digests = [bet.row for bet, _ in spread], [bet.hierarchy.digest for bet, _ in spread]
        return Heard(places, rows, digests, budgets, log_e, after, reached)

    def forget(self, series: SeriesKey, tree: Hierarchy) -> None:
        """The scopes of a series, all replicas of its pool among them, start afresh: its epoch is another now."""
        scopes = frozenset(tree.scopes(series, ""))
        for place, at in self._at.items():
            if (key := _key(place)) in scopes or is_replica_of(key, series):
                self._log_r[at], self._n[at] = -np.inf, 0

    def states(self) -> Iterator[tuple[SeriesKey, tuple[EsrState, str, datetime]]]:
        """Of all that heard something, with the digest of the hierarchy and the latest slot."""
        for place, (digest, slot_time) in self._told.items():
            at = self._at[place]
            yield _key(place), (EsrState(self._log_r[at].copy(), self._n[at].copy()), digest, slot_time)

    def _place(self, place: Place) -> int:
        at = self._at.setdefault(place, len(self._at))
        if at == len(self._n):
            self._log_r = np.concatenate([self._log_r, np.full_like(self._log_r, -np.inf)])
            self._n = np.concatenate([self._n, np.zeros_like(self._n)])
        return at


def _places(bet: Bet) -> Iterator[Place]:
    series = bet.row.series
    for target, group in bet.hierarchy.places(series.target, series.group, bet.row.replica):
        yield target, series.region, group, series.signal


def _log_budget(bet: Bet) -> float:
    return -math.inf if bet.row.log_budget is None else bet.row.log_budget + bet.hierarchy.log_weight


def _key(place: Place) -> SeriesKey:
    target, region, group, signal = place
    return SeriesKey(target, region, group, signal)
