"""What is fired for a verdict: turns, each a volley at the target, or one at each of two targets."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

import numpy as np

from canary.records import Probe, Purpose, Run, Target, burst_size

Volley = tuple[Run, ...]
"""A run, or all runs of a burst."""
Turn = tuple[Volley, ...]
"""What is fired one after the other, and judged as one: a volley, or two that make a pair."""
Groups = Mapping[str, Sequence[Probe]]
"""Probes by probe group."""


def plan(
    target: Target, groups: Groups, region: str, n: int, now: datetime, purpose: Purpose = Purpose.REPLAY
) -> tuple[Volley, ...]:
    """`n` runs or bursts: groups in turn, probe and salt drawn at random as in production.

    In turn, because a pass waits for the group with the fewest answers. The same moment draws the same.

    Raises:
        ValueError: no probe.
    """
    drawn = _drawn(groups, n, np.random.default_rng(_seed(now)))
    return tuple(
        Run(probe, target, region, now, ordinal * burst, salt, purpose, burst).volley
        for ordinal, (burst, probe, salt) in enumerate(drawn)
    )


def plan_pairs(
    targets: tuple[Target, Target],
    groups: Groups,
    region: str,
    n: int,
    now: datetime,
    purpose: Purpose = Purpose.COMPARE,
) -> tuple[Turn, ...]:
    """`n` pairs: the same probe and salt at both targets, which of them first at random; else as `plan`.

    Raises:
        ValueError: no probe.
    """
    rng = np.random.default_rng(_seed(now))
    turns = []
    for ordinal, (burst, probe, salt) in enumerate(_drawn(groups, n, rng)):
        pair = [Run(probe, one, region, now, ordinal * burst, salt, purpose, burst).volley for one in targets]
        turns.append(tuple(pair if rng.random() < 0.5 else reversed(pair)))
    return tuple(turns)


def waves(turns: Sequence[Turn]) -> Iterator[Sequence[Turn]]:
    """As many lone runs at a time as each target may bear, but one burst: two would be a larger one."""
    for bursting, alike in groupby(turns, key=lambda turn: len(turn[0]) > 1):
        members = list(alike)
        width = 1 if bursting else min(volley[0].target.limits.concurrency for volley in members[0])
        yield from (members[begin : begin + width] for begin in range(0, len(members), width))


def _drawn(groups: Groups, n: int, rng: np.random.Generator) -> list[tuple[int, Probe, int]]:
    """Burst size, probe and salt of each."""
    if not any(groups.values()):
        raise ValueError("need one probe at least")
    ordered = [(burst_size(group), sorted(probes, key=_digest)) for group, probes in sorted(groups.items()) if probes]
    turns = [ordered[ordinal % len(ordered)] for ordinal in range(n)]
    chosen = [(burst, members[int(rng.integers(len(members)))]) for burst, members in turns]
    return [(burst, probe, int(rng.integers(max(1, len(probe.salts))))) for burst, probe in chosen]


def _seed(now: datetime) -> int:
    return int(now.timestamp() * 1000)


def _digest(probe: Probe) -> str:
    return probe.digest
