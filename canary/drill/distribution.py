"""The drills of many seeds, summed up: delays by fault and false alarms, with what so few leave uncertain."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from canary.drill.judge import Outcome
from canary.drill.perform import Report
from canary.drill.quantiles import count_interval, quantile, share_interval

_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A delay in seconds with its 95 % interval; None is "never"."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class OfFault:
    """Of one expected incident: in how many drills it came, and all that was expected of it held; its delay."""

    fault: str
    found: int
    held: int
    median: Estimate
    p90: Estimate


@dataclass(frozen=True, slots=True)
class Distribution:
    """Of all of it. In `held` drills everything held.

    The bounds, 95 % each, are of the mean number of false alarms, and of the share of drills that hold.
    """

    drills: int
    faults: tuple[OfFault, ...]
    weeks: float
    false_alarms: int
    false_bounds: tuple[float, float]
    budget: float
    held: int
    held_bounds: tuple[float, float]


def distribution(reports: Sequence[Report]) -> Distribution:
    """Of at least one drill, all of one scenario."""
    false, held = sum(len(one.judgement.false) for one in reports), sum(one.judgement.held for one in reports)
    expected = range(len(reports[0].judgement.outcomes))
    return Distribution(
        drills=len(reports),
        faults=tuple(_of_fault([one.judgement.outcomes[at] for one in reports]) for at in expected),
        weeks=sum((one.end - one.begin) / _WEEK for one in reports),
        false_alarms=false,
        false_bounds=count_interval(false),
        budget=sum(one.judgement.budget for one in reports),
        held=held,
        held_bounds=share_interval(held, len(reports)),
    )


def _of_fault(outcomes: Sequence[Outcome]) -> OfFault:
    delays = [one.delay.time.total_seconds() if one.delay else math.inf for one in outcomes]
    median, p90 = (_estimate(quantile(delays, q)) for q in (0.5, 0.9))
    held = sum(all(check.held for check in one.checks) for one in outcomes)
    return OfFault(outcomes[0].expected.fault, sum(map(math.isfinite, delays)), held, median, p90)


def _estimate(found: tuple[float, float, float]) -> Estimate:
    value, low, high = (each if math.isfinite(each) else None for each in found)
    return Estimate(value, low, high)
