"""Recovery is shown, not assumed: a sequential test of "the fault persists" against "back to baseline".

While at least the share `persisting` of answers are events, the mean of

    e = healthy / persisting  with an event        e = (1 - healthy) / (1 - persisting)  without

is <= 1 (it falls as the true share rises). The product may start afresh at every answer n with the weight
w_n = 1 / ln(n + e) - 1 / ln(n + 1 + e); the weights sum to 1, so the statistic E is an e-process for "persists" and
P(ever E >= 1 / alpha while it persists) <= alpha (Ville). The restarts let a fault that lasted long be seen to end:
after n bad answers recovery costs about ln n + 2 ln ln n nats more, not n times a loss. This is the e-SR recursion
with one alternative and w_n as its budget, so its state is an `EsrState`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from canary.detect import esr
from canary.detect._canonical import canonical, digest_of, number, read
from canary.detect.detectors import Detector
from canary.detect.esr import EsrState
from canary.records import Size

_KIND, _VERSION = "recovery", 1
_CONTRAST = 2.0  # a fault below this multiple of the healthy rate cannot be told from healthy in reasonable time


@dataclass(frozen=True)
class RecoveryTest:
    """Frozen parameters of the test of one open finding.

    Attributes:
        healthy: rate of events per answer to which the series must be back, in (0, persisting).
        persisting: smallest rate of events at which the fault counts as persisting, in (healthy, 1).
        alpha: probability of ever calling a persisting fault recovered, in (0, 1).

    Raises:
        ValueError: a parameter is out of range.
    """

    healthy: float
    persisting: float
    alpha: float = 0.01

    def __post_init__(self) -> None:
        if not 0.0 < self.healthy < self.persisting < 1.0 or not 0.0 < self.alpha < 1.0:
            raise ValueError(f"need 0 < healthy < persisting < 1 and 0 < alpha < 1, got {self}")

    @classmethod
    def for_(cls, detector: Detector, size: Size, exposure: float, *, alpha: float = 0.01) -> "RecoveryTest":
        """The test for a fault of this size.

        It persists when the share of events is at least the lower end of `size`, or twice the healthy rate where
        that is more: a smaller remainder is left to the detector, which goes on watching.

        Args:
            detector: of the series.
            size: of the fault.
            exposure: of a typical answer, in the signal's unit of exposure.
            alpha: in (0, 1).

        Raises:
            ValueError: `alpha` is out of range.
        """
        healthy = min(detector.healthy_event_rate(exposure), 0.5 / _CONTRAST)
        persisting = min(max(healthy + size.low * (1.0 - healthy), _CONTRAST * healthy), 0.99)
        return cls(healthy, persisting, alpha)

    def start(self) -> EsrState:
        """The state before the first answer."""
        return esr.start(1)

    def step(self, state: EsrState, *, event: bool) -> EsrState:
        """Feed whether one answer was an event.

        >>> test = RecoveryTest(healthy=0.001, persisting=0.1)
        >>> state = test.start()
        >>> for _ in range(70):
        ...     state = test.step(state, event=False)
        >>> test.recovered(state)
        True
        """
        gain, loss = self._log_e
        return esr.step(state, [loss if event else gain], _log_weight(int(state.n)))

    def steps(self, state: EsrState, events: Iterable[bool]) -> EsrState:
        """Feed many answers, as `step` would one by one, up to the one that proves recovery.

        Of one number a step is cheaper without arrays.

        >>> test = RecoveryTest(healthy=0.001, persisting=0.1)
        >>> test.recovered(test.steps(test.start(), [False] * 70))
        True
        """
        log_r, n, enough = float(state.log_r[0]), int(state.n), -math.log(self.alpha)
        gain, loss = self._log_e
        for event in events:
            log_r, n = _log_sum(log_r, _log_weight(n)) + (loss if event else gain), n + 1
            if log_r >= enough:
                break
        return EsrState(np.array([log_r]), np.asarray(n, dtype=np.int64), state.version)

    def recovered(self, state: EsrState) -> bool:
        """Whether recovery is proven: E >= 1 / alpha."""
        return float(esr.evidence(state)) >= -math.log(self.alpha)

    @cached_property
    def digest(self) -> str:
        """Of the parameters: 24 hexadecimal digits."""
        return digest_of(self.to_json())

    def to_json(self) -> str:
        """The parameters as canonical JSON; floats read back to the same bits."""
        facts = {"healthy": self.healthy, "persisting": self.persisting, "alpha": self.alpha}
        return canonical({"kind": _KIND, "version": _VERSION, **facts})

    @classmethod
    def from_json(cls, text: str) -> "RecoveryTest":
        """What `to_json` wrote. Raises ValueError when it is of another kind or version, or out of range."""
        facts = read(text, _KIND, _VERSION, frozenset({"healthy", "persisting", "alpha"}))
        return cls(number(facts["healthy"]), number(facts["persisting"]), number(facts["alpha"]))

    @cached_property
    def _log_e(self) -> tuple[float, float]:
        gain = math.log1p(-self.healthy) - math.log1p(-self.persisting)
        return gain, math.log(self.healthy / self.persisting)


def _log_sum(one: float, other: float) -> float:
    """`np.logaddexp` of two numbers, of which the second is finite."""
    most = max(one, other)
    return most + math.log1p(math.exp(min(one, other) - most)) if one != other else one + math.log(2.0)


def _log_weight(n: int) -> float:
    here, after = math.log(n + math.e), math.log(n + 1 + math.e)
    return math.log(math.log1p(1.0 / (n + math.e))) - math.log(here) - math.log(after)
