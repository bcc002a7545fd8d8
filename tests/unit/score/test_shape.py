import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.records import Finish, Reference, Response, Sampling, UnscoredReason
from canary.score.loop import longest_loop
from tests.unit.score.build import note, scored, why_not
from tests.unit.score.samples import CODE, PROSE

CLEAN = [*PROSE.values(), *CODE.values()]
TEN = Sampling(10)


def ended(finish: Finish, tokens: int | None = None, text: str = "Hello.") -> Response:
    return Response(text, finish, completion_tokens=tokens)


def lengths(*tokens: int) -> Reference:
    return Reference("d", 0, lengths=tokens)


@pytest.mark.parametrize(("text", "event"), [("", 1), (" \n", 1), ("x", 0)])
def test_an_answer_without_text_is_empty(text: str, event: int) -> None:
    assert scored("empty", text) == event


def test_a_tool_call_is_not_empty() -> None:
    assert scored("empty", Response("", Finish.STOP, tool_calls=(("f", "{}"),))) == 0


@pytest.mark.parametrize(
    ("finish", "tokens", "golden", "event"),
    [
        (Finish.STOP, 6, lengths(5, 6), 0),
        (Finish.LENGTH, 10, lengths(5, 6), 1),
        (Finish.LENGTH, 10, lengths(5, 10), 0),
        (Finish.LENGTH, 7, lengths(5, 10), 1),
        (Finish.LENGTH, 10, None, 0),
        (Finish.LENGTH, None, lengths(5), 1),
        (Finish.STOP, 2, None, 1),
        (Finish.STOP, None, None, 0),
    ],
)
def test_a_cut_is_an_end_that_golden_answers_did_not_have(
    finish: Finish, tokens: int | None, golden: Reference | None, event: int
) -> None:
    assert scored("cut", ended(finish, tokens), golden, sampling=TEN, min_tokens=3) == event


@pytest.mark.parametrize(("finish", "event"), [(Finish.STOP, 0), (Finish.LENGTH, 0), (Finish.OTHER, 1)])
def test_an_end_for_no_known_reason_is_an_event(finish: Finish, event: int) -> None:
    assert scored("finish", ended(finish)) == event


@pytest.mark.parametrize(("counted", "event"), [(30, 0), (31, 0), (64, 1)])
def test_a_prompt_of_another_length_is_an_event(counted: int, event: int) -> None:
    response = Response("x", Finish.STOP, prompt_tokens=counted)
    assert scored("prompt_tokens", response, Reference("d", 0, prompt_tokens=(30, 31))) == event


def test_a_server_that_does_not_count_the_prompt_is_unscored() -> None:
    assert why_not("prompt_tokens", "x", Reference("d", 0, prompt_tokens=(30,))) is UnscoredReason.UNSUPPORTED


@pytest.mark.parametrize("tokens", [20, 5])
def test_twice_and_half_the_length_are_equally_far(tokens: int) -> None:
    assert scored("length", ended(Finish.STOP, tokens), lengths(9, 10, 30)) == pytest.approx(math.log(2))


def test_length_without_golden_answers_is_unscored() -> None:
    assert why_not("length", ended(Finish.STOP, 5), lengths()) is UnscoredReason.NO_REFERENCE


@pytest.mark.parametrize(
    ("finish", "opened"), [(Finish.STOP, 1), (Finish.OTHER, 1), (Finish.LENGTH, 0)], ids=["stop", "other", "cut"]
)
def test_an_open_fence_counts_unless_the_answer_was_cut(finish: Finish, opened: int) -> None:
    assert scored("fence", ended(finish, text="So:\n```py\nx = 1\n")) == opened


def test_a_closed_fence_is_none() -> None:
    assert scored("fence", "So:\n```py\nx = 1\n```\n") == 0


# loops


def test_a_sentence_said_over_and_over_is_a_loop() -> None:
    text = "We sailed at dawn. " + "The wind was with us and the sea was calm. " * 6
    assert scored("loop", text) == 50
    assert note("loop", text) == "10 words, over and over"


def test_one_word_said_over_and_over_is_a_loop() -> None:
    assert scored("loop", "It was very " + "very " * 40 + "good.") >= 39


def test_a_loop_with_a_counter_in_it_compresses() -> None:
    text = "".join(f"Step {i}: check that the valve is closed, then open the next one, and wait.\n" for i in range(60))
    assert note("loop", text).startswith("compresses ")


def test_a_loop_of_punctuation_compresses() -> None:
    assert scored("loop", "Well" + "!?" * 600) == 1


@pytest.mark.parametrize(
    "text", [*CLEAN, "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily!"]
)
def test_clean_answers_do_not_loop(text: str) -> None:
    assert scored("loop", text) == 0


@given(st.lists(st.integers(), unique=True))
def test_what_never_repeats_is_no_loop(tokens: list[int]) -> None:
    assert longest_loop(tokens) == (0, 0)


@given(
    st.lists(st.integers(), unique=True, min_size=2, max_size=9),
    st.integers(3, 6),
    st.lists(st.text(max_size=1), unique=True),
)
def test_copies_in_a_row_are_found_whatever_stands_before(period: list[int], copies: int, before: list[str]) -> None:
    assert longest_loop([*before, *period * copies]) == ((copies - 1) * len(period), len(period))
