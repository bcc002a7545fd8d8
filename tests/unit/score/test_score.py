import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.records import (
    Failure,
    FailureKind,
    Finish,
    Logprobs,
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
from canary.score import SCORERS, SIGNALS, STRATIFIED, Case, Measure, Scorer, score, score_response, signals
from tests.unit.score.build import probe

ALL = tuple(SCORERS)
MOST = 1e9
LAST = MappingProxyType(
    {
        "language": 1.0,
        "syntax": 100.0,
        "logprob": 20.0,
        "kl": 40.0,
        "divergence": 20.01,
        "surprisal": 20.02,
        "forced": 20.0,
    }
    | {"length": 18.5, "schema": 100.0, "tool_call": 100.0}
    | {name: 1.0 for name, signal in SIGNALS.items() if signal.unit == "answers"}
)
DISTANCES = ["logprob", "kl", "divergence", "surprisal", "forced", "length"]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CODE_TAGS = ["", "python", "js", "json", "yaml", "toml", "html", "sql", "bash", "c++", "mermaid"]

texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)
answers = texts | st.builds(
    "{}\n```{}\n{}{}".format, texts, st.sampled_from(CODE_TAGS), texts, st.sampled_from(["", "\n```\n"])
)
floats = st.floats() | st.floats(-5, 0)
tokens = st.integers(0, 5) | st.binary(max_size=2)
vectors = st.builds(
    Logprobs,
    st.lists(tokens, max_size=4).map(tuple),
    st.lists(floats, max_size=4).map(tuple),
    st.lists(st.lists(tokens, max_size=3).map(tuple), max_size=4).map(tuple),
    st.lists(st.lists(floats, max_size=3).map(tuple), max_size=4).map(tuple),
)
schemas = st.sampled_from([None, "", "{", "[]", "true", '{"type": "object"}', '{"type": 3}', '{"enum": [1]}'])
tools = st.sampled_from([None, "{}", "[]", '[{"function": {"name": "f"}}]', '[{"function": {"name": 3}}]', "[null]"])
calls = st.lists(st.tuples(st.sampled_from(["f", "g"]), texts | st.just("{}")), max_size=2).map(tuple)
counts = st.none() | st.integers(0, 10**8)
probes = st.builds(
    lambda language, scripts, code, answer, schema, offered: replace(
        probe(*ALL, language=language, scripts=scripts, code=code), answer=answer, schema=schema, tools=offered
    ),
    st.sampled_from([None, "en", "zh"]),
    st.sampled_from([(), ("Latn",), ("Hani",)]),
    st.sampled_from([None, "python", "rust", "klingon"]),
    st.none() | texts,
    schemas,
    tools,
)


def observed(response: Response | None = None, failure: Failure | None = None) -> Observation:
    return Observation("s", "p", "d", "f", "m/p/q", "r", NOW, NOW, timedelta(0), response=response, failure=failure)


responses = st.builds(
    Response,
    answers,
    st.sampled_from(Finish),
    prompt_tokens=counts,
    completion_tokens=counts,
    logprobs=st.none() | vectors,
    prompt_logprobs=st.none() | vectors,
    tool_calls=calls,
)
references = st.builds(
    Reference,
    st.just("d"),
    st.just(0),
    st.lists(vectors, max_size=2).map(tuple),
    st.lists(vectors, max_size=2).map(tuple),
    st.lists(st.tuples(st.text(max_size=3), st.integers(1, 9)), max_size=2).map(tuple),
    st.lists(st.integers(0, 10**8), max_size=2).map(tuple),
    st.lists(st.integers(0, 10**8), max_size=3).map(tuple),
)


@given(probes, responses, st.none() | references)
def test_any_answer_gets_judgements_in_range(probe: Probe, response: Response, reference: Reference | None) -> None:
    for judged in score(probe, observed(response), reference)[:-1]:
        if isinstance(judged, Score):
            assert 0 <= judged.value <= LAST.get(judged.signal, MOST), judged.signal
            assert 0 < judged.exposure < math.inf, judged.signal


@given(probes, responses, st.none() | references)
def test_scoring_is_deterministic(probe: Probe, response: Response, reference: Reference | None) -> None:
    seen = observed(response)
    assert score(probe, seen, reference) == score(probe, seen, reference)


def test_judgements_stand_in_the_probes_order_with_availability_last() -> None:
    judged = score(probe("greedy", "script"), observed(Response("Hello", Finish.STOP)), None)
    assert [item.signal for item in judged] == ["greedy", "script", "availability"]


def test_availability_is_judged_once() -> None:
    judged = score(probe("availability", "script"), observed(Response("Hello", Finish.STOP)), None)
    assert [item.signal for item in judged] == ["script", "availability"]


def test_an_answered_run_is_available() -> None:
    assert score(probe(), observed(Response("Hello", Finish.STOP)), None) == (Score("availability", 1, 0.0),)


@pytest.mark.parametrize("kind", sorted(set(FailureKind) - {FailureKind.THROTTLED}))
def test_a_failed_run_is_unavailable(kind: FailureKind) -> None:
    [judged] = score(probe(), observed(failure=Failure(kind, "detail")), None)
    assert judged == Score("availability", 1, 1.0, note=kind.value)


def test_a_throttled_run_says_nothing_of_availability() -> None:
    [judged] = score(probe(), observed(failure=Failure(FailureKind.THROTTLED, "detail")), None)
    assert judged == Unscored("availability", 1, UnscoredReason.FAILED)


def test_a_failed_run_is_unscored_by_every_other_signal() -> None:
    judged = score(probe(*ALL), observed(failure=Failure(FailureKind.TIMEOUT, "detail")), None)
    assert judged[:-1] == tuple(Unscored(name, SIGNALS[name].version, UnscoredReason.FAILED) for name in ALL)


def test_an_unknown_scorer_is_unscored() -> None:
    judged = score(probe("taste"), observed(Response("Hello", Finish.STOP)), None)
    assert judged[0] == Unscored("taste", 0, UnscoredReason.UNSUPPORTED)


def test_an_answer_without_bound_is_unscored() -> None:
    judged = score(probe("script"), observed(Response("a" * 200_001, Finish.STOP)), None)
    assert judged[0] == Unscored("script", 1, UnscoredReason.TOO_LONG)


def test_the_distances_are_these() -> None:
    assert [name for name, signal in SIGNALS.items() if signal.kind is SignalKind.DISTANCE] == DISTANCES


def test_every_symptom_has_a_signal() -> None:
    assert {signal.symptom for signal in SIGNALS.values()} == set(Symptom)


def test_thresholds_are_of_events() -> None:
    assert not STRATIFIED & set(DISTANCES)


def test_a_scorer_of_the_users_own_judges_beside_ours() -> None:
    own = Scorer(Signal("taste", 3, SignalKind.EVENT, Symptom.SHAPE, "points", "answers"), lambda _: Measure(2.0, 1.0))
    judged = score_response(probe("taste", "empty"), Response("x", Finish.STOP), None, {**SCORERS, "taste": own})
    assert judged == (Score("taste", 3, 2.0), Score("empty", 1, 0.0))


def test_the_signals_of_any_scorers_end_with_availability() -> None:
    assert list(signals({"empty": SCORERS["empty"]})) == ["empty", "availability"]


def test_what_scorers_share_is_worked_out_once() -> None:
    case = Case(probe("kl"), Response("x", Finish.STOP, logprobs=Logprobs((1,), (-0.1,), ((1,),), ((-0.1,),))))
    assert case.logprobs is case.logprobs
