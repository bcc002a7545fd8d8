r"""Code that no rule was written on: other places of an ordinary installation than `tests.bench.snippets` reads.

    python -m tests.bench.held_out [language ...]

What is flagged of valid pieces, in two halves: what was looked at while a rule was mended, and what was not; then the
share of Thai and Han faults that syntax and script see on the second half. Packages of Python and Node.js, PostgreSQL's
extension scripts and /usr/share/doc are read where they stand. Languages with too little are named, not passed over.
For Rust, Go, C++ and TypeScript unpack these into a folder and name it in CANARY_BENCH_HELD_OUT:

    apt-get download librust-itertools-dev librust-indexmap-dev librust-rayon-dev golang-github-spf13-cobra-dev \
        golang-github-gorilla-mux-dev libasio-doc
    for package in *.deb; do dpkg-deb -x "$package" .; done
    npm pack zod && mkdir npm && tar xf zod-*.tgz -C npm

Pieces of PostgreSQL's extensions bind C functions, in statements that the SQL grammar does not know.
"""

import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

from tests.bench.corruption import errors_in, faults, share, stray
from tests.bench.snippets import pieces_of, snippets

FILES, A_FILE, WANTED, ENOUGH = 400, 12, 240, 100
LONGEST_LINE = 300
HELD_OUT = Path(os.environ.get("CANARY_BENCH_HELD_OUT", "/nonexistent"))
_SITE, _USR = Path(sysconfig.get_paths()["purelib"]), Path("/usr")
_PLACES: dict[str, tuple[tuple[Path, str], ...]] = {
    "python": ((_SITE, "[q-z]*/**/*.py"),),
    "json": ((_SITE, "**/*.json"), (_USR / "share", "[a-m]*/**/*.json")),
    "yaml": ((_USR / "lib", "**/*.yml"), (_USR / "lib", "**/*.yaml"), (_SITE, "**/*.yaml")),
    "toml": ((_SITE, "**/*.toml"), (_USR / "lib", "**/*.toml")),
    "javascript": ((_USR / "share/javascript", "**/*.js"), (_SITE, "**/*.js"), (_USR / "share/doc", "**/*.js")),
    "typescript": ((_USR / "share/nodejs", "**/*.ts"), (HELD_OUT, "npm/**/*.ts")),
    "go": ((_USR / "share/doc", "**/*.go"), (HELD_OUT, "usr/share/gocode/**/*.go")),
    "rust": ((HELD_OUT, "usr/share/cargo/**/*.rs"),),
    "java": (),
    "c": ((_SITE, "**/*.c"), (_USR / "share", "[e-z]*/**/*.c")),
    "cpp": ((_USR / "share", "**/*.cpp"), (_SITE, "**/*.cpp"), (HELD_OUT, "usr/share/doc/**/*.cpp")),
    "bash": ((_USR / "share", "[a-b]*/**/*.sh"), (_USR / "lib", "**/*.sh"), (_USR / "share/doc", "**/*.sh")),
    "sql": ((_USR / "share/postgresql", "**/*.sql"),),
    "html": ((_USR / "share", "**/*.html"),),
    "css": ((_SITE, "**/*.css"), (_USR / "lib", "**/*.css"), (_USR / "share", "[a-d,k-s]*/**/*.css")),
}


def main() -> None:
    print(f"{'':<12}{'looked at':>10}{'flagged':>9}{'held out':>10}{'flagged':>9}{'Thai':>7}{'Han':>7}   %")
    for language in sys.argv[1:] or _PLACES:
        seen, held = halves(language)
        few = "" if len(held) >= ENOUGH else "   too little is installed"
        cells = "".join(f"{_found(language, held, name):>7.0f}" for name in ("Thai", "Han")) if held else ""
        print(
            f"{language:<12}{len(seen):>10}{_flagged(language, seen):>9.1f}"
            f"{len(held):>10}{_flagged(language, held):>9.1f}{cells}{few}"
        )


def halves(language: str) -> tuple[list[str], list[str]]:
    """Pieces to mend rules by, and pieces to report on, of which neither is among the snippets."""
    found = [piece for piece in dict.fromkeys(_pieces(language)) if piece not in snippets(language)]
    Random(8).shuffle(found)
    found = found[:WANTED]
    return found[: len(found) // 2], found[len(found) // 2 :]


def _pieces(language: str) -> Iterator[str]:
    for root, pattern in _PLACES[language]:
        files = sorted(path for path in root.glob(pattern) if path.is_file() and path.stat().st_size < 200_000)
        Random(7).shuffle(files)
        for path in files[:FILES]:
            yield from islice(pieces_of(language, _plain(language, path.read_text("utf-8", "replace"))), A_FILE)


def _plain(language: str, text: str) -> str:
    match language:
        case "go":  # a blank line in a raw string is no margin
            return re.sub(r"`[^`]*`", "``", text)
        case "c":  # nor is a comment in a macro
            return re.sub(r"/\*[^\n]*?\*/", " ", text)
        case "javascript":
            return "" if max(map(len, text.split("\n"))) > LONGEST_LINE else text  # minified
        case "sql":  # without commands to psql
            return "\n".join(line for line in text.split("\n") if not line.startswith("\\"))
        case "html":
            return "" if "<!doctype>" in text else text.encode("ascii", "xmlcharrefreplace").decode()
        case _:
            return text


def _flagged(language: str, pieces: list[str]) -> float:
    return share([errors_in(language, piece) > 0 or stray(language, piece) for piece in pieces])


def _found(language: str, pieces: list[str], fault: str) -> float:
    pairs = faults(pieces, fault)
    return share(
        [errors_in(language, broken) > errors_in(language, piece) or stray(language, broken) for piece, broken in pairs]
    )


if __name__ == "__main__":
    main()
