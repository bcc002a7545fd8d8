"""The loop scorer: an answer that says the same again and again."""

import re
import zlib
from collections.abc import Hashable, Sequence
from itertools import groupby

from canary.score.case import Case
from canary.score.measure import Judgement, Measure

LEAST = 12
"""Repeated words, below which a repetition is a figure of speech."""
COPIES = 3
RATIO = 8.0
"""How far a text can be compressed before it must be repeating itself; prose comes to 2, code to 4."""
LEAST_BYTES = 400
MOST_TEXT = 20_000
"""Characters that are read."""

_WORD = re.compile(r"\w+")


def measure(case: Case) -> Judgement:
    """Count the words of the longest stretch that repeats what stands right before it, said at least three times.

    Loops of other things than words, or with a counter in them, repeat nothing exactly, yet compress: then all words
    count.

    Shape:
        One case to one value.
    Unit:
        Words; exposure in words.
    Range:
        0 <= value <= exposure <= 10000; exposure >= 1.

    Raises:
        Nothing.

    References:
        DEFLATE, RFC 1951.
    """
    words = _WORD.findall(case.response.text[:MOST_TEXT])
    repeated, period = longest_loop(words)
    total = max(1.0, float(len(words)))
    if repeated >= LEAST:
        return Measure(float(repeated), total, f"{period} words, over and over")
    ratio = compression(case.response.text)
    return Measure(total, total, f"compresses {ratio:.0f} times") if ratio >= RATIO else Measure(0.0, total)


def longest_loop(tokens: Sequence[Hashable]) -> tuple[int, int]:
    """How many tokens of the longest loop repeat the tokens one period before, and its period; (0, 0) for none.

    Shape:
        Any tokens to two numbers. A loop has at least three copies.
    Unit:
        Tokens.
    Range:
        2 * period <= repeated < len(tokens).

    Raises:
        Nothing.

    >>> longest_loop("so it goes on and on and on and on".split())
    (5, 2)
    """
    runs = ((len(list(run)) + 2, back) for back, run in groupby(_backs(tokens)) if back)
    return max(((repeated, back) for repeated, back in runs if repeated >= (COPIES - 1) * back), default=(0, 0))


def _backs(tokens: Sequence[Hashable]) -> list[int]:
    """How far before every three tokens the same three stand; 0 for nowhere."""
    last: dict[tuple[Hashable, ...], int] = {}
    backs = []
    for i, gram in enumerate(zip(tokens, tokens[1:], tokens[2:], strict=False)):
        backs.append(i - last.get(gram, i))
        last[gram] = i
    return backs


def compression(text: str) -> float:
    """How many times smaller a text gets by DEFLATE; 1 for one that is too short to tell.

    Shape:
        Any string, of which the first 20,000 characters are read, to one number.
    Unit:
        Bytes a byte.
    Range:
        0.9 < compression < 1100.

    Raises:
        Nothing.

    >>> compression("ha " * 300) > 20, compression("ha")
    (True, 1.0)
    """
    data = text[:MOST_TEXT].encode("utf-8", "surrogatepass")
    return len(data) / len(zlib.compress(data, 1)) if len(data) >= LEAST_BYTES else 1.0
