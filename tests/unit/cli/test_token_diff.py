"""An answer beside the nearest golden one."""

from hypothesis import given
from hypothesis import strategies as st

from canary.cli.token_diff import Part, diff, drawn, nearest, offending
from canary.records import Message, Probe, Sampling

PROBE = Probe("p", "prose", (Message("user", "Tides?"),), Sampling(100), ("script",), "test", scripts=("Latn",))
THAI = "สวัสดี"
WORDS = ("the", " ", "tide", "\n", "moon", ".", THAI, "\x1b[2J", "[bold]")
texts = st.lists(st.sampled_from(WORDS), max_size=30).map("".join)


def plain(golden: str, answer: str) -> str:
    return drawn(diff(golden, answer, offending(PROBE, answer))).plain


def test_other_tokens_stand_beside_the_golden_ones() -> None:
    assert plain("The tide rises.", "The lamp rises.") == "The [-tide-]{+lamp+} rises."


def test_what_should_not_be_there_is_marked_apart_from_what_is_other() -> None:
    assert plain("The tide rises.", f"The tide {THAI} falls.") == f"The tide [-rises-]{{!{THAI}!}}{{+ falls+}}."


def test_only_the_neighbourhood_of_a_difference_is_shown() -> None:
    long = "word " * 400
    shown = plain(f"{long}tide {long}", f"{long}lamp {long}")
    assert shown.startswith("…")
    assert len(shown) < 200


@given(texts, texts)
def test_the_pieces_without_what_is_golden_are_the_answer_where_nothing_is_left_out(golden: str, answer: str) -> None:
    pieces = diff(golden, answer)
    if pieces and not any(piece.part is Part.GAP for piece in pieces):
        shown = "".join(piece.text for piece in pieces if piece.part is not Part.GOLDEN)
        assert shown == answer or answer.startswith(shown)


@given(texts, texts)
def test_nothing_in_an_answer_can_steer_a_terminal(golden: str, answer: str) -> None:
    shown = plain(golden, answer)
    assert "\x1b" not in shown
    assert "\n" not in shown


@given(st.lists(texts, max_size=5), texts)
def test_an_answer_that_is_golden_is_its_own_nearest(golden: list[str], answer: str) -> None:
    assert nearest(answer, [*golden, answer]) == answer


def test_without_golden_answers_none_is_nearest() -> None:
    assert nearest("tide", []) is None
