"""Which share of drifts into another language the scorers see, and of clean answers.

    python -m tests.bench.language           about 10 minutes
    python -m tests.bench.language --quick   fewer answers and languages, in about 3

The corpus is real prose (see `tests.bench.corpora`). An answer is 300 words of it. Thresholds were chosen on every
other document; these tables are of the rest. `inside`: one foreign sentence of 50 to 160 letters (15 to 60 East Asian
ones), whole and mostly of plain words, put at a random place between the answer's sentences; `half`: the second half of
the answer is in the foreign language. A cell is the language scorer alone / with the script scorer counted in, where
Latin letters are allowed / the language of the whole text. Intervals are Clopper-Pearson, 95 %.
"""

import random
import re
import sys
from collections.abc import Callable, Sequence
from functools import cache
from itertools import cycle, islice
from statistics import fmean
from typing import NamedTuple

from scipy.stats import binomtest

from canary.records import Probe, Score
from canary.score.characters import expand
from canary.score.confusion import pass_rates
from canary.score.foreign import identify
from canary.score.tongues import SCRIPTS
from tests.bench.corpora import documents, folder
from tests.unit.score.build import judge, probe

EXPECTED = ("en", "de", "fr", "es", "pt", "it", "ru", "ja", "zh", "th", "ar", "hi")
CLEAN = (
    *("be", "bg", "ca", "cs", "da", "el", "et", "fa", "fi", "gl", "gu", "hr", "hu", "id", "ko", "lt", "lv", "mk"),
    *("mr", "nl", "no", "pl", "ro", "sk", "sl", "sr", "sv", "ta", "te", "tr", "uk", "vi"),
)
QUICK = "--quick" in sys.argv
DRIFTS, ENGLISH_DRIFTS = (30, 60) if QUICK else (100, 300)
_SENTENCES = re.compile(r"(?<=[.!?:])\s+|(?<=[。！？।؟])\s*|\n+")

Seen = Callable[[str], bool]
Drift = Callable[[str, str, random.Random], str]


class Clean(NamedTuple):
    """Of clean answers in one language: how many, and how many the language scorer flags."""

    answers: int
    flagged: int

    def __str__(self) -> str:
        low, high = binomtest(self.flagged, self.answers).proportion_ci(method="exact")
        return f"{self.flagged / self.answers:.2%} of {self.answers} ({low:.2%} to {high:.2%})"


def main() -> None:
    if folder() is None:
        return
    print("clean answers flagged: language, + script; whole document = the same identifier over the whole text\n")
    print(f"{'':<6}{'language':>32}{'+ script':>10}{'whole':>8}{'line pass':>11}{'word pass':>11}")
    found = {language: _clean(language) for language in (EXPECTED if QUICK else (*EXPECTED, *CLEAN))}
    sentence, second = _table("one sentence inside", inside), _table("second half", half)
    _summary(found, sentence, second)


def _clean(language: str) -> Clean | None:
    answers = held_out(language)[: 300 if QUICK else None]
    if not answers:
        print(f"{language:<6} SKIPPED: nothing of it in the corpus")
        return None
    alone, together, whole = scorers(language)
    found = Clean(len(answers), sum(map(alone, answers)))
    rates = pass_rates(answers, language)
    print(f"{language:<6}{found!s:>32}{share(together, answers):>10.2%}{share(whole, answers):>8.2%}", end="")
    print(f"{rates.lines:>11.1%}{rates.words:>11.1%}", flush=True)
    return found


def _table(name: str, drift: Drift) -> dict[tuple[str, str], tuple[float, ...]]:
    """By expected and foreign language: what is seen by language, with script, by whole-document identification."""
    print(f"\n{name}: seen by language / with script / by whole-document identification, %; rows = expected\n")
    print(" " * 6 + "".join(f"{foreign:>14}" for foreign in EXPECTED))
    cells = {}
    for expected in EXPECTED:
        row = {foreign: _cell(expected, foreign, drift) for foreign in EXPECTED if foreign != expected}
        texts = ("/".join(f"{100 * value:.0f}" for value in row.get(foreign, ())) for foreign in EXPECTED)
        print(f"{expected:<6}" + "".join(f"{text:>14}" for text in texts), flush=True)
        cells |= {(expected, foreign): cell for foreign, cell in row.items()}
    return cells


