"""Scopes on their way through a batch: each answer's bets are heard in every scope that it belongs to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from canary.detect import EsrState, esr, hierarchy
from canary.pipeline.scopes import Hierarchy
from canary.records import SeriesKey

Place = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Bet:
    """What one fed score says in the scopes of its series: an e-value whose mean is <= 1 while all is well."""

    series: SeriesKey
    replica: str
    value: float
    log_budget: float
    hierarchy: Hierarchy


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

    def hear(self, bets: Sequence[Bet], slot_time: datetime) -> list[tuple[SeriesKey, float, str]]:
        """One answer. Its scores are of different signals, so no scope hears two of them.

        Returns the scopes that alarm, with ln R and the digest of the hierarchy; they stand at zero again.
        """
        places: list[Place] = []
        heard: list[tuple[float, float]] = []
        for bet in bets:
            series, tree = bet.series, bet.hierarchy
            for target, group in tree.places(series.target, series.group, bet.replica):
                place = (target, series.region, group, series.signal)
                places.append(place)
                heard.append((bet.value, bet.log_budget + tree.log_weight))
                before = self._told.get(place)
                self._told[place] = tree.digest, slot_time if before is None else max(before[1], slot_time)
        return self._step(places, np.array(heard)) if heard else []

    def states(self) -> Iterator[tuple[SeriesKey, tuple[EsrState, str, datetime]]]:
        """Of all that heard something, with the digest of the hierarchy and the latest slot."""
        for place, (digest, slot_time) in self._told.items():
            at = self._at[place]
            yield _key(place), (EsrState(self._log_r[at].copy(), self._n[at].copy()), digest, slot_time)

    def _step(self, places: Sequence[Place], heard: np.ndarray) -> list[tuple[SeriesKey, float, str]]:
        at = [self._place(place) for place in places]
        after = hierarchy.step(EsrState(self._log_r[at], self._n[at]), heard[:, 0], heard[:, 1])
        reached = esr.evidence(after)
        alarmed = reached >= 0.0
        after = esr.reset(after, alarmed)
        self._log_r[at], self._n[at] = after.log_r, after.n
        return [
            (_key(places[nth]), float(reached[nth]), self._told[places[nth]][0])
            for nth in np.flatnonzero(alarmed).tolist()
        ]

    def _place(self, place: Place) -> int:
        at = self._at.setdefault(place, len(self._at))
        if at == len(self._n):
            self._log_r = np.concatenate([self._log_r, np.full_like(self._log_r, -np.inf)])
            self._n = np.concatenate([self._n, np.zeros_like(self._n)])
        return at


def _key(place: Place) -> SeriesKey:
    target, region, group, signal = place
    return SeriesKey(target, region, group, signal)
