"""How soon a fault is seen, against a detector that knows everything: `python -m tests.bench.detection`.

Oracle CUSUM knows both laws, and its threshold is set so that its *measured* ARL is c. Ours knows the healthy law only
and keeps its proven guarantee, ARL >= c. Delays are means over seeded series, from the change to the first alarm, after
a long healthy time. Three columns take the ratio apart:

    proof      without the outcomes, R jumps beyond 1 unused: what plain e-SR with its proven threshold pays
    ours       with them (`esr.step`), nothing is lost to the proof: alarms and R rise by the budget exactly
    told       ours with the one alternative that is true: the rest, ours / told, is not knowing the alternative

`--rules`, `--scopes` and `--mess` add the comparison with common rules, hierarchies and sticky sessions, and validity
where noise is not as in a textbook; `--all` everything (some minutes). `--record FILE.json` keeps the results, which
`python -m tests.bench.sooner FILE.json FILE.svg` draws.
"""

import argparse
import json
import math
import time
import timeit
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from typing_extensions import override

from canary.detect import DistanceDetector, EventDetector, Outcomes, delay, evidence, start, step
from tests.bench import oracles, rules, scopes
from tests.bench.intervals import Mean
from tests.statistics.simulate import Draw, bernoulli, first_alarms

PAIRS = ((1e-3, 1e-2), (5e-3, 2e-2), (5e-5, 8e-3), (1e-4, 8e-3))
SHIFTS = ((0.008, 5.0), (0.02, 5.0), (0.16, 5.0), (0.0018, 5.0), (0.008, 3.0), (0.16, 3.0))
COUNTED = 3  # of `SHIFTS`, those that the goal names
LEVELS = (1e5, 2e7)
SERIES = 2000
WARMUP = 1000
_SHORTER = 300  # for scores, whose R settles sooner; what is missing makes ours later, not earlier


@dataclass(frozen=True, slots=True)
class Delays:
    """Mean probes to alarm of the oracle and of the three detectors that take our ratio apart."""

    fault: str
    c: float
    is_counted: bool
    oracle: Mean
    proof: Mean
    ours: Mean
    told: Mean

    def ratio(self, delay: Mean) -> Mean:
        """To the oracle, with the errors of both."""
        ratio = delay.value / self.oracle.value
        relative = math.hypot(delay.error / delay.value, self.oracle.error / self.oracle.value)
        return Mean(ratio, ratio * relative)

    @override
    def __str__(self) -> str:
        proof, ours, told = (self.ratio(each) for each in (self.proof, self.ours, self.told))
        name = self.fault + ("" if self.is_counted else " (beside)")
        delays = f"{self.oracle.value:8.1f} {self.ours.value:8.1f}"
        ratios = f"{proof.value:6.2f} {ours.value:6.2f} {told.value:6.2f}   {ours.error:.2f}"
        return f"{name:<26} {self.c:6.0e} {delays} {ratios}"


def delays(
    table: NDArray[np.float64], known: Outcomes | None, healthy: Draw, faulty: Draw, c: float, warmup: int = WARMUP
) -> Mean:
    times = first_alarms(
        table, faulty, -math.log(c), SERIES, 1, warm=healthy, warmup=warmup, horizon=1_000_000, known=known
    )
    return Mean.of(times)


def bernoulli_row(p: float, q: float, c: float) -> Delays:
    down, up = math.log((1.0 - p) / (1.0 - q)), math.log(q / p)

    def increments(rate: float) -> oracles.Increments:
        return lambda rng, n: np.where(rng.random(n) < rate, up, -down)

    threshold = oracles.bernoulli_threshold(p, q, c)
    best = oracles.cusum_delays(increments(p), increments(q), threshold, SERIES, WARMUP, 1)
    ours = EventDetector(-math.log1p(-p)).outcomes(1.0)
    told = EventDetector(-math.log1p(-p), (math.log1p(-q) / math.log1p(-p),)).outcomes(1.0)
    runs = [
        delays(outcomes.log_e[::-1], known, bernoulli(p), bernoulli(q), c)
        for outcomes, known in ((ours, None), (ours, ours), (told, told))
    ]
    return Delays(f"events {p:.0e} -> {q:.0e}", c, True, Mean.of(best), *runs)


