import json

import pytest

from canary.probe.wire import decode
from canary.probe.wire.logprobs import FLOOR
from canary.records import Dialect, Failure, FailureKind, Logprobs, Response
from tests.unit.probe.builders import SLOT, chat, completion

POSITIONS = [
    None,
    {"17": {"logprob": -3.5, "rank": 9, "decoded_token": "x"}, "4": {"logprob": -0.25, "rank": 1}},
    {"5": {"logprob": -0.5, "rank": 1, "decoded_token": "y"}},
]
"""As vLLM gives them: the prompt's own token first, nothing for the first one."""
READ = Logprobs((17, 5), (-3.5, -0.5), ((4, 17), (5,)), ((-0.25, -3.5), (-0.5,)))

ECHO = {
    "tokens": ["Name", " a", " river", ":", " Rhine"],
    "token_logprobs": [None, -2.0, -3.0, -0.5, -0.25],
    "top_logprobs": [None, {" a": -2.0, " the": -1.0}, {" river": -3.0}, {":": -0.5}, {" Rhine": -0.25}],
    "text_offset": [0, 4, 6, 12, 13],
}


def read(dialect: Dialect, body: bytes) -> Response:
    outcome = decode(dialect, 200, {}, body, SLOT)
    assert isinstance(outcome, Response), outcome
    return outcome


def echoed(*, prompt_tokens: int | None = 4, **changed: object) -> Response:
    choice = {"text": "Name a river: Rhine", "finish_reason": "stop", "logprobs": {**ECHO, **changed}}
    usage = {} if prompt_tokens is None else {"prompt_tokens": prompt_tokens, "completion_tokens": 1}
    return read(Dialect.OPENAI_COMPLETIONS, json.dumps({"choices": [choice], "usage": usage}).encode())


def test_they_stand_beside_the_choices_of_a_chat() -> None:
    body = json.loads(chat()) | {"prompt_logprobs": POSITIONS}
    assert read(Dialect.OPENAI_CHAT, json.dumps(body).encode()).prompt_logprobs == READ


def test_they_stand_in_the_choice_of_a_completion() -> None:
    assert read(Dialect.OPENAI_COMPLETIONS, completion(prompt_logprobs=POSITIONS)).prompt_logprobs == READ


@pytest.mark.parametrize("positions", [None, [], [None], [None, None, POSITIONS[1]], [None, {}]])
def test_where_a_position_is_missing_there_are_none(positions: object) -> None:
    assert read(Dialect.OPENAI_COMPLETIONS, completion(prompt_logprobs=positions)).prompt_logprobs is None


def test_a_prompt_logprob_of_null_is_raised_to_the_floor() -> None:
    found = read(Dialect.OPENAI_COMPLETIONS, completion(prompt_logprobs=[None, {"5": {"logprob": None}}]))
    assert found.prompt_logprobs == Logprobs((5,), (FLOOR,), ((5,),), ((FLOOR,),))


@pytest.mark.parametrize("positions", ["x", [1], [None, {"x": {"logprob": -1}}], [None, {"5": {"logprob": "x"}}]])
def test_impossible_shapes_are_malformed(positions: object) -> None:
    outcome = decode(Dialect.OPENAI_COMPLETIONS, 200, {}, completion(prompt_logprobs=positions), SLOT)
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.MALFORMED


def test_an_echoed_prompt_is_taken_from_the_text() -> None:
    assert echoed().text == " Rhine"


def test_an_echo_is_parted_into_prompt_and_answer() -> None:
    found = echoed()
    assert found.logprobs == Logprobs((b" Rhine",), (-0.25,), ((b" Rhine",),), ((-0.25,),))
    assert found.prompt_logprobs is not None
    assert found.prompt_logprobs.chosen == (b" a", b" river", b":")
    assert found.prompt_logprobs.top[0] == (b" the", b" a")


def test_an_echo_alone_has_no_answer() -> None:
    head = {name: value[:4] for name, value in ECHO.items()}
    assert echoed(**head).logprobs is None


@pytest.mark.parametrize("n", [None, 0, 6])
def test_without_a_count_of_the_prompt_nothing_is_parted(n: int | None) -> None:
    assert echoed(prompt_tokens=n).text == "Name a river: Rhine"


def test_an_answer_without_echo_is_not_parted() -> None:
    values = [-1.0, *ECHO["token_logprobs"][1:]]
    assert echoed(token_logprobs=values).prompt_logprobs is None
