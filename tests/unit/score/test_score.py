import math
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
    SignalKind,
    Symptom,
    Unscored,
    UnscoredReason,
)
from canary.score import SIGNALS, score
from tests.unit.score.build import probe

ALL = ("script", "language", "syntax", "logprob", "greedy")
LAST = MappingProxyType({"script": 1e9, "language": 1.0, "syntax": 100.0, "logprob": 20.0, "greedy": 1e9})
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
probes = st.builds(
    lambda language, scripts, code: probe(*ALL, language=language, scripts=scripts, code=code),
    st.sampled_from([None, "en", "zh"]),
    st.sampled_from([(), ("Latn",), ("Hani",)]),
    st.sampled_from([None, "python", "rust", "klingon"]),
)


def observed(response: Response | None = None, failure: Failure | None = None) -> Observation:
    return Observation("s", "p", "d", "f", "m/p/q", "r", NOW, NOW, timedelta(0), response=response, failure=failure)


@given(probes, answers, st.sampled_from(Finish), st.none() | vectors, vectors)
def test_any_answer_gets_judgements_in_range(
    probe: Probe, text: str, finish: Finish, logprobs: Logprobs | None, golden: Logprobs
) -> None:
    reference = Reference("d", 0, (golden,))
    for judged in score(probe, observed(Response(text, finish, logprobs=logprobs)), reference)[:-1]:
        if isinstance(judged, Score):
            assert 0 <= judged.value <= LAST[judged.signal]
            assert 0 < judged.exposure < math.inf


@given(probes, answers, st.sampled_from(Finish))
def test_scoring_is_deterministic(probe: Probe, text: str, finish: Finish) -> None:
    seen = observed(Response(text, finish))
    assert score(probe, seen, None) == score(probe, seen, None)


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
    assert judged[:-1] == tuple(Unscored(name, 1, UnscoredReason.FAILED) for name in ALL)


def test_an_unknown_scorer_is_unscored() -> None:
    judged = score(probe("taste"), observed(Response("Hello", Finish.STOP)), None)
    assert judged[0] == Unscored("taste", 0, UnscoredReason.UNSUPPORTED)


def test_an_answer_without_bound_is_unscored() -> None:
    judged = score(probe("script"), observed(Response("a" * 200_001, Finish.STOP)), None)
    assert judged[0] == Unscored("script", 1, UnscoredReason.TOO_LONG)


def test_only_logprob_is_a_distance() -> None:
    assert [name for name, signal in SIGNALS.items() if signal.kind is SignalKind.DISTANCE] == ["logprob"]


def test_every_symptom_has_a_signal() -> None:
    assert {signal.symptom for signal in SIGNALS.values()} == set(Symptom)
