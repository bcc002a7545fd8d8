import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.probe.wire import decode
from canary.records import Dialect, Failure, FailureKind, Finish, Response
from tests.unit.probe.builders import SLOT, chat, completion

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
KNOWN = ("choices", "message", "text", "content", "logprobs", "tokens", "token_logprobs", "top_logprobs", "token", "id")
LIKELY = st.recursive(
    st.none() | st.integers(-2, 300) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KNOWN), inner, max_size=5),
    max_leaves=30,
)


def read(body: bytes, dialect: Dialect = Dialect.OPENAI_CHAT, status: int = 200) -> Response | Failure:
    return decode(dialect, status, {}, body, SLOT)


def response(body: bytes, dialect: Dialect = Dialect.OPENAI_CHAT) -> Response:
    outcome = read(body, dialect)
    assert isinstance(outcome, Response)
    return outcome


def kind(body: bytes, dialect: Dialect = Dialect.OPENAI_CHAT) -> FailureKind:
    outcome = read(body, dialect)
    assert isinstance(outcome, Failure)
    return outcome.kind


@given(st.binary(max_size=200), st.sampled_from(Dialect), st.integers(-1, 1_000))
def test_any_bytes_are_read(body: bytes, dialect: Dialect, status: int) -> None:
    assert isinstance(read(body, dialect, status), Response | Failure)


@given(JSON | LIKELY, st.sampled_from(Dialect))
def test_any_json_is_read(value: object, dialect: Dialect) -> None:
    assert isinstance(read(json.dumps(value).encode(), dialect), Response | Failure)


@given(LIKELY, st.sampled_from(Dialect))
def test_any_logprobs_are_read(value: object, dialect: Dialect) -> None:
    body = {"choices": [{"message": {"content": "x"}, "text": "x", "logprobs": value}]}
    assert isinstance(read(json.dumps(body).encode(), dialect), Response | Failure)


@pytest.mark.parametrize("dialect", Dialect)
def test_an_answer_cut_at_any_byte_is_malformed(dialect: Dialect) -> None:
    entry = {"id": 3, "token": "é", "bytes": [195, 169], "logprob": -0.5, "top_logprobs": []}
    more = {"logprobs": {"content": [entry]}}
    whole = chat(**more) if dialect is Dialect.OPENAI_CHAT else completion(**more)
    kinds = {kind(whole[:end], dialect) for end in range(len(whole))}
    assert kinds == {FailureKind.MALFORMED}


@pytest.mark.parametrize("opening", [b"[", b'{"error":', b'{"choices":[', b'{"x":{"y":'])
def test_json_of_great_depth_is_malformed(opening: bytes) -> None:
    assert kind(opening * 10_000) is FailureKind.MALFORMED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"choices":[]}',
        b'{"choices":[{}]}',
        b'{"choices":[{"message":{"content":7}}]}',
        b'{"choices":[{"message":{"content":"\xff"}}]}',
        b'{"choices":[{"message":{"content":"\\ud800"}}]}',
        b"<html>Sign in</html>",
        chat(["x"]),
        chat("x" * 1_000_001),
        json.dumps({"choices": [{"message": {"content": "x"}}] * 17}).encode(),
    ],
)
def test_an_answer_of_another_shape_is_malformed(body: bytes) -> None:
    assert kind(body) is FailureKind.MALFORMED


def test_a_chat_answer_is_malformed_to_the_completions_dialect() -> None:
    assert kind(chat(), Dialect.OPENAI_COMPLETIONS) is FailureKind.MALFORMED


def test_an_error_under_a_status_of_success_is_a_failure_of_the_server() -> None:
    assert kind(b'{"error":{"message":"out of memory"}}') is FailureKind.FAILED


def test_a_null_error_beside_an_answer_is_ignored() -> None:
    assert response(b'{"error":null,"choices":[{"message":{"content":"x"}}]}').text == "x"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Paris.", "Paris."),
        (None, ""),
        ([], ""),
        ([{"type": "text", "text": "Par"}, {"type": "image"}, {"type": "text", "text": "is."}], "Paris."),
    ],
)
def test_content_is_a_text_a_list_of_parts_or_missing(content: object, text: str) -> None:
    assert response(chat(content)).text == text


def test_a_reasoning_model_without_content_gives_an_empty_text() -> None:
    assert response(b'{"choices":[{"message":{"reasoning_content":"Hm"}}]}').text == ""


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("stop", Finish.STOP),
        ("eos_token", Finish.STOP),
        ("length", Finish.LENGTH),
        ("tool_calls", Finish.STOP),
        ("content_filter", Finish.OTHER),
        (None, Finish.OTHER),
    ],
)
def test_finish_reasons_are_mapped(reason: str | None, finish: Finish) -> None:
    assert response(chat(finish_reason=reason)).finish is finish


def test_the_answers_own_model_name_is_kept() -> None:
    assert response(b'{"model":"other","choices":[{"message":{"content":"x"}}]}').model == "other"


def test_foreign_names_are_bounded_and_printable() -> None:
    body = json.dumps({"model": "a\n\x1b[31m" + "x" * 999, "choices": [{"message": {"content": ""}}]}).encode()
    assert response(body).model == ("a[31m" + "x" * 999)[:198]


def test_usage_and_fingerprint_are_kept() -> None:
    usage = {"prompt_tokens": 12, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 8}}
    body = {"usage": usage, "system_fingerprint": "b1", "choices": [{"message": {"content": "x"}}]}
    outcome = response(json.dumps(body).encode())
    assert (outcome.prompt_tokens, outcome.completion_tokens, outcome.cached_tokens, outcome.server) == (12, 5, 8, "b1")


def test_usage_may_be_missing() -> None:
    outcome = response(chat())
    assert (outcome.prompt_tokens, outcome.completion_tokens, outcome.cached_tokens) == (None, None, None)


def test_llama_cpp_tells_cached_tokens_in_its_timings() -> None:
    assert response(b'{"timings":{"cache_n":4},"choices":[{"message":{"content":"x"}}]}').cached_tokens == 4


@given(st.text(alphabet='"\\NaInfty-{ ', max_size=30))
def test_a_nan_elsewhere_leaves_the_text_alone(text: str) -> None:
    body = b'{"timings":{"ms":NaN},"choices":[{"message":{"content":%b}}]}' % json.dumps(text).encode()
    assert response(body).text == text


def test_tool_calls_are_kept_as_they_were_sent() -> None:
    calls = [
        {"id": "1", "type": "function", "function": {"name": "sail", "arguments": '{"tons": 7'}},
        {"id": "2", "type": "custom"},
    ]
    body = json.dumps({"choices": [{"message": {"content": None, "tool_calls": calls}}]}).encode()
    assert response(body).tool_calls == (("sail", '{"tons": 7'),)


def test_a_tool_call_without_a_text_for_its_arguments_is_malformed() -> None:
    calls = [{"function": {"name": "sail", "arguments": {"tons": 7}}}]
    assert kind(json.dumps({"choices": [{"message": {"tool_calls": calls}}]}).encode()) is FailureKind.MALFORMED
