import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary import template
from canary.template import MESSAGE, fault, filled
from tests.unit.alert.told import told


def test_the_examples_hold() -> None:
    assert doctest.testmod(template).failed == 0


def test_the_facts_that_are_promised_are_those_that_there_are() -> None:
    from canary.alert.told import Told

    assert tuple(sorted(Told.of(told()).facts)) == MESSAGE


@pytest.mark.parametrize(
    "text", ["{a.b}", "{a[0]}", "{a!r}", "{a:>9}", "{0}", "{}", "{__class__}", "{A}", "{", "}", "{a"]
)
def test_what_could_do_more_than_put_in_a_fact_is_refused(text: str) -> None:
    assert fault(text, ["a"]) is not None


FACTS = st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), st.text(max_size=20), max_size=4)


@given(FACTS, st.text("{}ab_. ", max_size=30))
def test_a_template_without_fault_is_always_filled(facts: dict[str, str], text: str) -> None:
    if fault(text, facts) is None:
        filled(text, facts)


@given(FACTS)
def test_what_a_fact_holds_is_never_read_as_a_template(facts: dict[str, str]) -> None:
    text = "|".join(f"{{{name}}}" for name in facts)
    assert filled(text, facts) == "|".join(facts.values())


@given(st.text("<>&ab", max_size=20))
def test_facts_are_escaped_and_the_users_words_are_not(value: str) -> None:
    assert filled("<b>{a}</b>", {"a": value}, lambda text: re.sub("[<>&]", "?", text)) == (
        f"<b>{re.sub('[<>&]', '?', value)}</b>"
    )
