"""The mean time to a false alarm, computed."""

import numpy as np
import pytest

from canary.detect import EsrState, EventDetector, Outcomes, evidence, step
from tests.statistics.simulate import bernoulli, first_alarms, outcomes


def arl(
    p: float, log_e: np.ndarray, b: float, *, up: bool, known: Outcomes | None = None, cells: int = 1500
) -> float:  # fmt: skip
    """Exact ARL of e-SR with one alternative, R rounded up (or down) to a grid after each step: a Markov chain.

    R -> (R + b) e m rises with R, so rounding up makes every alarm earlier and rounding down every alarm later.
    """
    grid = np.r_[0.0, np.geomspace(b / 2, 1.0, cells)]
    transition = np.zeros((len(grid) - 1, len(grid) - 1))
    with np.errstate(divide="ignore"):
        state = EsrState(np.log(grid[:-1, np.newaxis]), np.zeros(len(grid) - 1, dtype=np.int64))
    for e, chance in zip(log_e, (1.0 - p, p), strict=True):
        r = np.exp(evidence(step(state, e, np.full(len(grid) - 1, np.log(b)), known)))
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


@pytest.mark.parametrize(("p0", "ratio", "c"), [(0.05, 4.0, 200.0), (0.02, 10.0, 500.0), (0.002, 30.0, 5000.0)])
def test_with_the_outcomes_known_the_exact_arl_is_hardly_more_than_the_promise(p0, ratio, c):
    """What is left is E[R] at the time of an alarm's neighbours; without the outcomes the ARL is about twice c."""
    detector = EventDetector(-np.log1p(-p0), ratios=(ratio,))
    log_e, known = outcomes(detector, [0.0, 1.0]), detector.outcomes(1.0)
    shortest, longest = (arl(p0, log_e, 1.0 / c, up=up, known=known) for up in (True, False))
    plain = arl(p0, log_e, 1.0 / c, up=True)
    assert c * (1.0 - 1e-9) <= longest
    assert shortest <= 1.12 * c
    assert plain >= 1.4 * c


def test_with_the_outcomes_known_simulation_meets_the_exact_arl():
    p0, ratio, c = 0.02, 10.0, 500.0
    detector = EventDetector(-np.log1p(-p0), ratios=(ratio,))
    log_e, known = outcomes(detector, [0.0, 1.0]), detector.outcomes(1.0)
    shortest, longest = (arl(p0, log_e, 1.0 / c, up=up, known=known) for up in (True, False))
    times = first_alarms(log_e, bernoulli(p0), -np.log(c), 3000, seed=8, known=known)
    error = 4 * times.std() / np.sqrt(len(times))
    assert shortest - error <= times.mean() <= longest + error
