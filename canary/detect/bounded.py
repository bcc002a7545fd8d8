"""Scores in [0, 1], of which only bounds of the healthy mean are known: betting, without a law.

Three bets, each with mean <= 1 under *every* healthy law within the bounds (the score is X, larger is worse):

    up        X / high              while the mean is <= high       a mean that rose
    down      (1 - X) / (1 - low)   while the mean is >= low        a mean that fell (`two_sided` only)
    beyond    1{X > edge} / tail    while P(X > edge) <= tail       a share that a test of the mean is blind to

A share p of bad answers makes of a bet 1 - p + p * bet, for "up" 1 + lambda * (X - high) with lambda = p / high: the
bets on a bounded mean *are* a mixture over shares, and every p <= 1 keeps them positive.

X may be one answer or the fraction of a unit of answers that hang together (a batch, a session): that its count
scatters more widely than independent draws would (a beta-binomial or any other over-dispersed null) changes nothing but
the spread of X, of which nothing is supposed. So a unit is one score, and golden units must be of the same make.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from canary.detect._canonical import canonical, digest_of, number, read
from canary.detect._mixing import contaminated
from canary.detect.bounds import upper_share

SHARES = (0.002, 0.008, 0.03, 0.12, 0.4, 0.9)
"""Shares of bad answers that the alternatives suppose."""

_KIND, _VERSION = "bounded", 1
_QUANTILE = 0.001  # of golden scores beyond the edge
_BISECTIONS = 60


def mean_bound(mean: float, n: int, delta: float) -> float:
    """Upper confidence bound of the mean of scores in [0, 1], under any law; in [mean, 1].

    The largest m with n * kl(mean, m) <= ln(1 / delta) (Chernoff and Hoeffding).

    Args:
        mean: of n independent scores, in [0, 1].
        n: >= 1.
        delta: the bound is too low with at most this probability, in (0, 1).

    Raises:
        ValueError: out of range.

    References:
        Hoeffding: Probability inequalities for sums of bounded random variables, JASA 58 (1963), theorem 1.

    >>> round(mean_bound(0.0, 1000, 0.01), 6), round(mean_bound(0.4, 1000, 0.01), 3)
    (0.004595, 0.448)
    """
    if not 0.0 <= mean <= 1.0 or n < 1 or not 0.0 < delta < 1.0:
        raise ValueError(f"need a mean in [0, 1], n >= 1 and 0 < delta < 1, got {mean}, {n}, {delta}")
    low, high, most = mean, 1.0, -math.log(delta) / n
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _divergence(mean, middle) <= most else (low, middle)
    return high


def _divergence(mean: float, other: float) -> float:
    if not 0.0 < other < 1.0:
        return 0.0 if mean == other else math.inf
    return float(xlogy(mean, mean / other) + xlogy(1.0 - mean, (1.0 - mean) / (1.0 - other)))


@dataclass(frozen=True)
class BoundedDetector:
    """Frozen parameters of the detector of scores in [0, 1]. Implements `Detector`.

    Attributes:
        low, high: bounds of the healthy mean, 0 <= low < 1, 0 < high <= 1, low <= high.
        edge: in [0, 1]; 1 is beyond reach.
        tail: bound of the healthy probability of a score above `edge`, in (0, 1].
        two_sided: whether a mean that falls counts too.

    Raises:
        ValueError: a parameter is out of range.

    >>> detector = BoundedDetector(0.3, 0.5, two_sided=True)
    >>> [round(float(each), 3) for each in np.exp(detector.log_e(1.0, 1.0, 0.0))[[4, 10]]]  # p = 0.4
    [1.4, 0.6]
    """

    low: float
    high: float
    edge: float = 1.0
    tail: float = 1.0
    two_sided: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.low <= self.high <= 1.0 or self.high == 0.0 or self.low == 1.0:
            raise ValueError(f"need 0 <= low <= high <= 1, high > 0 and low < 1, got {self.low} and {self.high}")
        if not 0.0 <= self.edge <= 1.0 or not 0.0 < self.tail <= 1.0:
            raise ValueError(f"need edge in [0, 1] and tail in (0, 1], got {self.edge} and {self.tail}")

    @classmethod
    def from_golden(cls, values: Sequence[float], delta: float, *, two_sided: bool = False) -> "BoundedDetector":
        """From golden scores, or golden fractions of units.

        Args:
            values: of n >= 1 independent healthy answers or units, each in [0, 1].
            delta: the bounds hold together with probability 1 - delta over the golden set, in (0, 1).
            two_sided: whether a mean that falls counts too; then there is no exceedance event.

        Raises:
            ValueError: no value, or one outside of [0, 1].
        """
        n = len(values)
        if n == 0 or not all(0.0 <= value <= 1.0 for value in values):
            raise ValueError("need one golden value at least, each in [0, 1]")
        mean = min(math.fsum(values) / n, 1.0)
        high = mean_bound(mean, n, delta / 2.0)
        low = 1.0 - mean_bound(1.0 - mean, n, delta / 2.0) if two_sided else 0.0
        if two_sided:
            return cls(low, high, two_sided=True)
        above = math.floor(_QUANTILE * n)  # golden scores that may lie above the edge
        edge = sorted(values, reverse=True)[above]
        return cls(low, high, edge, upper_share(above, n, delta / 2.0))

    @property
    def alternatives(self) -> int:
        """K: two bets for each share."""
        return 2 * len(SHARES)

    def bets(self, value: float) -> tuple[float, float]:
        """What one score pays: the mean above its bound, and the mean below (`two_sided`) or the score beyond the edge.

        Raises:
            ValueError: the value is outside of [0, 1].
        """
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"a bounded score lies in [0, 1], got {value}")
        other = (1.0 - value) / (1.0 - self.low) if self.two_sided else float(value > self.edge) / self.tail
        return value / self.high, other

    def bet(self, value: float, _exposure: float, _threshold: float, /) -> float:
        """The e-value against "this answer is bad", in [0, inf): the mean of `bets`. Raises ValueError as they do."""
        return math.fsum(self.bets(value)) / 2.0

    def log_e(self, value: float, _exposure: float, _threshold: float, /) -> NDArray[np.float64]:
        """Ln e^k of one score, shape (K,), in nats. Raises ValueError for a value outside of [0, 1]."""
        return contaminated(self.bets(value), SHARES).reshape(-1)

    def standardised(self, value: float, _probe: str, /) -> float:
        """The value itself: 0 and 1 have no scale."""
        return value

    def is_event(self, value: float, threshold: float, /) -> bool:
        """Whether the value exceeds the probe's golden threshold."""
        return value > threshold

    def outcomes(self, _exposure: float, /) -> None:
        """None: of the healthy law no more than a mean is known."""

    def bet_outcomes(self, _exposure: float, /) -> None:
        """None, as for `outcomes`."""

    def healthy_bets(self, _exposure: float, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How often a healthy answer is scored 1 or 0, at the bound, and what each bets."""
        return np.array([self.high, 1.0 - self.high]), np.array([self.bet(each, 1.0, 0.0) for each in (1.0, 0.0)])

    def healthy_event_rate(self, _exposure: float, /) -> float:
        """Upper bound of the probability that a healthy answer scored 0 or 1 scores 1; in (0, 1]."""
        return self.high

    def typical(self, _exposure: float, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean ln e^k of healthy answers scored 0 or 1 at their bound, and ln e^k of an answer scored 1."""
        none, event = self.log_e(0.0, 1.0, 0.0), self.log_e(1.0, 1.0, 0.0)
        return (1.0 - self.high) * none + self.high * event, event

    def log_e_many(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same for scores of shape (...): shape (..., K)."""
        return np.stack([self.log_e(float(value), 1.0, 0.0) for value in values.flat]).reshape(*values.shape, -1)

    @cached_property
    def digest(self) -> str:
        """Of the parameters: 24 hexadecimal digits."""
        return digest_of(self.to_json())

    def to_json(self) -> str:
        """The parameters as canonical JSON; floats read back to the same bits."""
        facts = {"low": self.low, "high": self.high, "edge": self.edge, "tail": self.tail, "two_sided": self.two_sided}
        return canonical({"kind": _KIND, "version": _VERSION, **facts})

    @classmethod
    def from_json(cls, text: str) -> "BoundedDetector":
        """What `to_json` wrote. Raises ValueError when it is of another kind or version, or out of range.

        >>> BoundedDetector.from_json(BoundedDetector(0.1, 0.2).to_json()) == BoundedDetector(0.1, 0.2)
        True
        """
        facts = read(text, _KIND, _VERSION, frozenset({"low", "high", "edge", "tail", "two_sided"}))
        two_sided = facts.pop("two_sided")
        if not isinstance(two_sided, bool):
            raise ValueError("two_sided must be true or false")  # noqa: TRY004  foreign text
        return cls(**{name: number(fact) for name, fact in facts.items()}, two_sided=two_sided)
