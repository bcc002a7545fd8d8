"""What is watched: for each series its detector and its part of the budget, or how far it is from being armed."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from canary.baseline import restricted
from canary.detect import CountDetector, Detector, Learning, answers_needed, arm, detector_from_json
from canary.pipeline.scopes import Hierarchy, hierarchy_of
from canary.records import Baseline, Probe, Score, SeriesKey, Signal, SignalKind, Unscored
from canary.score import SCORERS, SIGNALS, Scorer
from canary.store.base import ScoreRow

ANSWER = 1.0
"""The exposure of every answer to its detector: one. A group's pooled rate is that of its probes drawn at random, and
holds for an answer drawn with them. It would not hold for each length of answer by itself: events of a short probe and
the exposure of a long one would make e-values whose mean is above 1."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the user promised the detectors: see `budget` and `detect` in the config.

    A series gets budget by the weight of its signal, 1 where none is said.
    """

    false_alarms_per_week: float
    delta: float
    smallest_share: float
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A probe group on a target, as it is scheduled; `known` is all that can be scored.

    `replicas` says whether answers name the replica that gave them.
    """

    target: str
    group: str
    probes: tuple[Probe, ...]
    interval: timedelta
    replicas: bool = False
    known: Mapping[str, Signal] = field(default_factory=lambda: SIGNALS, repr=False, compare=False)

    @property
    def signals(self) -> tuple[Signal, ...]:
        """What its answers are scored for; availability always."""
        names = {name for probe in self.probes for name in probe.scorers} | {"availability"}
        return tuple(signal for name, signal in self.known.items() if name in names)


@dataclass(frozen=True, slots=True)
class Watched:
    """An armed series, judged by `n` golden answers of `since`, `events` of which were events.

    A score is fed when its probe has a threshold here and its scorer's version is `version`.
    """

    detector: Detector
    digest: str
    epoch: int
    n: int
    since: datetime
    version: int
    share: float
    interval: timedelta
    thresholds: Mapping[str, float]
    hierarchy: Hierarchy
    events: int = 0

    @property
    def parameters(self) -> str:
        """What `digest` is the digest of: enough to make the same steps again."""
        return _parameters(self.detector, self.epoch, self.hierarchy)


@dataclass(frozen=True, slots=True)
class Watch:
    """Every series of the config, armed or learning. Shares of the armed ones and of their scopes sum to one.

    `epochs` says by (target, group) which recording the references come from, `scorers` what judges the answers.
    """

    terms: Terms
    signals: Mapping[SeriesKey, Signal]
    armed: Mapping[SeriesKey, Watched]
    learning: Mapping[SeriesKey, Learning]
    epochs: Mapping[tuple[str, str], int]
    hierarchy: Hierarchy
    scorers: Mapping[str, Scorer] = field(default_factory=lambda: SCORERS, repr=False, compare=False)

    @property
    def spots(self) -> set[tuple[str, str]]:
        """The targets, by name and region, that a detector judges."""
        return {(series.target, series.region) for series in self.armed}


def muster(
    rhythms: Sequence[Rhythm],
    baselines: Iterable[Baseline],
    terms: Terms,
    region: str,
    scorers: Mapping[str, Scorer] = SCORERS,
) -> Watch:
    """Arm what has enough golden data. Delta is divided over all series, the budget over those that are armed.

    Of `baselines` one at a time is looked at and let go: golden values weigh far more than what comes of them.
    """
    wanted = {
        SeriesKey(rhythm.target, region, rhythm.group, signal.name): (rhythm, signal)
        for rhythm in rhythms
        for signal in rhythm.signals
    }
    bench = _Bench(terms, len(wanted))
    statuses: dict[SeriesKey, Watched | Learning] = {key: bench.nothing(one.kind) for key, (_, one) in wanted.items()}
    epochs: dict[tuple[str, str], int] = {}
    for baseline in baselines:
        key = baseline.series
        if key.region != region:  # the store may serve several
            continue
        epochs[key.target, key.group] = baseline.epoch
        if key in wanted:
            rhythm, signal = wanted[key]
            golden = restricted(baseline, {probe.digest for probe in rhythm.probes})
            statuses[key] = bench.arm(golden, signal, rhythm.interval) if golden else statuses[key]
    armed = {key: status for key, status in statuses.items() if isinstance(status, Watched)}
    hierarchy = hierarchy_of(armed, replicas=any(rhythm.replicas for rhythm in rhythms))
    return Watch(
        terms=terms,
        signals={key: signal for key, (_, signal) in wanted.items()},
        armed=bench.divide(armed, hierarchy),
        learning={key: status for key, status in statuses.items() if isinstance(status, Learning)},
        epochs=epochs,
        hierarchy=hierarchy,
        scorers=scorers,
    )


