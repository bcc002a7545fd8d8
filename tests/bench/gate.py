"""How often `canary gate` catches a fault, and how often it passes a healthy target: `python -m tests.bench.gate`.

The gate's own bench, plan and rule judge answers that are drawn from banks of score vectors of the lab (see
`tests.bench.gatebank`): an answer is a struck one with the fault's share as its chance, else a healthy one. So a run
takes a second and not minutes, and is a run of the verdict engine all the same. As a check of the banks some whole
gates are run end to end, over HTTP: `python -m tests.bench.gatewhole`. Intervals are those of Clopper and Pearson, at
95 %.
"""

import argparse
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np

from canary.cli.gate import BETA
from canary.detect import Rule, Verdict
from canary.records import Purpose
from canary.verdict.replay import bench_of
from canary.verdict.turns import plan
from tests.bench.gatebank import Bank, fill
from tests.bench.intervals import Count

WHEN = datetime(2025, 8, 25, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A gate that is asked for `share` with `probes` at most; the share of answers that `fault` strikes is the same."""

    fault: str
    share: float
    probes: int


SCENARIOS = (
    Scenario("corruption", 0.012, 400),
    Scenario("corruption", 0.005, 1_000),
    Scenario("misrouting", 0.16, 100),
    Scenario("dropped top token", 0.02, 300),
)
_BANK: list[Bank] = []
"""Filled before the processes fork, so that they share it."""


def gate(scenario: Scenario, healthy: bool, nth: int) -> tuple[str, int]:
    """The verdict of one run, and after how many probes."""
    bank, rng = _BANK[0], np.random.default_rng((nth, healthy, scenario.probes))
    rule = Rule(scenario.share, beta=BETA)
    moment = WHEN + timedelta(seconds=nth)
    volleys = plan(bank.target, bank.groups, "default", scenario.probes, moment, Purpose.GATE)
    planned = Counter(run.group for run, *_ in volleys)
    bench = bench_of(bank.watch, list(bank.watch.signals), rule, planned)
    struck = bank.struck[scenario.fault]
    for place, (run, *_) in enumerate(volleys, 1):
        bad = not healthy and rng.random() < scenario.share
        drawn = (struck if bad else bank.healthy)[run.probe.digest]
        bench.hear([drawn[int(rng.integers(len(drawn)))]])
        verdict = bench.verdict
        if verdict is not Verdict.INCONCLUSIVE:
            return verdict.value, place
    return Verdict.INCONCLUSIVE.value, len(volleys)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--golden", type=int, default=3_000, help="answers for each probe group")
    parser.add_argument("--bank", type=int, default=400, help="struck answers for each probe and fault")
    parser.add_argument("--fault", choices=sorted({one.fault for one in SCENARIOS}), help="this one alone")
    asked = parser.parse_args()
    _BANK.append(fill(asked.golden, 5 * asked.bank, asked.bank))
    print(
        f"golden answers: {asked.golden:,} for each of {len(_BANK[0].groups)} probe groups; runs: {asked.runs:,} each\n"
    )
    heads = "fault", "share", "probes", "caught", "95 %", "passed", "probes, median", "healthy: passed", "failed"
    print(f"| {' | '.join(heads)} |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        for scenario in (one for one in SCENARIOS if asked.fault in (None, one.fault)):
            outcomes = {
                healthy: list(pool.map(partial(gate, scenario, healthy), range(asked.runs), chunksize=10))
                for healthy in (False, True)
            }
            print(" | ".join(_cells(scenario, outcomes)), flush=True)


def _cells(scenario: Scenario, outcomes: dict[bool, list[tuple[str, int]]]) -> Iterator[str]:
    struck, sound = outcomes[False], outcomes[True]
    yield f"| {scenario.fault}"
    yield f"{scenario.share:.1%}"
    yield f"{scenario.probes:,}"
    yield from _counted(struck, "fail")
    yield f"{_share(struck, 'pass'):.2%}"
    yield f"{np.median([probes for verdict, probes in struck if verdict == 'fail']):.0f}"
    yield " ".join(_counted(sound, "pass"))
    yield f"{_share(sound, 'fail'):.2%} |"


def _counted(runs: list[tuple[str, int]], verdict: str) -> tuple[str, str]:
    count = Count(sum(one == verdict for one, _ in runs), len(runs))
    low, high = (bound / count.trials for bound in count.interval)
    return f"{count.share:.1%}", f"({low:.1%} to {high:.1%})"


def _share(runs: list[tuple[str, int]], verdict: str) -> float:
    return sum(one == verdict for one, _ in runs) / len(runs)


if __name__ == "__main__":
    main()
