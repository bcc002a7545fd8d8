"""From golden answers to references, thresholds and proposed baselines. Pure functions on records."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from canary.baseline.recording import REFERENCE_ANSWERS, reference_part
from canary.errors import BaselineError
from canary.records import (
    Baseline,
    BaselinePart,
    BaselineStatus,
    Observation,
    Recording,
    Reference,
    Response,
    Score,
    SeriesKey,
    Signal,
    SignalKind,
    Unscored,
    answer_digest,
)
from canary.score.burst import bursts, worst

T = TypeVar("T")
Judged = tuple[Observation, Sequence[Score | Unscored]]
"""An observation with its scores; a burst is its first observation with the worst scores of all."""
Thresholds = Mapping[tuple[str, str], float]
"""By (probe digest, signal)."""
Scales = Mapping[tuple[str, str], float]
"""By (probe digest, signal) of a distance; 1 for those not named."""
_ALIKE: Scales = MappingProxyType({})


def references(observations: Sequence[Observation], *, k: int = REFERENCE_ANSWERS) -> tuple[Reference, ...]:
    """What the reference part of each (probe, salt) looks like, in the order of recording.

    Real logprob noise is a finite set of atoms, so identical logprobs are kept once. A variant without any answer has
    no reference. Of a burst the first answer counts; alone and in bursts of any size, a variant has one reference.
    """
    answers = reference_answers(observations, k=k)
    return tuple(reference_of(digest, salt, answers[digest, salt]) for digest, salt in sorted(answers))


def reference_answers(
    observations: Sequence[Observation], *, k: int = REFERENCE_ANSWERS
) -> Mapping[tuple[str, int], Sequence[Response]]:
    """The answers of the reference part by (probe digest, salt), in the order of recording."""
    part = reference_part(observations, k=k)
    answers: dict[tuple[str, int], list[Response]] = defaultdict(list)
    for each in sorted(observations, key=lambda one: one.ordinal):
        if each.slot_id in part and each.leads and each.response is not None:
            answers[each.probe_digest, each.salt].append(each.response)
    return answers


def reference_of(digest: str, salt: int, answers: Sequence[Response]) -> Reference:
    """What these answers to one probe with one salt look like."""
    return Reference(
        digest,
        salt,
        logprobs=_distinct(answer.logprobs for answer in answers),
        prompt_logprobs=_distinct(answer.prompt_logprobs for answer in answers),
        answers=tuple(Counter(answer_digest(answer.text) for answer in answers).most_common()),
        prompt_tokens=_distinct(answer.prompt_tokens for answer in answers),
        lengths=tuple(sorted(answer.completion_tokens for answer in answers if answer.completion_tokens is not None)),
    )


def thresholds(reference_rows: Iterable[Judged], stratified: Collection[str]) -> dict[tuple[str, str], float]:
    """The worst value of each probe's reference part, for the signals that are `stratified` by probe.

    Golden code of some prompts does not parse to begin with: an answer is an event when it is worse than that. A
    pair that is missing here has the threshold 0.
    """
    worst: dict[tuple[str, str], float] = {}
    for observation, scores in reference_rows:
        for score in scores:
            if isinstance(score, Score) and score.signal in stratified:
                key = (observation.probe_digest, score.signal)
                worst[key] = max(worst.get(key, 0.0), score.value)
    return worst


def baselines(
    recording: Recording,
    rows: Iterable[Judged],
    limits: Thresholds,
    signals: Mapping[str, Signal],
    *,
    now: datetime,
    scales: Scales = _ALIKE,
) -> tuple[Baseline, ...]:
    """One proposed baseline for each series that has a judged answer in the calibration part `rows`.

    Ids follow from recording and series, so that calibrating twice proposes the same.

    Raises:
        BaselineError: a score is of an unknown signal or another version than `signals` has.
    """
    judged: dict[SeriesKey, list[tuple[str, Score]]] = defaultdict(list)
    for observation, scores in rows:
        for score in scores:
            if isinstance(score, Score):
                check_version(score.signal, score.version, signals)
                key = SeriesKey(recording.target, recording.region, observation.group, score.signal)
                judged[key].append((observation.probe_digest, score))
    return proposed(recording, judged, limits, signals, now=now, scales=scales)


def proposed(
    recording: Recording,
    judged: Mapping[SeriesKey, Sequence[tuple[str, Score]]],
    limits: Thresholds,
    signals: Mapping[str, Signal],
    *,
    now: datetime,
    scales: Scales = _ALIKE,
) -> tuple[Baseline, ...]:
    """The same from the calibration part's scores by series, each with the digest of its probe."""
    made = _Made(recording, limits, scales, now)
    return tuple(made.baseline(key, scored, signals[key.signal]) for key, scored in sorted(judged.items()))


