"""Two ways to cut a text into the units that scorers count."""

import re
from unicodedata import category

MOST_TOKENS = 20_000
"""No text is cut into more to copy."""
MOST_TEXT = 100_000
"""Characters that are read of what was said."""

_ALPHABET = "A-Za-zÀ-ÖØ-öø-ɏͰ-ԯḀ-ỿ"
_LONGEST = 24
_COPIED = re.compile(rf"[{_ALPHABET}]+|\S")
_GROUP = re.compile(r",\d{3}")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_SPOKEN = re.compile(  # begins with one set of characters, which the engine of `re` looks for many times faster
    rf"[^\s!-,./:-@\[-`{{-~](?:(?<=[{_ALPHABET}])[{_ALPHABET}]*|(?<=\d)\d*(?:\.\d+)?"
    rf"|(?<=-)(?<![\w.]-)\d+(?:\.\d+)?|(?<![-{_ALPHABET}\d]))"
)


def copy_tokens(text: str, most: int = MOST_TOKENS) -> list[str]:
    """A text as what a copyist could get wrong: words of up to 24 letters, and every other character but space.

    Of longer words the last 24 letters are one.

    Shape:
        Any string to at most `most` strings.

    Raises:
        Nothing.

    >>> copy_tokens("let total = x[42]; // 极")
    ['let', 'total', '=', 'x', '[', '4', '2', ']', ';', '/', '/', '极']
    """
    found: list[str] = _COPIED.findall(text)
    if max(map(len, found), default=0) > _LONGEST:
        found = [part for word in found for part in (*word[:-_LONGEST], word[-_LONGEST:])]
    return found[:most]


def spoken_tokens(text: str) -> list[str]:
    """A text as what it says, whatever its case, spacing and punctuation: words, numbers, and single other letters.

    Shape:
        Any string, of which the first 100,000 characters are read, to a list of strings.

    Raises:
        Nothing.

    >>> spoken_tokens("**Answer:** 1,250 km, or −3.5 °C (北京)")
    ['answer', '1250', 'km', 'or', '-3.5', 'c', '北', '京']
    """
    plain = text[:MOST_TEXT].casefold().replace("−", "-")
    if _GROUP.search(plain):
        plain = _THOUSANDS.sub(lambda number: number[0].replace(",", ""), plain)
    found: list[str] = _SPOKEN.findall(plain)
    silent = {token for token in set(found) if not (token.isalnum() or _says(token[-1]))}
    return [token for token in found if token not in silent] if silent else found


def _says(char: str) -> bool:
    return char.isalnum() or category(char)[0] == "M"