def revive(parameters: str) -> tuple[Detector, int, Hierarchy]:
    """The detector, the epoch and the hierarchy that `Watched.parameters` wrote down."""
    kept = json.loads(parameters)
    return detector_from_json(json.dumps(kept["detector"])), int(kept["epoch"]), Hierarchy.of(kept["hierarchy"])


def heard_as(detector: Detector, row: ScoreRow) -> float:
    """The value of a fed score as the detector hears it: standardised by the scale that it has for the probe."""
    if isinstance(row.score, Unscored):
        raise TypeError("an unscored answer is never fed")
    return detector.standardised(row.score.value, row.probe_digest)


def exposure_of(detector: Detector, row: ScoreRow) -> float:
    """What a fed score was counted among, where it is a count; else that of an answer."""
    return row.score.exposure if isinstance(detector, CountDetector) and isinstance(row.score, Score) else ANSWER


def threshold_of(watched: Watched, row: ScoreRow) -> float:
    """Beyond which a score of this series is an event."""
    detector = watched.detector
    if isinstance(detector, CountDetector):
        return detector.limit(exposure_of(detector, row))
    return watched.thresholds[row.probe_digest]


class _Bench:
    """Arms one series after the other; what is equal among them is kept once."""

    def __init__(self, terms: Terms, series: int) -> None:
        self._delta = terms.delta / max(1, series)
        self._smallest_share = terms.smallest_share
        self._weights = terms.weights
        self._detectors: dict[Detector, Detector] = {}
        self._digests: dict[tuple[Detector, int], str] = {}
        self._thresholds: dict[tuple[tuple[str, float], ...], Mapping[str, float]] = {}
        self._empty = {
            kind: Learning(0, answers_needed(0, kind, delta=self._delta, smallest_share=terms.smallest_share), 1.0)
            for kind in SignalKind
        }

    def arm(self, baseline: Baseline, signal: Signal, interval: timedelta) -> Watched | Learning:
        status = arm(baseline, signal.kind, delta=self._delta, smallest_share=self._smallest_share)
        if isinstance(status, Learning):
            return status
        return Watched(
            detector=self._detectors.setdefault(status.detector, status.detector),
            digest="",
            epoch=baseline.epoch,
            n=baseline.n,
            since=baseline.created_at,
            version=baseline.scorer_version,
            share=1.0,
            interval=interval,
            thresholds=self._thresholds_of(baseline),
            hierarchy=Hierarchy(),
            events=baseline.events,
        )

    def divide(self, armed: Mapping[SeriesKey, Watched], hierarchy: Hierarchy) -> Mapping[SeriesKey, Watched]:
        """The budget over the armed series and their scopes, by the weights of their signals."""
        weights = {key: self._weights.get(key.signal, 1.0) for key in armed}
        whole = sum(weights.values()) * hierarchy.total
        return {
            key: replace(
                watched,
                share=weights[key] / whole,
                hierarchy=hierarchy,
                digest=self._digest(watched.detector, watched.epoch, hierarchy),
            )
            for key, watched in armed.items()
        }

    def nothing(self, kind: SignalKind) -> Learning:
        """The status of a series without a baseline."""
        return self._empty[kind]

    def _digest(self, detector: Detector, epoch: int, hierarchy: Hierarchy) -> str:
        """Of what `revive` takes."""
        key = (detector, epoch)
        if key not in self._digests:
            parameters = _parameters(detector, epoch, hierarchy)
            self._digests[key] = hashlib.blake2b(parameters.encode(), digest_size=12).hexdigest()
        return self._digests[key]

    def _thresholds_of(self, baseline: Baseline) -> Mapping[str, float]:
        found = tuple((part.probe_digest, part.threshold) for part in baseline.parts)
        return self._thresholds.setdefault(found, dict(found))


def _parameters(detector: Detector, epoch: int, hierarchy: Hierarchy) -> str:
    facts = {
        "detector": json.loads(detector.to_json()),
        "epoch": epoch,
        "hierarchy": json.loads(hierarchy.to_json()),
    }
    return json.dumps(facts, sort_keys=True)
