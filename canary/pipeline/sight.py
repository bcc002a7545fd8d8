"""What the detectors of a watch can find, and how soon: each series alone, and the scopes that hear many of them.

A scope hears the answers of all its members, so its slots follow each other faster than those of any of them; and it
spends the part of the budget that the hierarchy leaves it. Replicas are left out: how many there are shows in answers
alone.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from canary.detect import Detector, Growth, answers_needed, growth_delay, scope_growth, smallest_seen
from canary.pipeline.scopes import Level, scope_of
from canary.pipeline.watch import ANSWER, Watch, Watched
from canary.records import SeriesKey, SignalKind

SHARES = (0.0018, 0.008, 0.05, 0.16)
SERIES = "series"
_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Delay:
    """How long until a fault that touches a share of the answers is found: medians; None when it is not seen.

    `needed` golden answers, none of them an event, would arm a series for that share; None where no number would.
    """

    share: float
    probes: int | None
    time: timedelta | None
    needed: int | None


@dataclass(frozen=True, slots=True)
class Sight:
    """The middle one of `detectors` of a kind: single series, or the scopes of one level.

    It is fed every `interval`. A false alarm of it comes after `arl_probes` probes, which take `arl`, or later, on
    average. It sees no share below `not_below`. In a probe group of bursts a burst counts as one probe and one answer.
    """

    level: str
    kind: SignalKind
    signal: str
    interval: timedelta
    detectors: int
    golden: int
    arl_probes: int
    arl: timedelta
    not_below: float | None
    delays: tuple[Delay, ...]


@dataclass(frozen=True, slots=True)
class Ear:
    """A series or a scope: whom it hears, how often, and what it spends in a week."""

    series: Sequence[SeriesKey]
    members: Mapping[Detector, float]  # with the answers a second that each brings
    golden: int
    interval: timedelta
    per_week: float
    scope: bool

    @property
    def log_budget(self) -> float:
        """Ln b of one slot."""
        return math.log(self.per_week * (self.interval / _WEEK))

    @property
    def bound(self) -> float:
        """Of the healthy rate, mean over its answers."""
        whole = sum(self.members.values())
        return sum(one.healthy_event_rate(ANSWER) * rate for one, rate in self.members.items()) / whole

    @property
    def growth(self) -> Growth:
        """How its evidence moves with each answer."""
        if self.scope:
            return scope_growth(self.members, ANSWER)
        (detector,) = self.members
        return Growth(*detector.typical(ANSWER))


def ears(watch: Watch) -> Iterator[Ear]:
    """The armed series, and the scopes of each level but those of replicas."""
    for level in _levels(watch):
        yield from (_ear(watch, members, scope=level != SERIES) for _, members in _heard(watch, level))


def sights(watch: Watch, *, by_signal: bool = False) -> tuple[Sight, ...]:
    """What armed series, and the scopes of each level, can see: by kind of signal, or by signal; narrowest first.

    What is counted elsewhere is left out: how much a window tells depends on its exposure.
    """
    rows = []
    for level in _levels(watch):
        for (kind, signal, _), ears in sorted(_ears(watch, level, by_signal=by_signal).items()):
            middle = sorted(ears, key=lambda ear: (ear.bound, ear.interval))[len(ears) // 2]
            rows.append(_sight(watch, level, kind, signal, middle, len(ears)))
    return tuple(rows)


def of_series(watch: Watch, key: SeriesKey) -> Sight:
    """What one armed series can see."""
    return _sight(watch, SERIES, watch.signals[key].kind, key.signal, _ear(watch, [key], scope=False), 1)


def _levels(watch: Watch) -> Sequence[str]:
    return (SERIES, *(one for one in watch.hierarchy.levels if one is not Level.REPLICA))


def _ears(watch: Watch, level: str, *, by_signal: bool) -> Mapping[tuple[SignalKind, str, timedelta], Sequence[Ear]]:
    """Series of different rhythms stand apart; scopes of one level, which may hear several, do not."""
    found: dict[tuple[SignalKind, str, timedelta], list[Ear]] = defaultdict(list)
    for key, members in _heard(watch, level):
        ear = _ear(watch, members, scope=level != SERIES)
        pace = ear.interval if level == SERIES else timedelta(0)
        found[watch.signals[members[0]].kind, key.signal if by_signal else "", pace].append(ear)
    return found


def _heard(watch: Watch, level: str) -> Iterator[tuple[SeriesKey, Sequence[SeriesKey]]]:
    probed = [key for key in watch.armed if watch.signals[key].kind is not SignalKind.COUNT]
    if level == SERIES:
        yield from ((key, [key]) for key in probed)
        return
    scopes: dict[SeriesKey, list[SeriesKey]] = defaultdict(list)
    for key in probed:
        scopes[scope_of(Level(level), key)].append(key)
    yield from scopes.items()


def _ear(watch: Watch, members: Sequence[SeriesKey], *, scope: bool) -> Ear:
    heard: list[Watched] = [watch.armed[key] for key in members]
    rates: dict[Detector, float] = defaultdict(float)
    for one in heard:
        rates[one.detector] += 1.0 / one.interval.total_seconds()
    share = sum(one.share for one in heard) * (watch.hierarchy.weight if scope else 1.0)
    interval = heard[0].interval if len(heard) == 1 else timedelta(seconds=1.0 / sum(rates.values()))
    return Ear(members, rates, min(one.n for one in heard), interval, watch.terms.false_alarms_per_week * share, scope)


def _sight(watch: Watch, level: str, kind: SignalKind, signal: str, ear: Ear, count: int) -> Sight:
    growth, budget = ear.growth, ear.per_week * (ear.interval / _WEEK)
    delta = watch.terms.delta / max(1, len(watch.signals))
    least = smallest_seen(growth, math.log(budget))
    return Sight(
        level=level,
        kind=kind,
        signal=signal,
        interval=ear.interval,
        detectors=count,
        golden=ear.golden,
        arl_probes=round(1.0 / budget),
        arl=_WEEK / ear.per_week,
        not_below=least if math.isfinite(least) else None,
        delays=tuple(_delay(growth, share, budget, ear.interval, kind, delta) for share in SHARES),
    )


def _delay(growth: Growth, share: float, budget: float, interval: timedelta, kind: SignalKind, delta: float) -> Delay:
    probes = growth_delay(growth, share, math.log(budget))
    mean = kind is SignalKind.BOUNDED  # what healthy answers do anyway hides small shares
    needed = None if mean else answers_needed(0, kind, delta=delta, smallest_share=share)
    if math.isinf(probes):
        return Delay(share, None, None, needed)
    return Delay(share, round(probes), round(probes) * interval, needed)
