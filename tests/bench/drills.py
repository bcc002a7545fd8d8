"""Fast drills beside full ones of the same seeds: `python -m tests.bench.drills [SCENARIO] [--seeds N]`.

Without a scenario, three hours of two targets, of which one puts foreign characters into some answers for an hour.
"""

import argparse
import math
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from scipy.stats import ks_2samp, mannwhitneyu

from canary.drill.perform import Report, perform
from canary.drill.quantiles import quantile
from canary.drill.scenario import scenario
from tests.unit.drill.small import written

WEAK = ("share: 0.5, rate: 0.1", "share: 0.3, rate: 0.03")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("name", nargs="?")
    options.add_argument("--seeds", type=int, default=20)
    given = options.parse_args()
    with TemporaryDirectory() as folder:
        found = scenario(given.name or str(written(Path(folder), WEAK)))
    print("| drill | found | median, min (95 %) | p90, min (95 %) | incidents | armed | processor, s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    delays = {}
    for fast in (False, True):
        began = time.process_time()
        reports = [perform(found, seed, lambda *_: None, fast=fast) for seed in range(1, given.seeds + 1)]
        spent = time.process_time() - began
        delays[fast] = [delay for one in reports for delay in _delays(one)]
        cells = [_minutes(quantile(delays[fast], q)) for q in (0.5, 0.9)]
        caught = sum(map(math.isfinite, delays[fast]))
        told = sum(len(outcome.incidents) for one in reports for outcome in one.judgement.outcomes)
        armed = sum(one.armed for one in reports)
        head = f"| {'fast' if fast else 'full'} | {caught} of {len(delays[fast])} | {' | '.join(cells)}"
        print(f"{head} | {told} | {armed} | {spent / given.seeds:.1f} |")
    rank = mannwhitneyu(delays[False], delays[True]).pvalue
    print(f"\nthe same law? Mann-Whitney p = {rank:.2f}, Kolmogorov-Smirnov p = {_ks(delays):.2f}")


def _delays(report: Report) -> list[float]:
    outcomes = report.judgement.outcomes
    return [one.delay.time.total_seconds() / 60.0 if one.delay else math.inf for one in outcomes]


def _ks(delays: dict[bool, list[float]]) -> float:
    never = 1e12
    return float(ks_2samp(*([min(one, never) for one in delays[kind]] for kind in (False, True))).pvalue)


def _minutes(found: tuple[float, float, float]) -> str:
    best, low, high = (f"{one:.0f}" if math.isfinite(one) else "never" for one in found)
    return f"{best} ({low} to {high})"


if __name__ == "__main__":
    main()
