"""What the words share."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.cli.common import minute, printable, short


@given(st.text())
def test_what_is_printable_holds_nothing_that_steers_a_terminal(text: str) -> None:
    assert all(letter.isprintable() or letter in "\n\t" for letter in printable(text))


@given(st.text(alphabet=st.characters(categories=["L", "N", "P"])))
def test_letters_of_any_script_stay_as_they_are(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.25, "0.25 s"), (59, "59 s"), (90, "1.5 min"), (7_200, "2 h"), (172_800, "2 d")]
)
def test_a_duration_is_said_in_its_largest_unit(seconds: float, words: str) -> None:
    assert short(timedelta(seconds=seconds)) == words


def test_a_moment_is_said_to_the_minute_in_utc() -> None:
    assert minute(datetime(2025, 8, 5, 3, 4, 59, tzinfo=UTC)) == "2025-08-05 03:04Z"
