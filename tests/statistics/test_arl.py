"""The mean time to a false alarm, computed."""

import numpy as np
import pytest

from canary.detect import EventDetector
from tests.statistics.simulate import bernoulli, first_alarms, outcomes


def arl(p: float, log_e: np.ndarray, b: float, *, up: bool, cells: int = 1500) -> float:
    """Exact ARL of e-SR with one alternative, R rounded up (or down) to a grid after each step: a Markov chain.

    R -> (R + b) e rises with R, so rounding up makes every alarm earlier and rounding down every alarm later.
    """
    grid = np.r_[0.0, np.geomspace(b / 2, 1.0, cells)]
    transition = np.zeros((len(grid) - 1, len(grid) - 1))
    for e, chance in zip(np.exp(log_e[:, 0]), (1.0 - p, p), strict=True):
        r = (grid[:-1] + b) * e
        to = np.searchsorted(grid, r, side="left") if up else np.searchsorted(grid, r, side="right") - 1
        alive = (r < 1.0) & (to < len(grid) - 1)
        np.add.at(transition, (np.flatnonzero(alive), to[alive]), chance)
    return float(np.linalg.solve(np.eye(len(grid) - 1) - transition, np.ones(len(grid) - 1))[0])


@pytest.mark.parametrize(("p0", "ratio", "c"), [(0.05, 4.0, 200.0), (0.02, 10.0, 500.0)])
def test_simulation_meets_the_exact_arl_and_the_arl_meets_the_promise(p0, ratio, c):
    detector = EventDetector(-np.log1p(-p0), ratios=(ratio,))
    log_e = outcomes(detector, [0.0, 1.0])
    shortest, longest = (arl(p0, log_e, 1.0 / c, up=up) for up in (True, False))
    times = first_alarms(log_e, bernoulli(p0), -np.log(c), 3000, seed=6)
    error = 4 * times.std() / np.sqrt(len(times))
    assert c <= shortest <= longest <= 1.15 * shortest
    assert shortest - error <= times.mean() <= longest + error


def test_the_mixture_keeps_the_promised_arl():
    p0, c = 0.05, 150.0
    log_e = outcomes(EventDetector(-np.log1p(-p0)), [0.0, 1.0])
    times = first_alarms(log_e, bernoulli(p0), -np.log(c), 2000, seed=7)
    assert times.mean() - 4 * times.std() / np.sqrt(len(times)) >= c
