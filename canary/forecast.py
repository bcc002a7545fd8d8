"""What a config costs, and what it can see: before the first probe is fired."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from canary.baseline.recording import REFERENCE_ANSWERS
from canary.config import Assignment, Config, cost
from canary.detect import answers_needed, clean_detector, delay
from canary.pipeline.watch import Rhythm
from canary.records import Probe, SignalKind

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


@dataclass(frozen=True, slots=True)
class Cost:
    """What `canary baseline record` fires, on all targets, and the least time that the rate limits make of it."""

    runs: int
    tokens: int
    least: timedelta


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
    return Forecast(
        targets=len(config.targets),
        probes=len(config.probes),
        series=series,
        runs_per_second=sum(one.burst / one.interval.total_seconds() for one in assignments),
        tokens_per_day=round(sum(_tokens_per_day(one) for one in assignments)),
        false_alarms_per_week=config.budget.false_alarms_per_week,
        delta=config.budget.delta,
        smallest_share=config.detect.smallest_share,
        golden=n,
        recording=_recording(assignments, n),
        sights=tuple(_sights(rhythms, config.budget.false_alarms_per_week / max(1, series), n, delta)),
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
        tokens += one.burst * n * _mean_tokens(one.probes)
        tokens += one.burst * sum(times * cost(probe).total for times, probe in zip(first, one.probes, strict=True))
    return Cost(runs, round(tokens), timedelta(seconds=max(least.values(), default=0.0)))


def _tokens_per_day(assignment: Assignment) -> float:
    return assignment.burst * _mean_tokens(assignment.probes) * (_DAY / assignment.interval)


def _mean_tokens(probes: Sequence[Probe]) -> float:
    return sum(cost(probe).total for probe in probes) / len(probes)


def _sights(rhythms: Sequence[Rhythm], per_series: float, n: int, delta: float) -> Iterator[Sight]:
    counts: dict[tuple[SignalKind, timedelta], int] = defaultdict(int)
    for rhythm in rhythms:
        for signal in rhythm.signals:
            counts[signal.kind, rhythm.interval] += 1
    for (kind, interval), series in sorted(counts.items()):
        budget = math.log(per_series * (interval / _WEEK))
        detector = clean_detector(kind, n, 1.0, delta)
        probes = [(share, delay(detector, share, 1.0, budget)) for share in SHARES]
        delays = tuple(
            (share, round(count), count * interval) if math.isfinite(count) else (share, None, None)
            for share, count in probes
        )
        yield Sight(kind, interval, series, n, delays)
