"""Characters that have no business in an answer.

A character is expected when its Script_Extensions (UAX #24) meet the allowed scripts; Common and Inherited ones always
are. Some kinds are unexpected whatever their script: replacement characters, private use, unassigned, controls, stray
bidirectional and zero-width controls, tags, fullwidth forms outside East Asian text, and mojibake.
"""

import re
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, lru_cache
from itertools import groupby, islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from canary.score._unicode import CLASSES, KINDS, STARTS


class Kind(StrEnum):
    """Why a character is unexpected."""

    FOREIGN = "foreign_script"
    MISSING = "missing_script"
    FULLWIDTH = "fullwidth"
    PRIVATE_USE = "private_use"
    UNASSIGNED = "unassigned"
    CONTROL = "control"
    BIDI = "bidi"
    ZERO_WIDTH = "zero_width"
    TAG = "tag"
    REPLACEMENT = "replacement"
    MOJIBAKE = "mojibake"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of unexpected characters of one kind: offset of the first, how many, and their first code points."""

    kind: Kind
    offset: int
    length: int
    code_points: tuple[int, ...]

    @property
    def place(self) -> str:
        points = " ".join(f"U+{point:04X}" for point in self.code_points)
        return f"{self.kind} at {self.offset}, {self.length} long: {points}"


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found: unexpected characters by kind, letters scanned, spans in text order."""

    letters: int
    counts: Mapping[Kind, int] = field(default_factory=dict)
    spans: tuple[Span, ...] = ()

    @property
    def unexpected(self) -> int:
        return sum(self.counts.values())


class CharClass(NamedTuple):
    """A character's kind ("text" or a `Kind`), whether it is a letter, and its Script_Extensions."""

    kind: str
    letter: bool
    scripts: frozenset[str]


_CLASSES = tuple(CharClass(kind, letter, frozenset(scripts)) for kind, letter, scripts in KINDS)
_LETTERS = np.array([one.letter for one in _CLASSES], np.int64)
_ALIASES = {
    "Jpan": ("Hani", "Hira", "Kana"),
    "Kore": ("Hang", "Hani"),
    "Hans": ("Hani",),
    "Hant": ("Hani",),
    "Hanb": ("Hani", "Bopo"),
}
_EAST_ASIAN = frozenset(["Hani", "Hira", "Kana", "Hang", "Bopo", "Yiii"])
_RIGHT_TO_LEFT = frozenset(["Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr"])
_JOINED = frozenset(
    [
        *["Arab", "Syrc", "Mong", "Nkoo", "Deva", "Beng", "Guru", "Gujr", "Orya", "Taml"],
        *["Telu", "Knda", "Mlym", "Sinh", "Thai", "Laoo", "Khmr", "Mymr", "Tibt", "Newa"],
    ]
)

_ASCII = bytes(range(128))
_NOT_ASCII_LETTERS = bytes(b for b in range(256) if not (b < 128 and chr(b).isalpha()))
_NOT_CONTROLS = bytes(b for b in range(256) if not (b < 32 or b == 127) or chr(b) in "\t\n\r")

_PICTURE = r"[\u2190-\u2bff\U0001f000-\U0001faff]"
_MODIFIED = rf"{_PICTURE}[\ufe0f\U0001f3fb-\U0001f3ff]*"
_EXCUSED = re.compile(  # sequences of emoji, in which joiners and tags belong
    rf"{_MODIFIED}(?:\u200d{_MODIFIED})+|\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
)
_GREEK = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff\u2126]+")
_TAIL = r"[\u0080-\u00bf]"
_CYRILLIC_TAIL = r"[\u0080-\u00bf\u2018-\u203a\u0192\u0152-\u017e]"
_MOJIBAKE = re.compile(  # UTF-8 read as Latin-1 or Windows-1252; but French quotes close as in "déjà »"
    rf"[ÂÃÐÑàáâãäåæçèéïð](?:(?<=[ÂÃ]){_TAIL}|(?<=â)€[\u0080-\u00bf\u02dc\u0152\u0153\u2018-\u203a\u20ac\u2122]"
    rf"|(?<=[àáâãäåæçèéï])(?!\u00a0[«»]){_TAIL}{{2}}|(?<=ð)[\u0178\u009f]"
    rf"|(?<=[ÐÑ]){_CYRILLIC_TAIL}(?:[ÐÑ]{_CYRILLIC_TAIL})+)"
)
_SHOWN_POINTS = 8
_SHOWN_SPANS = 32


