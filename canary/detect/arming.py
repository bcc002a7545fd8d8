"""From a golden baseline to a detector, once there is golden data enough to see what it must see.

The error of the baseline binds more than the detector does, so the healthy rate is never plugged in: the detector
is built on a bound that holds with probability 1 - delta over the golden set. The deltas of all series add up; say
the sum.
"""

import math
from dataclasses import dataclass

from scipy.special import betaincc

from canary.detect.bounded import BoundedDetector, mean_bound
from canary.detect.bounds import upper_share
from canary.detect.counts import CountDetector
from canary.detect.detectors import Detector
from canary.detect.distance import DistanceDetector
from canary.detect.events import EventDetector
from canary.records import Baseline, SignalKind

SPREAD = 4.0
"""`rate_bound` holds where no golden answer counts with more than this multiple of the mean exposure; baselines count
each answer as one."""
MARGIN = 4.0
"""A series is armed once its healthy bound is this many times below the smallest share that it has to see."""
COARSE = 0.3
"""A mean that healthy answers share with faulty ones (`BOUNDED`) shows small shares never: it arms at this share."""
WINDOWS = 20
"""Golden windows of counts that arm a series."""
_LARGEST_DELTA = 0.1


@dataclass(frozen=True, slots=True)
class Armed:
    """The series can be judged."""

    detector: Detector


@dataclass(frozen=True, slots=True)
class Learning:
    """The golden data does not yet let the smallest share be told from healthy.

    Attributes:
        n: golden answers so far.
        needed: golden answers that would do, provided that no further one shows an event.
        visible: the smallest share that the data so far would let a detector see, in (0, 1].
    """

    n: int
    needed: int
    visible: float


def rate_bound(events: int, n: int, exposure: float, delta: float) -> float:
    """Upper confidence bound of the healthy rate of events per unit of exposure; in (0, inf].

    Without an event it is exact: P(none) = exp(-rate * exposure). With events, the count is a sum of unequal Bernoulli
    variables, whose lower tail is at most that of a binomial of the same mean (Hoeffding), and that mean is
    smallest, for a given total, where each exposure is 0 or SPREAD times the mean.

    Args:
        events: golden answers with an event, 0 <= events <= n.
        n: golden answers, >= 1.
        exposure: their total exposure, > 0; no answer with more than SPREAD times the mean.
        delta: the bound is too low with at most this probability, in (0, 0.1].

    Raises:
        ValueError: out of range.

    References:
        Hoeffding: On the distribution of the number of successes in independent trials, Ann. Math. Stat. 27 (1956).

    >>> round(rate_bound(0, 100, 50_000.0, 0.01), 9)  # ln(100) / 50,000
    9.2103e-05
    """
    if not exposure > 0.0 or not 0.0 < delta <= _LARGEST_DELTA:
        raise ValueError(f"need exposure > 0 and 0 < delta <= {_LARGEST_DELTA}, got {exposure} and {delta}")
    if events == 0:
        return -math.log(delta) / exposure
    crowded = SPREAD * upper_share(events, n, delta)
    return -math.log1p(-crowded) / (SPREAD * exposure / n) if crowded < 1.0 else math.inf


def arm(baseline: Baseline, kind: SignalKind, *, delta: float, smallest_share: float) -> Armed | Learning:
    """Build the detector of a series from its baseline, or say what is missing.

    Args:
        baseline: golden counts (EVENT), golden values (DISTANCE) or golden windows (COUNT).
        kind: of the baseline's signal.
        delta: this series' part of the probability that some golden bound fails, in (0, 0.1].
        smallest_share: the smallest share of touched answers that has to be seen, in (0, 1].

    Returns:
        Armed when the healthy bound per typical answer is at most smallest_share / MARGIN, or, for a BOUNDED mean, when
        the share that would move it by twice its uncertainty is at most COARSE (or smallest_share), or, for a COUNT,
        when there are WINDOWS of them; else Learning.

    Raises:
        ValueError: out of range.
    """
    if not 0.0 < smallest_share <= 1.0 or not 0.0 < delta <= _LARGEST_DELTA:
        raise ValueError(f"smallest_share {smallest_share} or delta {delta} is out of range")
    if kind is SignalKind.COUNT:
        return _arm_counts(baseline, delta)
    if kind is SignalKind.BOUNDED:
        return _arm_bounded(baseline.events, baseline.n, delta, smallest_share)
    detector = _detector(baseline, kind, delta) if baseline.n > 0 and baseline.exposure > 0.0 else None
    bound = 1.0 if detector is None else detector.healthy_event_rate(baseline.exposure / baseline.n)
    if detector is None or bound > smallest_share / MARGIN:
        needed = answers_needed(baseline.events, kind, delta=delta, smallest_share=smallest_share)
        return Learning(baseline.n, max(needed, baseline.n + 1), min(1.0, MARGIN * bound))
    return Armed(detector)


