"""The bank of a fast drill: what each meeting makes of each variant of a probe, fired and scored once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple

import numpy as np
from typing_extensions import override

from canary.drill.clock import VirtualClock
from canary.drill.fast.odds import Meeting
from canary.drill.wire import LabWire
from canary.lab.batches import NOON
from canary.lab.engine import Work
from canary.lab.faults import FaultKind
from canary.lab.fleet import Fleet, Reply, Request, work_of
from canary.lab.spec import FleetSpec
from canary.probe.client import ProbeClient
from canary.records import Observation, Probe, Reference, Run, Score, Target, Unscored
from canary.score import Scorer, score

DRAWS = 32
"""Answers to a variant that are fired where faults strike it at random, for each pool and set of faults; further ones
are drawn from those, with repetition."""
SAMPLES = 256
"""The same for an answer whose tokens are sampled."""

_PAUSE = timedelta(hours=1)  # longer than any silence that a throttled answer asks for
_NEVER = 1e-6  # what is that seldom is left out
_FAILING = (FaultKind.UNREACHABLE, FaultKind.THROTTLED)


class Variant(NamedTuple):
    """What is fired: a probe in one of its salts at a target, alone or in a burst."""

    target: str
    group: str
    probe: str  # digest
    salt: int


@dataclass(slots=True)
class Spot:
    """A meeting of a variant: `chance` is how likely something is left to chance in an answer (None: not known yet).

    `calm` is the answer where nothing is, by its place in the bank (None: something always is).
    """

    variant: Variant
    meeting: Meeting
    chance: float | None = None
    calm: int | None = None
    key: int = 0  # the first number that was not tried yet

    @property
    def most(self) -> int:
        """How many answers are drawn where something is."""
        return DRAWS if self.calm is not None or self.meeting.struck else SAMPLES

    @property
    def kin(self) -> tuple[object, ...]:
        """What it has in common with the spots that it shares its draws with."""
        return self.variant, self.meeting.server.pool, self.meeting.struck


@dataclass(slots=True)
class Vector:
    """An answer that was fired, its tokens, and its scores once it is judged; then its body is dropped."""

    variant: Variant
    seen: Observation
    tokens: int
    scores: tuple[Score | Unscored, ...] = ()


class Bank:
    """All that was fired. `fired` counts them; a vector's place in the bank is its number."""

    def __init__(self, spec: FleetSpec, targets: Iterable[Target], region: str, now: datetime) -> None:
        self.vectors: list[Vector] = []
        self._fleet = _Told(spec)
        self._clock = VirtualClock(now)
        self._client = ProbeClient(LabWire(self._fleet, lambda _: (), self._clock), self._clock)
        self._targets = {target.name: target for target in targets}
        self._region = region
        self._spots: dict[tuple[Variant, Meeting], Spot] = {}
        self._drawn: dict[tuple[object, ...], list[int]] = {}

    def __len__(self) -> int:
        return len(self.vectors)

    async def spot(self, probe: Probe, variant: Variant, burst: int, meeting: Meeting) -> Spot:
        """With its chance known, and its calm answer fired where there is one."""
        spot = self._spots.setdefault((variant, meeting), Spot(variant, meeting))
        if spot.chance is None:
            place = await self._fire(probe, burst, spot, struck=False)
            spot.chance = self._fleet.chance
            spot.calm = None if spot.chance >= 1.0 - _NEVER else place
            if spot.calm is None:
                self._drawn.setdefault(spot.kin, []).append(place)
        return spot

    async def draw(self, probe: Probe, burst: int, spot: Spot, rng: np.random.Generator) -> int:
        """An answer with something of chance in it: a fresh one of the spot, or one of those of its kin."""
        drawn = self._drawn.setdefault(spot.kin, [])
        if len(drawn) >= spot.most:
            return drawn[int(rng.integers(len(drawn)))]
        drawn.append(await self._fire(probe, burst, spot, struck=True))
        return drawn[-1]

    def judge(
        self, target: str, probes: Mapping[str, Probe], known: "References", scorers: Mapping[str, Scorer]
    ) -> None:
        """Score what a target answered; `probes` by digest."""
        for vector in self.vectors:
            if vector.variant.target == target and not vector.scores:
                probe, variant = probes[vector.variant.probe], vector.variant
                reference = known.get((variant.probe, variant.salt))
                vector.scores = score(probe, vector.seen, reference, scorers)
                vector.seen = replace(vector.seen, response=None)

    async def _fire(self, probe: Probe, burst: int, spot: Spot, *, struck: bool) -> int:
        variant, self._fleet.order = spot.variant, _Order(spot.meeting, struck, spot.key)
        self._clock.reach(self._clock.now() + _PAUSE)
        run = Run(probe, self._targets[variant.target], self._region, self._clock.now(), salt=variant.salt, burst=burst)
        (seen,) = await self._client.fire_at_once((run,))
        spot.key = self._fleet.key + 1
        self.vectors.append(Vector(variant, seen, _tokens(seen)))
        return len(self.vectors) - 1


References = Mapping[tuple[str, int], Reference]
"""Of a target, by probe (digest) and salt."""


@dataclass(frozen=True, slots=True)
class _Order:
    meeting: Meeting
    struck: bool
    key: int  # the first that may be used


class _Told(Fleet):
    """A fleet that is told what each request meets."""

    def __init__(self, spec: FleetSpec) -> None:
        super().__init__(spec)
        self.order: _Order | None = None
        self.chance = 0.0
        self.key = 0

    @override
    def reply(self, request: Request, nth: int = 0, batch: int = 1, hour: float = NOON) -> Reply:
        if self.order is None:
            raise RuntimeError("nobody said what the request meets")
        order, meeting = self.order, self.order.meeting
        server, struck, program = meeting.server, meeting.struck, meeting.program
        self.chance, self.key = 0.0, order.key
        if not any(fault.kind in _FAILING for fault in struck):
            work = work_of(request, server, struck, program)
            self.chance = 1.0 if _sampled(work) else 1.0 - self.engine.calm(work)
            if not order.struck and self.chance < 1.0 - _NEVER:
                struck = tuple(replace(fault, rate=0.0) for fault in struck)
            elif not _sampled(work):
                self.key = next(n for n in count(order.key) if self.engine.struck(work, request.digest(n)))
        return self.served(request, server, struck, program, request.digest(self.key))


def _sampled(work: Work) -> bool:
    return work.sampling.temperature > 0.0 and work.sampling.seed is None


def _tokens(seen: Observation) -> int:
    response = seen.response
    return 0 if response is None else (response.prompt_tokens or 0) + (response.completion_tokens or 0)


def worst_of(vectors: Sequence[Vector]) -> tuple[Score | Unscored, ...]:
    """What a burst comes to: for each signal the largest score, or why there is none."""
    found: dict[str, Score | Unscored] = {}
    for vector in vectors:
        for one in vector.scores:
            known = found.get(one.signal)
            if known is None or (isinstance(one, Score) and (not isinstance(known, Score) or one.value > known.value)):
                found[one.signal] = one
    return tuple(found.values())
