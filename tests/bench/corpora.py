r"""Real prose in many languages, written or translated by people: what Debian carries of it.

Four sources: the Debian handbook; the help of GNOME and LibreOffice; the messages of desktop programs; the descriptions
of Debian's packages (the first 6,000). Nothing of it is in this repository. To have it:

    mkdir corpus && cd corpus
    apt-get download debian-handbook gnome-user-docs evolution-common gnome-control-center-data nautilus-data \
        aisleriot gimp-data gnucash-common libreoffice-help-{de,en-us,es,fr,hi,it,ja,pt,pt-br,ru,zh-cn} \
        libreoffice-l10n-{ar,fa,hi,th,zh-cn}
    for package in *.deb; do dpkg-deb -x "$package" .; done
    mkdir -p lists/partial i18n
    apt-get -o Dir::State::lists=$PWD/lists \
        -o Acquire::Languages="en,da,de,es,fr,it,ja,ko,nl,pl,pt,pt_BR,ru,sv,uk,vi,zh_CN" update
    for file in lists/*_main_i18n_Translation-*; do
        name=Translation-$(basename "$file" .lz4 | sed 's/.*Translation-//; s/%5f/_/')
        /usr/lib/apt/apt-helper cat-file "$file" > "i18n/$name"
    done
    export CANARY_BENCH_CORPUS=$PWD

A paragraph that shares six words in a row with the English version, or is mostly Latin where the language is not, is
untranslated and left out; code and keys become inline code, as in an answer. Paragraphs keep their order.
"""

import gettext
import html
import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby, islice
from pathlib import Path

from canary.score.foreign import letters
from canary.score.tongues import SCRIPTS

_MARKUP = re.compile(r'<div class="para">(.*?)</div>|<p\b[^>]*>(.*?)</p>', re.DOTALL)
_CODE = re.compile(r"<(code|cmd|input|output|key|file|sys|tt)\b[^>]*>(.*?)</\1>", re.DOTALL)
_SPAN = re.compile(r'<span class="(?:input|literal)"[^>]*>([^<]*)</span>|<span class="emph">([^<]*:)</span>')
_TAG = re.compile(r"<[^>]*>")
_PLACEHOLDER = re.compile(r"%[-\w(]|\{\w*\}|[<>|]|;\w|\w\(|^\s*\S+\s*$")
_LEAST_LETTERS = 60


@cache
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
    own = SCRIPTS.get(language, "Latn") == "Latn"
    return tuple(text for text in found if english.isdisjoint(_sequences(text)) and (own or _mostly_not_latin(text)))


def _sequences(text: str) -> set[tuple[str, ...]]:
    run = re.findall(r"\w+", text.lower())
    return {tuple(run[i : i + 6]) for i in range(len(run) - 5)}


def _mostly_not_latin(text: str) -> bool:
    found = [char for char in text if char.isalpha()]
    return sum(char > "\u02ff" for char in found) * 2 > len(found)


def _all(language: str) -> Iterator[str]:
    share = folder()
    if share is None:
        return
    for path in sorted(_pages(share, language)):
        for match in _MARKUP.finditer(path.read_text("utf-8")):
            yield from _plain(match[1] or match[2])
    for path in sorted(_catalogs(share, _locale(language))):
        yield from _messages(path)
    yield from _descriptions(share.parents[1] / "i18n", language)


def _pages(share: Path, language: str) -> Iterator[Path]:
    own = "C" if language == "en" else _locale(language)
    yield from share.glob(f"help/{own}/*/*.page")
    yield from share.glob(f"doc/debian-handbook/html/{_HANDBOOK.get(language, f'{language}-*')}/*.html")
    yield from share.glob(f"libreoffice/help/{_HELP.get(language, language)}/text/**/*.html")


def _catalogs(share: Path, locale: str) -> Iterator[Path]:
    yield from share.glob(f"locale/{locale}/LC_MESSAGES/*.mo")
    yield from share.parent.glob(f"lib/libreoffice/program/resource/{locale}/LC_MESSAGES/*.mo")


def _descriptions(i18n: Path, language: str) -> Iterator[str]:
    """Of packages whose English description is there too, to see what is untranslated."""
    english = _packages(i18n / "Translation-en")
    for locale in dict.fromkeys((language, _locale(language))):
        for name, paragraphs in islice(_packages(i18n / f"Translation-{locale}").items(), _MOST_PACKAGES):
            said = _sequences(" ".join(english.get(name, ()))) if language != "en" else set()
            for paragraph in paragraphs:
                if name in english and said.isdisjoint(_sequences(paragraph)):
                    yield from _plain(html.escape(paragraph))


@cache
def _packages(path: Path) -> dict[str, list[str]]:
    """Paragraphs of descriptions by the digest of the English one, without lists and verbatim lines."""
    if not path.is_file():
        return {}
    joint = "" if path.name.endswith(("ja", "zh_CN")) else " "
    with path.open(encoding="utf-8") as lines:
        return {record[1]: list(_flowing(record[3:], joint)) for record in _records(lines)}


def _records(lines: Iterable[str]) -> Iterator[list[str]]:
    for empty, record in groupby((line.rstrip("\n") for line in lines), lambda line: not line):
        if not empty:
            yield list(record)


def _flowing(lines: list[str], joint: str) -> Iterator[str]:
    for dot, paragraph in groupby(lines, lambda line: line.strip() == "."):
        text = [line[1:] for line in paragraph]
        if not dot and all(line[:1].isalpha() for line in text):
            yield joint.join(text)


_MOST_PACKAGES = 6_000
_HELP = {"en": "en-US", "zh": "zh-CN"}
_HANDBOOK = {"zh": "zh-CN", "zh-TW": "zh-TW", "pt": "pt-BR", "no": "nb-NO"}


def _locale(language: str) -> str:
    return {"zh": "zh_CN", "pt": "pt_BR", "no": "nb"}.get(language, language)


def _plain(markup: str) -> Iterator[str]:
    marked = _SPAN.sub(r"`\1\2`", _CODE.sub(r"`\2`", markup))
    text = html.unescape(_TAG.sub("", marked))
    text = " ".join(text.split())
    if letters(text) >= _LEAST_LETTERS:
        yield text


def _messages(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    for original, translated in catalog.items():
        plain = isinstance(original, str) and original and original != translated
        if plain and isinstance(translated, str) and not _PLACEHOLDER.search(translated):
            yield from _plain(translated.replace("_", ""))
