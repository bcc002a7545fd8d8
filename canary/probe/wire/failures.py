"""What an answer without success means. Details are in our words: the target's are never repeated."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from canary.records import Failure, FailureKind

LONGEST_WAIT = timedelta(days=1)

_HINTS = {
    400: "it does not take this request",
    401: "it does not take our token",
    403: "our token does not allow this",
    404: "no such path or model",
}


def malformed(detail: str, status: int | None = None) -> Failure:
    return Failure(FailureKind.MALFORMED, detail, status)


def refused(status: int, headers: Mapping[str, str], now: datetime) -> Failure:
    """The failure that a status other than 2xx stands for."""
    wait = retry_after(headers.get("retry-after", ""), now)
    if status == 429 or (status == 503 and wait is not None):
        return Failure(FailureKind.THROTTLED, f"status {status}: it asks us to slow down", status, wait)
    if 500 <= status < 600:
        return Failure(FailureKind.FAILED, f"status {status}", status)
    if 400 <= status < 500:
        return Failure(FailureKind.REFUSED, f"status {status}: {_HINTS.get(status, 'it will not serve us')}", status)
    if 300 <= status < 400:
        return Failure(FailureKind.REFUSED, f"status {status}: it sends us elsewhere, and we do not follow", status)
    return malformed(f"status {status} is no answer", status)


def retry_after(value: str, now: datetime) -> timedelta | None:
    """A Retry-After header, in seconds or as a date; never more than a day."""
    seconds = _seconds(value, now)
    if seconds is None or math.isnan(seconds):
        return None
    return timedelta(seconds=min(max(seconds, 0.0), LONGEST_WAIT.total_seconds()))


def _seconds(value: str, now: datetime) -> float | None:
    try:
        return float(value)
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds()
