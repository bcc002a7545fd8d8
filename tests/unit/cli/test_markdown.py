"""Markdown summaries."""

import doctest

import pytest

from canary.cli import markdown
from canary.cli.markdown import summary


def test_the_example_is_what_it_says() -> None:
    assert doctest.testmod(markdown).failed == 0


def test_nothing_in_a_name_is_markup() -> None:
    told = summary("pass", "a|b <script>", "", {"x|y": "<b>"})
    assert "<" not in told
    assert told.count("|") - told.count("\\|") == 9


@pytest.mark.parametrize(("verdict", "marked"), [("fail", True), ("pass", False), ("inconclusive", False)])
def test_only_what_failed_is_marked(verdict: str, marked: bool) -> None:
    assert ("**prose/script**" in summary(verdict, "", "prose/script", {"prose/script": ""})) == marked
