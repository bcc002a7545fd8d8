"""Filler for probes of long contexts: plain English of any length, the same for the same seed, for ever.

It is made of stock phrases, so that it holds no fact that an answer could be led astray by, and takes no file.
"""

from collections.abc import Iterator, Sequence
from itertools import product

MARK = "{filler}"
LETTERS_PER_TOKEN = 5
"""Of this text: its words are short and common."""

_STEP, _SHIFT, _BITS = 6364136223846793005, 1442695040888963407, 64  # Knuth's MMIX generator
_PARAGRAPH = 8  # sentences

_SUBJECTS = [
    f"{the} {kind} {who}"
    for the, kind, who in product(
        ("The", "One", "Another"),
        ("old", "young", "tired", "patient", "cheerful", "quiet"),
        ("baker", "sailor", "teacher", "gardener", "miller", "painter", "farmer", "driver", "carpenter", "neighbour"),
    )
]
_ACTIONS = [
    f"{did} {many} {things}"
    for did, many, things in product(
        ("carried", "counted", "cleaned", "sold", "moved", "found", "repaired", "washed"),
        ("two", "three", "four", "some", "several", "a few", "a dozen", "all the"),
        ("boxes", "chairs", "stones", "bottles", "baskets", "boards", "lamps", "coats", "ropes", "letters"),
    )
]
_PLACES = [
    f"{where} the {place} {when}"
    for where, place, when in product(
        ("near", "behind", "across", "beside"),
        ("bridge", "market", "river", "station", "garden", "harbour", "school", "barn"),
        ("before noon", "in the rain", "after supper", "on a warm day", "in early spring", "without a word"),
    )
]


def filled(contents: Sequence[str], tokens: int, seed: int) -> tuple[str, ...]:
    """The contents with about `tokens` tokens of filler, divided evenly among the places where `{filler}` stands."""
    places = sum(content.count(MARK) for content in contents)
    if not places:
        return tuple(contents)
    text = filler(tokens * LETTERS_PER_TOKEN, seed)
    share = len(text) // places
    parts = iter([_whole(text[nth * share : (nth + 1) * share]) for nth in range(places)])
    return tuple("".join(_joined(content.split(MARK), parts)) for content in contents)


def filler(length: int, seed: int) -> str:
    """Whole sentences of at most `length` characters in all.

    >>> filler(100, 3)
    'The old gardener washed a dozen chairs near the station in early spring.'
    """
    state, size = seed, 0
    pieces: list[str] = []
    while True:
        state = (state * _STEP + _SHIFT) % (1 << _BITS)
        high = state >> 16
        sentence = f"{_SUBJECTS[high % 180]} {_ACTIONS[(high >> 12) % 640]} {_PLACES[(high >> 26) % 192]}."
        size += len(sentence) + 2
        if size > length:
            return "".join(pieces).rstrip()
        pieces += (sentence, " " if len(pieces) % (2 * _PARAGRAPH) < 2 * _PARAGRAPH - 2 else "\n\n")


def _whole(part: str) -> str:
    """Without the sentences that the cut has halved."""
    start = 0 if part[:1].isupper() else part.find(". ") + 2
    return part[start : part.rfind(".") + 1].strip()


def _joined(pieces: Sequence[str], parts: Iterator[str]) -> Iterator[str]:
    first, *rest = pieces
    yield first
    for piece in rest:
        yield next(parts)
        yield piece
