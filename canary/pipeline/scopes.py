"""The parts of the fleet that an answer is heard in beside its own series, each with a detector of its own.

Theory of operation. Of every level of the hierarchy an answer belongs to one scope: its pool, its model on its
platform, its platform, and so on. A scope is a series whose key has "*" for what it leaves open. It is fed the bets of
all its members, one answer after another (see `canary.detect.hierarchy`): each is valid given all that the fleet showed
before. One scope hears one signal, so the signals of an answer, which have no order among themselves, never meet in
one.

The budget needs no clock of its own: whenever a slot of a series spends b, it spends b * weight in each of its scopes
as well. So the shares of all detectors sum to one (see `watch`), a scope may spend as much as its members bring, and
late or missing slots are paid for once.

What this supposes of healthy fleets: answers are heard in the order in which they are kept, which is that of their
slots but for how long they took, so how long an answer takes must not tell what it scores.

Replicas are watched where the user says that those of a pool are alike (`detect.replicas`): a pool's golden answers
must be typical of each of them, else the worst of healthy replicas breaks its bound while the pool keeps it. A burst is
heard by no replica. Where they are not watched, an incident still names the replica, if one alone explains the answers.
"""

import hashlib
import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, lru_cache

from canary.records import Place, Scope, SeriesKey, burst_size

ANY = "*"


class Level(StrEnum):
    """What the members of a scope have in common, from the narrowest to the widest."""

    REPLICA = "replica"  # of one pool, where answers name it
    POOL = "pool"
    PAIR = "model_on_platform"
    GROUP = "group"  # a probe group, on all targets
    PLATFORM = "platform"
    MODEL = "model"
    REGION = "region"  # all targets, as seen from here


_TARGETS: Mapping[Level, Callable[[str, str, str], tuple[str, str, str]]] = {
    Level.REPLICA: lambda model, platform, pool: (model, platform, pool),
    Level.POOL: lambda model, platform, pool: (model, platform, pool),
    Level.PAIR: lambda model, platform, _: (model, platform, ANY),
    Level.GROUP: lambda *_: (ANY, ANY, ANY),
    Level.PLATFORM: lambda _, platform, __: (ANY, platform, ANY),
    Level.MODEL: lambda model, *_: (model, ANY, ANY),
    Level.REGION: lambda *_: (ANY, ANY, ANY),
}


@dataclass(frozen=True)
class Hierarchy:
    """The levels that are watched, and what each of them spends for every unit that a series spends.

    `saves` says whether steps of scopes save their overshoot; those of the first stores did not, and are made again as
    they were.
    """

    levels: tuple[Level, ...] = ()
    weight: float = 0.0
    saves: bool = True

    @cached_property
    def log_weight(self) -> float:
        return math.log(self.weight) if self.weight > 0.0 else -math.inf

    @property
    def total(self) -> float:
        """What a series and all its scopes spend together for every unit that the series spends."""
        return 1.0 + len(self.levels) * self.weight

    def scopes(self, series: SeriesKey, replica: str) -> tuple[SeriesKey, ...]:
        """The scopes that an answer of this series is heard in, narrowest first."""
        places = self.places(series.target, series.group, replica)
        return tuple(SeriesKey(target, series.region, group, series.signal) for target, group in places)

    def places(self, target: str, group: str, replica: str) -> tuple[tuple[str, str], ...]:
        """The targets and groups of these scopes."""
        return _places(self.levels, target, group, replica)

    @cached_property
    def digest(self) -> str:
        return hashlib.blake2b(self.to_json().encode(), digest_size=12).hexdigest()

    def to_json(self) -> str:
        facts = {"levels": [level.value for level in self.levels], "weight": self.weight, "saves": self.saves}
        return json.dumps(facts, sort_keys=True)

    @classmethod
    def of(cls, facts: Mapping[str, object]) -> "Hierarchy":
        """What `to_json` wrote, read."""
        levels, weight, saves = facts["levels"], facts["weight"], facts.get("saves", False)
        if not isinstance(levels, list) or not isinstance(weight, float) or not isinstance(saves, bool):
            raise ValueError("not a hierarchy")  # noqa: TRY004  what is wrong is the text
        return cls(tuple(map(Level, levels)), weight, saves)


