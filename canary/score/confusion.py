"""Line and word pass rates of the Language Confusion Benchmark, over any texts."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from canary.score.characters import char_class, expand
from canary.score.foreign import is_foreign, letters
from canary.score.language import WINDOW_LETTERS, own_words
from canary.score.tongues import SCRIPTS

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
        Any text and an ISO 639 code, of `canary.score.tongues` or taken for Latin, to one answer.

    Raises:
        Nothing.

    References:
        As `pass_rates`.

    >>> words_pass("Поезд Intercity из IT-парка", "ru"), words_pass("Поезд leaves в полдень", "ru")
    (True, False)
    """
    scripts = expand([SCRIPTS.get(language.split("-")[0].lower(), "Latn")])
    return not any(_strays(word, scripts) for word in _WORD.findall(own_words(text)))


def _strays(word: str, scripts: frozenset[str]) -> bool:
    own = char_class(word[0]).scripts
    if not own or not own.isdisjoint(scripts):
        return False
    return "Latn" not in own or (len(word) > 1 and word.islower())
