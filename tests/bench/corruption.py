"""Which share of corrupted answers the scorers flag, and which share of clean ones.

    python -m tests.bench.corruption

Clean snippets in every code language, each corrupted in one random place, judged by syntax and script together; English
paragraphs with one foreign sentence put in, judged by language. The samples are few and short: a first form.
"""

import random
import re
from collections.abc import Callable, Sequence

from canary.records import Score
from tests.unit.score.build import fenced, judge, probe
from tests.unit.score.samples import CODE, FOREIGN, PROSE

REPEATS = 100
SYNTAX, SCRIPT, LANGUAGE = probe("syntax"), probe("script"), probe("language")

Corruption = Callable[[list[str], int, random.Random], None]


def dropped(tokens: list[str], at: int, _: random.Random) -> None:
    tokens[at] = ""


def swapped(tokens: list[str], at: int, rng: random.Random) -> None:
    other = rng.randrange(len(tokens))
    tokens[at], tokens[other] = tokens[other], tokens[at]


def lost_character(tokens: list[str], at: int, rng: random.Random) -> None:
    lost = rng.randrange(len(tokens[at]))
    tokens[at] = tokens[at][:lost] + tokens[at][lost + 1 :]


def thai(tokens: list[str], at: int, _: random.Random) -> None:
    tokens[at] = "สวัสดี"


CORRUPTIONS: Sequence[Corruption] = (dropped, swapped, lost_character, thai)


def main() -> None:
    rng = random.Random(1)
    print(f"{'':<12}{'clean':>8}" + "".join(f"{corrupt.__name__:>16}" for corrupt in CORRUPTIONS))
    for language, code in CODE.items():
        shares = [_code_share(language, code, corrupt, rng) for corrupt in CORRUPTIONS]
        print(
            f"{language:<12}{_flagged(fenced(language, code)):>8.0%}" + "".join(f"{share:>16.0%}" for share in shares)
        )
    print(f"{'foreign':<12}{_drifted(PROSE['en']):>8.0%}" + _foreign_shares())


def _code_share(language: str, code: str, corrupt: Corruption, rng: random.Random) -> float:
    tokens = re.findall(r"\w+|\s+|[^\w\s]", code)
    visible = [i for i, token in enumerate(tokens) if token.strip()]
    hits = 0
    for _ in range(REPEATS):
        broken = list(tokens)
        corrupt(broken, rng.choice(visible), rng)
        hits += _flagged(fenced(language, "".join(broken)))
    return hits / REPEATS


def _flagged(text: str) -> bool:
    return any(isinstance(found := judge(one, text), Score) and found.value > 0 for one in (SYNTAX, SCRIPT))


def _foreign_shares() -> str:
    sentences = PROSE["en"].split(". ")
    cells = []
    for language, sentence in FOREIGN.items():
        places = range(len(sentences) + 1)
        hits = sum(_drifted(". ".join([*sentences[:i], sentence.rstrip("."), *sentences[i:]])) for i in places)
        cells.append(f"  {language} {hits / len(places):.0%}")
    return "".join(cells)


def _drifted(text: str) -> bool:
    found = judge(LANGUAGE, text)
    return isinstance(found, Score) and found.value > 0


if __name__ == "__main__":
    main()
