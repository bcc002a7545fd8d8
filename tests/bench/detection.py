"""How soon a rare event is seen, against a detector that knows everything: `python -m tests.bench.detection`.

Oracle CUSUM knows both rates, and its threshold is set so that its *computed* ARL is c. Ours knows the healthy rate
only, and keeps its proven guarantee ARL >= c. Delays are means over the same number of seeded series, from the change
to the first alarm, after a long healthy time.
"""

import math
import timeit

import numpy as np
from scipy.sparse import coo_array, identity
from scipy.sparse.linalg import spsolve

from canary.detect import DistanceDetector, EventDetector, delay, evidence, start, step
from tests.statistics.simulate import bernoulli, first_alarms, outcomes

PAIRS = ((1e-3, 1e-2), (5e-3, 2e-2), (5e-5, 8e-3), (1e-4, 8e-3))
C = 1e5
SERIES = 2000
WARMUP = 1000
_LATTICE = 4  # grid steps to one answer without an event


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


def oracle(p: float, q: float, c: float) -> tuple[float, float, float]:
    """Losses, gains and the threshold at which the ARL is c."""
    down, up = math.log((1.0 - p) / (1.0 - q)), math.log(q / p)
    low, high = down, 1.5 * math.log(c)
    while high - low > down:
        middle = (low + high) / 2.0
        low, high = (middle, high) if cusum_arl(p, down, up, middle) < c else (low, middle)
    return down, up, high


def oracle_delay(p: float, q: float, c: float, seed: int) -> float:
    down, up, threshold = oracle(p, q, c)
    rng, w, times = np.random.default_rng(seed), np.zeros(SERIES), np.full(SERIES, np.inf)
    slot = -WARMUP
    while np.isinf(times).any():
        events = rng.random(SERIES) < (p if slot < 0 else q)
        w = np.maximum(w + np.where(events, up, -down), 0.0)
        if slot < 0:
            w[w >= threshold] = 0.0
        else:
            times[(w >= threshold) & np.isinf(times)] = slot + 1
        slot += 1
    return float(times.mean())


def our_delay(p: float, q: float, c: float, seed: int) -> float:
    log_e = outcomes(EventDetector(-math.log1p(-p)), [0.0, 1.0])
    times = first_alarms(
        log_e, bernoulli(q), -math.log(c), SERIES, seed, warm=bernoulli(p), warmup=WARMUP, horizon=1_000_000
    )
    return float(times.mean())


def print_delays() -> None:
    print(f"mean probes to alarm, c = {C:.0e}, {SERIES} series\n")
    print(f"{'p0':>8} {'q':>8} {'oracle':>8} {'ours':>8} {'ratio':>6} {'forecast (median)':>18}")
    for p, q in PAIRS:
        best, ours = oracle_delay(p, q, C, seed=1), our_delay(p, q, C, seed=1)
        forecast = delay(EventDetector(-math.log1p(-p)), q, 1.0, -math.log(C))
        print(f"{p:8.0e} {q:8.0e} {best:8.1f} {ours:8.1f} {ours / best:6.2f} {forecast:18.0f}")


def print_costs() -> None:
    event = EventDetector(1e-4)
    distance = DistanceDetector.from_golden(list(np.linspace(0.0, 1.0, 1000)), 1e-4)
    one, many = start(event.alternatives), start(event.alternatives, (10_000,))
    log_e = event.log_e(0.0, 100.0, 0.0)
    costs = {
        "e-value of an event score": (lambda: event.log_e(0.0, 100.0, 0.0), 1),
        "e-value of a distance": (lambda: distance.log_e(0.3, 1.0, 0.0), 1),
        "step and evidence, one series": (lambda: evidence(step(one, log_e, -17.0)), 1),
        "step and evidence, of 10,000 at once": (lambda: evidence(step(many, log_e, np.full(10_000, -17.0))), 10_000),
        "forecast of a delay": (lambda: delay(event, 0.008, 1.0, -17.0), 1),
    }
    print("\nmicroseconds, best of 5")
    for name, (work, series) in costs.items():
        repeat = max(1, 1000 // series)
        best = min(timeit.repeat(work, number=repeat, repeat=5)) / repeat / series
        print(f"{name:<40} {best * 1e6:10.2f}")


if __name__ == "__main__":
    print_delays()
    print_costs()