def calibrate(
    recording: Recording,
    judged: Iterable[Judged],
    signals: Mapping[str, Signal],
    *,
    stratified: Collection[str],
    now: datetime,
    scales: Scales = _ALIKE,
    k: int = REFERENCE_ANSWERS,
) -> tuple[Baseline, ...]:
    """Split a recording's judged answers, take thresholds from one part and baselines from the other.

    The answers are those of `recording`, judged against the `references` of the same answers. A burst is one of them.
    `scales` are of the reference part too.

    Raises:
        BaselineError: nothing of the calibration part could be judged, or scorer versions differ from `signals`.
    """
    answers = [_as_one(burst) for burst in bursts(judged)]
    part = reference_part([observation for observation, _ in answers], k=k)
    limits = thresholds((row for row in answers if row[0].slot_id in part), stratified)
    rows = (row for row in answers if row[0].slot_id not in part)
    made = baselines(recording, rows, limits, signals, now=now, scales=scales)
    if not made:
        raise BaselineError(f"recording {recording.id} holds no answer that could be judged: record again")
    return made


def check_version(signal: str, version: int, signals: Mapping[str, Signal]) -> None:
    """Raises BaselineError unless `signals` has this signal in this version."""
    current = signals.get(signal)
    if current is None or current.version != version:
        known = "is not scored any more" if current is None else f"is at version {current.version} now"
        raise BaselineError(f"the signal {signal} was scored at version {version} but {known}: record again")


@dataclass(frozen=True, slots=True)
class _Made:
    """Makes the baselines of a recording."""

    recording: Recording
    limits: Thresholds
    scales: Scales
    now: datetime

    def baseline(self, key: SeriesKey, scored: Sequence[tuple[str, Score]], signal: Signal) -> Baseline:
        values: dict[str, list[float]] = defaultdict(list)
        for digest, score in scored:
            values[digest].append(score.value)
        part = self._distances if signal.kind is SignalKind.DISTANCE else self._events
        parts = tuple(part((digest, key.signal), sorted(values[digest])) for digest in sorted(values))
        return Baseline(
            id=_id(self.recording, key),
            series=key,
            epoch=self.recording.epoch,
            status=BaselineStatus.PROPOSED,
            scorer_version=signal.version,
            created_at=self.now,
            n=len(scored),
            exposure=float(len(scored)),
            events=sum(part.events for part in parts),
            parts=parts,
            calibration=tuple(sorted(value for part in parts for value in part.standardised)),
        )

    def _distances(self, of: tuple[str, str], values: Sequence[float]) -> BaselinePart:
        return BaselinePart(of[0], len(values), calibration=tuple(values), scale=self.scales.get(of, 1.0))

    def _events(self, of: tuple[str, str], values: Sequence[float]) -> BaselinePart:
        threshold = self.limits.get(of, 0.0)
        return BaselinePart(of[0], len(values), threshold, sum(value > threshold for value in values))


def _as_one(burst: Sequence[Judged]) -> Judged:
    return burst[0][0], tuple(score for _, score in worst(burst))


def _id(recording: Recording, key: SeriesKey) -> str:
    facts = "\x1f".join((recording.id, key.target, key.region, key.group, key.signal))
    return hashlib.blake2b(facts.encode(), digest_size=12).hexdigest()


def _distinct(values: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(value for value in values if value is not None))
