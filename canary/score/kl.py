"""The KL scorer: how far the distributions of an answer lie from those of the nearest golden one."""

import math
from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from canary.records import Logprobs, UnscoredReason
from canary.score.case import Case
from canary.score.logprobs import FLOOR, resolved
from canary.score.measure import Judgement, Measure

QUANTILE = 0.99
RESOLUTION = 1e-4
"""Nats, up to which a divergence says nothing: that of logprobs that differ by some 0.01."""
LEAST_TAIL = 1e-6
"""Probability, below which what lies outside of the common tokens is not told apart."""

Floats = NDArray[np.float64]


def measure(case: Case) -> Judgement:
    """The 99th percentile over positions of the KL divergence of the answer from the nearest golden one.

    Positions are those up to and including the first divergence, where contexts are equal. The mean over positions
    would be ruled by its tail anyway; the median stands in the note.

    Shape:
        One case to one value.
    Unit:
        Nats; exposure always 1.
    Range:
        0 <= value <= 40.

    Raises:
        Nothing.

    References:
        Kullback and Leibler, On Information and Sufficiency, 1951. Merging tokens into a tail can only lower it (the
        data-processing inequality).
    """
    if isinstance(golden := case.golden, UnscoredReason):
        return golden
    if isinstance(answer := case.logprobs, UnscoredReason):
        return answer
    found = np.sort(divergences(answer, golden, case.shared))
    value = float(found[math.ceil(QUANTILE * len(found)) - 1])
    return Measure(resolved(value, RESOLUTION), 1.0, f"median {_median(found):.2g}")


def _median(ordered: Floats) -> float:
    n = len(ordered)
    return float(ordered[(n - 1) // 2] + ordered[n // 2]) / 2


def divergences(answer: Logprobs, golden: Logprobs, n: int) -> Floats:
    """KL(golden || answer) at each of the first `n` positions, over the tokens in both top-k and one tail for the rest.

    Shape:
        Two usable answers of at least `n` tokens to an array of `n` numbers.
    Unit:
        Nats.
    Range:
        0 <= divergence <= 40.

    Raises:
        IndexError: an answer is shorter than `n`.

    >>> a = Logprobs((1,), (-0.5,), ((1, 2),), ((-0.5, -1.5),))
    >>> b = Logprobs((1,), (-0.7,), ((1, 3),), ((-0.7, -1.2),))
    >>> divergences(a, b, 1).round(4).tolist()  # token 1 and a tail: .497 ln (.497/.607) + .503 ln (.503/.393)
    [0.0247]
    """
    if answer is golden:
        return np.zeros(n)
    xs, ys = _common(answer, golden, n)
    width = max(map(len, xs), default=0)
    q, p = _padded(xs, width), _padded(ys, width)
    divergence = (np.exp(p) * (p - q)).sum(axis=1)
    p_tail, q_tail = _tail(p), _tail(q)
    clipped: Floats = np.maximum(divergence + p_tail * np.log(p_tail / q_tail), 0.0)
    return clipped


def _common(a: Logprobs, b: Logprobs, n: int) -> tuple[Sequence[Sequence[float]], Sequence[Sequence[float]]]:
    if a.top[:n] == b.top[:n]:
        return a.top_logprob[:n], b.top_logprob[:n]
    xs, ys = list(a.top_logprob[:n]), list(b.top_logprob[:n])
    for i, (mine, theirs) in enumerate(zip(a.top[:n], b.top, strict=False)):
        if mine != theirs:
            xs[i], ys[i] = _common_row(a, b, i)
    return xs, ys


def _common_row(a: Logprobs, b: Logprobs, i: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    mine, theirs = (dict(zip(one.top[i], one.top_logprob[i], strict=True)) for one in (a, b))
    both = [token for token in b.top[i] if token in mine]
    return tuple(mine[token] for token in both), tuple(theirs[token] for token in both)


def _padded(rows: Sequence[Sequence[float]], width: int) -> Floats:
    """Rows of one width. What is filled in is the same on both sides and next to impossible, so it adds nothing."""
    filled = (row if len(row) == width else (*row, *[FLOOR] * (width - len(row))) for row in rows)
    flat = np.fromiter(chain.from_iterable(filled), np.float64, len(rows) * width)
    return np.maximum(flat.reshape(len(rows), width), FLOOR)


def _tail(logprobs: Floats) -> Floats:
    tail: Floats = np.maximum(1.0 - np.exp(logprobs).sum(axis=1), LEAST_TAIL)
    return tail