def _cell(expected: str, foreign: str, drift: Drift) -> tuple[float, ...]:
    rng = random.Random(f"{expected} {foreign}")
    many = ENGLISH_DRIFTS if "en" in {expected, foreign} else DRIFTS
    drifted = [drift(answer, foreign, rng) for answer in islice(cycle(held_out(expected)), many)]
    return tuple(share(seen, drifted) for seen in scorers(expected))


def _summary(
    found: dict[str, Clean | None],
    sentence: dict[tuple[str, str], tuple[float, ...]],
    second: dict[tuple[str, str], tuple[float, ...]],
) -> None:
    print(
        f"\nclean: language alone; drifts: language or script; {ENGLISH_DRIFTS} answers with English, else {DRIFTS}\n"
    )
    print("| expected | clean answers flagged | English sentence seen | other sentences: mean, least | second half |")
    print("| --- | --- | --- | --- | --- |")
    for expected in EXPECTED:
        others = {foreign: sentence[expected, foreign][1] for foreign in EXPECTED if foreign not in {expected, "en"}}
        least, mean = min(others, key=others.__getitem__), fmean(others.values())
        english = f"{sentence[expected, 'en'][1]:.1%}" if expected != "en" else ""
        halves = fmean(cell[1] for (asked, _), cell in second.items() if asked == expected)
        print(
            f"| {expected} | {found[expected]} | {english} | {mean:.1%}, {others[least]:.1%} ({least}) | {halves:.1%} |"
        )


def share(seen: Seen, answers: Sequence[str]) -> float:
    return sum(map(seen, answers)) / len(answers)


@cache
def scorers(language: str) -> tuple[Seen, Seen, Seen]:
    """The language scorer, that or the script scorer, and the identifier over the whole text."""
    scripts = tuple(sorted(expand([SCRIPTS[language]])))
    by_language = probe("language", prompt="1", language=language, scripts=scripts)
    by_script = probe("script", prompt="1", language=language, scripts=scripts, allow=("Latn",))
    return (
        lambda text: _flags(by_language, text),
        lambda text: _flags(by_language, text) or _flags(by_script, text),
        lambda text: identify(text)[0] != language,
    )


def _flags(one: Probe, text: str) -> bool:
    found = judge(one, text)
    return isinstance(found, Score) and found.value > 0


@cache
def held_out(language: str) -> list[str]:
    return documents(language)[1::2]


@cache
def sentences(language: str) -> tuple[str, ...]:
    pieces = (piece.strip() for answer in held_out(language) for piece in _SENTENCES.split(answer))
    return tuple(dict.fromkeys(piece for piece in pieces if piece and _usable(piece, language)))


def _usable(piece: str, language: str) -> bool:
    own = [char for char in piece if char.isalpha() and (char > "\u2e7f" or language not in ("ja", "zh"))]
    least, most = (15, 60) if language in ("ja", "zh") else (50, 160)
    sized = "`" not in piece and least <= len(own) <= most and len(own) > 0.5 * len(piece)
    return sized and _whole(piece, language) and (language in ("ja", "zh", "th") or _plain(piece))


def _whole(piece: str, language: str) -> bool:
    return not piece[0].islower() and (language == "th" or piece[-1] in ".!?。！？।؟")


def _plain(piece: str) -> bool:
    """Whether half of the words or more have small letters alone, as names and abbreviations have not."""
    found = piece.split()
    return 2 * sum(word == word.lower() and any(map(str.isalpha, word)) for word in found) >= len(found)


def inside(answer: str, foreign: str, rng: random.Random) -> str:
    paragraphs = answer.split("\n\n")
    at = rng.randrange(len(paragraphs))
    own = _SENTENCES.split(paragraphs[at])
    place = rng.randrange(len(own) + 1)
    paragraphs[at] = " ".join([*own[:place], rng.choice(sentences(foreign)), *own[place:]])
    return "\n\n".join(paragraphs)


def half(answer: str, foreign: str, rng: random.Random) -> str:
    mine, theirs = (text.split("\n\n") for text in (answer, rng.choice(held_out(foreign))))
    return "\n\n".join([*mine[: max(1, len(mine) // 2)], *theirs[len(theirs) // 2 :]])


if __name__ == "__main__":
    main()
