"""Scorers: pure functions of an answer, usable without the rest of Canary.

>>> from canary.records import Finish, Message, Probe, Response, Sampling
>>> probe = Probe("hello", "prose", (Message("user", "Say hello."),), Sampling(20), ("script", "finish"), "an example")
>>> [(judged.signal, judged.value) for judged in score_response(probe, Response("Hello, สวัสดี!", Finish.STOP), None)]
[('script', 6.0), ('finish', 0.0)]

A scorer of your own is a `Scorer`: a signal and a pure function of a `Case`. `canary.score.contract` holds it to what
is asked of ours.

>>> from canary.records import Signal, SignalKind, Symptom
>>> def shouts(case: Case) -> Judgement:
...     letters = [char for char in case.response.text if char.isalpha()]
...     return Measure(float(sum(map(str.isupper, letters))), float(max(1, len(letters))))
>>> signal = Signal("shouting", 1, SignalKind.EVENT, Symptom.SHAPE, "capitals", "letters")
>>> loud = Probe("loud", "prose", (Message("user", "Say hello."),), Sampling(20), ("shouting",), "an example")
>>> score_response(loud, Response("HELLO", Finish.STOP), None, {"shouting": Scorer(signal, shouts)})
(Score(signal='shouting', version=1, value=5.0, exposure=5.0, note=''),)
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
from canary.score import (
    capability,
    copying,
    deviation,
    divergence,
    kl,
    language,
    loop,
    novelty,
    recall,
    refusal,
    script,
    shape,
    structure,
    syntax,
)
from canary.score.case import Case, Scorer
from canary.score.measure import Judgement, Measure

__all__ = [
    "AVAILABILITY",
    "SCORERS",
    "SIGNALS",
    "STRATIFIED",
    "Case",
    "Judgement",
    "Measure",
    "Scorer",
    "availability",
    "score",
    "score_response",
    "signals",
    "stratified",
]

MOST_TEXT = 65_536
"""Characters, beyond which an answer is not judged."""

_EVENT, _DISTANCE = SignalKind.EVENT, SignalKind.DISTANCE
_CORRUPTION, _DEVIATION, _SELECTION, _SHAPE = (
    Symptom.CORRUPTION,
    Symptom.DEVIATION,
    Symptom.SELECTION,
    Symptom.SHAPE,
)


def _plain(measure: Callable[[Probe, Response], Judgement]) -> Callable[[Case], Judgement]:
    return lambda case: measure(case.probe, case.response)


_TABLE = (
    Scorer(Signal("script", 1, _EVENT, _CORRUPTION, "characters", "letters"), _plain(script.measure), of_text=True),
    Scorer(
        Signal("language", 2, _EVENT, _CORRUPTION, "share of letters", "windows"),
        _plain(language.measure),
        of_text=True,
    ),
    Scorer(
        Signal("syntax", 3, _EVENT, _CORRUPTION, "errors", "lines of code"),
        _plain(syntax.measure),
        stratified=True,
        of_text=True,
    ),
    Scorer(Signal("logprob", 2, _DISTANCE, _DEVIATION, "nats", "answers"), deviation.measure_deviation),
    Scorer(Signal("kl", 1, _DISTANCE, _DEVIATION, "nats", "answers"), kl.measure),
    Scorer(Signal("divergence", 1, _DISTANCE, _DEVIATION, "nats", "answers"), divergence.measure),
    Scorer(Signal("surprisal", 1, _DISTANCE, _DEVIATION, "nats", "answers"), deviation.measure_surprisal),
    Scorer(Signal("forced", 1, _DISTANCE, _DEVIATION, "nats", "answers"), deviation.measure_forced),
    Scorer(Signal("greedy", 1, _EVENT, _SELECTION, "tokens", "tokens"), deviation.measure_greedy),
    Scorer(Signal("capability", 1, _EVENT, _SHAPE, "answers", "answers"), capability.measure, stratified=True),
    Scorer(Signal("copy", 1, _EVENT, _CORRUPTION, "edits", "tokens"), copying.measure, stratified=True),
    Scorer(Signal("recall", 1, _EVENT, _DEVIATION, "answers", "answers"), recall.measure, stratified=True),
    Scorer(Signal("novelty", 1, _EVENT, _DEVIATION, "answers", "answers"), novelty.measure_novelty),
    Scorer(Signal("border", 1, _EVENT, _SELECTION, "answers", "answers"), novelty.measure_border),
    Scorer(Signal("balance", 1, SignalKind.BOUNDED, _SELECTION, "answers", "answers"), novelty.measure_balance),
    Scorer(Signal("empty", 1, _EVENT, _SHAPE, "answers", "answers"), shape.measure_empty, stratified=True),
    Scorer(Signal("cut", 1, _EVENT, _SHAPE, "answers", "answers"), shape.measure_cut, stratified=True),
    Scorer(Signal("finish", 1, _EVENT, _SHAPE, "answers", "answers"), shape.measure_finish, stratified=True),
    Scorer(Signal("prompt_tokens", 1, _EVENT, _SHAPE, "answers", "answers"), shape.measure_prompt_tokens),
    Scorer(Signal("length", 1, _DISTANCE, _SHAPE, "nats", "answers"), shape.measure_length),
    Scorer(Signal("loop", 1, _EVENT, _SHAPE, "words", "words"), loop.measure, stratified=True, of_text=True),
    Scorer(Signal("refusal", 1, _EVENT, _SHAPE, "answers", "answers"), refusal.measure, stratified=True, of_text=True),
    Scorer(Signal("fence", 1, _EVENT, _SHAPE, "fences", "fences"), shape.measure_fence, stratified=True),
    Scorer(Signal("schema", 1, _EVENT, _SHAPE, "errors", "answers"), structure.measure_schema, stratified=True),
    Scorer(Signal("tool_call", 1, _EVENT, _SHAPE, "errors", "answers"), structure.measure_tool_call, stratified=True),
)

AVAILABILITY = Signal("availability", 1, _EVENT, Symptom.AVAILABILITY, "failures", "runs")
"""What every run is judged for, without being asked."""

SCORERS: Mapping[str, Scorer] = MappingProxyType({scorer.signal.name: scorer for scorer in _TABLE})
"""All that Canary scores by itself, by name. A scorer whose values change gets a new version."""


def signals(scorers: Mapping[str, Scorer]) -> Mapping[str, Signal]:
    """What answers are scored for by these scorers, by name; availability always, and last.

    Shape:
        n scorers to n + 1 signals, in the same order.

    Raises:
        Nothing.
    """
    every = (*(scorer.signal for scorer in scorers.values()), AVAILABILITY)
    return MappingProxyType({signal.name: signal for signal in every})


def stratified(scorers: Mapping[str, Scorer]) -> frozenset[str]:
    """The signals whose threshold is the golden worst of each probe.

    Some prompts' golden code does not parse to begin with, some texts are never copied exactly; such probes still show
    what is worse than that.

    Shape:
        Any scorers to the names of some of them.

    Raises:
        Nothing.
    """
    return frozenset(name for name, scorer in scorers.items() if scorer.stratified)


SIGNALS: Mapping[str, Signal] = signals(SCORERS)
"""All that is scored without scorers of the user's own, by name."""

