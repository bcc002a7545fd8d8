"""Oracle CUSUM: it knows both laws, and its threshold is set so that its *measured* ARL is c.

Beside it, the detector of distances that knows the healthy law alone.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, identity
from scipy.sparse.linalg import spsolve
from scipy.special import ndtr, ndtri

from canary.detect import DistanceDetector, Outcomes
from canary.detect.distance import ranks

_LATTICE = 4  # grid steps to one answer without an event
_PATHS = 5_000
Increments = Callable[[np.random.Generator, int], NDArray[np.float64]]


def cusum_arl(p: float, down: float, up: float, threshold: float) -> float:
    """ARL of CUSUM with the log-likelihood ratios -down and up, on a lattice of down / _LATTICE."""
    unit = down / _LATTICE
    states = math.ceil(threshold / unit)
    at = np.arange(states)
    rise = at + round(up / unit)
    alive = rise < states
    rows, columns = np.r_[at, at[alive]], np.r_[np.maximum(at - _LATTICE, 0), rise[alive]]
    chances = np.r_[np.full(states, 1.0 - p), np.full(alive.sum(), p)]
    transition = coo_array((chances, (rows, columns)), shape=(states, states)).tocsc()
    return float(spsolve((identity(states, format="csc") - transition).tocsc(), np.ones(states))[0])


def bernoulli_threshold(p: float, q: float, c: float) -> float:
    """The threshold at which the computed ARL is c."""
    down, up = math.log((1.0 - p) / (1.0 - q)), math.log(q / p)
    return _bisect(lambda threshold: cusum_arl(p, down, up, threshold), c, down)


class Contamination:
    """A share p of scores is N(shift, 1) and not N(0, 1)."""

    def __init__(self, p: float, shift: float) -> None:
        self.p, self.shift = p, shift

    def scores(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        return rng.normal(size=n) + self.shift * (rng.random(n) < self.p)

    def llr(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Ln likelihood ratio, in nats."""
        return np.log1p(self.p * np.expm1(self.shift * scores - self.shift**2 / 2))

    def threshold(self, c: float) -> float:
        """The threshold at which the ARL, measured by importance sampling, is c."""
        return _bisect(self._arl, c, 0.02)

    def _arl(self, threshold: float) -> float:
        """Mean length of a cycle over the chance that it ends in an alarm.

        A cycle begins at 0 and ends at 0 or at the threshold. The chance is simulated under the fault, where it is
        large, and weighed back: each path counts exp(-its log-likelihood ratio).
        """
        half = self.shift / 2  # a score above it has a positive likelihood ratio
        rising, faulty = ndtr(-half), self.p * ndtr(half) + (1 - self.p) * ndtr(-half)
        length, _ = self._paths(threshold, rising, 0.0)
        _, weights = self._paths(threshold, faulty, self.p)
        return (1.0 + rising * length) / (faulty * weights)

    def _paths(self, threshold: float, rising: float, p: float) -> tuple[float, float]:
        """Mean length and mean exp(-LLR at an alarm) of paths whose first step rises, with the share p bad."""
        rng, half = np.random.default_rng(7), self.shift / 2
        bad = rng.random(_PATHS) < p * ndtr(half) / rising
        first = np.where(bad, self.shift, 0.0)
        w = self.llr(first - ndtri(rng.random(_PATHS) * ndtr(first - half)))
        length, weights = 0.0, 0.0
        while w.size:
            weights += np.exp(-w[w >= threshold]).sum()
            w = w[(w > 0.0) & (w < threshold)]
            length += w.size
            w = w + self.llr(rng.normal(size=w.size) + self.shift * (rng.random(w.size) < p))
        return length / _PATHS, weights / _PATHS


def cusum_delays(
    healthy: Increments, faulty: Increments, threshold: float, series: int, warmup: int, seed: int
) -> NDArray[np.float64]:
    """Slots from the change to the alarm of each series, soonest first, after `warmup` healthy ones."""
    rng, w, times, slot = np.random.default_rng(seed), np.zeros(series), [np.empty(0)], -warmup
    while w.size:
        w = np.maximum(w + (healthy if slot < 0 else faulty)(rng, w.size), 0.0)
        slot += 1
        if slot <= 0:
            w[w >= threshold] = 0.0
        else:
            times.append(np.full(np.count_nonzero(w >= threshold), float(slot)))
            w = w[w < threshold]
    return np.concatenate(times)


def known_null(c: float) -> tuple[NDArray[np.float64], Outcomes]:
    """The detector of distances whose healthy law, N(0, 1), is known: golden bounds at their true places.

    Its finest cell is a tenth of 1 / c: to what is rarer still, ln c nats of evidence owe nothing.
    """
    n = int(10 * c)
    tails = np.array(ranks(n)) / (n + 1.0)
    edges = -ndtri(tails)
    return edges, DistanceDetector(n, tuple(edges.tolist()), tuple(tails.tolist())).outcomes(1.0)


def _bisect(arl: Callable[[float], float], c: float, tolerance: float) -> float:
    low, high = tolerance, 1.5 * math.log(c)
    while high - low > tolerance:
        middle = (low + high) / 2.0
        low, high = (middle, high) if arl(middle) < c else (low, middle)
    return high
