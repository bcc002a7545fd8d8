"""Many fast drills of long scenarios, gathered in a file: `python -m tests.bench.seeds [SCENARIO] --record FILE`.

Each drill is kept as a line of JSON as soon as it is over, and what is kept is not played again: so many seeds may come
in several goes, or from several processes. Then, and without a scenario at once, it shows what the file has.
"""

import argparse
import json
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from canary.drill.perform import Report, perform
from canary.drill.quantiles import count_interval, quantile, share_interval
from canary.drill.scenario import scenario

Kept = Mapping[str, Any]
_WEEK = 604_800.0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("name", nargs="?")
    options.add_argument("--first", type=int, default=1)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--record", type=Path, required=True)
    given = options.parse_args()
    if given.name:
        gather(given.name, range(given.first, given.first + given.seeds), given.record)
    found = gathered(given.record)
    for name in dict.fromkeys(one["scenario"] for one in found):
        show([one for one in found if one["scenario"] == name])


def gather(name: str, seeds: Sequence[int], record: Path) -> None:
    """Play what is missing."""
    found = scenario(name)
    known = {one["seed"] for one in gathered(record) if one["scenario"] == found.name}
    for seed in (seed for seed in seeds if seed not in known):
        began = time.process_time()
        report = perform(found, seed, lambda *_: None, fast=True)
        with record.open("a", encoding="utf-8") as file:
            file.write(json.dumps(kept(report, time.process_time() - began)) + "\n")


def gathered(record: Path) -> list[Kept]:
    """What the file has, by seed."""
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return sorted(map(json.loads, lines), key=lambda one: one["seed"])


def kept(report: Report, processor: float) -> Kept:
    """What a table needs of a drill."""
    judgement = report.judgement
    return {
        "scenario": report.name,
        "seed": report.seed,
        "weeks": (report.end - report.begin).total_seconds() / _WEEK,
        "runs": report.runs,
        "processor": processor,
        "held": judgement.held,
        "budget": judgement.budget,
        "false": [one.where for one in judgement.false],
        "unexpected": [one.where for one in judgement.unexpected],
        "faults": [
            {
                "fault": one.expected.fault,
                "incidents": [told.where for told in one.incidents],
                "seconds": one.delay.time.total_seconds() if one.delay else None,
                "missed": [f"{check.what}: {check.found}" for check in one.checks if not check.held],
            }
            for one in judgement.outcomes
        ],
    }


def show(drills: Sequence[Kept]) -> None:
    """Of one scenario: delays by fault, false alarms, and what was missed how often."""
    n, false = len(drills), sum(len(one["false"]) for one in drills)
    print(f"\n{drills[0]['scenario']}: {n} seeds of {drills[0]['weeks']:.3g} weeks and {drills[0]['runs']:,} runs")
    print("| fault | found | median, h (95 %) | p90, h (95 %) | one incident | all as expected |")
    print("| --- | --- | --- | --- | --- | --- |")
    for faults in zip(*(one["faults"] for one in drills), strict=True):
        hours = [math.inf if one["seconds"] is None else one["seconds"] / 3600.0 for one in faults]
        cells = [_told(quantile(hours, q)) for q in (0.5, 0.9)]
        single = sum(len(one["incidents"]) == 1 for one in faults)
        whole = sum(not one["missed"] for one in faults)
        head = f"| {faults[0]['fault']} | {sum(map(math.isfinite, hours))} of {n} | {' | '.join(cells)}"
        print(f"{head} | {single} | {whole} |")
    (few, many), held = count_interval(false), sum(one["held"] for one in drills)
    low, high = share_interval(held, n)
    budget, spent = sum(one["budget"] for one in drills), sum(one["processor"] for one in drills) / n
    print(f"{false} false alarms ({few:.2g} to {many:.2g}); the budget allows {budget:.2g}")
    print(f"{held} of {n} as expected ({low:.0%} to {high:.0%}); {spent:.0f} s of a processor each")
    others = Counter(where for one in drills for where in one["unexpected"])
    print(f"further incidents of a fault: {dict(others) or 'none'}")


def _told(found: tuple[float, float, float]) -> str:
    best, low, high = (f"{one:.2g}" if math.isfinite(one) else "never" for one in found)
    return f"{best} ({low} to {high})"


if __name__ == "__main__":
    main()
