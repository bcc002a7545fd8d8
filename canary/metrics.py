"""Every Prometheus name.

What exists once per target or series is kept in one small slotted object each and written out as text only when
scraped: ten thousand series cost megabytes and a fraction of a second, where the client library's own objects cost
hundreds and seconds. Histograms carry a platform at most. What is declared is always there, from zero on, and what is
declared no longer is gone: an alert on a vanished series would resolve itself.

A part of the fleet that is heard as a whole has evidence and alarms too, with "*" in the labels that it leaves open.
Replicas have none: they come and go, and their names are not ours to bound.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, islice
from math import inf, isfinite, isnan, nan

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from canary.records import FailureKind, IncidentState, NotificationKind, Observation, Score, SeriesKey, Target, Unscored

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_RESULTS = ("response", *FailureKind)
_RUN_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120)
_LATE_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60)
_COMMIT_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5)
_LINES_IN_A_CHUNK = 1_000

Samples = Iterable[tuple[str, float]]
"""Labels, as they are written, with the value."""


@dataclass(slots=True)
class _OfTarget:
    labels: str
    platform: str
    results: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_RESULTS, 0))
    prompt_tokens: int = 0
    completion_tokens: int = 0
    last_result: float = nan
    baseline: float = nan
    stale: bool = False


@dataclass(slots=True)
class _OfGroup:
    labels: str
    escalated: bool = False


@dataclass(slots=True)
class _OfSeries:
    labels: str
    scored: int = 0
    events: int = 0
    alarms: int = 0
    unscored: dict[str, int] = field(default_factory=dict)
    evidence: float = -inf
    armed: bool = False
    learned: int = 0
    needed: int = 0


@dataclass(slots=True)
class _OfScope:
    labels: str
    alarms: int = 0
    evidence: float = -inf


def _of_targets(targets: Collection[_OfTarget]) -> Iterator[str]:
    results = ((f'{of.labels},result="{result}"', n) for of in targets for result, n in of.results.items())
    yield from _family("canary_observations_total", "Runs by what came back.", results)
    tokens = (
        (f'{of.labels},kind="{kind}"', n)
        for of in targets
        for kind, n in (("prompt", of.prompt_tokens), ("completion", of.completion_tokens))
    )
    yield from _family("canary_tokens_total", "Tokens that targets counted.", tokens)
    last = ((of.labels, of.last_result) for of in targets)
    yield from _family("canary_last_result_timestamp_seconds", "When the last run ended.", last)
    stale = ((of.labels, of.stale) for of in targets)
    yield from _family("canary_target_stale", "1 when nothing came back for three intervals.", stale)
    baseline = ((of.labels, of.baseline) for of in targets)
    yield from _family("canary_baseline_timestamp_seconds", "When the active baseline was recorded.", baseline)


def _of_series(series: Collection[_OfSeries], scopes: Collection[_OfScope]) -> Iterator[str]:
    judged: list[_OfSeries | _OfScope] = [*series, *scopes]
    scored = ((of.labels, of.scored) for of in series)
    yield from _family("canary_scores_total", "Answers scored.", scored)
    events = ((of.labels, of.events) for of in series)
    yield from _family("canary_score_events_total", "Answers whose score was an event.", events)
    unscored = ((f'{of.labels},reason="{reason}"', n) for of in series for reason, n in list(of.unscored.items()))
    yield from _family("canary_unscored_total", "Answers that could not be judged.", unscored)
    alarms = ((of.labels, of.alarms) for of in judged)
    yield from _family("canary_alarms_total", "Times the detector crossed its threshold.", alarms)
    evidence = ((of.labels, of.evidence) for of in judged)
    yield from _family("canary_evidence_nats", "ln R of the detector: it alarms at 0.", evidence)
    armed = ((of.labels, of.armed) for of in series)
    yield from _family("canary_series_armed", "1 when the detector is on.", armed)
    learned = ((of.labels, of.learned) for of in series)
    yield from _family("canary_series_learned_answers", "Golden answers that were judged.", learned)
    needed = ((of.labels, of.needed) for of in series)
    yield from _family("canary_series_needed_answers", "Golden answers that arming takes.", needed)


def _of_groups(groups: Collection[_OfGroup]) -> Iterator[str]:
    escalated = ((of.labels, of.escalated) for of in groups)
    yield from _family("canary_escalated", "1 while its evidence is past the warning and buys extra runs.", escalated)


def _family(name: str, documentation: str, samples: Samples) -> Iterator[str]:
    yield f"# HELP {name} {documentation}\n"
    yield f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}\n"
    for labels, value in samples:
        yield f"{name}{{{labels}}} {_number(value)}\n"


def _number(value: float) -> str:
    if isfinite(value):
        return str(float(value))
    return "NaN" if isnan(value) else f"{'+' if value > 0 else '-'}Inf"


def _labels(**values: str) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in values.items())


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _of_target(target: Target, region: str) -> _OfTarget:
    labels = _labels(model=target.model, platform=target.platform, pool=target.pool, region=region)
    return _OfTarget(labels, target.platform)


def _of_group(group: str, target: Target, region: str) -> _OfGroup:
    of_target = {"model": target.model, "platform": target.platform, "pool": target.pool, "region": region}
    return _OfGroup(_labels(**of_target, group=group))


def _of_key(key: SeriesKey) -> str:
    model, platform, pool = key.target.rsplit("/", 2)
    where = {"model": model, "platform": platform, "pool": pool, "region": key.region}
    return _labels(**where, group=key.group, signal=key.signal)


class Metrics:
    """What the program counts of itself. Facts of a target or series that is not declared are dropped."""

    def __init__(self, *, version: str) -> None:
        self._registry = registry = CollectorRegistry()
        self._targets: dict[str, _OfTarget] = {}
        self._series: dict[SeriesKey, _OfSeries] = {}
        self._scopes: dict[SeriesKey, _OfScope] = {}
        self._groups: dict[tuple[str, str], _OfGroup] = {}
        self._run = Histogram(
            "canary_run_duration_seconds", "From send to answer.", ["platform"], buckets=_RUN_SECONDS, registry=registry
        )
        self._late = Histogram(
            "canary_slot_lateness_seconds", "From slot to send.", buckets=_LATE_SECONDS, registry=registry
        )
        self._commit = Histogram(
            "canary_commit_duration_seconds", "One batch into the store.", buckets=_COMMIT_SECONDS, registry=registry
        )
        self._missed = Counter("canary_missed_slots", "Slots that were not probed.", ["reason"], registry=registry)
        self._extra = Counter("canary_extra_slots", "Slots that escalation added.", registry=registry)
        self._extra_left = Gauge(
            "canary_extra_tokens_left", "What extra runs may still cost of this week's tokens.", registry=registry
        )
        self._in_flight = Gauge("canary_runs_in_flight", "Runs that wait for an answer.", registry=registry)
        self._queued = Gauge("canary_queue_depth", "Observations that wait for their commit.", registry=registry)
        self._incidents = Gauge("canary_incidents", "Unresolved incidents.", ["state"], registry=registry)
        self._owed = Gauge("canary_notifications_owed", "Notifications not yet taken.", registry=registry)
        self._notified = Counter(
            "canary_notifications", "Attempts to deliver.", ["receiver", "kind", "result"], registry=registry
        )
        self._reload_ok = Gauge(
            "canary_config_last_reload_successful", "1 when the file in use is the latest.", registry=registry
        )
        self._reloaded_at = Gauge(
            "canary_config_last_reload_success_timestamp_seconds", "When it was taken.", registry=registry
        )
        Info("canary_build", "This program.", registry=registry).info({"version": version})
        self.incidents({})

    def declare(
        self, targets: Iterable[Target], series: Iterable[SeriesKey], scopes: Iterable[SeriesKey] = (), *, region: str
    ) -> None:
        """All that is probed, seen from `region`, and the parts of it that are heard as a whole ("*" in their labels).

        What was declared before keeps its counts; the rest is forgotten.
        """
        known = {target.name: target for target in targets}
        self._targets = {name: self._targets.get(name) or _of_target(target, region) for name, target in known.items()}
        self._series = {key: self._series.get(key) or _OfSeries(_of_key(key)) for key in series}
        self._scopes = {key: self._scopes.get(key) or _OfScope(_of_key(key)) for key in scopes}
        groups = {(key.target, key.group) for key in self._series if key.target in known}
        self._groups = {
            (name, group): self._groups.get((name, group)) or _of_group(group, known[name], region)
            for name, group in sorted(groups)
        }
        for target in known.values():
            self._run.labels(target.platform)

    def text(self) -> bytes:
        """The exposition as a whole, of type CONTENT_TYPE."""
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """The exposition in parts: a large fleet's weighs tens of megabytes. Take them in a worker thread."""
        targets, series, scopes = list(self._targets.values()), list(self._series.values()), list(self._scopes.values())
        groups = list(self._groups.values())
        yield generate_latest(self._registry)
        lines = chain(_of_targets(targets), _of_groups(groups), _of_series(series, scopes))
        while part := "".join(islice(lines, _LINES_IN_A_CHUNK)):
            yield part.encode()

    # -- probing

    def observed(self, observation: Observation) -> None:
        of = self._targets.get(observation.target)
        if of is None:
            return
        ended = observation.started_at + observation.duration
        of.results["response" if observation.failure is None else observation.failure.kind] += 1
        of.last_result = ended.timestamp()
        if observation.response is not None:
            of.prompt_tokens += observation.response.prompt_tokens or 0
            of.completion_tokens += observation.response.completion_tokens or 0
        self._run.labels(of.platform).observe(observation.duration.total_seconds())

    def late(self, lateness: timedelta) -> None:
        self._late.observe(max(0.0, lateness.total_seconds()))

    def missed(self, reason: str, n: int = 1) -> None:
        self._missed.labels(reason).inc(n)

    def extra(self) -> None:
        """An extra slot is fired."""
        self._extra.inc()

    def escalated(self, keys: Collection[tuple[str, str]], *, left: float) -> None:
        """These probe groups of targets are escalated, and no others; `left` of the extra tokens of the week."""
        self._extra_left.set(left)
        for key, of in self._groups.items():
            of.escalated = key in keys

    def in_flight(self, n: int) -> None:
        self._in_flight.set(n)

    def stale(self, targets: Collection[str]) -> None:
        """These targets are stale, and no others."""
        for name, of in self._targets.items():
            of.stale = name in targets

    # -- judging

    def scored(self, series: SeriesKey, score: Score | Unscored, *, event: bool = False) -> None:
        of = self._series.get(series)
        if of is None:
            return
        if isinstance(score, Unscored):
            of.unscored[score.reason] = of.unscored.get(score.reason, 0) + 1
            return
        of.scored += 1
        of.events += event

    def evidence(self, series: SeriesKey, log_r: float) -> None:
        of = self._series.get(series) or self._scopes.get(series)
        if of is not None:
            of.evidence = log_r

    def learned(self, series: SeriesKey, *, n: int, needed: int, armed: bool) -> None:
        if of := self._series.get(series):
            of.learned, of.needed, of.armed = n, needed, armed

    def alarmed(self, series: SeriesKey) -> None:
        of = self._series.get(series) or self._scopes.get(series)
        if of is not None:
            of.alarms += 1

    def baseline(self, target: str, recorded_at: datetime) -> None:
        if of := self._targets.get(target):
            of.baseline = recorded_at.timestamp()

    # -- keeping and telling

    def queued(self, n: int) -> None:
        self._queued.set(n)

    def committed(self, duration: timedelta) -> None:
        self._commit.observe(duration.total_seconds())

    def incidents(self, unresolved: Mapping[IncidentState, int]) -> None:
        for state in (IncidentState.OPEN, IncidentState.ACKNOWLEDGED):
            self._incidents.labels(state).set(unresolved.get(state, 0))

    def owed(self, n: int) -> None:
        self._owed.set(n)

    def notified(self, *, receiver: str, kind: NotificationKind, outcome: str) -> None:
        self._notified.labels(receiver, kind, outcome).inc()

    def reloaded(self, *, successfully: bool, at: datetime) -> None:
        self._reload_ok.set(successfully)
        if successfully:
            self._reloaded_at.set(at.timestamp())
