"""What requests meet in the lab: the law of `canary.lab.fleet`, drawn for many requests at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canary.lab.batches import SIZES, load
from canary.lab.engine import Server
from canary.lab.faults import OF_REPLICAS, Fault, FaultKind, concerned, ranking
from canary.lab.fleet import lot
from canary.lab.spec import FleetSpec, Pool

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a request met: its server, its batch, and the faults that strike it (told at full share)."""

    server: Server
    program: int
    struck: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Weather:
    """What is wrong while n units are fired: F faults that concern their target, each with its share at each unit.

    Attributes:
        faults: in the order in which the fleet has them.
        shares: of shape (F, n).
        hours: of the day (UTC), shape (n,).
        gathered: whether the requests of a burst count as one batch.
    """

    faults: tuple[Fault, ...]
    shares: Floats
    hours: Floats
    gathered: bool = False


class Odds:
    """Of one target of a fleet."""

    def __init__(self, spec: FleetSpec, model: str, platform: str, pool: str) -> None:
        self._spec = spec
        self._names = (model, platform, pool)
        self._platform = next(one for one in spec.platforms if one.name == platform)
        self._pool = next(one for one in self._platform.pools if one.name == pool)

    def concern(self, fault: Fault) -> bool:
        """Whether a fault is one of this target."""
        return fault.concerns(*self._names)

    def draw(self, weather: Weather, burst: int, rng: np.random.Generator) -> tuple[list[Meeting], Ints]:
        """For n units of `burst` requests in one session: what there is to meet, and which each met, (n, burst)."""
        n, at_once = len(weather.hours), burst if weather.gathered else 1
        acting = [at for at, fault in enumerate(weather.faults) if fault.batch <= at_once]
        routing = [at for at in acting if weather.faults[at].kind is FaultKind.MISROUTING]
        striking = [at for at in acting if weather.faults[at].kind is not FaultKind.MISROUTING]
        pools = [self._pool, *(self._anywhere(weather.faults[at].to_pool) for at in routing)]
        route, lots = np.zeros(n, dtype=np.int64), rng.random(n)
        for nth, at in enumerate(routing, 1):
            route[lots < weather.shares[at]] = nth
        replicas = np.array([pool.replicas for pool in pools])
        index = (rng.random(n) * replicas[route]).astype(np.int64)
        program = programs(rng.random((n, burst)), load_of(weather.hours, self._spec.swing), at_once)
        struck = self._strikes(weather, striking, pools, route, index, burst, rng)
        shape = (len(pools), int(replicas.max()), len(SIZES), 1 << len(striking))
        session = (np.broadcast_to(each[:, None], program.shape) for each in (route, index))
        met, which = np.unique(np.ravel_multi_index((*session, program, struck), shape), return_inverse=True)
        there = [self._meeting(weather, striking, pools, *map(int, np.unravel_index(one, shape))) for one in met]
        return there, which.reshape(n, burst)

    def _meeting(
        self, weather: Weather, striking: Sequence[int], pools: Sequence[Pool], route: int, index: int, *rest: int
    ) -> Meeting:
        program, mask = rest
        struck = tuple(weather.faults[at] for nth, at in enumerate(striking) if mask >> nth & 1)
        return Meeting(Server(self._platform, pools[route], index), program, struck)

    def _strikes(
        self,
        weather: Weather,
        striking: Sequence[int],
        pools: Sequence[Pool],
        route: Ints,
        index: Ints,
        burst: int,
        rng: np.random.Generator,
    ) -> Ints:
        """Which faults strike each request, as a sum of bits, (n, burst). Faults of a kind draw the same lot."""
        found = np.zeros((len(index), burst), dtype=np.int64)
        lots: dict[FaultKind, Floats] = {}
        for nth, at in enumerate(striking):
            fault, share = weather.faults[at], weather.shares[at]
            if fault.kind in OF_REPLICAS:
                hit = self._installed(fault, share, pools, route, index)[:, None]
            else:
                hit = lots.setdefault(fault.kind, rng.random(found.shape)) < share[:, None]
            if fault.replica is not None:
                hit = hit & (index == fault.replica)[:, None]
            found |= np.where(hit, 1 << nth, 0)
        return found

    def _installed(self, fault: Fault, share: Floats, pools: Sequence[Pool], route: Ints, index: Ints) -> Flags:
        if fault.replica is not None:
            return share > 0.0
        hit = np.zeros(len(index), dtype=np.bool_)
        levels, level = np.unique(share, return_inverse=True)
        for nth, pool in enumerate(pools):
            order = ranking(pool.replicas, lot(self._spec.seed, fault.kind, self._platform, pool))
            place = np.argsort(np.array(order))
            within = np.array([concerned(pool.replicas, float(one)) for one in levels])[level]
            ours = route == nth
            hit[ours] = place[index[ours]] < within[ours]
        return hit

    def _anywhere(self, name: str) -> Pool:
        return next(pool for one in self._spec.platforms for pool in one.pools if pool.name == name)


def load_of(hours: Floats, swing: float) -> Floats:
    """The load at these hours: `canary.lab.batches.load`."""
    if swing == 0.0:
        return np.zeros(len(hours))
    minutes, at = np.unique(np.round(hours * 60.0), return_inverse=True)
    loads: Floats = np.array([load(minute / 60.0, swing) for minute in minutes.tolist()])[at]
    return loads


def programs(drawn: Floats, loads: Floats, at_once: int) -> Ints:
    """`canary.lab.batches.program` of numbers of shape (n, burst) at loads of shape (n,)."""
    last = len(SIZES) - 1
    steps = 2.0 * np.arange(last + 1) / last - 1.0
    shares = np.exp(loads[:, None] * steps)
    edges = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)[:, :-1]
    met = (drawn[:, :, None] >= edges[:, None, :]).sum(axis=2)
    least = min(last, int(np.searchsorted(SIZES, at_once)))
    program: Ints = np.maximum(met, least).astype(np.int64)
    return program
