"""Two scorers of logprobs: greedy inconsistency, which needs no golden answer, and deviation from golden ones.

Tokens are told apart by id or bytes, never by text. All differences are in nats.
"""

import math
from collections.abc import Iterator, Sequence
from operator import sub

from canary.records import Logprobs, Probe, Reference, Response, TokenKey, UnscoredReason
from canary.score.measure import Judgement, Measure

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


def measure_greedy(probe: Probe, response: Response) -> Judgement:
    """Count the tokens of a greedy answer that are not the most probable ones of their own top-k.

    A sampler that drops or distorts the most probable token shows here, even though the logprobs, taken before it, are
    sound.

    Shape:
        One probe and one response to one value.
    Unit:
        Tokens; exposure in tokens with a top-k.
    Range:
        0 <= value <= exposure; exposure >= 1.

    Raises:
        Nothing.
    """
    if probe.sampling.temperature > 0:
        return UnscoredReason.NOT_GREEDY
    logprobs = _usable(response)
    if isinstance(logprobs, UnscoredReason):
        return logprobs
    found = violations(logprobs)
    note = f"token {found[0] + 1} is not the most probable" if found else ""
    return Measure(float(len(found)), float(sum(map(bool, logprobs.top))), note)


def measure_deviation(response: Response, reference: Reference | None) -> Judgement:
    """The distance of an answer's logprobs from the nearest golden answer of the same probe on the same target.

    Shape:
        One response and its golden answers to one value.
    Unit:
        Nats, a mean over positions; exposure always 1.
    Range:
        0 <= value <= 20.

    Raises:
        Nothing.
    """
    logprobs = _usable(response)
    if isinstance(logprobs, UnscoredReason):
        return logprobs
    if reference is None:
        return UnscoredReason.NO_REFERENCE
    golden = nearest(logprobs, reference.logprobs)
    if golden is None or not _shaped(golden):
        return UnscoredReason.NO_REFERENCE
    value = distance(logprobs, golden)
    return Measure(resolved(min(value, -FLOOR)), 1.0) if math.isfinite(value) else UnscoredReason.NO_REFERENCE


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
    return sum(_gap(a, b, i) for i in range(n)) / n if n else 0.0


def nearest(answer: Logprobs, golden: Sequence[Logprobs]) -> Logprobs | None:
    """The golden answer to compare with: the longest common prefix, then the nearest logprobs of its chosen tokens.

    Shape:
        One answer and any number of golden ones to one of them, the first of equals; None where there are none.

    Raises:
        Nothing.
    """
    if answer in golden:
        return answer
    prefixes = [common_prefix(answer, other) for other in golden]
    longest = max(prefixes, default=0)
    close = [other for other, n in zip(golden, prefixes, strict=True) if n == longest]
    return min(close, key=lambda other: _chosen_gap(answer, other, longest), default=None)


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
    if a.chosen == b.chosen:
        return len(a.chosen)
    pairs = zip(a.chosen, b.chosen, strict=False)
    return next((i for i, (x, y) in enumerate(pairs) if x != y), min(len(a.chosen), len(b.chosen)))


def _chosen_gap(a: Logprobs, b: Logprobs, n: int) -> float:
    gap: float = sum(map(abs, map(sub, a.chosen_logprob[:n], b.chosen_logprob[:n])))
    return gap


def _gap(a: Logprobs, b: Logprobs, i: int) -> float:
    if a.top[i] == b.top[i] and a.chosen[i] == b.chosen[i] and a.chosen[i] in a.top[i]:
        return _mean_difference(a.top_logprob[i], b.top_logprob[i])
    mine, theirs = _row(a, i), _row(b, i)
    mine_least, theirs_least = _least(a, i), _least(b, i)
    differences = [_difference(mine.get(t), theirs.get(t), mine_least, theirs_least) for t in mine | theirs]
    return math.fsum(differences) / len(differences)  # fsum: the same in any order of tokens


def _difference(x: float | None, y: float | None, x_least: float, y_least: float) -> float:
    if x is None:
        return max(0.0, y - x_least) if y is not None else 0.0
    return max(0.0, x - y_least) if y is None else abs(x - y)


def _mean_difference(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    if a == b:
        return 0.0
    if min(a) < FLOOR or min(b) < FLOOR:
        a, b = tuple(max(x, FLOOR) for x in a), tuple(max(y, FLOOR) for y in b)
    return math.fsum(map(abs, map(sub, a, b))) / len(a)


def _row(logprobs: Logprobs, i: int) -> Row:
    row = {token: max(value, FLOOR) for token, value in zip(logprobs.top[i], logprobs.top_logprob[i], strict=True)}
    row.setdefault(logprobs.chosen[i], max(logprobs.chosen_logprob[i], FLOOR))
    return row


def _least(logprobs: Logprobs, i: int) -> float:
    """What a token missing from the top-k cannot exceed."""
    return max(min(logprobs.top_logprob[i], default=logprobs.chosen_logprob[i]), FLOOR)


def _usable(response: Response) -> Logprobs | UnscoredReason:
    logprobs = response.logprobs
    if logprobs is None or not any(logprobs.top):
        return UnscoredReason.NO_LOGPROBS
    return logprobs if _shaped(logprobs) and all(_possible(logprobs)) else UnscoredReason.BAD_LOGPROBS


def _shaped(logprobs: Logprobs) -> bool:
    lengths = {len(logprobs.chosen), len(logprobs.chosen_logprob), len(logprobs.top), len(logprobs.top_logprob)}
    return len(lengths) == 1 and list(map(len, logprobs.top)) == list(map(len, logprobs.top_logprob))


def _possible(logprobs: Logprobs) -> Iterator[bool]:
    """For each position whether it holds logarithms of probabilities, the chosen token among the top-k or below."""
    rows = zip(logprobs.chosen, logprobs.chosen_logprob, logprobs.top, logprobs.top_logprob, strict=True)
    for token, chosen, top, values in rows:
        highest = max((chosen, *values))
        inside = not top or token in top or chosen <= min(values) + TIE
        yield highest <= EXCESS and inside and sum(map(math.exp, values)) <= 1 + EXCESS and not math.isnan(chosen)
