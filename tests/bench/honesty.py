"""Faults of random kind, strength, place and time: `python -m tests.bench.honesty --runs 200`."""

import argparse
import os
from collections import defaultdict

from canary.drill.honesty import Attempt, Share, attempts, shares


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--full", action="store_true", help="fire every answer")
    given = options.parse_args()
    seeds = range(given.seed, given.seed + given.runs)
    played = sorted(attempts(seeds, os.cpu_count() or 1, fast=not given.full), key=lambda one: one.seed)
    print(f"{len(played)} scenarios, seeds {seeds[0]} to {seeds[-1]}\n")
    print("| | | 95 % |\n| --- | --- | --- |")
    for share in (*shares(played), *_by_kind(played)):
        low, high = share.bounds
        print(f"| {share.what} | {share.count} of {share.of} | {low:.0%} to {high:.0%} |")
    false, budget = sum(one.false for one in played), sum(one.budget for one in played)
    print(f"\n{false} false alarms; the budget allows {budget:.1f}")


def _by_kind(played: list[Attempt]) -> list[Share]:
    kinds = defaultdict(list)
    for one in played:
        for trial in one.trials:
            kinds[trial.kind].append(trial.found)
    return [Share(f"found: {kind}", sum(found), len(found)) for kind, found in sorted(kinds.items())]


if __name__ == "__main__":
    main()
