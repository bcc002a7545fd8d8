"""The language scorer: drift into another language, seen through windows of sentences.

One foreign sentence never moves the language of a whole document, so an answer is read in windows of about a sentence.
Code, links, quotations and sentences of the prompt are cut out first. `canary.score.foreign` judges each window.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import compress

from canary.records import Probe, Response, UnscoredReason
from canary.score.fences import LINE_END, fences
from canary.score.foreign import is_foreign, letters
from canary.score.measure import Judgement, Measure

WINDOW_LETTERS = 30
"""Fewest letters in a window; an East Asian letter says as much as three."""
CUT_LETTERS = 110
"""Letters of the pieces, more or less, that a sentence of one and a half times as many is cut into."""
# Each of these begins with one set of characters, which the engine of `re` looks for many times faster.
_SENTENCE_END = re.compile(r"[.!?:\n。！？।؟](?:(?<=[.!?:])(?:\s+|\Z)|(?<![.!?:])\s*)")
_NOT_PROSE = re.compile(r"[`<hw](?:(?<=`)[^`\n]*`|(?<=<)[^<>\n]*>|(?<=h)ttps?://\S+|(?<=w)ww\.\S+)")
_QUOTATION = re.compile(
    r"[\"“„«「『](?:(?<=[“„])[^“”„\n]{1,200}[“”]|(?<=«)[^«»\n]{1,200}»|(?<=「)[^「」\n]{1,200}」|(?<=『)[^『』\n]{1,200}』"
    r"|(?<!\w\")(?<=\")[^\"\n]{1,200}\"(?!\w))"
)
_QUOTES = " \t\n\"'“”„«»「」"
_BEYOND_LATIN = re.compile(r"[\u0370-\u1dff\u2c80-\ua71f\uac00-\ud7ff]")
_LATIN_RUN = re.compile(  # four words or more, as a foreign sentence among letters of another script
    r"(?<![a-zA-Z\u00c0-\u024f'’-])((?:[a-zA-Z\u00c0-\u024f'’-]++[\s,;]++){4,}+(?:[a-zA-Z\u00c0-\u024f'’-]++)?)"
)
_NOISE = bytes(b" "[0] if byte in b"0123456789*_#|~=+/\\<>{}()[]^" else byte for byte in range(256))


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
    if not any(foreign):
        return Measure(0.0, float(len(found)))
    sizes = [letters(window) for window in found]
    off = sum(compress(sizes, foreign))
    return Measure(off / sum(sizes), float(len(found)), f"window {foreign.index(True) + 1} of {len(found)}")


def prose(text: str, prompt: str = "") -> list[str]:
    r"""The sentences of an answer, without code, links, tags, quotations and what the prompt already said.

    Shape:
        Any answer and its prompt to sentences in order, none of them empty.

    Raises:
        Nothing.

    >>> prose("See `x` here. It works!\n```\ncode\n```\nQuoted line.", "Say: Quoted line.")
    ['See   here.', 'It works!']
    """
    said = _said(prompt)
    return [sentence for sentence in _sentences(text) if sentence not in said]


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
    words = own_words(text).encode("utf-8", "replace").translate(_NOISE).decode()
    mixed = not words.isascii() and _BEYOND_LATIN.search(words)
    for sentence in _split(words):
        parts = _LATIN_RUN.split(sentence) if mixed and _BEYOND_LATIN.search(sentence) else (sentence,)
        yield from filter(None, (part.strip(_QUOTES) for part in parts))


def _split(text: str) -> Iterator[str]:
    """At the ends of sentences, whose marks stay with them."""
    start = 0
    for end in _SENTENCE_END.finditer(text):
        yield text[start : end.start() + 1]
        start = end.end()
    yield text[start:]


@lru_cache(maxsize=64)
def _said(prompt: str) -> frozenset[str]:
    return frozenset(_sentences(prompt))


def windows(sentences: list[str]) -> list[str]:
    """Each sentence of at least 30 letters, and runs of the shorter ones that have as many; a short rest is left out.

    Long sentences stand alone, and very long ones in pieces, so that a foreign one is not diluted by its neighbours.

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
            found += _cut(sentence, round(own / CUT_LETTERS))
            continue
        short.append(sentence)
        size += own
        if size >= WINDOW_LETTERS:
            found.append(" ".join(short))
            short, size = [], 0
    return found


def _cut(sentence: str, pieces: int) -> Iterator[str]:
    words = sentence.split()
    if pieces < 2 or len(words) < 2 * pieces:
        yield sentence
        return
    for i in range(pieces):
        yield " ".join(words[i * len(words) // pieces : (i + 1) * len(words) // pieces])
