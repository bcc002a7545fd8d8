"""Does new golden data differ from the golden data that judges? Exact two-sample tests. Pure functions on records.

A baseline recorded while something is wrong makes that something healthy, so new golden answers are judged as the
active baseline judges production: against its references and thresholds. If nothing changed, its own golden answers and
the new ones are then exchangeable, and a table of counts is hypergeometric (Fisher), whatever the law of the values:

* an EVENT or BOUNDED signal gives one table: events (ones) and other answers, then and now;
* a DISTANCE signal gives one for each of `TOPS`: how many of the largest of all values, then and now. The median shows
  a shift of all answers, the largest hundredth a few bad ones among many. Ties stay together, and p is times three.
  Values are standardised by the scales of the baseline on both sides, as a detector of it hears them: these are of its
  reference part, so that golden answers then and now are exchangeable none the less.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from canary.records import Baseline, SeriesKey, SignalKind

TOPS = (0.5, 0.1, 0.01)
LEVEL = 1e-3
"""Golden data of a target that did not change is called different with at most this probability."""
_EQUAL = 1e-7  # probabilities of tables that differ by less, relatively, are equal but for rounding


@dataclass(frozen=True, slots=True)
class Difference:
    """What new golden answers of a series show beside those of the baseline `than`.

    `before` and `now` are shares of the `n_before` and `n_now` answers: of events, or of values above `above`, the cut
    at which they differ most: in the signal's unit, or `standardised`, which is as it would be on a usual probe. `p` is
    the probability of so large a difference, or a larger one, if nothing changed.
    """

    series: SeriesKey
    than: str
    n_before: int
    n_now: int
    before: float
    now: float
    p: float
    above: float | None = None
    standardised: bool = False


def compare(than: Baseline, kind: SignalKind, values: Mapping[str, Sequence[float]]) -> Difference | None:
    """The baseline's golden answers beside new ones, by probe digest, on the probes that both know; None without any.

    `values` are the scores of answers drawn as those of the baseline were, judged against its references.
    """
    parts = [part for part in than.parts if part.n and values.get(part.probe_digest)]
    n, m = sum(part.n for part in parts), sum(len(values[part.probe_digest]) for part in parts)
    if not parts:
        return None
    match kind:
        case SignalKind.EVENT | SignalKind.BOUNDED:
            old = sum(part.events for part in parts)
            new = sum(value > part.threshold for part in parts for value in values[part.probe_digest])
            return Difference(than.series, than.id, n, m, old / n, new / m, fisher(old, n, new, m))
        case SignalKind.DISTANCE:
            golden = np.array([value for part in parts for value in part.standardised])
            fresh = np.array([value / part.scale for part in parts for value in values[part.probe_digest]])
            found = _largest(than, golden, fresh)
            return replace(found, standardised=any(part.scale != 1.0 for part in parts))
        case SignalKind.COUNT:
            return None  # nobody records counts anew


def striking(found: Sequence[Difference], level: float = LEVEL) -> tuple[Difference, ...]:
    """Those that are no chance, the surest first; each is one of `found`, so p counts times their number."""
    return tuple(sorted((one for one in found if one.p * len(found) <= level), key=lambda one: one.p))


def fisher(a: int, n: int, b: int, m: int) -> float:
    """Two-sided p of `a` of n beside `b` of m: of all tables with a + b, those that are not more probable; in (0, 1].

    Raises:
        ValueError: out of range.

    References:
        Fisher: The logic of inductive inference, J. Royal Stat. Soc. 98 (1935).

    >>> round(fisher(3, 4, 1, 4), 4)  # the lady tasting tea
    0.4857
    """
    if not (0 <= a <= n and 0 <= b <= m):
        raise ValueError(f"need 0 <= a <= n and 0 <= b <= m, got {a} of {n} and {b} of {m}")
    least = max(0, a + b - m)
    k = np.arange(least, min(n, a + b) + 1, dtype=np.float64)
    log_p = _log_choose(n, k) + _log_choose(m, a + b - k) - _log_choose(n + m, np.array([a + b], dtype=np.float64))
    observed = log_p[a - least]
    return float(min(1.0, np.exp(log_p[log_p <= observed + _EQUAL]).sum()))


def _largest(than: Baseline, golden: NDArray[np.float64], new: NDArray[np.float64]) -> Difference:
    pooled = np.sort(np.concatenate([golden, new]))
    tables = []
    for top in TOPS:
        cut = float(pooled[max(0, math.ceil(len(pooled) * (1.0 - top)) - 1)])
        a, b = int((golden > cut).sum()), int((new > cut).sum())
        tables.append((fisher(a, len(golden), b, len(new)), a / len(golden), b / len(new), cut))
    p, before, now, cut = min(tables)
    return Difference(than.series, than.id, len(golden), len(new), before, now, min(1.0, p * len(TOPS)), cut)


def _log_choose(n: int, k: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0))
