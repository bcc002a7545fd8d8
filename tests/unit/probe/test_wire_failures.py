from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.probe.wire import decode
from canary.probe.wire.failures import LONGEST_WAIT, retry_after
from canary.records import Dialect, Failure, FailureKind
from tests.unit.probe.builders import SLOT, chat


def failure(status: int, **headers: str) -> Failure:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    outcome = decode(Dialect.OPENAI_CHAT, status, names, chat(), SLOT)
    assert isinstance(outcome, Failure)
    return outcome


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (101, FailureKind.MALFORMED),
        (301, FailureKind.REFUSED),
        (400, FailureKind.REFUSED),
        (401, FailureKind.REFUSED),
        (403, FailureKind.REFUSED),
        (404, FailureKind.REFUSED),
        (429, FailureKind.THROTTLED),
        (500, FailureKind.FAILED),
        (503, FailureKind.FAILED),
        (529, FailureKind.FAILED),
        (999, FailureKind.MALFORMED),
    ],
)
def test_each_status_is_one_kind_of_failure(status: int, kind: FailureKind) -> None:
    assert (failure(status).kind, failure(status).status) == (kind, status)


def test_a_503_that_says_when_to_come_back_is_throttling() -> None:
    assert failure(503, retry_after="3").kind is FailureKind.THROTTLED


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("7", timedelta(seconds=7)),
        ("0.5", timedelta(seconds=0.5)),
        ("Tue, 05 Aug 2025 12:00:30 GMT", timedelta(seconds=30)),
        ("Tue, 05 Aug 2025 12:00:30 -0000", timedelta(seconds=30)),
        ("Tue, 05 Aug 2025 11:00:00 GMT", timedelta(0)),
        ("-5", timedelta(0)),
        ("1e300", LONGEST_WAIT),
        ("inf", LONGEST_WAIT),
        ("Tue, 05 Aug 9999 12:00:30 GMT", LONGEST_WAIT),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_a_day(value: str, wait: timedelta | None) -> None:
    assert retry_after(value, SLOT) == wait


@given(
    st.text() | st.from_regex(r"\A[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,5} [0-9:]{1,9} [+-]?[0-9A-Z]{1,6}\Z")
)
def test_any_retry_after_is_read(value: str) -> None:
    wait = retry_after(value, SLOT)
    assert wait is None or timedelta(0) <= wait <= LONGEST_WAIT
