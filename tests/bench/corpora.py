r"""Real prose in many languages, read from translated documentation that Debian packages carry.

Nothing of it is in this repository. To have it:

    mkdir corpus && cd corpus
    apt-get download debian-handbook gnome-user-docs libreoffice-help-en-us libreoffice-help-hi libreoffice-l10n-hi \
        libreoffice-l10n-th evolution-common gnome-control-center-data nautilus-data aisleriot
    for package in *.deb; do dpkg-deb -x "$package" .; done
    export CANARY_BENCH_CORPUS=$PWD

A paragraph that shares six words in a row with the English version, or is mostly Latin where the language is not, is
untranslated and left out; code and keys become inline code, as in an answer. Paragraphs keep their order.
"""

import gettext
import html
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from canary.score.confusion import LANGUAGES

_MARKUP = re.compile(r'<div class="para">(.*?)</div>|<p\b[^>]*>(.*?)</p>', re.DOTALL)
_CODE = re.compile(r"<(code|cmd|input|output|key|file|sys|tt)\b[^>]*>(.*?)</\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_PLACEHOLDER = re.compile(r"%[-\w(]|\{\w*\}|[<>]|^\s*\S+\s*$")
_LEAST_LETTERS = 60


def folder() -> Path | None:
    """Where the packages were unpacked; None, with a word on standard error, where they were not."""
    named = os.environ.get("CANARY_BENCH_CORPUS")
    if named and Path(named, "usr/share").is_dir():
        return Path(named, "usr/share")
    sys.stderr.write(f"SKIPPED: no corpus in CANARY_BENCH_CORPUS={named}\n\n{__doc__}\n")
    return None


def documents(language: str, size: int = 300) -> list[str]:
    """Answers of about `size` words each, in reading order: whole paragraphs, blank lines between."""
    made: list[str] = []
    paragraphs: list[str] = []
    for paragraph in _paragraphs(language):
        paragraphs.append(paragraph)
        if sum(map(words, paragraphs)) >= size:
            made.append("\n\n".join(paragraphs))
            paragraphs = []
    return made


def words(text: str) -> int:
    """Words; where a script has no spaces, letters by how many make a word."""
    return max(
        len(text.split()), sum(map(str.isalpha, text)) // 6, sum("\u3040" <= char <= "\u9fff" for char in text) // 2
    )


@cache
def _paragraphs(language: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(_all(language)))
    if language == "en":
        return found
    english = frozenset().union(*map(_sequences, _paragraphs("en")))
    own = "Latn" in LANGUAGES.get(language, {"Latn"})
    return tuple(text for text in found if english.isdisjoint(_sequences(text)) and (own or _mostly_not_latin(text)))


def _sequences(text: str) -> set[tuple[str, ...]]:
    run = re.findall(r"\w+", text.lower())
    return {tuple(run[i : i + 6]) for i in range(len(run) - 5)}


def _mostly_not_latin(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return sum(char > "\u02ff" for char in letters) * 2 > len(letters)


def _all(language: str) -> Iterator[str]:
    share = folder()
    if share is None:
        return
    for path in sorted(_pages(share, language)):
        for match in _MARKUP.finditer(path.read_text("utf-8")):
            yield from _plain(match[1] or match[2])
    for path in sorted(_catalogs(share, _locale(language))):
        yield from _messages(path)


def _pages(share: Path, language: str) -> Iterator[Path]:
    own = "C" if language == "en" else _locale(language)
    yield from share.glob(f"help/{own}/*/*.page")
    yield from share.glob(f"doc/debian-handbook/html/{_HANDBOOK.get(language, f'{language}-*')}/*.html")
    yield from share.glob(f"libreoffice/help/{'en-US' if language == 'en' else language}/text/**/*.html")


def _catalogs(share: Path, locale: str) -> Iterator[Path]:
    yield from share.glob(f"locale/{locale}/LC_MESSAGES/*.mo")
    yield from share.parent.glob(f"lib/libreoffice/program/resource/{locale}/LC_MESSAGES/*.mo")


_HANDBOOK = {"zh": "zh-CN", "zh-TW": "zh-TW", "pt": "pt-BR", "no": "nb-NO"}


def _locale(language: str) -> str:
    return {"zh": "zh_CN", "pt": "pt_BR", "no": "nb"}.get(language, language)


def _plain(markup: str) -> Iterator[str]:
    text = html.unescape(_TAG.sub("", _CODE.sub(r"`\2`", markup)))
    text = " ".join(text.split())
    if sum(map(str.isalpha, text)) >= _LEAST_LETTERS:
        yield text


def _messages(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    for original, translated in catalog.items():
        plain = isinstance(original, str) and original and original != translated
        if plain and isinstance(translated, str) and not _PLACEHOLDER.search(translated):
            yield from _plain(translated.replace("_", ""))