def hierarchy_of(series: Collection[SeriesKey], *, replicas: bool) -> Hierarchy:
    """Every level that tells more than narrower ones do; together they may spend as much as the series themselves.

    A level is left out where each of its scopes would have the members of a narrower scope: a fleet on one platform
    has no use for platforms.
    """
    levels = [Level.REPLICA] if replicas else []
    known = {_partition((key, key) for key in series)}
    for level in Level:
        partition = _partition((scope_of(level, key), key) for key in series)
        if level is not Level.REPLICA and partition not in known:
            levels.append(level)
            known.add(partition)
    return Hierarchy(tuple(levels), 1.0 / len(levels)) if levels else Hierarchy()


def scopes_of(hierarchy: Hierarchy, series: Iterable[SeriesKey]) -> tuple[SeriesKey, ...]:
    """Every scope of these series but for replicas, which show in answers alone; narrowest levels first."""
    levels = [level for level in hierarchy.levels if level is not Level.REPLICA]
    keys = list(series)
    return tuple(dict.fromkeys(scope_of(level, key) for level in levels for key in keys))


def scope_of(level: Level, series: SeriesKey, replica: str = "") -> SeriesKey:
    """The scope of a level that a series belongs to."""
    target, group = _place(level, series.target, series.group, replica)
    return SeriesKey(target, series.region, group, series.signal)


def servers_of(series: SeriesKey) -> SeriesKey:
    """A pool of a platform, whatever models it serves: no detector hears it as a whole, but its servers may be bad."""
    _, platform, pool = series.target.rsplit("/", 2)
    return SeriesKey("/".join((ANY, platform, pool)), series.region, ANY, series.signal)


def is_scope(series: SeriesKey) -> bool:
    """Whether it is of many series."""
    return series.group.startswith(ANY) or ANY in series.target.rsplit("/", 2)


@lru_cache(maxsize=16_384)
def place_of(series: SeriesKey) -> Place:
    """The part of the fleet that a series or a scope watches."""
    group, _, replica = series.group.partition("@") if series.group.startswith(ANY) else (series.group, "", "")
    return Place(Scope.of(series.target), "" if group == ANY else group, replica)


def of_place(place: Place, like: SeriesKey) -> SeriesKey:
    """The series or scope that watches a place, of the region and the signal of another."""
    group = f"{ANY}@{place.replica}" if place.replica else place.group or ANY
    return SeriesKey("/".join(part or ANY for part in place.scope.parts[:3]), like.region, group, like.signal)


def hears(scope: SeriesKey, series: SeriesKey, replica: str) -> bool:
    """Whether a scope (or series) hears an answer of that series, given by that replica."""
    place = place_of(scope)
    return (
        (series.signal, series.region) == (scope.signal, scope.region)
        and place.group in ("", series.group)
        and place.replica in ("", replica)
        and place.scope.includes(Scope.of(series.target))
    )


def is_replica_of(scope: SeriesKey, series: SeriesKey) -> bool:
    """Whether it is of a replica of the pool of that series, whichever one, and hears its signal."""
    return scope.group.startswith(f"{ANY}@") and replace(scope, group="") == replace(series, group="")


def members(series: SeriesKey, armed: Iterable[SeriesKey]) -> Sequence[SeriesKey]:
    """The armed series that a scope hears; a series hears itself."""
    replica = place_of(series).replica
    return [key for key in armed if hears(series, key, replica)]


@lru_cache(maxsize=16_384)
def _places(levels: tuple[Level, ...], target: str, group: str, replica: str) -> tuple[tuple[str, str], ...]:
    told = replica and burst_size(group) == 1  # which answer speaks for a burst depends on its score
    named = (level for level in levels if told or level is not Level.REPLICA)
    return tuple(_place(level, target, group, replica) for level in named)


def _place(level: Level, target: str, group: str, replica: str) -> tuple[str, str]:
    model, platform, pool = target.rsplit("/", 2)
    scope = "/".join(_TARGETS[level](model, platform, pool))
    match level:
        case Level.REPLICA:
            return scope, f"{ANY}@{replica}"
        case Level.GROUP:
            return scope, group
        case Level.POOL | Level.PAIR | Level.PLATFORM | Level.MODEL | Level.REGION:
            return scope, ANY


def _partition(pairs: Iterable[tuple[SeriesKey, SeriesKey]]) -> frozenset[frozenset[SeriesKey]]:
    parts: dict[SeriesKey, list[SeriesKey]] = {}
    for scope, series in pairs:
        parts.setdefault(scope, []).append(series)
    return frozenset(map(frozenset, parts.values()))
