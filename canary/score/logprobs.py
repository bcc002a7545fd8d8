"""What scorers need to know of logprobs: whether they are possible, how far apart two answers are, which is nearest.

Tokens are told apart by id or bytes, never by text. All differences are in nats.
"""

import math
from collections.abc import Sequence
from itertools import chain
from operator import sub

from canary.records import Logprobs, TokenKey, UnscoredReason
from canary.score.prefix import common_length

TIE = 0.01
"""Nats below the most probable token, up to which a greedy choice is still the argmax."""
EXCESS = 0.01
"""How far the probabilities of one position may sum above one, for rounding's sake."""
RESOLUTION = 0.005
"""Nats, up to which a difference says nothing: the sums of a healthy server depend on the shape of its batch, so they
move with its load by up to 1e-3, and golden answers of one load lack those of another. Implementations differ by ten
times as much as this."""
FLOOR = -20.0
"""Logprobs below are clipped: servers write -inf, -9999 or -100 for "none"."""

Row = dict[TokenKey, float]


def violations(logprobs: Logprobs) -> list[int]:
    """Positions at which the chosen token lies more than 0.01 nats below the most probable one.

    Shape:
        One usable answer to a list of positions, ascending.
    Unit:
        Positions count tokens from 0.
    Range:
        0 <= position < number of tokens.

    Raises:
        Nothing.

    >>> violations(Logprobs((1, 2), (-0.1, -2.0), ((1, 2), (3, 2)), ((-0.1, -2.5), (-0.2, -2.0))))
    [1]
    """
    rows = zip(logprobs.chosen_logprob, logprobs.top_logprob, strict=True)
    return [i for i, (chosen, top) in enumerate(rows) if top and max(top) - chosen > TIE]


def distance(a: Logprobs, b: Logprobs) -> float:
    """How far apart two answers to one prompt are, as long as their contexts are equal.

    The mean, over the positions up to and including the first at which they chose different tokens, of the mean
    absolute difference over the tokens of both rows. A token that one row lacks is known to lie at or below the
    least of its top-k; only what exceeds that counts. Logprobs are clipped at -20.

    Shape:
        Two answers of any lengths to one number; symmetric, 0 for equal answers and for empty ones.
    Unit:
        Nats.
    Range:
        0 <= distance <= 20 for usable logprobs.

    Raises:
        Nothing.

    >>> a = Logprobs((1,), (-0.1,), ((1, 2),), ((-0.1, -2.5),))
    >>> b = Logprobs((1,), (-0.3,), ((1, 3),), ((-0.3, -2.0),))
    >>> round(distance(a, b), 3)  # 0.2 for token 1, 0 for the censored 2 (-2.5 < -2.0), 0.5 for 3
    0.233
    """
    if a == b:
        return 0.0
    n = min(common_prefix(a, b) + 1, len(a.chosen), len(b.chosen))
    rows = zip(a.chosen[:n], b.chosen, a.top, b.top, _clipped_rows(a, n), _clipped_rows(b, n), strict=False)
    gaps = [
        math.fsum(map(abs, map(sub, mine, theirs))) / len(mine)
        if x == y and tops == others and x in tops
        else _gap(a, b, i)
        for i, (x, y, tops, others, mine, theirs) in enumerate(rows)
    ]
    return sum(gaps) / n if n else 0.0


def nearest(answer: Logprobs, golden: Sequence[Logprobs]) -> Logprobs | None:
    """The golden answer to compare with: the longest common prefix, then the nearest logprobs of its chosen tokens.

    Shape:
        One answer and any number of golden ones to one of them, the first of equals; None where there are none.

    Raises:
        Nothing.
    """
    whole = [other for other in golden if len(other.chosen) == len(other.chosen_logprob)]
    if not whole:
        return None
    prefixes = [common_prefix(answer, other) for other in whole]
    longest = max(prefixes)
    own = answer.chosen_logprob[:longest]
    close = [other for other, n in zip(whole, prefixes, strict=True) if n == longest]
    distances = [math.dist(own, other.chosen_logprob[:longest]) for other in close]
    least_distance = min(distances)
    if least_distance == 0 and answer in close:
        return answer
    return close[distances.index(least_distance)]


def common_prefix(a: Logprobs, b: Logprobs) -> int:
    """How many tokens two answers share from their start.

    Shape:
        Two answers of any lengths to one number.
    Unit:
        Tokens.
    Range:
        0 <= n <= length of the shorter one.

    Raises:
        Nothing.

    >>> common_prefix(Logprobs((1, 2), (), (), ()), Logprobs((1, 3), (), (), ()))
    1
    """
    return common_length(a.chosen, b.chosen)


