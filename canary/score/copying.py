"""The copy scorer: what was inserted, deleted or substituted in a text that should have been repeated word by word."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

from canary.records import UnscoredReason
from canary.score.case import Case
from canary.score.measure import Judgement, Measure
from canary.score.prefix import common_length
from canary.score.tokens import MOST_TOKENS, copy_tokens

SPARE = 100
"""Tokens of the answer beyond twice the expected ones, after which no more are read."""


def measure(case: Case) -> Judgement:
    """Count the edits that part the answer from the text that it was to copy; white space does not count.

    A single wrong token costs one edit wherever it stands: the two texts are aligned, not compared place by place.
    Words around the copy ("Here you are:") cost edits too, the same in golden answers.

    Shape:
        One case to one value.
    Unit:
        Inserted, deleted and substituted tokens; exposure in tokens of the expected text.
    Range:
        0 <= value <= 2 * exposure + 100; 1 <= exposure <= 9950.

    Raises:
        Nothing.
    """
    expected = _expected(case.probe.answer or "")
    if not expected:
        return UnscoredReason.UNSUPPORTED
    most = 2 * len(expected) + SPARE
    if most > MOST_TOKENS:
        return UnscoredReason.TOO_LONG
    given = copy_tokens(case.response.text, most)
    value = edits(expected, given)
    return Measure(float(value), float(len(expected)), _place(expected, given) if value else "")


def edits(a: Sequence[str], b: Sequence[str]) -> int:
    """The least number of insertions, deletions and substitutions that turn `a` into `b` (Levenshtein distance).

    Exact, in one pass over `b` with one machine word, as long as `a`, in place of a column of the alignment.

    Shape:
        Two sequences of any lengths to one number; symmetric.
    Unit:
        Tokens.
    Range:
        abs(len(a) - len(b)) <= edits <= max(len(a), len(b)).

    Raises:
        Nothing.

    References:
        Myers, A Fast Bit-Vector Algorithm for Approximate String Matching, 1999; Hyyrö, 2003, for the global distance.

    >>> edits(["a", "rose", "is", "red"], ["a", "rose", "<?>", "is", "rot"])
    2
    """
    start = common_length(a, b)
    end = common_length(a[start:][::-1], b[start:][::-1])
    return _distance(a[start : len(a) - end], b[start : len(b) - end])


def _distance(a: Sequence[str], b: Sequence[str]) -> int:
    if not a:
        return len(b)
    places: defaultdict[str, int] = defaultdict(int)
    for i, token in enumerate(a):
        places[token] |= 1 << i
    every, last = (1 << len(a)) - 1, 1 << (len(a) - 1)
    plus, minus, distance = every, 0, len(a)
    for token in b:
        equal = places.get(token, 0)
        vertical = equal | minus
        horizontal = (((equal & plus) + plus) ^ plus) | equal
        rise, fall = (minus | ~(horizontal | plus)) & every, plus & horizontal
        distance += bool(rise & last) - bool(fall & last)
        rise, fall = rise << 1 | 1, fall << 1
        plus, minus = (fall | ~(vertical | rise)) & every, rise & vertical & every
    return distance


def _place(expected: Sequence[str], given: Sequence[str]) -> str:
    return f"parts at token {common_length(expected, given) + 1} of {len(expected)}"


@lru_cache(maxsize=256)
def _expected(text: str) -> list[str]:
    return copy_tokens(text)
