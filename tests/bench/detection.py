"""How soon a fault is seen, against a detector that knows everything: `python -m tests.bench.detection`.

Oracle CUSUM knows both laws, and its threshold is set so that its *measured* ARL is c. Ours knows the healthy law only
and keeps its proven guarantee, ARL >= c. Delays are means over seeded series, from the change to the first alarm, after
a long healthy time. Three columns take the ratio apart:

    proof      without the outcomes, R jumps beyond 1 unused: what plain e-SR with its proven threshold pays
    ours       with them (`esr.step`), nothing is lost to the proof: alarms and R rise by the budget exactly
    told       ours with the one alternative that is true: the rest, ours / told, is not knowing the alternative

`--rules`, `--scopes` and `--mess` add the comparison with common rules, hierarchies and sticky sessions, and validity
where noise is not as in a textbook; `--all` everything (some minutes).
"""

import argparse
import math
import timeit

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from canary.detect import DistanceDetector, EventDetector, Outcomes, delay, evidence, start, step
from tests.bench import oracles, rules, scopes
from tests.statistics.simulate import Draw, bernoulli, first_alarms

PAIRS = ((1e-3, 1e-2), (5e-3, 2e-2), (5e-5, 8e-3), (1e-4, 8e-3))
SHIFTS = ((0.008, 5.0), (0.02, 5.0), (0.16, 5.0), (0.0018, 5.0), (0.008, 3.0), (0.16, 3.0))
COUNTED = 3  # of `SHIFTS`, those that the goal names
LEVELS = (1e5, 2e7)
SERIES = 2000
WARMUP = 1000
_SHORTER = 300  # for scores, whose R settles sooner; what is missing makes ours later, not earlier
Row = tuple[float, float, float, float]


def delays(
    table: NDArray[np.float64], known: Outcomes | None, healthy: Draw, faulty: Draw, c: float, warmup: int = WARMUP
) -> float:
    times = first_alarms(
        table, faulty, -math.log(c), SERIES, 1, warm=healthy, warmup=warmup, horizon=1_000_000, known=known
    )
    return float(times.mean())


def bernoulli_row(p: float, q: float, c: float) -> Row:
    down, up = math.log((1.0 - p) / (1.0 - q)), math.log(q / p)

    def increments(rate: float) -> oracles.Increments:
        return lambda rng, n: np.where(rng.random(n) < rate, up, -down)

    threshold = oracles.bernoulli_threshold(p, q, c)
    best = oracles.cusum_delay(increments(p), increments(q), threshold, SERIES, WARMUP, 1)
    ours = EventDetector(-math.log1p(-p)).outcomes(1.0)
    told = EventDetector(-math.log1p(-p), (math.log1p(-q) / math.log1p(-p),)).outcomes(1.0)
    runs = [
        delays(outcomes.log_e[::-1], known, bernoulli(p), bernoulli(q), c)
        for outcomes, known in ((ours, None), (ours, ours), (told, told))
    ]
    return best, *runs


def contamination_row(p: float, shift: float, c: float) -> Row:
    fault, healthy = oracles.Contamination(p, shift), oracles.Contamination(0.0, shift)
    best = oracles.cusum_delay(
        lambda rng, n: fault.llr(rng.normal(size=n)),
        lambda rng, n: fault.llr(fault.scores(rng, n)),
        fault.threshold(c),
        SERIES,
        WARMUP,
        1,
    )
    edges, ours = oracles.known_null(c)
    told = told_alternative(edges, ours, fault)

    def cells(law: oracles.Contamination) -> Draw:
        return lambda rng, n: len(edges) - np.searchsorted(edges[::-1], law.scores(rng, n), side="left")

    runs = [
        delays(outcomes.log_e, known, cells(healthy), cells(fault), c, _SHORTER)
        for outcomes, known in ((ours, None), (ours, ours), (told, told))
    ]
    return best, *runs


def told_alternative(edges: NDArray[np.float64], ours: Outcomes, fault: oracles.Contamination) -> Outcomes:
    """The likelihood ratio of each cell under the true fault, as the only alternative."""
    bad = np.diff(np.r_[0.0, ndtr(fault.shift - edges), 1.0])
    return Outcomes(ours.log_law, np.log(1.0 - fault.p + fault.p * bad / np.exp(ours.log_law))[:, np.newaxis])


def print_delays() -> None:
    print(f"mean probes to alarm, {SERIES} series; ratios to oracle CUSUM\n")
    print(f"{'fault':<26} {'c':>6} {'oracle':>8} {'ours':>8} {'proof':>6} {'ours':>6} {'told':>6}")
    counted = []
    for c in LEVELS:
        for p, q in PAIRS:
            counted.append(_print(f"events {p:.0e} -> {q:.0e}", c, bernoulli_row(p, q, c)))
        for at, (p, shift) in enumerate(SHIFTS):
            ratio = _print(
                f"{p:.2%} at {shift:.0f} sd{'' if at < COUNTED else ' (beside)'}", c, contamination_row(p, shift, c)
            )
            counted += [ratio] if at < COUNTED else []
    print(f"\nmean ratio {np.mean(counted):.3f}, largest {max(counted):.3f} (goal 1.20, 1.30)")


def _print(name: str, c: float, row: Row) -> float:
    best, *runs = row
    proof, ours, told = (run / best for run in runs)
    print(f"{name:<26} {c:6.0e} {best:8.1f} {runs[1]:8.1f} {proof:6.2f} {ours:6.2f} {told:6.2f}", flush=True)
    return ours


def print_costs() -> None:
    event = EventDetector(1e-4)
    distance = DistanceDetector.from_golden(list(np.linspace(0.0, 1.0, 1000)), 1e-4)
    twenty = EventDetector(1e-4, tuple(np.geomspace(2.0, 400.0, 20).tolist()))
    one, many, log_e = start(event.alternatives), start(20, (1000,)), event.log_e(0.0, 100.0, 0.0)
    table, known, spend = twenty.log_e(0.0, 1.0, 0.0), twenty.outcomes(1.0), np.full(1000, -17.0)
    for _ in range(50):
        many = step(many, table, spend, known)
    costs = {
        "e-value of an event score": (lambda: event.log_e(0.0, 100.0, 0.0), 1),
        "e-value of a distance": (lambda: distance.log_e(0.3, 1.0, 0.0), 1),
        "step and evidence, one series": (lambda: evidence(step(one, log_e, -17.0, event.outcomes(100.0))), 1),
        "step, of 1,000 at once, K = 20": (lambda: step(many, table, spend, known), 1000),
        "step and evidence, the same": (lambda: evidence(step(many, table, spend, known)), 1000),
        "forecast of a delay": (lambda: delay(event, 0.008, 1.0, -17.0), 1),
    }
    print("\nmicroseconds, best of 5")
    for name, (work, series) in costs.items():
        repeat = max(1, 1000 // series)
        best = min(timeit.repeat(work, number=repeat, repeat=5)) / repeat / series
        print(f"{name:<40} {best * 1e6:10.2f}")
    fleet = start(20, (100_000,))
    print(f"state of 100,000 series, K = 20: {(fleet.log_r.nbytes + fleet.n.nbytes) / 1e6:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("rules", "scopes", "mess", "all"):
        parser.add_argument(f"--{name}", action="store_true")
    chosen = parser.parse_args()
    print_delays()
    print_costs()
    if chosen.scopes or chosen.all:
        scopes.print_scopes()
    if chosen.rules or chosen.all:
        rules.print_rules()
    if chosen.mess or chosen.all:
        scopes.print_mess()


if __name__ == "__main__":
    main()
