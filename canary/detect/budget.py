"""The false-alarm budget: time spends it, not probes.

A budget of B per week over all detectors, of which one series holds `share`, promises: from the start to any time,
the mean number of false alarms is at most B * weeks, whatever the rates of probing (those that follow the evidence
included, see `escalation`), with targets added, with shares divided anew, and under any dependence between series. One
week may hold more than B; the sum holds. In the words of sequential analysis: a series with a constant interval has a
mean time to a false alarm (ARL) of at least 1 / (B * share) weeks. With B = 1 and 2,000 equal series one of them waits
2,000 weeks on average; the fleet as a whole, one.
"""

import math
from datetime import datetime, timedelta

_WEEK = timedelta(weeks=1)
MOST_INTERVALS = 10
"""A slot spends the time of at most so many intervals. What a long pause leaves unspent stays unspent: else a series
that was away for weeks would alarm from the budget alone, or spend again what others spent in its absence."""


def log_budget(
    *, per_week: float, share: float, slot_time: datetime, previous: datetime | None, interval: timedelta
) -> float:
    """Ln b, what one slot of a series may spend: per_week * share * (slot time - previous slot time) / week.

    It covers at most `MOST_INTERVALS` intervals: spending less keeps the bound. (A series that comes back after an
    absence, in which others had its share, overspends by no more than that.) A slot that comes late or out of order
    (not after `previous`) spends nothing; the caller keeps the latest slot time as `previous`, and leaves it where it
    is over slots without a score, so that their time passes to the next one.

    Args:
        per_week: B, false alarms per week over all detectors, > 0.
        share: of this series, in (0, 1]; the shares of all detectors sum to at most 1.
        slot_time: of this slot.
        previous: the latest slot time that was fed, None for the first, which then covers `interval`.
        interval: of the series.

    Returns:
        In nats, in [-inf, inf).

    Raises:
        ValueError: `per_week` or `share` is out of range.

    >>> from datetime import UTC
    >>> at = datetime(2025, 8, 25, tzinfo=UTC)
    >>> minute = timedelta(minutes=1)
    >>> b = log_budget(per_week=1.0, share=1 / 2000, slot_time=at, previous=at - minute, interval=minute)
    >>> round(math.exp(-b))  # the ARL in slots
    20160000
    """
    if not per_week > 0.0 or not 0.0 < share <= 1.0:
        raise ValueError(f"need per_week > 0 and 0 < share <= 1, got {per_week} and {share}")
    covered = interval if previous is None else min(slot_time - previous, MOST_INTERVALS * interval)
    weeks = covered / _WEEK
    return math.log(per_week * share * weeks) if weeks > 0.0 else -math.inf
