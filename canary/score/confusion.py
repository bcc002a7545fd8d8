"""Line and word pass rates of the Language Confusion Benchmark, over any texts."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from canary.score.characters import char_class, expand
from canary.score.language import WINDOW_LETTERS, is_foreign, letters, own_words

_SCRIPTS = {
    "Arab": "ar fa ps ur",
    "Armn": "hy",
    "Beng": "as bn",
    "Cyrl": "be bg kk ky mk mn ru sr tg uk",
    "Deva": "hi mr ne sa",
    "Ethi": "am",
    "Geor": "ka",
    "Grek": "el",
    "Gujr": "gu",
    "Guru": "pa",
    "Hani": "yue zh",
    "Hebr": "he yi",
    "Jpan": "ja",
    "Khmr": "km",
    "Knda": "kn",
    "Kore": "ko",
    "Laoo": "lo",
    "Latn": (
        "af az ca cs cy da de en eo es et eu fi fr ga gl hr hu id is it lt lv ms nl nn no pl pt ro sk sl sq sv tl tr vi"
    ),
    "Mlym": "ml",
    "Mymr": "my",
    "Orya": "or",
    "Sinh": "si",
    "Taml": "ta",
    "Telu": "te",
    "Thai": "th",
}
LANGUAGES: Mapping[str, frozenset[str]] = MappingProxyType(
    {language: expand([script]) for script, languages in _SCRIPTS.items() for language in languages.split()}
)
"""ISO 639 code of every language that is told apart -> the scripts that it is written in."""

_WORD = re.compile(r"[^\W\d_]+")


class PassRates(NamedTuple):
    """Shares of texts, each in [0, 1]: whose lines are all in the language; of those, whose words are all in it."""

    lines: float
    words: float


def pass_rates(texts: Iterable[str], language: str) -> PassRates:
    """Line and word pass rates (LPR, WPR) of answers that should be in one language.

    Shape:
        At least one text, and an ISO 639 code, to two shares.
    Unit:
        Share of texts; `words` of those that pass by lines, and 0 where none does.
    Range:
        0 <= rate <= 1

    Raises:
        ValueError: No text.

    References:
        Marchisio et al. (2024), Understanding and Mitigating Language Confusion in LLMs.

    >>> french, english = "Le train part à midi de la gare centrale.", "The train leaves the central station at noon."
    >>> pass_rates([french, english], "fr")
    PassRates(lines=0.5, words=1.0)
    """
    judged = tuple(texts)
    if not judged:
        raise ValueError("pass rates need at least one text")
    passed = [text for text in judged if lines_pass(text, language)]
    whole = sum(words_pass(text, language) for text in passed)
    return PassRates(len(passed) / len(judged), whole / max(1, len(passed)))


def lines_pass(text: str, language: str) -> bool:
    r"""Whether no line is in another language; lines of fewer than 30 letters, code, links and quotations are not read.

    Shape:
        Any text and an ISO 639 code to one answer.

    Raises:
        Nothing.

    References:
        As `pass_rates`.

    >>> lines_pass("We leave at noon, before the rain comes.\nNous partons demain matin avec les enfants.", "en")
    False
    """
    lines = (line for line in own_words(text).split("\n") if letters(line) >= WINDOW_LETTERS)
    return not any(is_foreign(line, language) for line in lines)


def words_pass(text: str, language: str) -> bool:
    """Whether no word is in a script that the language is not written in.

    In a language of another script a Latin word counts where it has more than one letter, all of them small: names and
    abbreviations do not.

    Shape:
        Any text and an ISO 639 code, one of `LANGUAGES` or taken for Latin, to one answer.

    Raises:
        Nothing.

    References:
        As `pass_rates`.

    >>> words_pass("Поезд Intercity из IT-парка", "ru"), words_pass("Поезд leaves в полдень", "ru")
    (True, False)
    """
    scripts = LANGUAGES.get(language.split("-")[0].lower(), expand(["Latn"]))
    return not any(_strays(word, scripts) for word in _WORD.findall(own_words(text)))


def _strays(word: str, scripts: frozenset[str]) -> bool:
    own = char_class(word[0]).scripts
    if not own or not own.isdisjoint(scripts):
        return False
    return "Latn" not in own or (len(word) > 1 and word.islower())
