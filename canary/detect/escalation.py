"""Escalation: what is past a warning level of evidence is probed faster. Why the promise holds, and what it brings.

Theory of operation. The bound E[false alarms until T] <= sum of b until T (see `esr`) asks two things of every slot:

* b is fixed before the slot is seen, and all b of a series sum to no more than its share of the time. `log_budget` sees
  to both whatever the spacing: b is the share of the *time* since the latest slot that was fed. A series that is probed
  `factor` times as often spends a `factor`-th at each slot. The interval given to `log_budget` stays that of the
  regular slots; it only caps what a pause may spend, and faster slots are never near the cap.
* e has a mean <= 1 *given the past*. To probe faster is decided from the past alone (evidence that is committed, tokens
  that are spent), and where extra slots lie and what they hold is drawn by hash from the slot. So the decision is
  predictable, and the e-value of an extra slot is as good as that of a regular one. Optional stopping is what R, unlike
  a rate over a window, is made for.

So the promise holds under every policy, one that follows the evidence itself included. (What it leans on more than
before is the condition on the mean: answers of neighbouring slots that depend on each other, as of one session or one
batch, would break it sooner when slots are closer. Fresh sessions see to that; `factor` should leave time for one
answer between two slots.)

False warnings are bounded as false alarms are. Own one unit of R from where it lies below the fallback F until it
reaches the warning W: each rise brings W - F at least, the last and unfinished one loses F at most, and what is gained
(with R beyond 1 counted as 1) is on average at most the budget spent meanwhile. Hence, for N detectors,

    E[false warnings until T] <= (sum of b until T + N * F) / (W - F)
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canary.detect.detectors import Detector
from canary.detect.power import Growth, delay

HYSTERESIS = 1.0
"""Nats that evidence has to decay below the warning until the series falls back."""

_REPLICAS = 201
_MOST_PROBES = 20_000
_HEALTHY_PROBES = 2_000
_SEED = 20250825


@dataclass(frozen=True, slots=True)
class Levels:
    """When a series is past its warning.

    Attributes:
        warning: ln R in nats at which it is; an alarm is at 0; in (-inf, 0).

    Raises:
        ValueError: out of range.

    >>> levels = Levels(-6.0)
    >>> levels.passed(-6.5, before=False), levels.passed(-6.5, before=True), levels.passed(-7.5, before=True)
    (False, True, False)
    """

    warning: float

    def __post_init__(self) -> None:
        if not -math.inf < self.warning < 0.0:
            raise ValueError(f"a warning lies below the alarm, which is at 0, got {self.warning}")

    @property
    def fallback(self) -> float:
        """Ln R in nats below which it no longer is."""
        return self.warning - HYSTERESIS

    def passed(self, evidence: float, *, before: bool) -> bool:
        """Whether it is, at this ln R in nats, when it was so `before` or not."""
        return evidence >= (self.fallback if before else self.warning)

    def false_per_week(self, false_alarms_per_week: float) -> float:
        """Bound of the mean false warnings per week, >= 0, of all detectors that share this budget, in the long run.

        >>> round(Levels(-6.0).false_per_week(0.25))
        160
        """
        return false_alarms_per_week / (math.exp(self.warning) - math.exp(self.fallback))


def hastened_delay(
    detector: Detector, share: float, exposure: float, log_budget: float, *, factor: int, levels: Levels
) -> float:
    """Median time from the start of a fault to its alarm under escalation, in intervals, >= 0; inf: not seen.

    Supposed, beside what `delay` supposes: escalation begins with the next slot, and the tokens last.

    Args:
        detector: of the series.
        share: of answers touched, in (0, 1].
        exposure: of a typical answer, in the signal's unit of exposure, > 0.
        log_budget: ln b of a regular slot, in nats, finite.
        factor: slots in an interval while escalated, >= 1.
        levels: of the warning.

    Raises:
        ValueError: out of range.

    >>> from canary.detect.events import EventDetector
    >>> plain = hastened_delay(EventDetector(1e-3), 0.16, 1.0, math.log(1e-7), factor=1, levels=Levels(-6.0))
    >>> hastened_delay(EventDetector(1e-3), 0.16, 1.0, math.log(1e-7), factor=5, levels=Levels(-6.0)) < 0.9 * plain
    True
    """
    if math.isinf(delay(detector, share, exposure, log_budget)):
        return math.inf
    elapsed, alarmed_at = np.zeros(_REPLICAS), np.full(_REPLICAS, math.inf)
    paths = _paths(Growth(*detector.typical(exposure)), share, log_budget, factor, levels)
    for _, (gap, r) in zip(range(_MOST_PROBES), paths, strict=False):
        elapsed += gap
        alarmed_at = np.where((r >= 1.0) & np.isinf(alarmed_at), elapsed, alarmed_at)
        if elapsed[np.isinf(alarmed_at)].min(initial=math.inf) > np.median(alarmed_at):
            break
    return float(np.median(alarmed_at))


def extra_while_healthy(growth: Growth, rate: float, log_budget: float, *, factor: int, levels: Levels) -> float:
    """Mean extra slots, by the regular ones, that a healthy series or scope causes, in [0, factor - 1]; deterministic.

    Args:
        growth: of its evidence.
        rate: of healthy answers that are events, in [0, 1].
        log_budget: ln b of a regular slot, in nats, finite.
        factor: slots in an interval while escalated, >= 1.
        levels: of the warning.

    >>> from canary.detect.events import EventDetector
    >>> growth, levels = Growth(*EventDetector(1e-3).typical(1.0)), Levels(-6.0)
    >>> rates = [extra_while_healthy(growth, p, math.log(1e-7), factor=5, levels=levels) for p in (0.0, 1e-3)]
    >>> rates[0] == 0.0 < rates[1]
    True
    """
    paths = _paths(growth, rate, log_budget, factor, levels)
    intervals = sum(float(gap.sum()) for _, (gap, _) in zip(range(_HEALTHY_PROBES), paths, strict=False))
    return _REPLICAS * _HEALTHY_PROBES / intervals - 1.0


def _paths(
    growth: Growth, share: float, log_budget: float, factor: int, levels: Levels
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Probe by probe, the intervals since the probe before and R, each of shape (replicas,); R is reset at an alarm."""
    e = np.exp(np.stack([growth.healthy, growth.event]))
    budget = math.exp(log_budget) / e.shape[1]
    rest = budget * e[0] / (1.0 - e[0])  # where R settles while there is no event
    r = np.broadcast_to(rest, (_REPLICAS, e.shape[1]))
    escalated, rng = np.zeros(_REPLICAS, dtype=bool), np.random.default_rng(_SEED)
    warning, fallback = math.exp(levels.warning), math.exp(levels.fallback)
    while True:
        gap = np.where(escalated, 1.0 / factor, 1.0)
        r = (r + budget * gap[:, np.newaxis]) * e[(rng.random(_REPLICAS) < share).astype(np.int64)]
        whole = r.sum(axis=1)
        yield gap, whole
        r = np.where(whole[:, np.newaxis] >= 1.0, 0.0, r)
        escalated = (whole >= np.where(escalated, fallback, warning)) & (whole < 1.0)
