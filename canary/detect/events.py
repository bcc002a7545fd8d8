"""Rare events: the likelihood ratio of Bernoulli answers, with exposure.

An answer with exposure x (letters or tokens scanned) shows at most one event, since one quotation yields many letters.
Healthy answers are promised to show one with probability at most p(x) = 1 - exp(-rate_upper * x). Alternative r says
q(x) = 1 - exp(-r * rate_upper * x), so that

    e = q / p  with an event        e = (1 - q) / (1 - p) = exp(-(r - 1) * rate_upper * x)  without

As q > p, the mean of e rises with the true probability and is 1 at p(x): e is valid for *every* probability <= p(x).
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from canary.detect import hierarchy
from canary.detect._canonical import canonical, digest_of, number, numbers, read
from canary.detect.esr import Outcomes

RATIOS = (2.0, 2.85, 4.05, 5.77, 8.22, 11.7, 16.7, 23.7, 33.8, 48.1, 68.4, 97.4, 139.0, 198.0, 281.0, 400.0)
"""Rates of the alternatives relative to the healthy bound: geometric, so that each rate is within 20 % of one of
them."""

_KIND, _VERSION = "event", 1
_TINY = 1e-300  # keeps the ratio of two vanishing probabilities


@dataclass(frozen=True)
class EventDetector:
    """Frozen parameters of the detector of rare events. Implements `Detector`.

    Attributes:
        rate_upper: bound of the healthy rate of events per unit of exposure, in (0, inf).
        ratios: K rates of the alternatives relative to `rate_upper`, each in (1, inf).

    Raises:
        ValueError: a parameter is out of range.

    >>> detector = EventDetector(rate_upper=1e-3, ratios=(10.0,))
    >>> [round(float(np.exp(detector.log_e(value, 1.0, 0.0))[0]), 4) for value in (1.0, 0.0)]
    [9.9551, 0.991]
    """

    rate_upper: float
    ratios: tuple[float, ...] = RATIOS

    def __post_init__(self) -> None:
        if not 0.0 < self.rate_upper < math.inf:
            raise ValueError(f"rate_upper must be positive and finite, got {self.rate_upper}")
        if not self.ratios or not all(1.0 < ratio < math.inf for ratio in self.ratios):
            raise ValueError("ratios must be finite and above 1, at least one")

    @property
    def alternatives(self) -> int:
        """K."""
        return len(self.ratios)

    def standardised(self, value: float, _probe: str, /) -> float:
        """The value itself: what is an event is told by probe already, by its threshold."""
        return value

    def is_event(self, value: float, threshold: float, /) -> bool:
        """Whether the value exceeds the probe's golden threshold."""
        return value > threshold

    def log_e(self, value: float, exposure: float, threshold: float, /) -> NDArray[np.float64]:
        """Ln e^k of one answer, shape (K,), in nats.

        Args:
            value: the score, in the signal's unit; not NaN.
            exposure: in the signal's unit of exposure, in (0, inf).
            threshold: the probe's golden threshold, in the signal's unit.

        Raises:
            ValueError: the value is NaN or the exposure out of range.
        """
        _check(value, exposure)
        none, event = self.typical(exposure)
        return event if self.is_event(value, threshold) else none

    def bet(self, value: float, exposure: float, threshold: float, /) -> float:
        """The e-value against "this answer is bad": 1 / healthy_event_rate with an event, 0 without.

        Raises:
            ValueError: the value is NaN or the exposure out of range.

        >>> EventDetector(1e-3).bet(0.0, 1.0, 0.0)
        0.0
        """
        _check(value, exposure)
        return 1.0 / self.healthy_event_rate(max(exposure, _TINY / self.rate_upper)) if value > threshold else 0.0

    def outcomes(self, exposure: float, /) -> Outcomes:
        """An event, or none, at the largest healthy probability: for `esr.step`.

        >>> [round(float(p), 6) for p in np.exp(EventDetector(1e-3).outcomes(1.0).log_law)]
        [0.001, 0.999]
        """
        return _outcomes(self, exposure)

    def bet_outcomes(self, exposure: float, /) -> Outcomes:
        """The same two, by what each says in scopes."""
        return _bet_outcomes(self, exposure)

    def healthy_bets(self, exposure: float, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How often a plain healthy answer is an event (0) or not (1), and what each bets."""
        return np.array([0.0, 1.0]), np.array([1.0 / self.healthy_event_rate(exposure), 0.0])

    def healthy_event_rate(self, exposure: float, /) -> float:
        """Upper bound of the probability that a healthy answer of this exposure shows an event; in (0, 1].

        >>> round(EventDetector(1e-3).healthy_event_rate(100.0), 4)
        0.0952
        """
        return -math.expm1(-self.rate_upper * exposure)

    def typical(self, exposure: float, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Ln e^k of an answer of this exposure without and with an event, each of shape (K,)."""
        hazard = max(self.rate_upper * exposure, _TINY)
        ratios = self._ratios
        return (1.0 - ratios) * hazard, np.log(np.expm1(-ratios * hazard) / np.expm1(-hazard))

    @cached_property
    def digest(self) -> str:
        """Of the parameters: 24 hexadecimal digits."""
        return digest_of(self.to_json())

    def to_json(self) -> str:
        """The parameters as canonical JSON; floats read back to the same bits."""
        facts = {"kind": _KIND, "version": _VERSION, "rate_upper": self.rate_upper, "ratios": list(self.ratios)}
        return canonical(facts)

    @classmethod
    def from_json(cls, text: str) -> "EventDetector":
        """What `to_json` wrote. Raises ValueError when it is of another kind or version, or out of range.

        >>> EventDetector.from_json(EventDetector(0.1).to_json()) == EventDetector(0.1)
        True
        """
        facts = read(text, _KIND, _VERSION, frozenset({"rate_upper", "ratios"}))
        return cls(number(facts["rate_upper"]), numbers(facts["ratios"]))

    @cached_property
    def _ratios(self) -> NDArray[np.float64]:
        return np.array(self.ratios, dtype=np.float64)


def _check(value: float, exposure: float) -> None:
    if math.isnan(value) or not 0.0 < exposure < math.inf:
        raise ValueError(f"cannot judge the value {value} with exposure {exposure}")


@lru_cache(maxsize=1_024)
def _outcomes(detector: EventDetector, exposure: float) -> Outcomes:
    hazard = max(detector.rate_upper * exposure, _TINY)
    none, event = detector.typical(exposure)
    return Outcomes(np.array([math.log(-math.expm1(-hazard)), -hazard]), np.stack([event, none]))


@lru_cache(maxsize=1_024)
def _bet_outcomes(detector: EventDetector, exposure: float) -> Outcomes:
    bets = [detector.bet(value, exposure, 0.0) for value in (1.0, 0.0)]
    return Outcomes(detector.outcomes(exposure).log_law, hierarchy.log_e(bets))
