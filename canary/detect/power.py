"""What a detector can see, and how soon."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canary.detect import hierarchy
from canary.detect.detectors import Detector

_REPLICAS = 201
_MAX_EVENTS = 150
_SEED = 20250825
_LOST = -700.0  # nats; what an alternative that a healthy answer rules out keeps of its evidence


@dataclass(frozen=True, slots=True, eq=False)
class Growth:
    """How evidence moves with each answer: mean ln e^k of a plain healthy one, ln e^k of an event; in nats, shape (K,).

    Raises:
        ValueError: the two are not equally long, or empty.
    """

    healthy: NDArray[np.float64]
    event: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.healthy.shape != self.event.shape or self.healthy.ndim != 1 or not self.healthy.size:
            raise ValueError("healthy and event must be of one shape (K,)")


def delay(detector: Detector, share: float, exposure: float, log_budget: float) -> float:
    """Median number of probes from the start of a fault to its alarm; inf when it would not be seen.

    Args:
        detector: of the series; `arming.clean_detector` before a baseline exists.
        share: of answers touched, in (0, 1].
        exposure: of a typical answer, in the signal's unit of exposure, > 0.
        log_budget: ln b of one slot, in nats, finite.

    Returns:
        In probes, >= 1, or inf.

    Raises:
        ValueError: out of range.

    >>> from canary.detect.events import EventDetector
    >>> delay(EventDetector(1e-4), 0.16, 1.0, math.log(1e-5)) < delay(EventDetector(1e-4), 0.008, 1.0, math.log(1e-5))
    True
    """
    return growth_delay(Growth(*detector.typical(exposure)), share, log_budget)


def scope_growth(members: Mapping[Detector, float], exposure: float) -> Growth:
    """Of a scope that hears the answers of many series: the mean over its members.

    Args:
        members: the detectors of its series, with the share of the answers that each brings, > 0.
        exposure: of a typical answer, > 0.

    Raises:
        ValueError: no member.

    >>> from canary.detect.events import EventDetector
    >>> growth = scope_growth({EventDetector(1e-4): 2.0}, 1.0)
    >>> [round(float(gain), 2) for gain in growth.event][:2]  # ln(1 - p + p / h) at p = 0.0018 and 0.008
    [2.94, 4.39]
    """
    if not members:
        raise ValueError("a scope without a member hears nothing")
    whole = math.fsum(members.values())
    healthy = np.zeros(len(hierarchy.SHARES))
    event = np.zeros(len(hierarchy.SHARES))
    for detector, weight in members.items():
        chances, bets = detector.healthy_bets(exposure)
        log_e = np.maximum(hierarchy.log_e(bets), _LOST)
        healthy += weight / whole * (chances @ log_e)
        event += weight / whole * log_e[0]
    return Growth(healthy, event)


def growth_delay(growth: Growth, share: float, log_budget: float) -> float:
    """Median number of answers from the start of a fault to its alarm; inf when it would not be seen.

    Supposed: a share of answers is touched, each of them is an event, the others are plain healthy answers. R is
    followed exactly from one touched answer to the next (between them it obeys a linear recursion), for a fixed set of
    random gaps, from where it stands after a long healthy time. Deterministic. Within a factor of 1.3 of full
    simulation. A fault is not seen when none of the alternatives gains by it on average, or after 150 events.

    Raises:
        ValueError: out of range, as for `delay`.
    """
    if not 0.0 < share <= 1.0 or not math.isfinite(log_budget):
        raise ValueError(f"need 0 < share <= 1 and a finite log_budget, got {share} and {log_budget}")
    if np.max(share * growth.event + (1.0 - share) * growth.healthy) <= 0.0:
        return math.inf
    log_healthy, log_event = growth.healthy, growth.event
    budget = math.exp(log_budget) / len(log_event)
    rest = budget * np.exp(log_healthy) / -np.expm1(log_healthy)  # where R settles between touched answers
    gaps = np.random.default_rng(_SEED).geometric(share, size=(_MAX_EVENTS, _REPLICAS))
    r = np.broadcast_to(rest, (_REPLICAS, len(log_event)))
    elapsed = np.zeros(_REPLICAS)
    alarmed_at = np.full(_REPLICAS, math.inf)
    for gap in gaps:
        decay = np.exp((gap[:, np.newaxis] - 1) * log_healthy)
        r = np.minimum((rest + (r - rest) * decay + budget) * np.exp(log_event), 1.0)
        elapsed = elapsed + gap
        alarmed_at = np.where((r.sum(axis=1) >= 1.0) & np.isinf(alarmed_at), elapsed, alarmed_at)
        if np.isfinite(alarmed_at).sum() > _REPLICAS // 2 and elapsed.min() > np.median(alarmed_at):
            break
    return float(np.median(alarmed_at))


def smallest_seen(growth: Growth, log_budget: float) -> float:
    """The smallest share that is seen at all, to 2 %, rounded up; in (0, 1], or inf when even 1 is not.

    >>> from canary.detect.events import EventDetector
    >>> 1e-4 < smallest_seen(Growth(*EventDetector(1e-4).typical(1.0)), math.log(1e-6)) < 1e-3
    True
    """
    if math.isinf(growth_delay(growth, 1.0, log_budget)):
        return math.inf
    low, high = math.log(1e-7), 0.0
    while high - low > 0.02:
        middle = (low + high) / 2.0
        low, high = (middle, high) if math.isinf(growth_delay(growth, math.exp(middle), log_budget)) else (low, middle)
    return math.exp(high)
