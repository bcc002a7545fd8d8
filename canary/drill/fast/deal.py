"""Deals answers out of the bank: for many units of a track at once, what each of them got."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from canary.drill.fast.bank import Bank, Variant
from canary.drill.fast.odds import Floats, Ints, Odds, Weather
from canary.records import Probe
from canary.schedule.plan import PlanEntry


@dataclass(frozen=True)
class Track:
    """A probe group on a target. A unit of it is one run, or one burst."""

    entry: PlanEntry
    odds: Odds

    @cached_property
    def variants(self) -> tuple[tuple[Probe, Variant], ...]:
        """Each probe in each of its salts."""
        target, group = self.entry.key
        return tuple(
            (probe, Variant(target, group, probe.digest, salt))
            for probe in self.entry.probes
            for salt in range(max(1, len(probe.salts)))
        )

    def chosen(self, n: int, rng: np.random.Generator) -> Ints:
        """Which variant each of n units is of: the probe is drawn at random, then its salt."""
        salts = np.array([max(1, len(probe.salts)) for probe in self.entry.probes])
        first = np.concatenate([[0], np.cumsum(salts)[:-1]])
        probe = rng.integers(len(salts), size=n)
        return np.asarray(first[probe] + (rng.random(n) * salts[probe]).astype(np.int64))


class Dealer:
    """One stream of chance for all tracks."""

    def __init__(self, bank: Bank, rng: np.random.Generator) -> None:
        self.rng = rng
        self._bank = bank

    async def deal(self, track: Track, weather: Weather, variants: Ints) -> Ints:
        """The vectors that n units of these variants get, shape (n, burst)."""
        burst = track.entry.burst
        meetings, which = track.odds.draw(weather, burst, self.rng)
        code, at = np.unique(variants[:, None] * len(meetings) + which, return_inverse=True)
        spots = [
            await self._bank.spot(*track.variants[int(one) // len(meetings)], burst, meetings[int(one) % len(meetings)])
            for one in code
        ]
        at = at.reshape(which.shape)
        got = np.array([-1 if spot.calm is None else spot.calm for spot in spots], dtype=np.int64)[at]
        chance: Floats = np.array([1.0 if spot.calm is None else spot.chance for spot in spots], dtype=np.float64)
        struck = np.argwhere(self.rng.random(at.shape) < chance[at]) if chance.any() else np.empty((0, 2), dtype=int)
        for unit, nth in self.rng.permutation(struck).tolist():
            spot = spots[int(at[unit, nth])]
            probe, _ = track.variants[int(variants[unit])]
            got[unit, nth] = await self._bank.draw(probe, burst, spot, self.rng)
        return got
