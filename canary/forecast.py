"""What a config costs, and what it can see: before the first probe is fired."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from canary.config import Assignment, Config
from canary.detect import answers_needed, clean_detector, delay
from canary.pipeline.watch import Rhythm
from canary.records import Probe, SignalKind

SHARES = (0.008, 0.05, 0.16)
_LETTERS_PER_TOKEN = 4
_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Sight:
    """How long until a fault that touches a share of the answers is found by one series; None: it is not seen."""

    kind: SignalKind
    interval: timedelta
    series: int
    golden: int
    delays: tuple[tuple[float, int | None, timedelta | None], ...]  # share, probes, time; medians


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
    sights: tuple[Sight, ...]


def forecast(config: Config, golden: int | None = None) -> Forecast:
    """Suppose `golden` clean golden answers for each series (default: what arms it)."""
    assignments = config.assignments()
    rhythms = [Rhythm(one.target.name, one.group, one.probes, one.interval) for one in assignments]
    series = sum(len(rhythm.signals) for rhythm in rhythms)
    delta = config.budget.delta / max(1, series)
    share = config.detect.smallest_share
    needed = max(answers_needed(0, kind, delta=delta, smallest_share=share) for kind in SignalKind)
    n = golden or needed
    return Forecast(
        targets=len(config.targets),
        probes=len(config.probes),
        series=series,
        runs_per_second=sum(1.0 / one.interval.total_seconds() for one in assignments),
        tokens_per_day=round(sum(_tokens_per_day(one) for one in assignments)),
        false_alarms_per_week=config.budget.false_alarms_per_week,
        delta=config.budget.delta,
        smallest_share=share,
        golden=n,
        sights=tuple(_sights(rhythms, config.budget.false_alarms_per_week / max(1, series), n, delta)),
    )


def _tokens_per_day(assignment: Assignment) -> float:
    per_run = sum(map(_tokens, assignment.probes)) / len(assignment.probes)
    return per_run * (_DAY / assignment.interval)


def _tokens(probe: Probe) -> float:
    prompt = sum(len(message.content) for message in probe.messages) / _LETTERS_PER_TOKEN
    return prompt + probe.sampling.max_tokens


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
