"""A simulated probe group whose probes differ in noise, heard raw and standardised on the same answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from canary.detect import DistanceDetector, EsrState, evidence, start, step
from canary.detect.residuals import scales

Floats = NDArray[np.float64]
Shift = Callable[[NDArray[np.int64]], Floats]
"""What a touched answer of each of these probes is further away by."""

REFERENCE = 20
ATOMS, SIGMA = 0.7, 0.7
"""The share of healthy answers at distance zero; of the others, the standard deviation of ln distance."""


@dataclass(frozen=True, slots=True)
class Group:
    """Probes by how wide their noise is: the median of their healthy distances above zero."""

    noise: Sequence[float]

    def probes(self, rng: np.random.Generator, *shape: int) -> NDArray[np.int64]:
        """Drawn as in production."""
        return rng.integers(len(self.noise), size=shape)

    def healthy(self, rng: np.random.Generator, probes: NDArray[np.int64]) -> Floats:
        """A distance of each."""
        away = np.exp(SIGMA * rng.standard_normal(probes.shape)) * np.asarray(self.noise)[probes]
        return np.where(rng.random(probes.shape) < ATOMS, 0.0, away)

    def tail(self, limits: Floats) -> Floats:
        """The chance of a healthy answer beyond these limits, one of each probe: shape (..., probes) to (...)."""
        beyond = ndtr(np.log(np.asarray(self.noise) / np.maximum(limits, 1e-300)) / SIGMA)
        found: Floats = (1.0 - ATOMS) * beyond.mean(axis=-1)
        return found

    def scales(self, rng: np.random.Generator) -> Floats:
        """Of each probe, from a reference part."""
        probes = np.repeat(np.arange(len(self.noise)), REFERENCE).reshape(-1, REFERENCE)
        return self.scales_by(probes.ravel(), self.healthy(rng, probes).ravel())

    def scales_by(self, probes: NDArray[np.int64], values: Floats) -> Floats:
        """Of each probe, from these answers."""
        found = scales({str(nth): values[probes == nth].tolist() for nth in range(len(self.noise))})
        return np.array([found[str(nth)] for nth in range(len(self.noise))])


@dataclass(frozen=True, slots=True)
class Ears:
    """Many series of a group, each with golden data of its own: `scales` (series, probes), `edges` (series, J)."""

    scales: Floats
    edges: Floats
    log_e: Floats

    def heard(self, at: NDArray[np.int64], probes: NDArray[np.int64], values: Floats) -> Floats:
        """Ln e of an answer of each of the series `at`, shape (series, K)."""
        standardised = values / self.scales[at, probes]
        cells = (self.edges[at] >= standardised[:, np.newaxis]).sum(axis=1)
        found: Floats = self.log_e[cells]
        return found


def ears(group: Group, series: int, golden: int, delta: float, rng: np.random.Generator) -> tuple[Ears, Ears]:
    """Raw, and standardised."""
    told = np.stack([group.scales(rng) for _ in range(series)])
    probes = group.probes(rng, series, golden)
    values = group.healthy(rng, probes)
    return ears_by(np.ones_like(told), probes, values, delta), ears_by(told, probes, values, delta)


def ears_by(told: Floats, probes: NDArray[np.int64], values: Floats, delta: float) -> Ears:
    """By these scales (series, probes), and golden values (series, golden) of these probes."""
    standardised = values / np.take_along_axis(told, probes, axis=1)
    detectors = [DistanceDetector.from_golden(row.tolist(), delta) for row in standardised]
    first = detectors[0]
    distinct = DistanceDetector(first.n, tuple(-float(at) for at in range(len(first.edges))), first.tails)
    by_cell = np.stack([distinct.log_e(value, 1.0, 0.0) for value in (1.0, *distinct.edges)])
    return Ears(told, np.array([detector.edges for detector in detectors]), by_cell)


def first_alarms(
    group: Group,
    pair: Sequence[Ears],
    log_b: float,
    rng: np.random.Generator,
    *,
    share: float = 0.0,
    shift: Shift = lambda probes: np.zeros(probes.shape),
    horizon: int,
) -> list[Floats]:
    """Slots to the first alarm of each series, by each of the ears, which all hear the same; inf beyond the horizon."""
    series = len(pair[0].edges)
    states = [start(one.log_e.shape[1], (series,)) for one in pair]
    times = [np.full(series, np.inf) for _ in pair]
    for slot in range(horizon):
        probes = group.probes(rng, series)
        touched = rng.random(series) < share
        values = group.healthy(rng, probes) + np.where(touched, shift(probes), 0.0)
        for nth, one in enumerate(pair):
            at = np.flatnonzero(np.isinf(times[nth]))
            if at.size:
                before = EsrState(states[nth].log_r[at], states[nth].n[at])
                after = step(before, one.heard(at, probes[at], values[at]), np.full(at.size, log_b))
                states[nth].log_r[at], states[nth].n[at] = after.log_r, after.n
                times[nth][at[evidence(after) >= 0.0]] = slot + 1
        if all(np.isfinite(found).all() for found in times):
            break
    return times