def row(logprobs: Logprobs, i: int) -> Row:
    """The known tokens of one position with their logprobs, clipped at -20: its top-k and the chosen one.

    Shape:
        A usable answer and a position of it to one mapping with at least one entry.
    Unit:
        Nats.
    Range:
        -20 <= logprob <= 0.01.

    Raises:
        IndexError: there is no such position.

    >>> row(Logprobs((9,), (-30.0,), ((1, 2),), ((-0.1, -2.5),)), 0)
    {1: -0.1, 2: -2.5, 9: -20.0}
    """
    known = {token: max(value, FLOOR) for token, value in zip(logprobs.top[i], logprobs.top_logprob[i], strict=True)}
    known.setdefault(logprobs.chosen[i], max(logprobs.chosen_logprob[i], FLOOR))
    return known


def least(logprobs: Logprobs, i: int) -> float:
    """What the logprob of a token missing from the top-k of one position cannot exceed.

    Shape:
        A usable answer and a position of it to one number.
    Unit:
        Nats.
    Range:
        -20 <= logprob <= 0.01.

    Raises:
        IndexError: there is no such position.

    >>> least(Logprobs((1,), (-0.1,), ((1, 2),), ((-0.1, -2.5),)), 0)
    -2.5
    """
    return max(min(logprobs.top_logprob[i], default=logprobs.chosen_logprob[i]), FLOOR)


def usable(logprobs: Logprobs | None) -> Logprobs | UnscoredReason:
    """The logprobs, if they can be judged.

    Shape:
        Any logprobs to the same, or the reason: NO_LOGPROBS where no position has a top-k, BAD_LOGPROBS where they
        are impossible (lengths that differ, positive or NaN, sums above one, a probable chosen token that its top-k
        lacks).

    Raises:
        Nothing.

    >>> usable(Logprobs((1,), (0.5,), ((1,),), ((0.5,),)))
    <UnscoredReason.BAD_LOGPROBS: 'bad_logprobs'>
    """
    if logprobs is None or not any(logprobs.top):
        return UnscoredReason.NO_LOGPROBS
    return logprobs if shaped(logprobs) and _possible(logprobs) else UnscoredReason.BAD_LOGPROBS


def shaped(logprobs: Logprobs) -> bool:
    """Whether all lists are as long as they must be.

    Shape:
        Any logprobs to one truth value.

    Raises:
        Nothing.

    >>> shaped(Logprobs((1,), (), (), ()))
    False
    """
    lengths = {len(logprobs.chosen), len(logprobs.chosen_logprob), len(logprobs.top), len(logprobs.top_logprob)}
    return len(lengths) == 1 and list(map(len, logprobs.top)) == list(map(len, logprobs.top_logprob))


def _gap(a: Logprobs, b: Logprobs, i: int) -> float:
    mine, theirs = row(a, i), row(b, i)
    mine_least, theirs_least = least(a, i), least(b, i)
    differences = [_difference(mine.get(t), theirs.get(t), mine_least, theirs_least) for t in mine | theirs]
    return math.fsum(differences) / len(differences)  # fsum: the same in any order of tokens


def _difference(x: float | None, y: float | None, x_least: float, y_least: float) -> float:
    if x is None:
        return max(0.0, y - x_least) if y is not None else 0.0
    return max(0.0, x - y_least) if y is None else abs(x - y)


def _clipped_rows(logprobs: Logprobs, n: int) -> Sequence[Sequence[float]]:
    rows = logprobs.top_logprob[:n]
    return (
        rows if min(chain.from_iterable(rows), default=0.0) >= FLOOR else [clipped(row) if row else row for row in rows]
    )


def clipped(values: Sequence[float]) -> Sequence[float]:
    """Logprobs, those below -20 as -20.

    Shape:
        At least one number to as many.
    Unit:
        Nats.

    Raises:
        ValueError: There is none.

    >>> clipped((-0.1, -9999.0))
    [-0.1, -20.0]
    """
    return values if min(values) >= FLOOR else [max(value, FLOOR) for value in values]


def _possible(logprobs: Logprobs) -> bool:
    """Whether every position holds logarithms of probabilities, its chosen token among the top-k or below."""
    rows = zip(logprobs.chosen, logprobs.chosen_logprob, logprobs.top, logprobs.top_logprob, strict=True)
    try:
        for token, chosen, top, values in rows:
            inside = token in top or not top or chosen <= min(values) + TIE
            if not (inside and chosen <= EXCESS and sum(map(math.exp, values)) <= 1 + EXCESS):  # so for NaN too
                return False
    except OverflowError:
        return False
    return True


def resolved(value: float, resolution: float = RESOLUTION) -> float:
    """The value, or 0 where it is too small to mean anything.

    Shape:
        One number to one number.
    Unit:
        That of the value.
    Range:
        0, or above the resolution.

    Raises:
        Nothing.

    >>> resolved(0.004), resolved(0.25)
    (0.0, 0.25)
    """
    return value if value > resolution else 0.0
