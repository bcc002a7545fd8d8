"""How many probes `canary bisect` takes to name the part that carries a fault: `python -m tests.bench.bisect`.

A pool of four replicas beside another pool. Answers are drawn; race and benches are the real ones, with a share of 10 %
to exclude. Beside the race: *uniform*, which fires every cell as often as any other until all parts are decided,
and *in turn*, which replays part after part, each until it is decided, and so hears every answer for one part alone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from canary.detect import Verdict
from canary.verdict.bisect import Arm, Cell, Dimension, Race
from tests.bench.intervals import Count
from tests.unit.test_bisect import POOLS, a_bench
from tests.unit.test_verdict_bench import an_answer

RUNS = 40
MOST = 3_000
REPLICAS = tuple(Arm(Dimension.REPLICA, f"short-{nth}") for nth in range(4))
FRESH, OTHER = Cell(0, frozenset({POOLS[0]})), Cell(1, frozenset({POOLS[1]}))
DIRECTED = tuple(Cell(2 + nth, frozenset({arm})) for nth, arm in enumerate(REPLICAS))
CELLS = (FRESH, OTHER, *DIRECTED)


@dataclass(frozen=True, slots=True)
class Fault:
    """The share of wrong answers by replica, and in the other pool."""

    name: str
    replicas: tuple[float, ...]
    other: float
    carriers: frozenset[Arm]


FAULTS = (
    Fault("one replica, half of its answers", (0.0, 0.0, 0.5, 0.0), 0.0, frozenset({REPLICAS[2]})),
    Fault("one replica, all of its answers", (0.0, 0.0, 1.0, 0.0), 0.0, frozenset({REPLICAS[2]})),
    Fault("the pool, 30 % of its answers", (0.3,) * 4, 0.0, frozenset({POOLS[0]})),
    Fault("nothing", (0.0,) * 4, 0.0, frozenset()),
)


class World:
    """Answers as the product gets them: one in a fresh session names a replica, and feeds its arm too."""

    def __init__(self, fault: Fault, seed: int) -> None:
        self._fault = fault
        self._rng = np.random.default_rng((seed, 7))
        self._nth = 0

    def fire(self, race: Race, cell: Cell, *, alone: Arm | None = None) -> None:
        replica = cell.place - 2 if cell in DIRECTED else int(self._rng.integers(4))
        share = self._fault.other if cell is OTHER else self._fault.replicas[replica]
        answer = an_answer(self._nth, script=float(self._rng.random() < share))
        self._nth += 1
        heard = cell.arms | ({REPLICAS[replica]} if cell is FRESH else set())
        race.hear(heard if alone is None else {alone}, [answer])


def racing(race: Race, world: World, rng: np.random.Generator) -> Iterator[None]:
    while not race.over:
        world.fire(race, race.choose())
        yield


def uniform(race: Race, world: World, rng: np.random.Generator) -> Iterator[None]:
    while not race.over:
        world.fire(race, CELLS[int(rng.integers(len(CELLS)))])
        yield


def in_turn(race: Race, world: World, rng: np.random.Generator) -> Iterator[None]:
    for arm, cell in zip((*POOLS, *REPLICAS), CELLS, strict=True):
        while _open(race, arm):
            world.fire(race, cell, alone=arm)
            yield


def _open(race: Race, arm: Arm) -> bool:
    return any(one.arm == arm and one.verdict is Verdict.INCONCLUSIVE for one in race.found().standings)


WAYS: Mapping[str, Callable[[Race, World, np.random.Generator], Iterator[None]]] = {
    "bisect": racing,
    "uniform": uniform,
    "in turn": in_turn,
}


def one(fault: Fault, way: str, seed: int) -> tuple[int, bool]:
    """Probes until all parts are decided, and whether what carries the fault was named and nothing else."""
    race = Race({arm: a_bench() for arm in (*POOLS, *REPLICAS)}, CELLS, np.random.default_rng(seed))
    fired = 0
    for fired, _ in enumerate(WAYS[way](race, World(fault, seed), np.random.default_rng((seed, 3))), 1):
        if fired == MOST:
            break
    named = set(race.found().carriers)
    inside = {arm for arm in named if arm.dimension is not Dimension.POOL} or named
    return fired, inside == fault.carriers


def main() -> None:
    print(f"| fault | {' | '.join(f'{way}: probes | right' for way in WAYS)} |")
    print("| --- |" + " --- | --- |" * len(WAYS))
    for fault in FAULTS:
        cells = []
        for way in WAYS:
            found = [one(fault, way, seed) for seed in range(RUNS)]
            right = Count(sum(good for _, good in found), RUNS)
            low, high = (bound / RUNS for bound in right.interval)
            cells.append(f"{np.mean([fired for fired, _ in found]):.0f} | {right.share:.0%} ({low:.0%} to {high:.0%})")
        print(f"| {fault.name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