def answers_needed(events: int, kind: SignalKind, *, delta: float, smallest_share: float) -> int:
    """Golden answers that arm a series when `events` of them show an event.

    >>> answers_needed(0, SignalKind.EVENT, delta=1e-4, smallest_share=0.05)
    733
    """
    bound = smallest_share / MARGIN
    if kind is SignalKind.COUNT:
        return WINDOWS
    if kind is SignalKind.BOUNDED:
        return _bounded_n(delta, max(COARSE, smallest_share))
    if kind is SignalKind.DISTANCE:
        return math.ceil(math.log(delta / 2.0) / math.log1p(-bound))
    if events == 0:
        return math.ceil(math.log(delta) / math.log1p(-bound))
    share = -math.expm1(SPREAD * math.log1p(-bound)) / SPREAD
    return _smallest_n(events, delta, share)


def clean_detector(kind: SignalKind, n: int, exposure: float, delta: float) -> Detector:
    """The detector that `n` golden answers, all of this exposure and none with an event, would give.

    For forecasts, before a baseline exists.

    Raises:
        ValueError: out of range.

    >>> round(clean_detector(SignalKind.EVENT, 1000, 1.0, 0.01).healthy_event_rate(1.0), 4)
    0.0046
    """
    match kind:
        case SignalKind.EVENT:
            return EventDetector(rate_bound(0, n, n * exposure, delta))
        case SignalKind.DISTANCE:
            return DistanceDetector.from_golden([0.0] * n, delta)
        case SignalKind.BOUNDED:
            return BoundedDetector(0.0, mean_bound(0.0, n, delta))
        case SignalKind.COUNT:
            raise ValueError("what is counted elsewhere cannot be forecast")


def _arm_counts(baseline: Baseline, delta: float) -> Armed | Learning:
    """The calibration holds the count and the exposure of each golden window in turn, in the order of time."""
    counts, exposures = baseline.calibration[::2], baseline.calibration[1::2]
    if len(counts) < WINDOWS:
        return Learning(len(counts), WINDOWS, 1.0)
    return Armed(CountDetector.from_golden([round(count) for count in counts], exposures, delta))


def _detector(baseline: Baseline, kind: SignalKind, delta: float) -> Detector | None:
    if kind is SignalKind.DISTANCE:
        scales = {part.probe_digest: part.scale for part in baseline.parts}
        return DistanceDetector.from_golden(baseline.calibration, delta, scales)
    rate = rate_bound(baseline.events, baseline.n, baseline.exposure, delta)
    return EventDetector(rate) if math.isfinite(rate) else None


def _arm_bounded(ones: int, n: int, delta: float, smallest_share: float) -> Armed | Learning:
    coarse = max(COARSE, smallest_share)
    visible = _visible(ones / n, n, delta) if n else 1.0
    if visible > coarse:
        return Learning(n, max(_bounded_n(delta, coarse), n + 1), min(1.0, visible))
    return Armed(BoundedDetector(0.0, mean_bound(ones / n, n, delta)))


def _visible(mean: float, n: int, delta: float) -> float:
    """The share of ones instead of healthy answers that moves the mean by twice its uncertainty."""
    return 2.0 * (mean_bound(mean, n, delta) - mean) / (1.0 - mean) if mean < 1.0 else 1.0


def _bounded_n(delta: float, share: float) -> int:
    """Golden answers that do for an even balance, to a tenth more than needed."""
    return next(n for n in (math.ceil(1.1**power) for power in range(400)) if _visible(0.5, n, delta) <= share)


def _smallest_n(events: int, delta: float, share: float) -> int:
    """The smallest n at which `events` of n bound the rate by `share`: doubling, then bisection."""
    high = events + 1
    while betaincc(events + 1, high - events, share) > delta:
        high *= 2
    low = events
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if betaincc(events + 1, middle - events, share) > delta else (low, middle)
    return high