def contamination_row(p: float, shift: float, c: float, *, is_counted: bool) -> Delays:
    fault, healthy = oracles.Contamination(p, shift), oracles.Contamination(0.0, shift)
    best = oracles.cusum_delays(
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
    return Delays(f"{100 * p:g} % at {shift:.0f} sd", c, is_counted, Mean.of(best), *runs)


def told_alternative(edges: NDArray[np.float64], ours: Outcomes, fault: oracles.Contamination) -> Outcomes:
    """The likelihood ratio of each cell under the true fault, as the only alternative."""
    bad = np.diff(np.r_[0.0, ndtr(fault.shift - edges), 1.0])
    return Outcomes(ours.log_law, np.log(1.0 - fault.p + fault.p * bad / np.exp(ours.log_law))[:, np.newaxis])


def measured_delays() -> Iterator[Delays]:
    print(f"mean probes to alarm, {SERIES} series; ratios to oracle CUSUM, that of ours +- 95 %\n")
    print(f"{'fault':<26} {'c':>6} {'oracle':>8} {'ours':>8} {'proof':>6} {'ours':>6} {'told':>6}     +-")
    for c in LEVELS:
        yield from (bernoulli_row(p, q, c) for p, q in PAIRS)
        for at, (p, shift) in enumerate(SHIFTS):
            yield contamination_row(p, shift, c, is_counted=at < COUNTED)


def print_summary(rows: Sequence[Delays]) -> None:
    ratios = [row.ratio(row.ours).value for row in rows if row.is_counted]
    print(f"\nmean ratio {np.mean(ratios):.3f}, largest {max(ratios):.3f} (goal 1.20, 1.30)")


def print_costs() -> None:
    event = EventDetector(1e-4)
    distance = DistanceDetector.from_golden(list(np.linspace(0.0, 1.0, 1000)), 1e-4)
    one, log_e, known = start(event.alternatives), event.log_e(0.0, 100.0, 0.0), event.outcomes(100.0)
    costs = {
        "e-value of an event score": lambda: event.log_e(0.0, 100.0, 0.0),
        "e-value of a distance": lambda: distance.log_e(0.3, 1.0, 0.0),
        "step and evidence, one series": lambda: evidence(step(one, log_e, -17.0, known)),
        "forecast of a delay": lambda: delay(event, 0.008, 1.0, -17.0),
    }
    print("\nmicroseconds, best of 5")
    for name, work in costs.items():
        print(f"{name:<40} {min(timeit.repeat(work, number=1000, repeat=5)) * 1e3:10.2f}")
    for series in (1_000, 100_000):
        print_speed(series)


def print_speed(series: int, alternatives: int = 20) -> None:
    """Series of known outcomes, of which one in 10,000 shows an event in a slot, after 50 such slots."""
    detector, rng = (
        EventDetector(1e-4, tuple(np.geomspace(2.0, 400.0, alternatives).tolist())),
        np.random.default_rng(6),
    )
    known, spend, state = detector.outcomes(1.0), np.full(series, -17.0), start(alternatives, (series,))
    table, draw = known.log_e[::-1], bernoulli(1e-4)
    fed = [table[draw(rng, series)] for _ in range(50 if series < 10_000 else 5)]
    for slot in range(50):
        state = step(state, fed[slot % len(fed)], spend, known)
    repeat = max(1, 200_000 // series)
    work = timeit.Timer(lambda: evidence(step(state, fed[0], spend, known)), timer=time.process_time)
    best = min(work.repeat(repeat=7, number=repeat)) / repeat
    held = (state.log_r.nbytes + state.n.nbytes) / 1e6
    print(
        f"{series:7,} series, K = {alternatives}: {series / best / 1e6:.2f} million steps with evidence a second of "
        f"CPU; state {held:.1f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("rules", "scopes", "mess", "all"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--record", type=Path, metavar="FILE.json", help="keep the results as data")
    chosen = parser.parse_args()
    figures: dict[str, list[Any]] = {"delays": _printed(measured_delays())}
    print_summary(figures["delays"])
    print_costs()
    if chosen.rules or chosen.all:
        figures["rules"] = _printed(rules.measured_rules())
    if chosen.scopes or chosen.all:
        figures["scopes"] = _printed(scopes.measured_scopes())
        scopes.print_sticky()
        scopes.print_hearing()
    if chosen.mess or chosen.all:
        figures["mess"] = _printed(scopes.measured_mess())
    if chosen.record:
        chosen.record.write_text(json.dumps(_plain(figures), indent=1) + "\n", "utf-8")


def _printed(rows: Iterator[Any]) -> list[Any]:
    kept = []
    for row in rows:
        print(row, flush=True)
        kept.append(row)
    return kept


def _plain(fact: Any) -> Any:
    """As JSON has it, which knows no infinity: null is "not seen"."""
    if is_dataclass(fact):
        return {field.name: _plain(getattr(fact, field.name)) for field in fields(fact)}
    if isinstance(fact, dict):
        return {name: _plain(each) for name, each in fact.items()}
    if isinstance(fact, list | tuple):
        return [_plain(each) for each in fact]
    return None if fact == math.inf else fact


if __name__ == "__main__":
    main()
