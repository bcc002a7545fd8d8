"""The verdict on demand: probe until sure, and stop early.

Several signals of the same answers are watched. For each signal runs an e-process for "healthy" (the detector's
e-values multiplied up, mean over alternatives) and one for "at least the share s of answers shows the fault".

* fail: the mean over signals of the former reaches 1 / alpha. A mean of e-processes is one, so P(ever fail while all
  signals are healthy) <= alpha.
* pass: the latter reaches 1 / beta on *every* signal. P(ever pass while some signal shows the share s) <= beta.
* else inconclusive, with the smallest share that this many answers would have made fail.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from canary.detect.detectors import Detector


class Verdict(StrEnum):
    """What may be said of a target."""

    PASS = "pass"  # noqa: S105  a verdict, no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Rule:
    """The frozen parameters of a verdict.

    Attributes:
        share: of answers that show the fault which a pass excludes, in (0, 1).
        alpha: probability of ever failing a healthy target, in (0, 1).
        beta: probability of ever passing a target with the share on some signal, in (0, 1).
        power: with which `Judgement.visible` would have been failed, in (0, 1).

    Raises:
        ValueError: a parameter is out of range.
    """

    share: float
    alpha: float = 0.01
    beta: float = 0.05
    power: float = 0.9

    def __post_init__(self) -> None:
        if not all(0.0 < level < 1.0 for level in (self.share, self.alpha, self.beta, self.power)):
            raise ValueError(f"share, alpha, beta and power must lie in (0, 1), got {self}")


@dataclass(frozen=True, slots=True, eq=False)
class VerdictState:
    """What one signal has shown so far.

    Attributes:
        log_fault: ln of the products of e-values against "healthy", shape (K,), in nats.
        log_sound: ln of the e-process against "at least the share", in nats.
        answers: scored answers, >= 0.
        events: those of them that showed the fault.
        exposure: their total exposure, in the signal's unit.
    """

    log_fault: NDArray[np.float64] = field(repr=False)
    log_sound: float = 0.0
    answers: int = 0
    events: int = 0
    exposure: float = 0.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and what stands behind it.

    Attributes:
        verdict: pass, fail or inconclusive.
        evidence: ln of the e-process against "healthy", in nats; fail at ln(1 / alpha).
        soundness: ln of the e-process against the fault on the least sure signal, in nats; pass at ln(1 / beta).
        signal: the one with the most evidence.
        visible: the smallest share that would have been failed with the rule's power, on every signal; in (0, 1].
        answers: scored on the signal with the fewest.
        better: of a comparison of two targets, ln of the e-process for "the other one is worse", in nats.
    """

    verdict: Verdict
    evidence: float
    soundness: float
    signal: str
    visible: float
    answers: int
    better: float | None = None


def start(detector: Detector) -> VerdictState:
    """Nothing seen yet on one signal."""
    return VerdictState(np.zeros(detector.alternatives))


def step(
    rule: Rule, detector: Detector, state: VerdictState, value: float, exposure: float, threshold: float
) -> VerdictState:
    """Feed one scored answer of one signal; an unscored one is not fed.

    Args:
        rule: of the verdict, the same for all signals and steps.
        detector: of the signal.
        state: before the answer.
        value: the score, `standardised` by the detector, in the signal's unit.
        exposure: in the signal's unit of exposure, > 0.
        threshold: the probe's golden threshold, in the signal's unit.

    Raises:
        ValueError: the value is NaN or the exposure not positive.
    """
    event = detector.is_event(value, threshold)
    healthy = min(detector.healthy_event_rate(exposure), rule.share)  # equal: this answer cannot tell them apart
    sound = math.log(healthy / rule.share) if event else math.log1p(-healthy) - math.log1p(-rule.share)
    return VerdictState(
        log_fault=state.log_fault + detector.log_e(value, exposure, threshold),
        log_sound=state.log_sound + sound,
        answers=state.answers + 1,
        events=state.events + int(event),
        exposure=state.exposure + exposure,
    )


def judge(rule: Rule, detectors: Mapping[str, Detector], states: Mapping[str, VerdictState]) -> Judgement:
    """The verdict at this moment; it may be asked after every answer, and the first pass or fail stands.

    Args:
        rule: of the verdict.
        detectors: by signal, at least one.
        states: of the same signals.

    Raises:
        ValueError: no signal, or signals that differ.

    >>> from canary.detect.events import EventDetector
    >>> rule, detector = Rule(share=0.05), EventDetector(1e-3)
    >>> state = start(detector)
    >>> for _ in range(62):
    ...     state = step(rule, detector, state, 0.0, 1.0, 0.0)
    >>> judge(rule, {"script": detector}, {"script": state}).verdict
    <Verdict.PASS: 'pass'>
    """
    if not detectors or detectors.keys() != states.keys():
        raise ValueError("need the states of exactly the signals that have a detector, at least one")
    evidences = {signal: against_healthy(state) for signal, state in states.items()}
    evidence = _log_mean(np.array(list(evidences.values())))
    soundness = min(state.log_sound for state in states.values())
    return Judgement(
        verdict=_verdict(rule, evidence, soundness),
        evidence=evidence,
        soundness=soundness,
        signal=max(evidences, key=evidences.__getitem__),
        visible=max(visible_share(rule, detectors[each], states[each], len(states)) for each in states),
        answers=min(state.answers for state in states.values()),
    )


def against_healthy(state: VerdictState) -> float:
    """Ln of the mixture over alternatives of the products against "healthy" of one signal, in nats."""
    return _log_mean(state.log_fault)


def visible_share(rule: Rule, detector: Detector, state: VerdictState, signals: int) -> float:
    """The smallest share that as many answers as these would have failed with the rule's power; in (0, 1].

    Computed for answers of the mean exposure, of which a share are events and the others plain healthy ones.

    Args:
        rule: of the verdict.
        detector: of the signal.
        state: of the signal.
        signals: how many are judged together, >= 1.
    """
    n = state.answers
    if n == 0:
        return 1.0
    none, event = detector.typical(state.exposure / n)
    for events in range(1, n + 1):
        if _log_mean(events * event + (n - events) * none) >= math.log(signals / rule.alpha):
            return float(betaincinv(events, n - events + 1, rule.power))
    return 1.0


def _verdict(rule: Rule, evidence: float, soundness: float) -> Verdict:
    if evidence >= -math.log(rule.alpha):
        return Verdict.FAIL
    return Verdict.PASS if soundness >= -math.log(rule.beta) else Verdict.INCONCLUSIVE


def _log_mean(logs: NDArray[np.float64]) -> float:
    return float(np.logaddexp.reduce(logs) - math.log(len(logs)))
