"""Distance from golden: a calibration-conditional p-value, bet on.

Golden distances from n healthy answers bound the tail of the healthy law: with probability 1 - delta over the golden
set, P(healthy > golden value of rank j, counted from the largest) <= tails[j] at *all* ranks of a grid at once. The
exact bound of each rank (an order statistic of uniforms is Beta distributed) gets a part of delta, half of it the first
one: "beyond every golden value" decides how small a share can be seen. Against the generalised Simes bound of
Bates et al. that first tail is ln(2 / delta) / n instead of 2 ln(1 / delta) / n. A plain conformal p-value would be
right only on average over golden sets; with one fixed set its error repeats, and a sequential bet on it drifts.

The p-value takes finitely many levels, so a bet with density kappa * u^(kappa - 1) is averaged over each cell
between them: mean 1 under the worst law that the tails allow, and larger than its value at the cell's upper end.
With a share p of answers touched, e = 1 - p + p * bet.

Golden and other distances of a probe are standardised by its scale before they are pooled and judged: see
`canary.detect.residuals`, also for why all of this holds then as it does without.

References:
    Bates, Candes, Lei, Romano, Sesia: Testing for outliers with conformal p-values, arXiv 2104.08279.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from canary.detect import hierarchy
from canary.detect._canonical import canonical, digest_of, number, numbers, numbers_by_name, parsed, read
from canary.detect.bounds import upper_share
from canary.detect.esr import Outcomes

SHARES = (0.002, 0.004, 0.008, 0.016, 0.03, 0.06, 0.12, 0.25, 0.5, 0.9)
"""Shares of touched answers that the alternatives suppose."""
POWERS = (0.15, 0.5)
"""Exponents kappa of the bets on a small p-value; the third bet is on a value beyond every golden one."""

_KIND, _VERSION, _SCALED = "distance", 1, 2


def ranks(n: int) -> tuple[int, ...]:
    """The ranks, from the largest golden value, whose tail is bounded: 1, 2, 3, 4, 6, 8, 12, 16, ... <= n.

    >>> ranks(20)
    (1, 2, 3, 4, 6, 8, 12, 16)
    """
    grid = [1]
    for power in range(1, max(n, 1).bit_length()):
        grid += [2**power, 3 * 2 ** (power - 1)]
    return tuple(rank for rank in grid if rank <= n)


@lru_cache(maxsize=1_024)
def tail_bounds(n: int, delta: float) -> tuple[float, ...]:
    """Simultaneous upper bounds of P(healthy > golden value of that rank) at `ranks(n)`, ascending, in (0, 1].

    Args:
        n: golden values, >= 1.
        delta: all bounds hold together with probability 1 - delta over the golden set, in (0, 1).

    Raises:
        ValueError: out of range.

    >>> [round(bound, 4) for bound in tail_bounds(1000, 0.01)[:3]]
    [0.0053, 0.0106, 0.0127]
    """
    grid = ranks(n)
    first = delta if len(grid) == 1 else delta / 2
    rest = delta / 2 / max(len(grid) - 1, 1)
    return tuple(upper_share(rank - 1, n, first if rank == 1 else rest) for rank in grid)


@dataclass(frozen=True)
class DistanceDetector:
    """Frozen parameters of the detector of distances from golden. Implements `Detector`.

    Attributes:
        n: golden values behind it, >= 1.
        edges: golden values at `ranks(n)`, from the largest down, standardised: in the signal's unit, on a usual probe.
        tails: bounds of the healthy probability to exceed each edge, ascending, in (0, 1].
        scales: by probe, in the order of their names, what its values are divided by, > 0; 1 for those not named.

    Raises:
        ValueError: a parameter is out of range or order.

    >>> detector = DistanceDetector.from_golden([0.0] * 999 + [3e-4], delta=0.01)
    >>> [round(detector.p_value(value), 4) for value in (0.05, 3e-4, 0.0)]
    [0.0053, 0.0106, 1.0]
    """

    n: int
    edges: tuple[float, ...]
    tails: tuple[float, ...]
    scales: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if not len(ranks(self.n)) == len(self.edges) == len(self.tails) > 0:
            raise ValueError("edges and tails must stand at ranks(n)")
        if not all(map(math.isfinite, self.edges)) or list(self.edges) != sorted(self.edges, reverse=True):
            raise ValueError("edges must be finite and descend")
        if not all(0.0 < tail <= 1.0 for tail in self.tails) or list(self.tails) != sorted(self.tails):
            raise ValueError("tails must lie in (0, 1] and ascend")
        if not all(0.0 < scale < math.inf for _, scale in self.scales) or list(self._scale) != sorted(self._scale):
            raise ValueError("scales must be positive and finite, in the order of their probes")

    @classmethod
    def from_golden(
        cls, values: Sequence[float], delta: float, scales: Mapping[str, float] | None = None
    ) -> "DistanceDetector":
        """From golden distances in any order.

        Args:
            values: of n >= 1 healthy answers drawn as in production, standardised by `scales`; ties are welcome.
            delta: the detector is valid with probability 1 - delta over the golden set, in (0, 1).
            scales: by probe, > 0, from other golden answers than these; none: all are 1.

        Raises:
            ValueError: no value, or one that is not finite, or a scale out of range.
        """
        if not values:
            raise ValueError("no golden value")
        descending = sorted(values, reverse=True)
        edges = tuple(float(descending[rank - 1]) for rank in ranks(len(values)))
        told = tuple(sorted((probe, scale) for probe, scale in (scales or {}).items() if scale != 1.0))
        return cls(len(values), edges, tail_bounds(len(values), delta), told)

    @property
    def alternatives(self) -> int:
        """K: three bets for each share."""
        return (1 + len(POWERS)) * len(SHARES)

    def standardised(self, value: float, probe: str, /) -> float:
        """A distance beside what is usual for its probe, >= 0: what all other methods take as a value.

        >>> DistanceDetector.from_golden([0.1] * 100, 0.01, {"loud": 8.0}).standardised(2.0, "loud")
        0.25
        """
        return value / self._scale.get(probe, 1.0)

    def p_value(self, value: float) -> float:
        """Upper bound of the healthy probability of a value as large as this; in (0, 1]; equal to golden is golden."""
        cell = self._cell(value)
        return self.tails[cell] if cell < len(self.tails) else 1.0

    def is_event(self, value: float, _threshold: float, /) -> bool:
        """Whether the value lies beyond every golden one: its p-value is the smallest, `healthy_event_rate`."""
        return value > self.edges[0]

    def log_e(self, value: float, _exposure: float, _threshold: float, /) -> NDArray[np.float64]:
        """Ln e^k of one answer, shape (K,), in nats, read-only. Exposure and threshold play no part.

        Raises:
            ValueError: the value is NaN.
        """
        if math.isnan(value):
            raise ValueError("cannot judge the value nan")
        row: NDArray[np.float64] = self._table[self._cell(value)]
        return row

    def bet(self, value: float, _exposure: float, _threshold: float, /) -> float:
        """The e-value against "this answer is bad": the mean of the bets on its p-value; in [0, inf).

        Raises:
            ValueError: the value is NaN.

        >>> detector = DistanceDetector.from_golden([0.0] * 1000, delta=0.01)
        >>> [round(detector.bet(value, 1.0, 0.0), 2) for value in (0.1, 0.0)]
        [96.4, 0.23]
        """
        if math.isnan(value):
            raise ValueError("cannot judge the value nan")
        return self._pays[self._cell(value)]

    def outcomes(self, _exposure: float, /) -> Outcomes:
        """The cells between golden values, at the largest healthy tails: for `esr.step`."""
        return _outcomes(self.tails)

    def bet_outcomes(self, _exposure: float, /) -> Outcomes:
        """The same cells, by what each says in scopes."""
        return _bet_outcomes(self.tails)

    def healthy_event_rate(self, _exposure: float, /) -> float:
        """Upper bound of the probability that a healthy answer lies beyond every golden value; in (0, 1]."""
        return self.tails[0]

    def healthy_bets(self, _exposure: float, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How often an answer that is like golden lies in each cell, that beyond golden first, and what it bets."""
        return self._law, np.array(_bets(self.tails))

    def typical(self, _exposure: float, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean ln e^k of an answer that is like golden, and ln e^k of one beyond it, each of shape (K,)."""
        return np.asarray(self._law @ self._table, dtype=np.float64), self._table[0]

    @cached_property
    def digest(self) -> str:
        """Of the parameters: 24 hexadecimal digits."""
        return digest_of(self.to_json())

    def to_json(self) -> str:
        """The parameters as canonical JSON; floats read back to the same bits. Without scales it is of version 1."""
        facts = {"kind": _KIND, "version": _VERSION, "n": self.n, "edges": list(self.edges), "tails": list(self.tails)}
        return canonical(facts | {"version": _SCALED, "scales": self._scale} if self.scales else facts)

    @classmethod
    def from_json(cls, text: str) -> "DistanceDetector":
        """What `to_json` wrote. Raises ValueError when it is of another kind or version, or out of range."""
        keys = frozenset({"n", "edges", "tails"})
        scaled = parsed(text).get("version") == _SCALED
        facts = read(text, _KIND, _SCALED, keys | {"scales"}) if scaled else read(text, _KIND, _VERSION, keys)
        scales = numbers_by_name(facts["scales"]) if scaled else ()
        return cls(int(number(facts["n"])), numbers(facts["edges"]), numbers(facts["tails"]), scales)

    def _cell(self, value: float) -> int:
        """How many edges are >= value: 0 is beyond golden."""
        return len(self.edges) - bisect_left(self._ascending, value)

    @cached_property
    def _ascending(self) -> tuple[float, ...]:
        return self.edges[::-1]

    @cached_property
    def _scale(self) -> dict[str, float]:
        return dict(self.scales)

    @property
    def _law(self) -> NDArray[np.float64]:
        return np.diff(np.array([0.0, *ranks(self.n), self.n + 1.0])) / (self.n + 1.0)

    @cached_property
    def _table(self) -> NDArray[np.float64]:
        return _log_e_table(self.tails)

    @cached_property
    def _pays(self) -> tuple[float, ...]:
        return _bets(self.tails)


@lru_cache(maxsize=256)
def _log_e_table(tails: tuple[float, ...]) -> NDArray[np.float64]:
    """Ln e of each cell (rows) and alternative (columns): 6 KB that series with equally many golden values share."""
    return _outcomes(tails).log_e


@lru_cache(maxsize=256)
def _outcomes(tails: tuple[float, ...]) -> Outcomes:
    table = np.log(np.stack([1.0 - share + share * bet for bet in _bets_table(tails) for share in SHARES], axis=-1))
    table.setflags(write=False)
    with np.errstate(divide="ignore"):  # bounds that are 1 leave cells that no law needs
        return Outcomes(np.log(np.diff(np.array([0.0, *tails, 1.0]))), table)


@lru_cache(maxsize=256)
def _bet_outcomes(tails: tuple[float, ...]) -> Outcomes:
    return Outcomes(_outcomes(tails).log_law, hierarchy.log_e(_bets(tails)))


@lru_cache(maxsize=256)
def _bets(tails: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(np.mean(_bets_table(tails), axis=0).tolist())


def _bets_table(tails: tuple[float, ...]) -> list[NDArray[np.float64]]:
    """What each bet pays in each cell: the novelty event, then the powers."""
    levels = np.array([0.0, *tails, 1.0])
    beyond = np.zeros(len(levels) - 1)
    beyond[0] = 1.0 / levels[1]
    return [beyond, *(_averaged(levels, power) for power in POWERS)]


def _averaged(levels: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    """The mean of power * u^(power - 1) over each cell; an empty cell takes its neighbour's limit."""
    width = np.diff(levels)
    mass = np.diff(levels**power)
    limit = power * levels[1:] ** (power - 1.0)
    return np.where(width > 0.0, mass / np.where(width > 0.0, width, 1.0), limit)
