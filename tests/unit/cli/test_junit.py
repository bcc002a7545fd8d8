"""JUnit reports."""

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from canary.cli.junit import Case, report

printable = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=30)


@given(st.lists(st.builds(Case, printable, printable, printable, st.booleans())), printable)
def test_any_text_stays_one_well_formed_report(cases: list[Case], suite: str) -> None:
    (root,) = ET.fromstring(report(suite, cases))  # noqa: S314  our own
    assert root.get("name") == suite
    assert [case.get("name") for case in root] == [case.name for case in cases]
    assert [case.findtext("system-out") or "" for case in root] == [case.showed for case in cases]


def test_failures_and_skipped_cases_are_counted() -> None:
    (root,) = ET.fromstring(report("gate", [Case("a", ""), Case("b", "", "why"), Case("c", "", skipped=True)]))  # noqa: S314  our own
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("3", "1", "1")


def test_a_failure_says_why() -> None:
    (root,) = ET.fromstring(report("gate", [Case("b", "", 'worse in "script" & more')]))  # noqa: S314  our own
    failure = root[0].find("failure")
    assert failure is not None
    assert failure.get("message") == 'worse in "script" & more'
