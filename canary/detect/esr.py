"""The budgeted Shiryaev-Roberts statistic of e-values, mixed over alternatives, in log space.

Theory of operation. Slot n brings for each of K alternatives an e-value e_n^k >= 0 whose mean, given the past, is <= 1
while the series is healthy, and spends b_n >= 0 of the false-alarm budget, fixed before the slot is seen:

    R_n^k = (R_{n-1}^k + b_n / K) * e_n^k        R_n = sum_k R_n^k        alarm when R_n >= 1, then R_n = 0

(alarms so far) + R - (budget spent so far) is then a supermartingale, hence E[false alarms until T] <= sum of b
until T, whatever the spacing of the slots. All alternatives weigh the same: the grid is the prior. A slot without a
score does not step; the time that it covered is spent by the next slot that has one (see `budget`).

Overshoot is not wasted. An alarm counts as one, however far beyond 1 the outcome would carry R, so the true mean time
to a false alarm of the plain recursion is 2 to 2.4 times the promise. Where the possible outcomes c are few and the
worst healthy law of them is known (`Outcomes`), the step is multiplied by the largest m >= 1 with

    sum_c law_c * min(m * R'_c, 1) = S        S = sum_k (R^k + b_n / K), R'_c = sum_k (R^k + b_n / K) * e_c^k

so that the supermartingale stays one, with the alarm counted as what it is. This is proven step by step, for any past
and any b_n fixed before the slot: nothing is calibrated for a constant spacing, and late, missing and escalated slots
are covered as above. What it pays is monotone in the outcome, so every law that the worst one dominates is covered too.

References:
    Shin, Ramdas, Rinaldo: E-detectors: a nonparametric framework for sequential change detection, arXiv 2203.03532.
    Fischer, Ramdas: Improving Wald's (approximate) sequential probability ratio test by avoiding overshoot, arXiv
    2410.16076.
"""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

VERSION = 1
_HEADER = struct.Struct("<HH")  # version, dimensions of n
_MAX_DIMENSIONS = 8
_ROUNDING = 1e-9
_BLOCK = 512
"""Series that are worked on at once: their numbers, 30 alternatives each, stay in a core's own cache."""


