"""Scorers: pure functions of an answer, usable without the rest of Canary.

>>> from canary.records import Finish, Message, Probe, Response, Sampling
>>> probe = Probe("hello", "prose", (Message("user", "Say hello."),), Sampling(20), ("script",), "an example")
>>> score_response(probe, Response("Hello there, สวัสดี!", Finish.STOP), None)
(Score(signal='script', version=1, value=6.0, exposure=14.0, note='foreign_script at 13, 6 long: \
U+0E2A U+0E27 U+0E31 U+0E2A U+0E14 U+0E35'),)
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from canary.records import (
    FailureKind,
    Observation,
    Probe,
    Reference,
    Response,
    Score,
    Signal,
    SignalKind,
    Symptom,
    Unscored,
    UnscoredReason,
)
from canary.score import language, logprobs, script, syntax
from canary.score.measure import Judgement

MOST_TEXT = 200_000
"""Characters, beyond which an answer is not judged."""

Scorer = Callable[[Probe, Response, Reference | None], Judgement]

_EVENT, _DISTANCE = SignalKind.EVENT, SignalKind.DISTANCE

SIGNALS: Mapping[str, Signal] = MappingProxyType(
    {
        signal.name: signal
        for signal in (
            Signal("script", 1, _EVENT, Symptom.CORRUPTION, "characters", "letters"),
            Signal("language", 1, _EVENT, Symptom.CORRUPTION, "share of letters", "windows"),
            Signal("syntax", 1, _EVENT, Symptom.CORRUPTION, "errors", "lines of code"),
            Signal("logprob", 1, _DISTANCE, Symptom.DEVIATION, "nats", "answers"),
            Signal("greedy", 1, _EVENT, Symptom.SELECTION, "tokens", "tokens"),
            Signal("availability", 1, _EVENT, Symptom.AVAILABILITY, "failures", "runs"),
        )
    }
)
"""All that is scored, by name. A scorer whose values change gets a new version."""

_SCORERS: Mapping[str, Scorer] = MappingProxyType(
    {
        "script": lambda probe, response, _: script.measure(probe, response),
        "language": lambda probe, response, _: language.measure(probe, response),
        "syntax": lambda probe, response, _: syntax.measure(probe, response),
        "logprob": lambda _, response, reference: logprobs.measure_deviation(response, reference),
        "greedy": lambda probe, response, _: logprobs.measure_greedy(probe, response),
    }
)


def score(probe: Probe, observation: Observation, reference: Reference | None) -> tuple[Score | Unscored, ...]:
    """Judge one run by all of its probe's scorers, in their order, then by availability.

    Shape:
        One observation to `len(probe.scorers) + 1` judgements; a name without a scorer is unscored as UNSUPPORTED.
    Unit:
        As `SIGNALS` says of each.
    Range:
        value >= 0 and finite, exposure > 0.

    Raises:
        Nothing, whatever the target answered.
    """
    if observation.response is not None:
        return (*score_response(probe, observation.response, reference), availability(observation))
    names = (name for name in probe.scorers if name != "availability")
    return (*(_unscored(name, UnscoredReason.FAILED) for name in names), availability(observation))


def score_response(probe: Probe, response: Response, reference: Reference | None) -> tuple[Score | Unscored, ...]:
    """Judge one response by all of its probe's scorers, in their order; as `score`, but for availability."""
    return tuple(_judge(name, probe, response, reference) for name in probe.scorers if name != "availability")


def availability(observation: Observation) -> Score | Unscored:
    """1 for a run that failed, 0 for one that was answered; a throttled run says nothing of the target.

    Shape:
        One observation to one judgement.
    Unit:
        Failures; exposure always 1 (runs).
    Range:
        0 or 1.

    Raises:
        Nothing.
    """
    failure = observation.failure
    if failure is not None and failure.kind is FailureKind.THROTTLED:
        return _unscored("availability", UnscoredReason.FAILED)
    note = "" if failure is None else failure.kind.value
    return Score("availability", SIGNALS["availability"].version, float(observation.response is None), note=note)


def _judge(name: str, probe: Probe, response: Response, reference: Reference | None) -> Score | Unscored:
    scorer = _SCORERS.get(name)
    if scorer is None:
        return _unscored(name, UnscoredReason.UNSUPPORTED)
    if len(response.text) > MOST_TEXT:
        return _unscored(name, UnscoredReason.TOO_LONG)
    judgement = scorer(probe, response, reference)
    if isinstance(judgement, UnscoredReason):
        return _unscored(name, judgement)
    return Score(name, SIGNALS[name].version, *judgement)


def _unscored(name: str, reason: UnscoredReason) -> Unscored:
    signal = SIGNALS.get(name)
    return Unscored(name, signal.version if signal else 0, reason)
