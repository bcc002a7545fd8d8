from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.records import Score, UnscoredReason
from canary.score.copying import edits
from tests.unit.score.build import judged_as, note, scored, why_not

TEXT = "The ferry left the harbour at 06:40, and nobody saw it again."
letters = st.lists(st.sampled_from("abc"), max_size=9)


def slow_edits(a: Sequence[str], b: Sequence[str]) -> int:
    """By the textbook."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


@given(letters, letters)
def test_edits_are_those_of_the_textbook(a: list[str], b: list[str]) -> None:
    assert edits(a, b) == slow_edits(a, b)


def test_edits_hold_beyond_a_machine_word() -> None:
    a = [str(i % 17) for i in range(300)]
    b = [*a[:40], "x", *a[40:150], *a[155:290], "y", *a[291:]]
    assert edits(a, b) == slow_edits(a, b) == 7


def test_a_true_copy_scores_zero() -> None:
    assert scored("copy", TEXT, answer=TEXT) == 0


def test_white_space_does_not_count() -> None:
    assert scored("copy", f"\n {TEXT.replace(' ', '  ')}\n", answer=TEXT) == 0


@pytest.mark.parametrize(
    ("copied", "count"),
    [
        (TEXT.replace("harbour", "port"), 1),
        (TEXT.replace("harbour ", ""), 1),
        (TEXT.replace("harbour", "harbour harbour"), 1),
        (TEXT.replace("40", "41"), 1),
        (TEXT.replace("it", "สวัสดี"), 6),
        ("", 18),
    ],
    ids=["substituted", "deleted", "inserted", "digit", "Thai", "nothing"],
)
def test_every_wrong_token_is_an_edit(copied: str, count: int) -> None:
    assert scored("copy", copied, answer=TEXT) == count


def test_a_token_lost_at_the_start_does_not_shift_the_rest() -> None:
    assert scored("copy", TEXT.removeprefix("The "), answer=TEXT) == 1


def test_a_lost_bracket_in_markup_is_an_edit() -> None:
    assert scored("copy", "div><p>Hi</p></div>", answer="<div><p>Hi</p></div>") == 1


def test_a_letter_lost_in_a_long_run_is_one_edit() -> None:
    run = "qxzjvk" * 20
    assert scored("copy", run[:30] + run[31:], answer=run) == 1


def test_the_expected_text_is_the_exposure() -> None:
    judged = judged_as("copy", TEXT, answer=TEXT)
    assert isinstance(judged, Score)
    assert judged.exposure == 18


def test_the_note_says_where_but_not_what() -> None:
    assert note("copy", TEXT.replace("harbour", "port"), answer=TEXT) == "parts at token 5 of 18"


def test_a_probe_without_a_text_to_copy_is_unscored() -> None:
    assert why_not("copy", TEXT) is UnscoredReason.UNSUPPORTED


def test_an_endless_answer_costs_no_more_than_twice_the_text() -> None:
    assert scored("copy", "a " * 30_000, answer="one two three") <= 106


# recall


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        ("Canberra", "canberra."),
        ("Canberra", "**The capital is Canberra!**"),
        ("1250", "It comes to 1,250 km."),
        ("-3.5", "−3.5 °C"),
        ("1, 2, 3, 4", "1\n2\n3\n4\n"),
        ("1, 2, 3, 4", "Here: 1,2,3,4"),
        ("北京", "首都是北京。"),
        ("กรุงเทพ", "เมืองหลวงคือ กรุงเทพ ครับ"),
    ],
)
def test_the_expected_answer_is_found_in_any_dress(expected: str, given: str) -> None:
    assert scored("recall", given, answer=expected) == 0


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        ("Canberra", "Sydney"),
        ("Canberra", ""),
        ("42", "142"),
        ("42", "4 2"),
        ("3.5", "-3.5"),
        ("1, 2, 3, 4", "1, 2, 4"),
        ("ten", "tenor"),
    ],
)
def test_another_answer_is_an_event(expected: str, given: str) -> None:
    assert scored("recall", given, answer=expected) == 1


def test_a_probe_without_an_answer_is_unscored() -> None:
    assert why_not("recall", "x", answer="?!") is UnscoredReason.UNSUPPORTED