@dataclass(frozen=True, slots=True, eq=False)
class EsrState:
    """Where a series, or a whole array of them, stands.

    Attributes:
        log_r: ln R^k, shape (..., K), float64, in [-inf, inf); -inf is R = 0.
        n: scores stepped since R was last 0, shape (...), int64, >= 0.
        version: of this layout.
    """

    log_r: NDArray[np.float64]
    n: NDArray[np.int64]
    version: int = VERSION


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What one score can bring, the most extreme first, under the worst healthy law.

    Attributes:
        log_law: ln of the probability of each outcome, shape (C,), in [-inf, 0]; the probabilities sum to 1. No healthy
            law gives any of the first c outcomes together a larger probability.
        log_e: ln e^k of each outcome, shape (C, K), no column ascending; under the law the mean of each e^k is 1.
    """

    log_law: NDArray[np.float64]
    log_e: NDArray[np.float64]


def start(alternatives: int, shape: tuple[int, ...] = ()) -> EsrState:
    """R = 0 for one series (shape ()) or for many.

    Args:
        alternatives: K, >= 1.
        shape: of the array of series.

    Raises:
        ValueError: `alternatives` is below 1.

    >>> start(3).log_r
    array([-inf, -inf, -inf])
    """
    if alternatives < 1:
        raise ValueError(f"alternatives must be >= 1, got {alternatives}")
    return EsrState(np.full((*shape, alternatives), -np.inf), np.zeros(shape, dtype=np.int64))


def step(state: EsrState, log_e: ArrayLike, log_budget: ArrayLike, outcomes: Outcomes | None = None) -> EsrState:
    """Feed one score per series: R^k = (R^k + b / K) * e^k, times m where the outcomes are known.

    Any batching of the same series gives the same bits: `logaddexp` runs one element at a time, where numpy's
    vectorised `exp` and `log` may round by the length of the array.

    Args:
        state: before the score.
        log_e: ln e^k, shape (..., K), in [-inf, inf).
        log_budget: ln b, shape (...), in [-inf, 0]; -inf spends nothing.
        outcomes: of the detector that all these series share; None does without them.

    Raises:
        ValueError: the shapes do not fit.

    >>> from math import log
    >>> state = step(start(2), [log(4), log(2)], log(0.01))
    >>> round(float(np.exp(evidence(state))), 12)  # 0.01 * (4 + 2) / 2
    0.03
    """
    share = np.asarray(log_budget, dtype=np.float64)[..., np.newaxis] - np.log(float(state.log_r.shape[-1]))
    fed, shape = np.asarray(log_e, dtype=np.float64), state.log_r.shape
    made = np.broadcast(state.log_r, share, fed).shape
    if made != shape:
        raise ValueError(f"a state of shape {shape} cannot take e-values that make it {made}")
    if state.n.size <= _BLOCK:
        return EsrState(_stepped(state.log_r, share, fed, outcomes), state.n + 1)
    spent = np.broadcast_to(share, (*state.n.shape, 1))
    return EsrState(_stepped_in_blocks(state.log_r, spent, np.broadcast_to(fed, shape), outcomes), state.n + 1)


def step_each(
    state: EsrState, log_e: NDArray[np.float64], log_budget: NDArray[np.float64], outcomes: Sequence[Outcomes | None]
) -> EsrState:
    """Feed one score per series, each with outcomes of its own: the bits of `step`, series by series.

    Args:
        state: before the scores, of shape (S,).
        log_e: ln e^k, shape (S, K), in [-inf, inf).
        log_budget: ln b, shape (S,), in [-inf, 0].
        outcomes: S of them, each with K alternatives; None does without.

    Raises:
        ValueError: the shapes do not fit.

    >>> known = Outcomes(np.log([0.1, 0.9]), np.log([[4.0], [2.0 / 3.0]]))
    >>> after = step_each(start(1, (2,)), np.log([[4.0], [4.0]]), np.log([0.5, 0.5]), [None, known])
    >>> np.exp(evidence(after)).round(3)  # 0.5 * 4, and times 4 / 3: that leaves 0.1 * 1 + 0.9 * (0.5 * 2 / 3 * 4 / 3)
    array([2.   , 2.667])
    """
    series, alternatives = state.log_r.shape
    if log_e.shape != (series, alternatives) or log_budget.shape != (series,) or len(outcomes) != series:
        raise ValueError(f"{log_e.shape} e-values and {len(outcomes)} outcomes do not fit {series} series")
    entering = np.logaddexp(state.log_r, log_budget[:, np.newaxis] - np.log(float(alternatives)))
    after = entering + log_e
    silent = np.full(alternatives, -np.inf)
    extreme = np.array([silent if known is None else known.log_e[0] for known in outcomes]).reshape(after.shape)
    beyond = _beyond(entering + extreme)
    if beyond.size:
        known = [one for nth in beyond.tolist() if (one := outcomes[nth]) is not None]
        after[beyond] += _solved(entering[beyond], known)[:, np.newaxis]
    return EsrState(after, state.n + 1)


def evidence(state: EsrState) -> NDArray[np.float64]:
    """Ln R, shape (...), in nats, in [-inf, inf). An alarm is due when it is >= 0.

    The alternatives are added one after the other for many series side by side, which is faster than series by series
    and gives the same bits.

    >>> float(evidence(start(4)))
    -inf
    """
    log_r, total = state.log_r.reshape(-1, state.log_r.shape[-1]), np.empty(state.n.size)
    for some in _blocks(len(total)):
        np.logaddexp.reduce(np.ascontiguousarray(log_r[some].T), axis=0, out=total[some])
    return total.reshape(state.n.shape)


def _blocks(series: int) -> Iterator[slice]:
    return (slice(begin, begin + _BLOCK) for begin in range(0, series, _BLOCK))


def _stepped_in_blocks(
    log_r: NDArray[np.float64], share: NDArray[np.float64], log_e: NDArray[np.float64], outcomes: Outcomes | None
) -> NDArray[np.float64]:
    before, fed = log_r.reshape(-1, log_r.shape[-1]), log_e.reshape(-1, log_r.shape[-1])
    spent, after = share.reshape(-1, 1), np.empty_like(before)
    for some in _blocks(len(after)):
        after[some] = _stepped(before[some], spent[some], fed[some], outcomes)
    return after.reshape(log_r.shape)


def _stepped(
    log_r: NDArray[np.float64], share: NDArray[np.float64], log_e: NDArray[np.float64], outcomes: Outcomes | None
) -> NDArray[np.float64]:
    entering = np.logaddexp(log_r, share)
    after = np.add(entering, log_e, order="C")
    if outcomes is not None:
        series = entering.reshape(-1, log_r.shape[-1])
        beyond = _beyond(series + outcomes.log_e[0])
        if beyond.size:
            boost = _solved(series[beyond], [outcomes] * len(beyond))
            after.reshape(-1, log_r.shape[-1])[beyond] += boost[:, np.newaxis]
    return after


def _beyond(reach: NDArray[np.float64]) -> NDArray[np.intp]:
    """The few series, of shape (n, K), whose R would be 1 or more: one R^k of 1 / K or more at the least."""
    alternatives = reach.shape[-1]
    near = np.unique(np.flatnonzero(reach >= -np.log(float(alternatives))) // alternatives)
    return near[np.logaddexp.reduce(reach[near], axis=-1) >= 0.0] if near.size else near


def _solved(entering: NDArray[np.float64], outcomes: Sequence[Outcomes]) -> NDArray[np.float64]:
    """Ln m of series of shape (n, K). Outcomes are capped from the most extreme on, until no further one reaches 1.

    The last one never does while R is below 1: all would be paid more than what enters.
    """
    total = [math.exp(each) for each in np.logaddexp.reduce(entering, axis=-1).tolist()]
    boost, paid, spent, nth = [0.0] * len(total), [0.0] * len(total), [0.0] * len(total), 0
    open_ = list(range(len(total)))
    while open_ := [at for at in open_ if nth + (total[at] < 1.0) < len(outcomes[at].log_law)]:
        log_e = np.array([outcomes[at].log_e[nth] for at in open_])
        reach = np.logaddexp.reduce(entering[open_] + log_e, axis=-1).tolist()
        capped = [(at, log_reach) for at, log_reach in zip(open_, reach, strict=True) if log_reach + boost[at] >= 0.0]
        for at, log_reach in capped:
            log_law = float(outcomes[at].log_law[nth])
            spent[at] += math.exp(log_law)
            paid[at] += math.exp(log_law + log_reach)
            boost[at] = _log_boost_left(total[at], spent[at], paid[at])
        open_, nth = [at for at, _ in capped], nth + 1
    return np.array(boost)


def _log_boost_left(total: float, spent: float, paid: float) -> float:
    """What the capped outcomes leave (total - spent) over what the others are paid (total - paid), in nats, >= 0.

    0 where R is beyond 1 already, or where so little is left that rounding would count.
    """
    left, rest = total - spent, total - paid
    return max(0.0, math.log(left / rest)) if left > 0.0 and rest > _ROUNDING * total else 0.0


def reset(state: EsrState, where: ArrayLike | None = None) -> EsrState:
    """R = 0 and n = 0 again, for all series or for those `where` (bool, shape (...)) says so.

    >>> int(reset(step(start(1), [0.0], 0.0)).n)
    0
    """
    if where is None:
        return start(state.log_r.shape[-1], state.n.shape)
    chosen = np.asarray(where, dtype=np.bool_)
    return EsrState(np.where(chosen[..., np.newaxis], -np.inf, state.log_r), np.where(chosen, 0, state.n))


def to_bytes(state: EsrState) -> bytes:
    """The state bit for bit: version, shape, n and ln R^k, little-endian.

    >>> restored = from_bytes(to_bytes(start(2, (5,))))
    >>> restored.log_r.shape, restored.n.shape
    ((5, 2), (5,))
    """
    shape = state.log_r.shape
    head = _HEADER.pack(state.version, len(shape) - 1) + struct.pack(f"<{len(shape)}I", *shape)
    return head + state.n.astype("<i8").tobytes() + state.log_r.astype("<f8").tobytes()


def from_bytes(blob: bytes) -> EsrState:
    """What `to_bytes` wrote.

    Raises:
        ValueError: the bytes are of another version, or are not a state.
    """
    if len(blob) < _HEADER.size:
        raise ValueError("not a detector state: too short")
    version, dimensions = _HEADER.unpack_from(blob)
    if version != VERSION:
        raise ValueError(f"this detector state has version {version}; this release reads version {VERSION} only")
    body = _HEADER.size + 4 * (dimensions + 1)
    if dimensions > _MAX_DIMENSIONS or len(blob) < body:
        raise ValueError("not a detector state: its shape is cut")
    *shape, alternatives = struct.unpack_from(f"<{dimensions + 1}I", blob, _HEADER.size)
    return _arrays(memoryview(blob)[body:], tuple(shape), alternatives)


def _arrays(body: memoryview, shape: tuple[int, ...], alternatives: int) -> EsrState:
    series = 1
    for extent in shape:
        series *= extent
    if len(body) != 8 * series * (1 + alternatives):
        raise ValueError("not a detector state: its length does not fit its shape")
    n = np.frombuffer(body, "<i8", series).astype(np.int64).reshape(shape)
    log_r = np.frombuffer(body, "<f8", series * alternatives, 8 * series).astype(np.float64)
    return EsrState(log_r.reshape((*shape, alternatives)), n)
