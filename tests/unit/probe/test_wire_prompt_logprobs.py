import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.probe.wire import decode
from canary.probe.wire.logprobs import FLOOR, LogprobsBlock, parted
from canary.records import Dialect, Failure, FailureKind, Logprobs, Response
from tests.unit.probe.builders import SLOT, chat, completion

POSITIONS = [
    None,
    {"17": {"logprob": -3.5, "rank": 9, "decoded_token": "x"}, "4": {"logprob": -0.25, "rank": 1}},
    {"5": {"logprob": -0.5, "rank": 1, "decoded_token": "y"}},
]
"""As vLLM gives them: the prompt's own token first, nothing for the first one."""
READ = Logprobs((17, 5), (-3.5, -0.5), ((4, 17), (5,)), ((-0.25, -3.5), (-0.5,)))

PROMPT = "Name a river:"
TOP = [{" a": -2.0, " the": -1.0}, {" river": -3.0}, {":": -0.5}, {" Rhine": -0.25}]
LISTS: dict[str, list[Any]] = {
    "tokens": ["Name", " a", " river", ":", " Rhine"],
    "token_logprobs": [None, -2.0, -3.0, -0.5, -0.25],
    "top_logprobs": [None, *TOP],
    "text_offset": [0, 4, 6, 12, 13],
}
BEGINNING: dict[str, list[Any]] = {
    "tokens": ["<s>", *LISTS["tokens"]],
    "token_logprobs": [None, -4.0, -2.0, -3.0, -0.5, -0.25],
    "top_logprobs": [None, {"Name": -4.0}, *TOP],
    "text_offset": [0, 3, 7, 9, 15, 16],
}
SERVERS = {
    "OpenAI": (LISTS, 4, (b" a", b" river", b":")),
    "vLLM, a token before the text": (BEGINNING, 5, (b"Name", b" a", b" river", b":")),
    "SGLang, no offsets": ({**LISTS, "text_offset": [-1] * 5}, 4, (b" a", b" river", b":")),
    "llama-cpp-python, a token counted and not listed": (LISTS, 5, (b" a", b" river", b":")),
}
every_server = pytest.mark.parametrize(("lists", "prompt_tokens", "prompt"), SERVERS.values(), ids=SERVERS)


def read(dialect: Dialect, body: bytes) -> Response:
    outcome = decode(dialect, 200, {}, body, SLOT)
    assert isinstance(outcome, Response), outcome
    return outcome


def echoed(
    lists: dict[str, list[Any]] | None = None,
    prompt_tokens: int | None = 4,
    *,
    text: str = "Name a river: Rhine",
    echo: str = PROMPT,
    **more: object,
) -> Response:
    choice = {"text": text, "finish_reason": "stop", "logprobs": lists or LISTS, **more}
    usage = {} if prompt_tokens is None else {"prompt_tokens": prompt_tokens, "completion_tokens": 1}
    body = json.dumps({"choices": [choice], "usage": usage}).encode()
    outcome = decode(Dialect.OPENAI_COMPLETIONS, 200, {}, body, SLOT, echo)
    assert isinstance(outcome, Response), outcome
    return outcome


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


@every_server
def test_an_echoed_prompt_is_taken_from_the_text(
    lists: dict[str, list[Any]], prompt_tokens: int, prompt: tuple[bytes, ...]
) -> None:
    assert echoed(lists, prompt_tokens).text == " Rhine"


@every_server
def test_an_echo_is_parted_into_prompt_and_answer(
    lists: dict[str, list[Any]], prompt_tokens: int, prompt: tuple[bytes, ...]
) -> None:
    found = echoed(lists, prompt_tokens)
    assert found.logprobs == Logprobs((b" Rhine",), (-0.25,), ((b" Rhine",),), ((-0.25,),))
    assert found.prompt_logprobs is not None
    assert found.prompt_logprobs.chosen == prompt
    assert found.prompt_logprobs.top[-3] == (b" the", b" a")


def test_an_echo_alone_has_no_answer() -> None:
    found = echoed({name: value[:4] for name, value in LISTS.items()}, text=PROMPT)
    assert (found.text, found.logprobs) == ("", None)
    assert found.prompt_logprobs is not None
    assert found.prompt_logprobs.chosen == (b" a", b" river", b":")


def test_without_a_count_of_the_prompt_nothing_is_parted() -> None:
    found = echoed(prompt_tokens=None)
    assert (found.text, found.prompt_logprobs, found.logprobs) == (" Rhine", None, None)


def test_an_echo_of_the_text_alone_leaves_the_answers_logprobs() -> None:
    found = echoed({name: value[4:] for name, value in LISTS.items()})
    assert found.prompt_logprobs is None
    assert found.logprobs is not None
    assert found.logprobs.chosen == (b" Rhine",)


def test_an_echo_whose_prompt_has_no_logprobs_has_none() -> None:
    found = echoed({**LISTS, "token_logprobs": [None, None, None, None, -0.25]})
    assert (found.prompt_logprobs, found.logprobs is None) == (None, False)


def test_ids_are_preferred_to_an_echos_texts() -> None:
    assert echoed(prompt_logprobs=POSITIONS).prompt_logprobs == READ


@pytest.mark.parametrize(("text", "echo"), [("Name a river: Rhine", ""), ("The Rhine.", PROMPT)])
def test_where_no_echo_was_asked_for_or_none_came_all_is_the_answer(text: str, echo: str) -> None:
    found = echoed(text=text, echo=echo)
    assert (found.text, found.prompt_logprobs) == (text, None)
    assert found.logprobs is not None
    assert len(found.logprobs.chosen) == 5


def test_a_logprob_of_minus_infinity_as_vllm_clamps_it_is_raised_to_the_floor() -> None:
    found = read(Dialect.OPENAI_COMPLETIONS, completion(prompt_logprobs=[None, {"5": {"logprob": -9999.0}}]))
    assert found.prompt_logprobs is not None
    assert found.prompt_logprobs.chosen_logprob == (FLOOR,)


@given(st.integers(2, 20), st.integers(1, 20))
def test_every_token_of_an_echo_but_the_first_is_the_prompts_or_the_answers(n: int, answered: int) -> None:
    block = LogprobsBlock(tokens=["x"] * (n + answered), token_logprobs=[None] + [-1.0] * (n + answered - 1))
    for counted in (n, n + 1):
        prompt, answer = parted(block, counted, answered)
        assert prompt is not None
        assert answer is not None
        assert (len(prompt.chosen), len(answer.chosen)) == (n - 1, answered)
