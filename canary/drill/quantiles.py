"""Quantiles and counts of few drills, with what they leave uncertain."""

import math
from collections.abc import Sequence

from scipy.stats import binom, chi2

from canary.detect import lower_share, upper_share


def quantile(values: Sequence[float], q: float, confidence: float = 0.95) -> tuple[float, float, float]:
    """The q-quantile, and an interval from order statistics, which supposes no law; infinite values are "never".

    >>> quantile([3.0, 1.0, 2.0], 0.5)
    (2.0, 1.0, 3.0)
    """
    ordered = sorted(values)
    n, tail = len(ordered), (1.0 - confidence) / 2.0
    best = ordered[min(n - 1, math.ceil(q * n) - 1)]
    low = max(0, int(binom.ppf(tail, n, q)) - 1)
    high = min(n - 1, int(binom.ppf(1.0 - tail, n, q)))
    return best, ordered[low], ordered[high]


def count_interval(count: int, confidence: float = 0.95) -> tuple[float, float]:
    """What mean of a Poisson count is compatible with it.

    >>> [round(end, 2) for end in count_interval(0)]
    [0.0, 3.69]
    """
    tail = (1.0 - confidence) / 2.0
    low = float(chi2.ppf(tail, 2 * count)) / 2.0 if count else 0.0
    return low, float(chi2.ppf(1.0 - tail, 2 * count + 2)) / 2.0


def share_interval(count: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """What probability is compatible with so many of so many (Clopper and Pearson); all of it with none at all.

    >>> [round(end, 3) for end in share_interval(20, 20)]
    [0.832, 1.0]
    """
    tail = (1.0 - confidence) / 2.0
    return (lower_share(count, of, tail), upper_share(count, of, tail)) if of else (0.0, 1.0)
