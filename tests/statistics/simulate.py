"""Seeded simulation of many series of one detector at once."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from canary.detect import Detector, evidence, reset, start, step

Draw = Callable[[np.random.Generator, int], NDArray[np.int64]]
"""Outcomes of one slot for that many series, as indices into the rows of `log_e`."""


def outcomes(detector: Detector, values: list[float], exposure: float = 1.0) -> NDArray[np.float64]:
    """Ln e of each possible value: shape (values, K)."""
    return np.stack([detector.log_e(value, exposure, 0.0) for value in values])


def bernoulli(p: float) -> Draw:
    return lambda rng, series: (rng.random(series) < p).astype(np.int64)


def alarm_counts(log_e: NDArray[np.float64], draw: Draw, log_b: NDArray[np.float64], series: int, seed: int):
    """Alarms of each series over the slots that `log_b` (slots,) pays for; R is reset at an alarm."""
    rng = np.random.default_rng(seed)
    state, counts = start(log_e.shape[1], (series,)), np.zeros(series, dtype=int)
    for budget in log_b:
        state = step(state, log_e[draw(rng, series)], np.full(series, budget))
        alarmed = evidence(state) >= 0.0
        counts += alarmed
        state = reset(state, alarmed)
    return counts


def first_alarms(
    log_e: NDArray[np.float64], draw: Draw, log_b: float, series: int, seed: int, *, warm: Draw | None = None,
    warmup: int = 0, horizon: int = 100_000,
) -> NDArray[np.float64]:  # fmt: skip
    """Slots from the change to the first alarm (inf beyond `horizon`), after `warmup` slots of `warm`."""
    rng = np.random.default_rng(seed)
    state, times = start(log_e.shape[1], (series,)), np.full(series, np.inf)
    for slot in range(-warmup, horizon):
        now = warm if warm is not None and slot < 0 else draw
        state = step(state, log_e[now(rng, series)], np.full(series, log_b))
        alarmed = evidence(state) >= 0.0
        if slot < 0:
            state = reset(state, alarmed)
            continue
        times[alarmed & np.isinf(times)] = slot + 1
        if not np.isinf(times).any():
            break
    return times
