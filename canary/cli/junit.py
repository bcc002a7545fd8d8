"""A report that CI servers show: JUnit's XML."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Case:
    """What was judged, what it showed, and why it failed ("": it did not)."""

    name: str
    showed: str
    failure: str = ""
    skipped: bool = False


def report(suite: str, cases: Sequence[Case]) -> str:
    """The whole file.

    >>> print(report("canary gate", [Case("verdict", "<64 runs>")]))
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
    <testsuite name="canary gate" tests="1" failures="0" errors="0" skipped="0">
    <testcase classname="canary gate" name="verdict"><system-out>&lt;64 runs&gt;</system-out></testcase>
    </testsuite>
    </testsuites>
    <BLANKLINE>
    """
    failures, skipped = sum(bool(case.failure) for case in cases), sum(case.skipped for case in cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="{skipped}"'
    lines = [f"<testsuite name={_attribute(suite)} {counts}>", *(_case(suite, case) for case in cases), "</testsuite>"]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", *lines, "</testsuites>", ""])


def _case(suite: str, case: Case) -> str:
    failure = f"<failure message={_attribute(case.failure)}/>" if case.failure else ""
    skipped = '<skipped message="inconclusive"/>' if case.skipped else ""
    showed = f"<system-out>{escape(case.showed)}</system-out>"
    return f"<testcase classname={_attribute(suite)} name={_attribute(case.name)}>{failure}{skipped}{showed}</testcase>"


def _attribute(text: str) -> str:
    return f'"{escape(text)}"'
