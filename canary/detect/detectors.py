"""The detectors in one table, by the kind of signal that feeds them."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from canary.detect._canonical import parsed
from canary.detect.bounded import BoundedDetector
from canary.detect.counts import CountDetector
from canary.detect.distance import DistanceDetector
from canary.detect.esr import Outcomes
from canary.detect.events import EventDetector
from canary.records import SignalKind

DETECTORS: Mapping[
    SignalKind, type[EventDetector] | type[DistanceDetector] | type[BoundedDetector] | type[CountDetector]
] = {
    SignalKind.EVENT: EventDetector,
    SignalKind.DISTANCE: DistanceDetector,
    SignalKind.BOUNDED: BoundedDetector,
    SignalKind.COUNT: CountDetector,
}


class Detector(Protocol):
    """Frozen parameters that turn one score into e-values against K alternatives.

    Values are `standardised`. While the series is healthy and the golden bounds behind the parameters hold, the mean of
    every exp(log_e)[k] given the past is <= 1.
    """

    @property
    def alternatives(self) -> int:
        """K, >= 1."""
        ...

    @property
    def digest(self) -> str:
        """Of `to_json`: equal parameters have equal digests."""
        ...

    def standardised(self, value: float, probe: str, /) -> float:
        """The score of an answer to this probe (by its digest) as the other methods take it: see `residuals`."""
        ...

    def is_event(self, value: float, threshold: float, /) -> bool:
        """Whether this answer, on its own, shows the fault."""
        ...

    def log_e(self, value: float, exposure: float, threshold: float, /) -> NDArray[np.float64]:
        """Ln e^k of one answer, shape (K,), in nats. Raises ValueError for NaN or an exposure that is not positive."""
        ...

    def bet(self, value: float, exposure: float, threshold: float, /) -> float:
        """The e-value of one answer against "it is bad", in [0, inf), mean <= 1 while healthy: see `hierarchy`."""
        ...

    def outcomes(self, exposure: float, /) -> Outcomes | None:
        """What an answer can bring under the worst healthy law, where that is known: for `esr.step`."""
        ...

    def bet_outcomes(self, exposure: float, /) -> Outcomes | None:
        """The same outcomes by what a scope hears of them, `hierarchy.log_e` of each one's `bet`."""
        ...

    def healthy_bets(self, exposure: float, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What answers bet, an event's bet first, and how often a plain healthy answer does; each of shape (M,)."""
        ...

    def healthy_event_rate(self, exposure: float, /) -> float:
        """Upper bound of the probability that a healthy answer is an event; in (0, 1]."""
        ...

    def typical(self, exposure: float, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean ln e^k of a plain healthy answer, and ln e^k of an event, each of shape (K,)."""
        ...

    def to_json(self) -> str:
        """The parameters, canonical."""
        ...


def detector_from_json(text: str) -> Detector:
    """The detector whose `to_json` wrote this.

    Raises:
        ValueError: no such kind, another version, or parameters out of range.

    >>> detector_from_json(EventDetector(0.01).to_json()) == EventDetector(0.01)
    True
    """
    return DETECTORS[SignalKind(str(parsed(text).get("kind")))].from_json(text)
