"""What is watched: for each series its detector and its part of the budget, or how far it is from being armed."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from canary.detect import Armed, Detector, Learning, arm, detector_from_json
from canary.records import Baseline, BaselineStatus, Probe, SeriesKey, Signal
from canary.score import SCORERS, SIGNALS, Scorer


@dataclass(frozen=True, slots=True)
class Terms:
    """What the user promised the detectors: see `budget` and `detect` in the config."""

    false_alarms_per_week: float
    delta: float
    smallest_share: float


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A probe group on a target, as it is scheduled; `known` is all that can be scored."""

    target: str
    group: str
    probes: tuple[Probe, ...]
    interval: timedelta
    known: Mapping[str, Signal] = field(default_factory=lambda: SIGNALS, repr=False, compare=False)

    @property
    def signals(self) -> tuple[Signal, ...]:
        """What its answers are scored for; availability always."""
        names = {name for probe in self.probes for name in probe.scorers} | {"availability"}
        return tuple(signal for name, signal in self.known.items() if name in names)


@dataclass(frozen=True, slots=True)
class Watched:
    """An armed series, judged by `n` golden answers of `since`.

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

    @property
    def parameters(self) -> str:
        """What `digest` is the digest of: enough to make the same steps again."""
        return _parameters(self.detector, self.epoch)


@dataclass(frozen=True, slots=True)
class Watch:
    """Every series of the config, armed or learning. Shares of the armed ones sum to one.

    `epochs` says by (target, group) which recording the references come from, `scorers` what judges the answers.
    """

    terms: Terms
    signals: Mapping[SeriesKey, Signal]
    armed: Mapping[SeriesKey, Watched]
    learning: Mapping[SeriesKey, Learning]
    epochs: Mapping[tuple[str, str], int]
    scorers: Mapping[str, Scorer] = field(default_factory=lambda: SCORERS, repr=False, compare=False)


def muster(
    rhythms: Sequence[Rhythm],
    baselines: Iterable[Baseline],
    terms: Terms,
    region: str,
    scorers: Mapping[str, Scorer] = SCORERS,
) -> Watch:
    """Arm what has enough golden data. Delta is divided over all series, the budget over those that are armed."""
    golden = {baseline.series: baseline for baseline in baselines}
    wanted = {
        SeriesKey(rhythm.target, region, rhythm.group, signal.name): (rhythm, signal)
        for rhythm in rhythms
        for signal in rhythm.signals
    }
    delta = terms.delta / max(1, len(wanted))
    statuses = {
        key: arm(golden.get(key) or _nothing(key), signal.kind, delta=delta, smallest_share=terms.smallest_share)
        for key, (_, signal) in wanted.items()
    }
    armed = {key: status for key, status in statuses.items() if isinstance(status, Armed)}
    return Watch(
        terms=terms,
        signals={key: signal for key, (_, signal) in wanted.items()},
        armed={
            key: _watched(status, golden[key], wanted[key][0].interval, 1.0 / len(armed))
            for key, status in armed.items()
        },
        learning={key: status for key, status in statuses.items() if isinstance(status, Learning)},
        epochs={(series.target, series.group): baseline.epoch for series, baseline in golden.items()},
        scorers=scorers,
    )


def revive(parameters: str) -> tuple[Detector, int]:
    """The detector and the epoch that `Watched.parameters` wrote down."""
    kept = json.loads(parameters)
    return detector_from_json(json.dumps(kept["detector"])), int(kept["epoch"])


def _nothing(series: SeriesKey) -> Baseline:
    return Baseline("", series, 0, BaselineStatus.PROPOSED, 0, datetime.min.replace(tzinfo=UTC), 0, 0.0, 0, ())


def _watched(status: Armed, baseline: Baseline, interval: timedelta, share: float) -> Watched:
    parameters = _parameters(status.detector, baseline.epoch)
    return Watched(
        detector=status.detector,
        digest=hashlib.blake2b(parameters.encode(), digest_size=12).hexdigest(),
        epoch=baseline.epoch,
        n=baseline.n,
        since=baseline.created_at,
        version=baseline.scorer_version,
        share=share,
        interval=interval,
        thresholds={part.probe_digest: part.threshold for part in baseline.parts},
    )


def _parameters(detector: Detector, epoch: int) -> str:
    return json.dumps({"detector": json.loads(detector.to_json()), "epoch": epoch}, sort_keys=True)