STRATIFIED = stratified(SCORERS)
"""Those of them whose threshold is the golden worst of each probe."""


def score(
    probe: Probe, observation: Observation, reference: Reference | None, scorers: Mapping[str, Scorer] = SCORERS
) -> tuple[Score | Unscored, ...]:
    """Judge one run by all of its probe's scorers, in their order, then by availability.

    Shape:
        One observation to `len(probe.scorers) + 1` judgements; a name without a scorer is unscored as UNSUPPORTED.
    Unit:
        As `signals` says of each.
    Range:
        value >= 0 and finite, exposure > 0.

    Raises:
        Nothing, whatever the target answered, as long as every scorer keeps its contract.
    """
    if observation.response is not None:
        return (*score_response(probe, observation.response, reference, scorers), availability(observation))
    names = (name for name in probe.scorers if name != AVAILABILITY.name)
    return (*(_unscored(name, UnscoredReason.FAILED, scorers) for name in names), availability(observation))


def score_response(
    probe: Probe, response: Response, reference: Reference | None, scorers: Mapping[str, Scorer] = SCORERS
) -> tuple[Score | Unscored, ...]:
    """Judge one response by all of its probe's scorers, in their order; as `score`, but for availability."""
    case = Case(probe, response, reference)
    return tuple(_judge(name, case, scorers) for name in probe.scorers if name != AVAILABILITY.name)


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
        return Unscored(AVAILABILITY.name, AVAILABILITY.version, UnscoredReason.FAILED)
    note = "" if failure is None else failure.kind.value
    return Score(AVAILABILITY.name, AVAILABILITY.version, float(observation.response is None), note=note)


def _judge(name: str, case: Case, scorers: Mapping[str, Scorer]) -> Score | Unscored:
    scorer = scorers.get(name)
    if scorer is None:
        return _unscored(name, UnscoredReason.UNSUPPORTED, scorers)
    if len(case.response.text) > MOST_TEXT:
        return _unscored(name, UnscoredReason.TOO_LONG, scorers)
    judgement = scorer.measure(case)
    if isinstance(judgement, UnscoredReason):
        return _unscored(name, judgement, scorers)
    return Score(name, scorer.signal.version, *judgement)


def _unscored(name: str, reason: UnscoredReason, scorers: Mapping[str, Scorer]) -> Unscored:
    scorer = scorers.get(name)
    return Unscored(name, scorer.signal.version if scorer else 0, reason)
