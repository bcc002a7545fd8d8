"""Which share of drifts into another language the scorers see, and of clean answers: `python -m tests.bench.language`.

The corpus is real prose (see `tests.bench.corpora`). An answer is 300 words of it. Thresholds were chosen on every
other document; these tables are of the rest. `inside`: one foreign sentence of 50 to 160 letters (15 to 60 East Asian
ones), put before a random sentence of the answer; `half`: the second half of the answer is in the foreign language. A
cell is the language scorer alone / with the script scorer counted in, where Latin letters are allowed.
"""

import random
import re
from collections.abc import Callable, Sequence
from functools import cache

from canary.records import Probe, Score
from canary.score.confusion import LANGUAGES, pass_rates
from canary.score.language import identify
from tests.bench.corpora import documents, folder
from tests.unit.score.build import judge, probe

EXPECTED = ("en", "de", "fr", "es", "pt", "it", "ru", "ja", "zh", "th", "ar", "hi")
CLEAN = (
    *("ca", "cs", "da", "el", "et", "fa", "fi", "gu", "hr", "hu", "id", "ko", "lt", "lv", "mr", "nl", "no", "pl"),
    *("ro", "sk", "sl", "sr", "sv", "ta", "te", "tr", "uk", "vi"),
)
DRIFTS, ENGLISH_DRIFTS = 100, 300
_SENTENCES = re.compile(r"(?<=[.!?:])\s+|(?<=[。！？।؟])\s*|\n+")

Seen = Callable[[str], bool]


def main() -> None:
    if folder() is None:
        return
    print("clean answers flagged: language, + script; whole document = the same identifier over the whole text\n")
    print(f"{'':<6}{'answers':>8}{'language':>10}{'+ script':>10}{'whole':>8}{'line pass':>11}{'word pass':>11}")
    for language in (*EXPECTED, *CLEAN):
        _clean(language)
    _table("one sentence inside", inside)
    _table("second half", half)


def _clean(language: str) -> None:
    answers = held_out(language)
    if not answers:
        print(f"{language:<6} SKIPPED: nothing of it in the corpus")
        return
    shares = (f"{share(seen, answers):.2%}" for seen in scorers(language))
    alone, together, whole = shares
    rates = pass_rates(answers, language)
    print(f"{language:<6}{len(answers):>8}{alone:>10}{together:>10}{whole:>8}{rates.lines:>11.1%}{rates.words:>11.1%}")


def _table(name: str, drift: Callable[[str, str, random.Random], str]) -> None:
    print(f"\n{name}: seen by language / with script / by whole-document identification, %; rows = expected\n")
    print(" " * 6 + "".join(f"{foreign:>14}" for foreign in EXPECTED))
    for expected in EXPECTED:
        cells = (_cell(expected, foreign, drift) if foreign != expected else "" for foreign in EXPECTED)
        print(f"{expected:<6}" + "".join(f"{cell:>14}" for cell in cells))


def _cell(expected: str, foreign: str, drift: Callable[[str, str, random.Random], str]) -> str:
    rng = random.Random(1)
    answers = held_out(expected)[: ENGLISH_DRIFTS if expected == "en" else DRIFTS]
    drifted = [drift(answer, foreign, rng) for answer in answers]
    return "/".join(f"{100 * share(seen, drifted):.0f}" for seen in scorers(expected))


def share(seen: Seen, answers: Sequence[str]) -> float:
    return sum(map(seen, answers)) / len(answers)


@cache
def scorers(language: str) -> tuple[Seen, Seen, Seen]:
    """The language scorer, that or the script scorer, and the identifier over the whole text."""
    scripts, ours = tuple(sorted(LANGUAGES[language])), "language"
    by_language = probe(ours, prompt="1", language=language, scripts=scripts)
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
    return tuple(piece for piece in pieces if _usable(piece, language))


def _usable(piece: str, language: str) -> bool:
    own = [char for char in piece if char.isalpha() and (char > "\u2e7f" or language not in ("ja", "zh"))]
    least, most = (15, 60) if language in ("ja", "zh") else (50, 160)
    return "`" not in piece and least <= len(own) <= most and len(own) > 0.5 * len(piece)


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
