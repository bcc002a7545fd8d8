"""What a config costs, and what it can see: before the first probe is fired."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from canary.baseline.recording import REFERENCE_ANSWERS
from canary.config import Assignment, Config, cost
from canary.detect import Detector, answers_needed, clean_detector, delay
from canary.detect.escalation import Levels, extra_while_healthy, hastened_delay
from canary.pipeline.watch import Rhythm
from canary.records import SignalKind

SHARES = (0.008, 0.05, 0.16)
_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Sight:
    """How long until a fault that touches a share of the answers is found by one series; None: it is not seen.

    In a probe group of bursts a burst counts as one probe and one answer.
    """

    kind: SignalKind
    interval: timedelta
    series: int
    golden: int
    delays: tuple[tuple[float, int | None, timedelta | None], ...]  # share, probes, time; medians
    hastened: tuple[timedelta | None, ...] = ()  # the times under escalation, while its tokens last; () when it is off


@dataclass(frozen=True, slots=True)
class Cost:
    """What `canary baseline record` fires, on all targets, and the least time that the rate limits make of it."""

    runs: int
    tokens: int
    least: timedelta


@dataclass(frozen=True, slots=True)
class Escalated:
    """What escalation costs in a week at most and while all is well, and how often it is called in vain at most."""

    factor: int
    warning: float
    tokens_per_week: int
    tokens_while_healthy: int
    false_warnings_per_week: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """The figures of `canary check`. Tokens are an upper bound: every answer as long as its probe allows."""

    targets: int
    probes: int
    series: int
    runs_per_second: float
    tokens_per_day: int
    false_alarms_per_week: float
    delta: float
    smallest_share: float
    golden: int
    recording: Cost
    sights: tuple[Sight, ...]
    escalation: Escalated | None


def golden_answers(config: Config) -> int:
    """Golden answers for each probe group that arm its series, one of which may show an event by chance."""
    delta = config.budget.delta / max(1, sum(len(rhythm.signals) for rhythm in _rhythms(config.assignments())))
    share = config.detect.smallest_share
    distance = answers_needed(0, SignalKind.DISTANCE, delta=delta, smallest_share=share)
    return max(distance, answers_needed(1, SignalKind.EVENT, delta=delta, smallest_share=share))


def forecast(config: Config, golden: int | None = None) -> Forecast:
    """Suppose `golden` clean golden answers for each series (default: as many as are recorded by default)."""
    assignments = config.assignments()
    rhythms = _rhythms(assignments)
    series = sum(len(rhythm.signals) for rhythm in rhythms)
    delta = config.budget.delta / max(1, series)
    n = golden or golden_answers(config)
    per_series = config.budget.false_alarms_per_week / max(1, series)
    outlooks = {
        (signal.kind, rhythm.interval): _Outlook.of(config, signal.kind, rhythm.interval, n, delta, per_series)
        for rhythm in rhythms
        for signal in rhythm.signals
    }
    return Forecast(
        targets=len(config.targets),
        probes=len(config.probes),
        series=series,
        runs_per_second=sum(one.burst / one.interval.total_seconds() for one in assignments),
        tokens_per_day=round(sum(one.tokens_in(_DAY) for one in assignments)),
        false_alarms_per_week=config.budget.false_alarms_per_week,
        delta=config.budget.delta,
        smallest_share=config.detect.smallest_share,
        golden=n,
        recording=_recording(assignments, n),
        sights=tuple(_sights(rhythms, outlooks, n)),
        escalation=_escalated(config, outlooks) if config.detect.escalation.extra_share else None,
    )


def _rhythms(assignments: Sequence[Assignment]) -> list[Rhythm]:
    return [Rhythm(one.target.name, one.group, one.probes, one.interval) for one in assignments]


def _recording(assignments: Sequence[Assignment], n: int) -> Cost:
    least: dict[str, float] = defaultdict(float)
    runs = 0
    tokens = 0.0
    for one in assignments:
        first = [REFERENCE_ANSWERS * max(1, len(probe.salts)) for probe in one.probes]
        count = one.burst * (sum(first) + n)
        runs += count
        least[one.target.name] += count / one.target.limits.rate_per_second
        tokens += n * one.tokens
        tokens += one.burst * sum(times * cost(probe).total for times, probe in zip(first, one.probes, strict=True))
    return Cost(runs, round(tokens), timedelta(seconds=max(least.values(), default=0.0)))


@dataclass(frozen=True)
class _Outlook:
    """Of one series with clean golden data; `levels` are None when escalation is off."""

    interval: timedelta
    detector: Detector
    log_budget: float
    rate: float  # of events in healthy answers
    factor: int
    levels: Levels | None

    @classmethod
    def of(
        cls, config: Config, kind: SignalKind, interval: timedelta, n: int, delta: float, per_series: float
    ) -> "_Outlook":
        rules = config.detect.escalation
        levels = Levels(rules.warning) if rules.extra_share else None
        budget = math.log(per_series * (interval / _WEEK))
        return cls(interval, clean_detector(kind, n, 1.0, delta), budget, 1.0 / (n + 1), rules.factor, levels)

    def delay(self, share: float) -> tuple[float, int | None, timedelta | None]:
        count = delay(self.detector, share, 1.0, self.log_budget)
        return (share, round(count), count * self.interval) if math.isfinite(count) else (share, None, None)

    def hastened(self, share: float) -> timedelta | None:
        """As much shorter as the same simulation is with escalation."""
        _, _, plain = self.delay(share)
        if plain is None:
            return None
        with_it, without = (self._simulated(share, factor) for factor in (self.factor, 1))
        return plain * (with_it / without) if math.isfinite(with_it) and math.isfinite(without) else None

    @cached_property
    def extra(self) -> float:
        """Extra slots per interval while all is well."""
        if self.levels is None:
            return 0.0
        return extra_while_healthy(
            self.detector, self.rate, 1.0, self.log_budget, factor=self.factor, levels=self.levels
        )

    def _simulated(self, share: float, factor: int) -> float:
        if self.levels is None:
            return math.inf
        return hastened_delay(self.detector, share, 1.0, self.log_budget, factor=factor, levels=self.levels)


Outlooks = Mapping[tuple[SignalKind, timedelta], _Outlook]


def _sights(rhythms: Sequence[Rhythm], outlooks: Outlooks, n: int) -> Iterator[Sight]:
    counts = Counter((signal.kind, rhythm.interval) for rhythm in rhythms for signal in rhythm.signals)
    for (kind, interval), series in sorted(counts.items()):
        outlook = outlooks[kind, interval]
        delays = tuple(map(outlook.delay, SHARES))
        hastened = tuple(map(outlook.hastened, SHARES)) if outlook.levels else ()
        yield Sight(kind, interval, series, n, delays, hastened)


def _escalated(config: Config, outlooks: Outlooks) -> Escalated:
    """A probe group is escalated when one of its series is."""
    rules, assignments = config.detect.escalation, config.assignments()
    most = rules.extra_share * sum(one.tokens_in(_WEEK) for one in assignments)
    healthy = sum(
        one.tokens_in(_WEEK) * sum(outlooks[signal.kind, one.interval].extra for signal in rhythm.signals)
        for one, rhythm in zip(assignments, _rhythms(assignments), strict=True)
    )
    false = Levels(rules.warning).false_per_week(config.budget.false_alarms_per_week)
    return Escalated(rules.factor, rules.warning, round(most), round(min(most, healthy)), false)
