"""Code that no rule of the syntax scorer was written on: `python -m tests.bench.held_out [language ...]`.

The samples of `tests/bench/data`, written as a chat model writes code and judged valid by others than the scorer.
First which share of it is flagged, with the upper bound of Clopper and Pearson (95 %, one-sided), then which share of
its corruptions is: by the syntax scorer alone / with the script scorer counted in.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from scipy.stats import beta

from tests.bench.corruption import CORRUPTIONS, errors_in, faults, share, stray
from tests.unit.score.samples import CODE

_DATA = Path(__file__).parent / "data"
_KIND = re.compile(r"^%% \w+\n", re.MULTILINE)


def main() -> None:
    asked = sys.argv[1:] or CODE
    _table("valid", asked)
    _table("second", [language for language in asked if (_DATA / "second" / f"{language}.txt").exists()])


def _table(sample: str, languages: Iterable[str]) -> None:
    kinds = "".join(f"{name:>11}" for name in CORRUPTIONS)
    print(f"{'':<12}{'pieces':>7}{'flagged':>9}{'at most':>9}{kinds}   % of {sample}")
    flagged = total = 0
    for language in languages:
        pieces = pieces_of(sample, language)
        wrong = [piece for piece in pieces if errors_in(language, piece) > 0 or stray(language, piece)]
        cells = "".join(f"{_found(language, pieces, name):>11}" for name in CORRUPTIONS)
        print(f"{language:<12}{_flagged(len(wrong), len(pieces))}{cells}", *(f"\n    {_title(one)}" for one in wrong))
        flagged, total = flagged + len(wrong), total + len(pieces)
    print(f"{'all':<12}{_flagged(flagged, total)}")


def pieces_of(sample: str, language: str) -> list[str]:
    return _KIND.split((_DATA / sample / f"{language}.txt").read_text("utf-8"))[1:]


def _title(piece: str) -> str:
    return piece.split("\n")[0][:80]


def _flagged(wrong: int, n: int) -> str:
    most = 1.0 if wrong == n else float(beta.ppf(0.95, wrong + 1, n - wrong))
    return f"{n:>7}{wrong:>9}{100 * most:>8.1f}%"


def _found(language: str, pieces: list[str], fault: str) -> str:
    pairs = faults(pieces, fault)
    alone = [errors_in(language, broken) > errors_in(language, piece) for piece, broken in pairs]
    either = [seen or stray(language, broken) for seen, (_, broken) in zip(alone, pairs, strict=True)]
    return f"{share(alone):.0f}/{share(either):.0f}"


if __name__ == "__main__":
    main()
