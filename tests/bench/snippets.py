r"""Real code in fifteen languages, cut to pieces of an answer's size.

Nothing of it is in this repository but the SQL of `tests.bench.queries`. Python, JavaScript, JSON (YAML is the same,
written anew), Bash and CSS come from what a Debian machine with Node.js has in /usr and from this Python; the rest from
packages unpacked into one folder, beside those of `tests.bench.corpora`:

    apt-get download qtbase5-examples openjdk-17-source golang-golang-x-text-dev \
        golang-golang-x-tools-dev librust-regex-dev librust-serde-dev librust-syn-dev librust-tokio-dev \
        librust-clap-3-dev librust-rand-dev librust-log-dev librust-bitflags-dev librust-chrono-dev
    for package in *.deb; do dpkg-deb -x "$package" .; done
    npm pack rxjs && tar xf rxjs-*.tgz

A piece is a small file, or what stands between two blank lines at the margin: whole functions, statements, rules.
"""

import json
import os
import re
import sysconfig
import zipfile
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path

import yaml

from canary.score.fences import LITERAL
from tests.bench.queries import QUERIES
from tests.unit.score.samples import CODE

WANTED = 100
_LEAST, _MOST = {"toml": 40, "sql": 20}, {"html": 8_000}
_CUT = re.compile(r"\n\s*\n(?=[^\s})\]])")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CONDITION = re.compile(r"^\s*#\s*(if|endif)", re.MULTILINE)

CORPUS = Path(os.environ.get("CANARY_BENCH_CORPUS", "/nonexistent"))
_PYTHON = Path(sysconfig.get_paths()["stdlib"])
_PLACES: dict[str, tuple[tuple[Path, str], ...]] = {
    "python": ((_PYTHON, "*.py"), (_PYTHON, "[a-s]*/*.py"), (_PYTHON, "site-packages/[a-p]*/*.py")),
    "json": ((Path("/usr/share"), "nodejs/*/*.json"), (Path("/usr/lib/node_modules"), "**/*.json")),
    "yaml": (),
    "toml": (
        (Path(_PYTHON), "test/test_tomllib/data/valid/**/*.toml"),
        (CORPUS, "usr/share/cargo/registry/*/Cargo.toml"),
    ),
    "javascript": ((Path("/usr/lib/node_modules"), "**/lib/**/*.js"), (Path("/usr/share/nodejs"), "*/lib/*.js")),
    "typescript": ((CORPUS, "package/src/**/*.ts"),),
    "go": ((CORPUS, "usr/share/gocode/**/*.go"),),
    "rust": ((CORPUS, "usr/share/cargo/**/*.rs"),),
    "java": (),
    "c": ((Path("/usr/share/doc"), "[!z]*/examples/**/*.c"),),
    "cpp": ((CORPUS, "usr/lib/*/qt5/examples/**/*.cpp"),),
    "bash": ((Path("/usr/share/bash-completion/completions"), "*"), (Path("/etc/init.d"), "*")),
    "sql": (),
    "html": ((CORPUS, "usr/share/libreoffice/help/en-US/text/**/*.html"),),
    "css": (
        (Path("/usr/share/doc"), "**/*.css"),
        (Path("/usr/share/javascript"), "**/*.css"),
        (CORPUS, "usr/share/**/*.css"),
    ),
}
_WHOLE = frozenset(["python", "json", "yaml", "java", "bash", "html", "sql"])
_COMMENTED = frozenset(["c", "cpp", "css", "go", "java", "javascript", "rust", "typescript"])


@cache
def snippets(language: str) -> tuple[str, ...]:
    """At most 101 pieces: the one that the tests hold, and others, few of them of one file."""
    most = 8 if language == "toml" else 2
    found = dict.fromkeys(piece for text in _files(language) for piece in islice(pieces_of(language, text), most))
    pieces = list(found)
    return (CODE[language], *pieces[:: max(1, len(pieces) // WANTED)][:WANTED])


def _files(language: str) -> Iterator[str]:
    match language:
        case "sql":
            yield from QUERIES
        case "yaml":
            yield from (yaml.safe_dump(json.loads(text)) for text in snippets("json"))
        case "java":
            yield from _java()
        case _:
            pass
    for root, pattern in _PLACES[language]:
        for path in islice(sorted(root.glob(pattern)), 3000):
            if path.is_file() and path.stat().st_size < 200_000:
                text = path.read_text("utf-8", "replace")
                yield text.encode("ascii", "xmlcharrefreplace").decode() if language == "html" else text


def _java() -> Iterator[str]:
    source = CORPUS / "usr/lib/jvm/openjdk-17/lib/src.zip"
    if source.exists():
        with zipfile.ZipFile(source) as jar:
            yield from (jar.read(name).decode() for name in jar.namelist()[::40] if name.endswith(".java"))


def pieces_of(language: str, text: str) -> Iterator[str]:
    bare = _COMMENT.sub("\n", text) if language in _COMMENTED else text
    parts = [bare] if language in _WHOLE else _CUT.split(bare)
    return (
        f"{part.strip()}\n"
        for part in parts
        if _LEAST.get(language, 120) <= len(part) <= _MOST.get(language, 2_500) and _is_whole(language, part)
    )


def _is_whole(language: str, part: str) -> bool:
    """Neither cut out of a comment, a string, a bracket or a condition, nor a template to be filled in."""
    conditions, bare = _CONDITION.findall(part), LITERAL.sub("", part)
    balanced = all(bare.count(opening) == bare.count(closing) for opening, closing in ("()", "[]", "{}"))
    whole = language in ("bash", "html") or (
        balanced and part.count("`") % 2 == 0
    )  # a lone ")" is text, or ends a case
    return whole and conditions.count("if") * 2 == len(conditions) and part.isascii() and "{{" not in part
