"""Figures with the interval that holds the true one with 95 %."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom
from typing_extensions import override

from canary.detect import lower_share, upper_share

_MISSED = 0.025  # on each side


@dataclass(frozen=True, slots=True)
class Count:
    """Events in independent trials, with the interval of Clopper and Pearson."""

    events: int
    trials: int

    @property
    def share(self) -> float:
        return self.events / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """As counts."""
        bounds = (lower_share(self.events, self.trials, _MISSED), upper_share(self.events, self.trials, _MISSED))
        return bounds[0] * self.trials, bounds[1] * self.trials


@dataclass(frozen=True, slots=True)
class Median:
    """Of independent times, between the two of them that enclose the true median; inf is "not seen"."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, times: NDArray[np.float64]) -> "Median":
        ordered, n = np.sort(times), len(times)
        rank = int(binom.ppf(_MISSED, n, 0.5))
        return cls(float(ordered[(n - 1) // 2]), float(ordered[max(rank - 1, 0)]), float(ordered[min(n - rank, n - 1)]))

    @override
    def __str__(self) -> str:
        return f"{self.value:.0f} ({self.low:.0f}, {self.high:.0f})"


@dataclass(frozen=True, slots=True)
class Mean:
    """Of independent times, with 1.96 standard errors on each side."""

    value: float
    error: float

    @classmethod
    def of(cls, times: NDArray[np.float64]) -> "Mean":
        return cls(float(times.mean()), 1.96 * float(times.std()) / math.sqrt(len(times)))
