"""The fleet: balancers, pools, replicas and models. A request and its number give a reply; no clock, no network.

All randomness of a reply derives from the fleet's seed, the request (with its affinity key) and `nth`, which tells
repetitions of one request apart: the same requests get the same replies, in whatever order they come in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from canary.lab import batches, noise
from canary.lab.batches import NOON
from canary.lab.decode import Sampling, Touch
from canary.lab.engine import ANSWERS, Answer, Engine, Server, Work
from canary.lab.faults import OF_REPLICAS, Fault, FaultKind, chosen, strength
from canary.lab.model import vocabulary
from canary.lab.selection import Layout
from canary.lab.spec import FleetSpec, Platform, Pool


@dataclass(frozen=True, slots=True)
class Request:
    """`affinity` is the session key by which balancers stick; without one each request is a session of its own."""

    model: str
    platform: str
    pool: str
    prompt: str = field(repr=False)
    sampling: Sampling
    affinity: str = ""
    tools: tuple[str, ...] = ()  # by name; the prompt describes them
    echo: bool = False  # the answer begins with the prompt

    def digest(self, *parts: object) -> int:
        """64 bits that depend on all of the request, and on `parts`."""
        asked = (self.model, self.platform, self.pool, self.prompt, self.sampling)
        return noise.digest(*asked, self.affinity, self.tools, self.echo, *parts)


@dataclass(frozen=True, slots=True)
class Reply:
    """What one replica does with a request after `delay` seconds: answer it, or fail as `failure` says."""

    replica: str
    delay: float
    answer: Answer | None = None
    failure: FaultKind | None = None


class UnknownTarget(LookupError):
    """The fleet has no such model, platform or pool."""


class Fleet:
    """A simulated fleet, which remembers as many answers as it has `room` for."""

    def __init__(self, spec: FleetSpec, faults: Sequence[Fault] = (), room: int = ANSWERS) -> None:
        self.spec = spec
        self.engine = Engine(spec.seed, room)
        self._pools = {(p.name, pool.name): (p, pool) for p in spec.platforms for pool in p.pools}
        self.switch(faults)

    def switch(self, faults: Sequence[Fault]) -> None:
        """Put these faults, and no others, on the requests from now on. Raises: UnknownTarget."""
        for fault in faults:
            if fault.to_pool and not any(fault.to_pool == pool.name for _, pool in self._pools.values()):
                raise UnknownTarget(f"no pool {fault.to_pool}")
        self.faults = tuple(faults)

    def models(self, platform: str, pool: str) -> tuple[str, ...]:
        """Raises: UnknownTarget."""
        if (platform, pool) not in self._pools:
            raise UnknownTarget(f"no pool {platform}/{pool}")
        return self.spec.models

    def reply(self, request: Request, nth: int = 0, batch: int = 1, hour: float = NOON) -> Reply:
        """What the request gets when `batch` requests come at once, itself one of them, at an hour of the day (UTC).

        Raises: UnknownTarget, ContextTooLong.
        """
        if request.model not in self.models(request.platform, request.pool):
            raise UnknownTarget(f"no model {request.model}")
        key = request.digest(self.spec.seed, nth)
        here = [f for f in self.faults if f.concerns(request.model, request.platform, request.pool)]
        faults = [f for f in here if f.batch <= batch]
        server = self._route(request, request.affinity or str(key), faults)
        struck = [f for f in faults if f.replica in (None, server.index) and self._strikes(f, server, key)]
        program = batches.program(noise.fraction("program", key), batches.load(hour, self.spec.swing), batch)
        return self.served(request, server, struck, program, key)

    def served(self, request: Request, server: Server, struck: Sequence[Fault], program: int, key: int) -> Reply:
        """What this server makes of it in such a batch, where these faults strike. Raises: ContextTooLong."""
        delay = server.pool.latency * (0.75 + 0.5 * noise.fraction("delay", key))
        delay += sum(fault.seconds for fault in struck if fault.kind is FaultKind.SLOW)
        for failure in (FaultKind.UNREACHABLE, FaultKind.THROTTLED):
            if any(fault.kind is failure for fault in struck):
                return Reply(server.name, delay, failure=failure)
        return Reply(server.name, delay, self.engine.answer(work_of(request, server, struck, program), key))

    def _strikes(self, fault: Fault, server: Server, key: int) -> bool:
        """Code and weights are a replica's, and stay there; anything else strikes answers at random."""
        if fault.kind not in OF_REPLICAS:
            return noise.fraction("struck", key, fault.kind) < fault.share
        pool = server.pool
        about = lot(self.spec.seed, fault.kind, server.platform, pool)
        return fault.replica is not None or chosen(server.index, pool.replicas, fault.share, about)

    def _route(self, request: Request, session: str, faults: Sequence[Fault]) -> Server:
        """Sticky: a session always meets the same server, the wrong one too."""
        platform, pool = self._pools[request.platform, request.pool]
        for fault in faults:
            if fault.kind is FaultKind.MISROUTING and noise.fraction(self.spec.seed, "route", session) < fault.share:
                pool = self._pool_anywhere(fault.to_pool)
        index = noise.digest(self.spec.seed, "replica", session) % pool.replicas
        return Server(platform, pool, index)

    def _pool_anywhere(self, name: str) -> Pool:
        """The setup called `name`: every platform has a few servers of it, even where none is meant for users."""
        return next(pool for _, pool in self._pools.values() if pool.name == name)


def lot(seed: int, kind: FaultKind, platform: Platform, pool: Pool) -> tuple[object, ...]:
    """What decides about which replicas of a pool a share of them is."""
    return seed, kind, platform.name, pool.name


def work_of(request: Request, server: Server, struck: Sequence[Fault], program: int) -> Work:
    """The request as the server finds it."""
    touch = _touch(struck, batches.SIZES[program])
    return Work(request.model, request.prompt, request.sampling, _upgraded(server, struck), program, touch)


def _touch(struck: Sequence[Fault], size: int) -> Touch:
    """What these faults do to an answer from a batch of that size."""
    kinds = FaultKind
    selecting = [fault for fault in struck if fault.kind in (kinds.BF16_TOP, kinds.APPROXIMATE_TOP_K)]
    approximate = any(fault.kind is kinds.APPROXIMATE_TOP_K for fault in selecting)
    return Touch(
        corrupted=strength(struck, kinds.CORRUPTION),
        swapped=strength(struck, kinds.SWAP),
        dropped=strength(struck, kinds.DROPPED_TOP),
        two_precisions=any(fault.kind is kinds.BF16_TOP for fault in selecting),
        layout=Layout.compiled(size, len(vocabulary().pieces)) if approximate else None,
        workaround=any(fault.workaround for fault in selecting),
    )


def _upgraded(server: Server, struck: Sequence[Fault]) -> Server:
    versions = {fault.kind: fault.version for fault in struck}
    weights, engine = versions.get(FaultKind.ROLLOUT, ""), versions.get(FaultKind.UPGRADE, "")
    return replace(server, version=weights, engine=engine)
