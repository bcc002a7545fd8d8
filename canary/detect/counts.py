"""Counts on exposure (thumbs down of so many requests), whose rate itself wavers: a gamma-Poisson null.

In a window of exposure x (requests) the healthy count is promised to be no more spread out than Poisson with a gamma
rate of mean `rate_upper` and shape `shape_lower` (infinite: plain Poisson). Alternative r multiplies the rate:

    e = G(count; r * rate, shape) / G(count; rate, shape)       G: negative binomial of mean rate * x

Ln e is linear in the count with a positive slope, so e rises and is convex in it, and its mean is <= 1 under every law
that the promised one dominates in increasing convex order: any smaller rate, any larger shape, Poisson, binomial, and
beta-binomial with a first parameter >= shape_lower (its beta share is a conditional mean of that gamma, and the mean of
a convex function of a binomial is at most that of its Poisson). Windows are independent given the past.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from canary.detect._canonical import canonical, digest_of, number, numbers, read

RATIOS = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
"""Rates of the alternatives relative to the healthy bound."""

EVENT_BET = 20.0
"""A window whose bet is larger is an event."""

_KIND, _VERSION = "count", 1
_MOST_LOG_BET = 700.0  # exp of more is no float
_SHAPES = np.geomspace(0.5, 1e5, 55)
_RATES = np.geomspace(0.2, 20.0, 241)


@dataclass(frozen=True)
class CountDetector:
    """Frozen parameters of the detector of counts on exposure.

    Attributes:
        rate_upper: bound of the mean healthy count per unit of exposure, in (0, inf).
        shape_lower: bound of the gamma shape of its wavering, in (0, 1e12]; 1 / shape is the rate's relative variance.
        ratios: K rates of the alternatives relative to `rate_upper`, each in (1, inf).

    Raises:
        ValueError: a parameter is out of range.

    >>> detector = CountDetector(rate_upper=0.01, shape_lower=50.0, ratios=(2.0,))
    >>> [round(float(detector.log_e(count, 1000.0)[0]), 2) for count in (10, 20, 40)]
    [-2.32, 3.07, 13.85]
    """

    rate_upper: float
    shape_lower: float
    ratios: tuple[float, ...] = RATIOS

    def __post_init__(self) -> None:
        if not 0.0 < self.rate_upper < math.inf or not 0.0 < self.shape_lower <= 1e12:
            raise ValueError(f"rate_upper {self.rate_upper} or shape_lower {self.shape_lower} is out of range")
        if not self.ratios or not all(1.0 < ratio < math.inf for ratio in self.ratios):
            raise ValueError("ratios must be finite and above 1, at least one")

    @classmethod
    def from_golden(cls, counts: Sequence[int], exposures: Sequence[float], delta: float) -> "CountDetector":
        """The widest null that golden windows do not contradict, within the gamma-Poisson family.

        The region of rates and shapes comes from a split likelihood ratio: a fit to every other window is compared on
        the windows between, so it holds the truth with probability 1 - delta at any number of windows (up to the
        grid: rates within 20 times the pooled one, shapes from 0.5 to 1e5).

        Args:
            counts: of n >= 4 healthy windows in time order, each >= 0.
            exposures: of the same windows, each > 0.
            delta: in (0, 1).

        Raises:
            ValueError: out of range.

        References:
            Wasserman, Ramdas, Balakrishnan: Universal inference, PNAS 117 (2020).
        """
        count, exposure = np.asarray(counts, dtype=np.float64), np.asarray(exposures, dtype=np.float64)
        if count.shape != exposure.shape or count.ndim != 1 or len(count) < 4:
            raise ValueError("need the counts and exposures of four windows or more")
        if not (count >= 0).all() or not (exposure > 0).all() or not 0.0 < delta < 1.0:
            raise ValueError("need counts >= 0, exposures > 0 and 0 < delta < 1")
        rates = _RATES * (count.sum() + 1.0) / exposure.sum()
        fit, judged = (_log_likelihood(count[at::2], exposure[at::2], rates) for at in (0, 1))
        region = judged >= judged[np.unravel_index(np.argmax(fit), fit.shape)] + math.log(delta)
        return cls(float(rates[region.any(axis=1)].max()), float(_SHAPES[region.any(axis=0)].min()))

    @property
    def alternatives(self) -> int:
        """K."""
        return len(self.ratios)

    def standardised(self, count: float, _probe: str, /) -> float:
        """The count: it has no scale."""
        return count

    def is_event(self, count: float, limit: float, /) -> bool:
        """Whether this window, on its own, shows the fault, where `limit` is that of its exposure."""
        return count > limit

    def limit(self, exposure: float) -> float:
        """The count beyond which a window of this exposure is an event: its bet is `EVENT_BET` there.

        >>> detector = CountDetector(rate_upper=0.01, shape_lower=50.0)
        >>> limit = detector.limit(1000.0)
        >>> detector.bet(limit + 1.0, 1000.0) > EVENT_BET > detector.bet(limit - 1.0, 1000.0)
        True
        """
        high = 1.0
        while self.bet(high, exposure) <= EVENT_BET:
            high *= 2.0
        low = 0.0
        for _ in range(60):
            middle = (low + high) / 2.0
            low, high = (middle, high) if self.bet(middle, exposure) <= EVENT_BET else (low, middle)
        return low

    def log_e(self, count: float, exposure: float, _limit: float = 0.0, /) -> NDArray[np.float64]:
        """Ln e^k of one window, shape (K,), in nats.

        Args:
            count: >= 0.
            exposure: > 0, in the unit of `rate_upper`.

        Raises:
            ValueError: out of range.
        """
        if not 0.0 <= count < math.inf or not 0.0 < exposure < math.inf:
            raise ValueError(f"cannot judge the count {count} on the exposure {exposure}")
        ratios, shape = np.array(self.ratios), self.shape_lower
        mean = self.rate_upper * exposure
        grown = np.log1p((ratios - 1.0) * mean / (shape + mean))  # ln((shape + r * mean) / (shape + mean))
        return np.asarray(count * (np.log(ratios) - grown) - shape * grown, dtype=np.float64)

    def bet(self, count: float, exposure: float, _limit: float = 0.0, /) -> float:
        """The e-value against "this window is bad", in [0, inf): the mean over `ratios`."""
        log_bet = float(np.logaddexp.reduce(self.log_e(count, exposure))) - math.log(len(self.ratios))
        return math.exp(min(log_bet, _MOST_LOG_BET))

    def outcomes(self, _exposure: float, /) -> None:
        """None: the worst healthy law has no few outcomes."""

    def bet_outcomes(self, _exposure: float, /) -> None:
        """None, as for `outcomes`."""

    def healthy_bets(self, _exposure: float, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """An event's bet and none, as often as that can be: the mean is 1."""
        return np.array([EVENT_BET, 0.0]), np.array([1.0 / EVENT_BET, 1.0 - 1.0 / EVENT_BET])

    def healthy_event_rate(self, _exposure: float, /) -> float:
        """Upper bound of the probability that a healthy window is an event: a bet of mean 1 is 20 in one of 20."""
        return 1.0 / EVENT_BET

    def typical(self, exposure: float, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Ln e^k of a window at the healthy bound, and of one that is just an event, each of shape (K,)."""
        return self.log_e(self.rate_upper * exposure, exposure), self.log_e(self.limit(exposure), exposure)

    @cached_property
    def digest(self) -> str:
        """Of the parameters: 24 hexadecimal digits."""
        return digest_of(self.to_json())

    def to_json(self) -> str:
        """The parameters as canonical JSON; floats read back to the same bits."""
        facts = {"rate_upper": self.rate_upper, "shape_lower": self.shape_lower, "ratios": list(self.ratios)}
        return canonical({"kind": _KIND, "version": _VERSION, **facts})

    @classmethod
    def from_json(cls, text: str) -> "CountDetector":
        """What `to_json` wrote. Raises ValueError when it is of another kind or version, or out of range."""
        facts = read(text, _KIND, _VERSION, frozenset({"rate_upper", "shape_lower", "ratios"}))
        return cls(number(facts["rate_upper"]), number(facts["shape_lower"]), numbers(facts["ratios"]))


def _log_likelihood(
    count: NDArray[np.float64], exposure: NDArray[np.float64], rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of windows, for each rate (rows) and shape (columns), up to a constant."""
    total = np.zeros((len(rates), len(_SHAPES)))
    for seen, x in zip(count, exposure, strict=True):
        mean = rates[:, np.newaxis] * x
        total += gammaln(seen + _SHAPES) - gammaln(_SHAPES) - (seen + _SHAPES) * np.log(_SHAPES + mean)
        total += seen * np.log(mean) + _SHAPES * np.log(_SHAPES)
    return total
