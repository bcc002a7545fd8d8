"""What a config costs, and what it can see: before the first probe is fired."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from canary.baseline.recording import REFERENCE_ANSWERS
from canary.config import Assignment, Config, cost
from canary.detect import answers_needed
from canary.detect.escalation import Levels, extra_while_healthy
from canary.pipeline.sight import SERIES, Sight, ears, sights
from canary.pipeline.watch import Rhythm, Terms, Watch, muster
from canary.records import Baseline, BaselinePart, BaselineStatus, SeriesKey, Signal, SignalKind
from canary.score import SCORERS, signals

_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)


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
    """The figures of `canary check`. Tokens are an upper bound: every answer as long as its probe allows.

    `armed` series and their scopes share the budget; a false alarm comes after `arl` or later, on average, in the whole
    fleet. Below `needed` golden answers some series may still learn.
    """

    targets: int
    probes: int
    series: int
    armed: int
    scopes: int
    runs_per_second: float
    tokens_per_day: int
    false_alarms_per_week: float
    arl: timedelta
    delta: float
    smallest_share: float
    golden: int
    needed: int
    recording: Cost
    sights: tuple[Sight, ...]
    escalation: Escalated | None


def golden_answers(config: Config) -> int:
    """Golden answers for each probe group that arm its series, one of which may show an event by chance."""
    wanted = [signal.kind for rhythm in _rhythms(config) for signal in rhythm.signals]
    delta = config.budget.delta / max(1, len(wanted))
    share = config.detect.smallest_share
    return max(
        answers_needed(int(kind is SignalKind.EVENT), kind, delta=delta, smallest_share=share)
        for kind in {SignalKind.EVENT, *wanted}
    )


def forecast(config: Config, golden: int | None = None) -> Forecast:
    """Suppose `golden` clean golden answers for each series (default: as many as are recorded by default)."""
    assignments = config.assignments()
    rhythms = _rhythms(config)
    needed = golden_answers(config)
    n = golden or needed
    budget, share = config.budget, config.detect.smallest_share
    terms = Terms(budget.false_alarms_per_week, budget.delta, share, budget.weights)
    watch = muster(rhythms, _clean(rhythms, config.region, n), terms, config.region)
    found = sights(watch)
    return Forecast(
        targets=len(config.targets),
        probes=len(config.probes),
        series=len(watch.signals),
        armed=len(watch.armed),
        scopes=sum(sight.detectors for sight in found if sight.level != SERIES),
        runs_per_second=sum(one.burst / one.interval.total_seconds() for one in assignments),
        tokens_per_day=round(sum(one.tokens_in(_DAY) for one in assignments)),
        false_alarms_per_week=budget.false_alarms_per_week,
        arl=timedelta(weeks=1) / budget.false_alarms_per_week,
        delta=budget.delta,
        smallest_share=share,
        golden=n,
        needed=needed,
        recording=_recording(assignments, n),
        sights=found,
        escalation=_escalated(config, watch, n),
    )


def _rhythms(config: Config) -> list[Rhythm]:
    known = signals({**SCORERS, **config.scorers})
    return [
        Rhythm(
            one.target.name,
            one.group,
            one.probes,
            one.interval,
            config.detect.replicas and one.target.endpoint.replica_header is not None,
            known,
        )
        for one in config.assignments()
    ]


def _clean(rhythms: Sequence[Rhythm], region: str, n: int) -> Iterator[Baseline]:
    """Baselines of `n` golden answers: no event, all at one distance, near-ties that fall to either side alike."""
    alike = (0.0,) * n
    for rhythm in rhythms:
        for signal in rhythm.signals:
            values = alike if signal.kind is SignalKind.DISTANCE else ()
            events = n // 2 if signal.kind is SignalKind.BOUNDED else 0
            part = BaselinePart(rhythm.probes[0].digest, n, events=events, calibration=values)
            yield _baseline(SeriesKey(rhythm.target, region, rhythm.group, signal.name), signal, part)


def _baseline(key: SeriesKey, signal: Signal, part: BaselinePart) -> Baseline:
    status, never = BaselineStatus.ACTIVE, datetime.min.replace(tzinfo=UTC)
    return Baseline(
        "", key, 1, status, signal.version, never, part.n, float(part.n), part.events, (part,), part.calibration
    )


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


def _escalated(config: Config, watch: Watch, n: int) -> Escalated | None:
    """A probe group is escalated when one of its series is, or a scope that hears one of them."""
    rules = config.detect.escalation
    if not rules.extra_share:
        return None
    levels = Levels(rules.warning)
    extra: dict[tuple[str, str], float] = defaultdict(float)
    known: dict[object, float] = {}
    for ear in ears(watch):
        alike = frozenset(ear.members.items()), ear.scope, ear.log_budget
        if alike not in known:
            known[alike] = extra_while_healthy(
                ear.growth, 1.0 / (n + 1), ear.log_budget, factor=rules.factor, levels=levels
            )
        for series in ear.series:
            extra[series.target, series.group] += known[alike]
    assignments = config.assignments()
    most = rules.extra_share * sum(one.tokens_in(_WEEK) for one in assignments)
    healthy = sum(one.tokens_in(_WEEK) * extra[one.target.name, one.group] for one in assignments)
    false = levels.false_per_week(config.budget.false_alarms_per_week)
    return Escalated(rules.factor, rules.warning, round(most), round(min(most, healthy)), false)