@lru_cache(maxsize=1 << 16)
def char_class(char: str) -> CharClass:
    r"""The class of one character, in the fixed Unicode version of `canary.score._unicode`.

    Shape:
        One character, a lone surrogate included, to its class.

    Raises:
        TypeError: More or fewer characters than one.

    References:
        UAX #24, Unicode Script Property; UAX #44, Unicode Character Database.

    >>> char_class("极").scripts, char_class("\ufffd").kind
    (frozenset({'Hani'}), 'replacement')
    """
    return _CLASSES[CLASSES[bisect_right(STARTS, ord(char)) - 1]]


def expand(scripts: Iterable[str]) -> frozenset[str]:
    """Script codes (ISO 15924), with "Jpan", "Kore", "Hans", "Hant" and "Hanb" as the scripts they are made of.

    Shape:
        Codes to a set of codes; unknown ones stay.

    Raises:
        Nothing.

    >>> sorted(expand(["Jpan", "Latn"]))
    ['Hani', 'Hira', 'Kana', 'Latn']
    """
    return frozenset(part for script in scripts for part in _ALIASES.get(script, (script,)))


def scripts_in(text: str) -> frozenset[str]:
    """The scripts of the letters of `text`.

    Shape:
        Any string to a set of ISO 15924 codes.

    Raises:
        Nothing.

    >>> sorted(scripts_in("Say สวัสดี"))
    ['Latn', 'Thai']
    """
    classes = map(char_class, set(text))
    return frozenset().union(*(known.scripts for known in classes if known.letter))


def split_ascii(text: str) -> tuple[int, str]:
    """How many ASCII letters a text has, and its characters beyond ASCII.

    Shape:
        Any string, lone surrogates included, to a count and a string.
    Unit:
        Letters.
    Range:
        0 <= letters <= len(text)

    Raises:
        Nothing.

    >>> split_ascii("5 cafés")
    (4, 'é')
    """
    raw = text.encode("utf-8", "surrogatepass")
    letters = len(raw.translate(None, _NOT_ASCII_LETTERS))
    return letters, "" if text.isascii() else raw.translate(None, _ASCII).decode("utf-8", "surrogatepass")


def scan(text: str, allowed: frozenset[str], *, symbols: bool = True) -> Scan:
    """Find the characters of `text` that are not expected beside the scripts `allowed`.

    A lone Greek letter, or two, is taken for a symbol unless `symbols` is false.

    Shape:
        Any string, lone surrogates included, to one `Scan`.
    Unit:
        Characters (code points); offsets count code points from 0.
    Range:
        0 <= unexpected <= len(text), 0 <= letters <= len(text); at most 32 spans, the first ones.

    Raises:
        Nothing.

    References:
        UAX #24, Unicode Script Property; UTS #39, Unicode Security Mechanisms.

    >>> found = scan("The answer is สวัสดี indeed.", frozenset(["Latn"]))
    >>> found.unexpected, found.letters, found.spans[0].place
    (6, 21, 'foreign_script at 14, 6 long: U+0E2A U+0E27 U+0E31 U+0E2A U+0E14 U+0E35')
    >>> scan("5 µm · π ≈ 3.14 — naïve café 👩‍🔬", frozenset(["Latn"])).unexpected
    0
    """
    letters, positions, garbled = _find(text, allowed, symbols=symbols)
    return _report(text, letters, positions, garbled)


def letters_alone(text: str, allowed: frozenset[str]) -> int | None:
    """How many letters a text has in which a `scan` without symbols would find nothing; None for another.

    Whatever scripts are allowed beside these, nothing is unexpected in it.

    Shape:
        Any string to one count or None.
    Unit:
        Letters.
    Range:
        0 <= letters <= len(text)

    Raises:
        Nothing.

    >>> letters_alone("5 a", frozenset(["Latn"])), letters_alone("π", frozenset(["Latn"]))
    (1, None)
    """
    letters, positions, _ = _find(text, allowed, symbols=False)
    return None if positions else letters


