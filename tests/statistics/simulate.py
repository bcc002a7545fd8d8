"""Seeded simulation of many series of one detector at once."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from canary.detect import Detector, EsrState, Outcomes, evidence, reset, start, step

Draw = Callable[[np.random.Generator, int], NDArray[np.int64]]
"""Outcomes of one slot for that many series, as indices into the rows of `log_e`."""


def outcomes(detector: Detector, values: list[float], exposure: float = 1.0) -> NDArray[np.float64]:
    """Ln e of each possible value: shape (values, K)."""
    return np.stack([detector.log_e(value, exposure, 0.0) for value in values])


def bernoulli(p: float) -> Draw:
    return lambda rng, series: (rng.random(series) < p).astype(np.int64)


def alarm_counts(
    log_e: NDArray[np.float64], draw: Draw, log_b: NDArray[np.float64], series: int, seed: int,
    known: Outcomes | None = None,
):  # fmt: skip
    """Alarms of each series over the slots that `log_b` (slots,) pays for; R is reset at an alarm."""
    rng = np.random.default_rng(seed)
    state, counts = start(log_e.shape[1], (series,)), np.zeros(series, dtype=int)
    for budget in log_b:
        state = step(state, log_e[draw(rng, series)], np.full(series, budget), known)
        alarmed = evidence(state) >= 0.0
        counts += alarmed
        state = reset(state, alarmed)
    return counts


def first_alarms(
    log_e: NDArray[np.float64], draw: Draw, log_b: float, series: int, seed: int, *, warm: Draw | None = None,
    warmup: int = 0, horizon: int = 100_000, known: Outcomes | None = None,
) -> NDArray[np.float64]:  # fmt: skip
    """Slots from the change to the first alarm (inf beyond `horizon`), after `warmup` slots of `warm`."""
    rng = np.random.default_rng(seed)
    state, times, waiting = start(log_e.shape[1], (series,)), np.full(series, np.inf), np.arange(series)
    for slot in range(-warmup, horizon):
        now = warm if warm is not None and slot < 0 else draw
        state = step(state, log_e[now(rng, len(waiting))], np.full(len(waiting), log_b), known)
        alarmed = evidence(state) >= 0.0
        if slot < 0:
            state = reset(state, alarmed)
        elif alarmed.any():
            times[waiting[alarmed]] = slot + 1
            state, waiting = EsrState(state.log_r[~alarmed], state.n[~alarmed]), waiting[~alarmed]
            if not waiting.size:
                break
    return times
