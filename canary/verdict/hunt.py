"""`bisect` at work: fire what the race chooses, keep it, feed the arms."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from canary.pipeline.references import References
from canary.pipeline.watch import Watch
from canary.records import Observation, Probe, Purpose, Run, Target, burst_size
from canary.store.base import Store
from canary.verdict.baseline import BaselineBench
from canary.verdict.bisect import Arm, Cell, Dimension, Found, Race
from canary.verdict.engine import keep, unless
from canary.verdict.turns import Volley

WIDTH = 8
"""Probes under way, each of them chosen by what was known before all of them."""
_SEED = 1

FireWithin = Callable[[str, Volley], Awaitable[Sequence[Observation]]]
"""Fires a volley in this session, or ("") in one of its own."""
Told = Callable[[int, Found], None]


@dataclass(frozen=True, slots=True)
class Shot:
    """What a cell fires: one of these probes, alone or in a burst, in this session ("": a fresh one).

    Its answers feed the arms in `feeds`, and with `named` also the arm of the replica that names itself; that is
    `replica`, where the session has met it before.
    """

    target: Target
    group: str
    probes: tuple[Probe, ...]
    feeds: frozenset[Arm] = frozenset()
    session: str = ""
    replica: str = ""
    named: bool = False

    @property
    def burst(self) -> int:
        return burst_size(self.group)

    @property
    def likely(self) -> frozenset[Arm]:
        """The arms that it will feed as far as anybody knows before."""
        return self.arms(self.replica)

    def arms(self, replica: str) -> frozenset[Arm]:
        """What an answer of this replica feeds."""
        return self.feeds | {Arm(Dimension.REPLICA, replica)} if replica and self.named else self.feeds


@dataclass(frozen=True, slots=True)
class Field:
    """All that may be fired to find out about `target`, and what judges it; `unasked` arms have no baseline."""

    target: Target
    benches: Mapping[Arm, BaselineBench]
    cells: Sequence[Cell]
    shots: Sequence[Shot]
    watches: Mapping[str, Watch]
    unasked: Sequence[Arm] = ()


@dataclass(slots=True)
class _Hunt:
    store: Store
    fire: FireWithin
    ground: Field
    region: str
    now: datetime
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(_SEED))
    references: References = field(default_factory=References)
    fired: int = 0

    def volley(self, shot: Shot, nth: int) -> Volley:
        probe = shot.probes[int(self.rng.integers(len(shot.probes)))]
        salt = int(self.rng.integers(max(1, len(probe.salts))))
        place = shot.target, self.region, self.now, (self.fired + nth) * shot.burst
        return Run(probe, *place, salt, Purpose.REPLAY, shot.burst).volley

    def side_by_side(self, cells: Sequence[Cell]) -> Sequence[Cell]:
        """Lone runs; a burst by itself, for two would be a larger one."""
        alone = [cell for cell in cells if self.ground.shots[cell.place].burst == 1]
        return cells[:1] if cells[0] not in alone else alone

    async def wave(self, race: Race, width: int, stop: asyncio.Event) -> bool:
        """Fire, keep and hear what the race chooses. False where it was stopped."""
        cells = self.side_by_side([race.choose() for _ in range(width)])
        shots = [self.ground.shots[cell.place] for cell in cells]
        volleys = [self.volley(shot, nth) for nth, shot in enumerate(shots)]
        fires = [self.fire(shot.session, volley) for shot, volley in zip(shots, volleys, strict=True)]
        seen = await unless(stop, asyncio.gather(*fires))
        if seen is None:
            return False
        for cell, shot, volley, answers in zip(cells, shots, volleys, seen, strict=True):
            watch = self.ground.watches[shot.target.name]
            kept = await asyncio.to_thread(keep, self.store, watch, self.references, [(volley,)], [[answers]])
            replica = answers[0].replica
            race.hear(shot.arms(replica), kept[0])
            if shot.replica and replica != shot.replica:
                race.drop(cell)  # the session has moved
        self.fired += len(shots)
        return True


async def hunt(
    store: Store,
    fire: FireWithin,
    ground: Field,
    region: str,
    n: int,
    now: datetime,
    told: Told,
    stop: asyncio.Event | None = None,
) -> tuple[int, Found]:
    """Fire `n` volleys at most; returns how many it took, and what was found. A stopped wave does not count."""
    at_work, stopped = _Hunt(store, fire, ground, region, now), stop or asyncio.Event()
    race = Race(ground.benches, ground.cells, at_work.rng)
    width = min(WIDTH, ground.target.limits.concurrency)
    while at_work.fired < n and not race.over:
        if not await at_work.wave(race, min(width, n - at_work.fired), stopped):
            break
        told(at_work.fired, race.found())
    return at_work.fired, race.found()
