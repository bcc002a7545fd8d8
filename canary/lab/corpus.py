"""The texts that the lab's models were trained on, written for them.

A file holds documents, each under a line `@@ kind | topics`. Where a text reads `‹fast|quick›` the writer hesitated:
a model learns both words, the first as the likelier one.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Segments = tuple[tuple[str, ...], ...]
"""A text in a row of choices: of one string where there is nothing to choose."""

_FILES = ("prose.txt", "languages.txt", "code.txt")
_CHOICE = re.compile(r"( ?)‹([^›]*)›")
_HEAD = re.compile(r"^@@ (\w+) \| (.*)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    kind: str
    topics: frozenset[str]
    text: str

    @property
    def sentences(self) -> list[str]:
        return re.findall(r".+?[.。।](?=\s|$|[^\x00-\u2fff]) ?", self.text) or [self.text]


@cache
def documents() -> tuple[Document, ...]:
    """Everything the lab's models know, in the order of the files."""
    folder = Path(__file__).parent / "texts"
    return tuple(document for name in _FILES for document in _read((folder / name).read_text("utf-8")))


def of_kind(kind: str) -> tuple[Document, ...]:
    return tuple(document for document in documents() if document.kind == kind)


def segments(text: str) -> Segments:
    """Split a text at its choices; a space before a choice belongs to each of its words."""
    parts = _CHOICE.split(text)
    found: list[tuple[str, ...]] = []
    for plain, space, words in zip(parts[::3], [*parts[1::3], ""], [*parts[2::3], ""], strict=True):
        found += [(plain,)] if plain else []
        found += [tuple(space + word for word in words.split("|"))] if words else []
    return tuple(found)


def _read(text: str) -> list[Document]:
    _, *parts = _HEAD.split(text)
    heads = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return [Document(kind, frozenset(topics.split()), body.strip("\n")) for kind, topics, body in heads]