def _find(text: str, allowed: frozenset[str], *, symbols: bool) -> tuple[int, list[int], frozenset[int]]:
    """Letters, where unexpected characters stand, and which of them are mojibake."""
    letters, beyond = split_ascii(text)
    controls = bool(text.encode("utf-8", "surrogatepass").translate(None, _NOT_CONTROLS))
    if not beyond and not controls:
        return letters, [], frozenset()
    others = _code_points(beyond)
    counts = np.bincount(_class_numbers()[others], minlength=len(_CLASSES))
    suspects = [_CLASSES[i] for i in np.flatnonzero(_unexpected(allowed) & (counts > 0))]
    garbled = _covered(_MOJIBAKE, text) if _may_be_garbled(others) else frozenset()
    positions = _positions(text, suspects, allowed, symbols=symbols) if suspects or controls else []
    every = sorted({*positions, *garbled}) if garbled else positions
    return letters + int(counts @ _LETTERS), every, garbled


def _code_points(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))


@cache
def _class_numbers() -> npt.NDArray[np.uint16]:
    """The class number of every code point."""
    return np.repeat(np.array(CLASSES, np.uint16), np.diff([*STARTS, sys.maxunicode + 1]))


@lru_cache(maxsize=256)
def _unexpected(allowed: frozenset[str]) -> npt.NDArray[np.bool_]:
    """By class number."""
    return np.array([not _expected(one, allowed) for one in _CLASSES])


def _expected(one: CharClass, allowed: frozenset[str]) -> bool:
    match one.kind:
        case "text":
            return not one.scripts or not one.scripts.isdisjoint(allowed)
        case Kind.FULLWIDTH:
            return not allowed.isdisjoint(_EAST_ASIAN)
        case Kind.BIDI:
            return not allowed.isdisjoint(_RIGHT_TO_LEFT)
        case _:
            return False


def _may_be_garbled(others: npt.NDArray[np.uint32]) -> bool:
    return bool(((others < 0xC0) | (others == ord("€")) | (others == ord("Ÿ"))).any())


def _positions(text: str, suspects: list[CharClass], allowed: frozenset[str], *, symbols: bool) -> list[int]:
    found: list[int] = np.flatnonzero(_unexpected(allowed)[_class_numbers()[_code_points(text)]]).tolist()
    kinds = {one.kind for one in suspects}
    if Kind.ZERO_WIDTH in kinds:
        found = [i for i in found if char_class(text[i]).kind != Kind.ZERO_WIDTH or not _joins(text, i, allowed)]
    excused = _covered(_EXCUSED, text) if kinds & {Kind.ZERO_WIDTH, Kind.TAG} else frozenset()
    if symbols and any("Grek" in one.scripts for one in suspects):
        excused |= _lone_greek(text)
    return [i for i in found if i not in excused] if excused else found


def _joins(text: str, i: int, allowed: frozenset[str]) -> bool:
    """Beside a letter of an allowed script that is written with zero-width characters."""
    return i > 0 and not char_class(text[i - 1]).scripts.isdisjoint(allowed & _JOINED)


def _lone_greek(text: str) -> frozenset[int]:
    lone = (match.span() for match in _GREEK.finditer(text) if match.end() - match.start() <= 2)
    return frozenset(i for span in lone for i in range(*span) if char_class(text[i]).kind == "text")


def _covered(pattern: re.Pattern[str], text: str) -> frozenset[int]:
    return frozenset[int]().union(*(range(*match.span()) for match in pattern.finditer(text)))


def _report(text: str, letters: int, positions: list[int], garbled: frozenset[int]) -> Scan:
    kinds = {char: _kind(char) for char in {text[i] for i in positions}}
    found = [(i, Kind.MOJIBAKE if i in garbled else kinds[text[i]]) for i in positions]
    spans = islice(_spans(text, found), _SHOWN_SPANS)
    return Scan(letters, Counter(kind for _, kind in found), tuple(spans))


def _kind(char: str) -> Kind:
    kind = char_class(char).kind
    return Kind.FOREIGN if kind == "text" else Kind(kind)


def _spans(text: str, found: list[tuple[int, Kind]]) -> Iterator[Span]:
    runs = groupby(enumerate(found), lambda item: (item[1][0] - item[0], item[1][1]))
    for (_, kind), run in runs:
        offsets = [offset for _, (offset, _) in run]
        points = tuple(ord(text[offset]) for offset in offsets[:_SHOWN_POINTS])
        yield Span(kind, offsets[0], len(offsets), points)
