"""What is counted of each target, probe group, series, part of the fleet and open incident, and its families."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf, nan
from typing import NamedTuple

from canary.metrics.exposition import Exemplar, Sample, family, labelled
from canary.records import FailureKind, SeriesKey, Target

_RESULTS = ("response", *FailureKind)


class OpenIncident(NamedTuple):
    """What unresolved incidents are counted by: names, "*" for any, how loud they are ("page" or "ticket").

    `silenced` is "true" while a silence or a maintenance window covers them, else "false".
    """

    model: str
    platform: str
    pool: str
    region: str
    symptom: str
    severity: str
    silenced: str


@dataclass(slots=True)
class OfTarget:
    labels: str
    platform: str
    results: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_RESULTS, 0))
    last: dict[str, Exemplar] = field(default_factory=dict)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    last_result: float = nan
    baseline: float = nan
    stale: bool = False
    silenced: bool = False
    state: str = ""


@dataclass(slots=True)
class OfGroup:
    labels: str
    escalated: bool = False


@dataclass(slots=True)
class OfSeries:
    labels: str
    scored: int = 0
    events: int = 0
    alarms: int = 0
    unscored: dict[str, int] = field(default_factory=dict)
    evidence: float = -inf
    armed: bool = False
    learned: int = 0
    needed: int = 0
    healthy: float = nan
    last_event: Exemplar | None = None


@dataclass(slots=True)
class OfScope:
    labels: str
    alarms: int = 0
    evidence: float = -inf


@dataclass(frozen=True, slots=True)
class Parts:
    """All that was declared, at one moment. `states` are the words that a target's state is one of."""

    targets: Collection[OfTarget]
    groups: Collection[OfGroup]
    series: Collection[OfSeries]
    scopes: Collection[OfScope]
    incidents: Mapping[OpenIncident, int]
    states: Collection[str]
    detected: float | None = None  # when the injected fault last was, where there is one

    def lines(self, *, openmetrics: bool) -> Iterator[str]:
        for name, documentation, samples in (*self._of_targets(), *self._of_series(), *self._of_scopes()):
            yield from family(name, documentation, samples, openmetrics=openmetrics)

    def _of_targets(self) -> Iterator[tuple[str, str, Iterator[Sample]]]:
        yield "canary_observations_total", "Runs by what came back.", self._results()
        yield "canary_tokens_total", "Tokens that targets counted.", self._tokens()
        last = (Sample(of.labels, of.last_result) for of in self.targets)
        yield "canary_last_result_timestamp_seconds", "When the last run ended.", last
        stale = (Sample(of.labels, of.stale) for of in self.targets)
        yield "canary_target_stale", "1 when nothing came back for three intervals.", stale
        silenced = (Sample(of.labels, of.silenced) for of in self.targets)
        yield "canary_target_silenced", "1 while a silence or a maintenance window covers all of it.", silenced
        states = (
            Sample(f'{of.labels},state="{state}"', of.state == state) for of in self.targets for state in self.states
        )
        yield "canary_target_state", "1 for the worst that is true of the target, 0 for the rest.", states
        baseline = (Sample(of.labels, of.baseline) for of in self.targets)
        yield "canary_baseline_timestamp_seconds", "When the active baseline was recorded.", baseline
        escalated = (Sample(of.labels, of.escalated) for of in self.groups)
        yield "canary_escalated", "1 while its evidence is past the warning and buys extra runs.", escalated

    def _of_series(self) -> Iterator[tuple[str, str, Iterator[Sample]]]:
        scored = (Sample(of.labels, of.scored) for of in self.series)
        yield "canary_scores_total", "Answers scored.", scored
        events = (Sample(of.labels, of.events, of.last_event) for of in self.series)
        yield "canary_score_events_total", "Answers whose score was an event.", events
        yield "canary_unscored_total", "Answers that could not be judged.", self._unscored()
        armed = (Sample(of.labels, of.armed) for of in self.series)
        yield "canary_series_armed", "1 when the detector is on.", armed
        learned = (Sample(of.labels, of.learned) for of in self.series)
        yield "canary_series_learned_answers", "Golden answers that were judged.", learned
        needed = (Sample(of.labels, of.needed) for of in self.series)
        yield "canary_series_needed_answers", "Golden answers that arming takes.", needed
        healthy = (Sample(of.labels, of.healthy) for of in self.series)
        yield "canary_baseline_event_ratio", "A healthy answer is an event at most this often.", healthy

    def _of_scopes(self) -> Iterator[tuple[str, str, Iterator[Sample]]]:
        judged: list[OfSeries | OfScope] = [*self.series, *self.scopes]
        alarms = (Sample(of.labels, of.alarms) for of in judged)
        yield "canary_alarms_total", "Times the detector crossed its threshold.", alarms
        evidence = (Sample(of.labels, of.evidence) for of in judged)
        yield "canary_evidence_nats", "ln R of the detector: it alarms at 0.", evidence
        incidents = (Sample(labelled(**place._asdict()), n) for place, n in self.incidents.items())
        yield (
            "canary_incident_open",
            "Unresolved incidents by place, symptom, severity, and whether they are silenced.",
            incidents,
        )
        detected = iter(() if self.detected is None else (Sample("", self.detected),))
        yield (
            "canary_heartbeat_last_detection_timestamp_seconds",
            "When the injected fault was last detected, or since when it is looked for.",
            detected,
        )

    def _results(self) -> Iterator[Sample]:
        for of in self.targets:
            for result, n in of.results.items():
                yield Sample(f'{of.labels},result="{result}"', n, of.last.get(result))

    def _tokens(self) -> Iterator[Sample]:
        for of in self.targets:
            yield Sample(f'{of.labels},kind="prompt"', of.prompt_tokens)
            yield Sample(f'{of.labels},kind="completion"', of.completion_tokens)

    def _unscored(self) -> Iterator[Sample]:
        for of in self.series:
            for reason, n in list(of.unscored.items()):
                yield Sample(f'{of.labels},reason="{reason}"', n)


def of_target(target: Target, region: str) -> OfTarget:
    return OfTarget(labelled(**_place(target, region)), target.platform)


def of_group(group: str, target: Target, region: str) -> OfGroup:
    return OfGroup(labelled(**_place(target, region), group=group))


def labels_of(key: SeriesKey) -> str:
    model, platform, pool = key.target.rsplit("/", 2)
    return labelled(model=model, platform=platform, pool=pool, region=key.region, group=key.group, signal=key.signal)


def _place(target: Target, region: str) -> dict[str, str]:
    return {"model": target.model, "platform": target.platform, "pool": target.pool, "region": region}
