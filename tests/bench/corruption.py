"""Which share of corrupted code the scorers flag, and which share of valid code. `python -m tests.bench.corruption`.

Pieces of real code (see `tests.bench.snippets`), each corrupted in two random places by every kind of fault: anywhere
by a foreign character, else outside strings and comments, where no parser could see it. A cell is
the syntax scorer alone / with the script scorer counted in; corrupted code is flagged where it has more errors than it
had before. The last table sets the whole beside what one could use instead: `compile` for Python, a script regex.
"""

import random
import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

import regex

from canary.records import Score
from canary.score.fences import LITERAL
from tests.bench.snippets import snippets
from tests.unit.score.build import fenced, judge, probe
from tests.unit.score.samples import CODE

REPEATS = 2
FEWEST = 50
SYNTAX, SCRIPT = probe("syntax"), probe("script")
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_FOREIGN = regex.compile(r"[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]")

Corruption = Callable[[list[str], random.Random], None]
Seen = Callable[[str, str, str], bool]


def swapped(tokens: list[str], rng: random.Random) -> None:
    one, other = _place(tokens, rng), _place(tokens, rng)
    tokens[one], tokens[other] = tokens[other], tokens[one]


def dropped(tokens: list[str], rng: random.Random) -> None:
    tokens[_place(tokens, rng)] = ""


def character(tokens: list[str], rng: random.Random) -> None:
    at = _place(tokens, rng)
    lost = rng.randrange(len(tokens[at]))
    tokens[at] = tokens[at][:lost] + tokens[at][lost + 1 :]


def bracket(tokens: list[str], rng: random.Random) -> None:
    brackets = [i for i in _bare(tokens) if tokens[i] in "()[]{}<>"]
    tokens[rng.choice(brackets) if brackets else _place(tokens, rng)] = ""


def thai(tokens: list[str], rng: random.Random) -> None:
    tokens[_anywhere(tokens, rng)] = "สวัสดี"


def han(tokens: list[str], rng: random.Random) -> None:
    tokens[_anywhere(tokens, rng)] += "极"


CORRUPTIONS: Mapping[str, Corruption] = {
    "swapped": swapped,
    "dropped": dropped,
    "character": character,
    "bracket": bracket,
    "Thai": thai,
    "Han": han,
}


def _anywhere(tokens: list[str], rng: random.Random) -> int:
    return rng.choice([i for i, token in enumerate(tokens) if token.strip()])


def _place(tokens: list[str], rng: random.Random) -> int:
    return rng.choice(_bare(tokens)) if _bare(tokens) else _anywhere(tokens, rng)


def _bare(tokens: list[str]) -> list[int]:
    """The tokens outside strings and comments."""
    code = "".join(tokens)
    hidden = {i for literal in LITERAL.finditer(code) for i in range(*literal.span())}
    starts = [0, *accumulate(map(len, tokens))]
    return [i for i, token in enumerate(tokens) if token.strip() and starts[i] not in hidden]


def main() -> None:
    print(
        f"{'':<12}{'pieces':>7}{'flagged':>9}" + "".join(f"{name:>10}" for name in CORRUPTIONS) + "   %, syntax/+script"
    )
    for language in sys.argv[1:] or CODE:
        _row(language)
    _alternatives()


def _row(language: str) -> None:
    pieces = snippets(language)
    clean = share([errors_in(language, piece) > 0 or stray(language, piece) for piece in pieces])
    cells = []
    for corrupt in CORRUPTIONS.values():
        pairs = _corrupted(pieces, corrupt)
        alone = [errors_in(language, broken) > errors_in(language, piece) for piece, broken in pairs]
        either = [seen or stray(language, broken) for seen, (_, broken) in zip(alone, pairs, strict=True)]
        cells.append(f"{share(alone):.0f}/{share(either):.0f}")
    few = "" if len(pieces) >= FEWEST else "   SKIPPED the rest: too little code found, see tests/bench/snippets.py"
    print(f"{language:<12}{len(pieces):>7}{clean:>8.1f}%" + "".join(f"{cell:>10}" for cell in cells) + few)


def _alternatives() -> None:
    print("\nPython, alternatives, % seen")
    rows: Mapping[str, Callable[[str], bool]] = {
        "compile alone": _does_not_compile,
        "regex alone": lambda code: _FOREIGN.search(code) is not None,
        "syntax and script": lambda code: errors_in("python", code) > 0 or stray("python", code),
    }
    for name, seen in rows.items():
        pieces = [piece for piece in snippets("python") if not seen(piece)]
        shares = [
            share([seen(broken) for _, broken in _corrupted(pieces, corrupt)]) for corrupt in CORRUPTIONS.values()
        ]
        print(f"{name:<28}" + "".join(f"{share:>10.0f}" for share in shares))


def _does_not_compile(code: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(code, "<piece>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return True
    return False


def _corrupted(pieces: Sequence[str], corrupt: Corruption) -> list[tuple[str, str]]:
    rng = random.Random(1)
    made = [(piece, _broken(piece, corrupt, rng)) for piece in pieces for _ in range(REPEATS)]
    return [(piece, broken) for piece, broken in made if broken != piece]


def faults(pieces: Sequence[str], fault: str) -> list[tuple[str, str]]:
    """Pieces, each with what a fault of `CORRUPTIONS` makes of it."""
    return _corrupted(pieces, CORRUPTIONS[fault])


def _broken(code: str, corrupt: Corruption, rng: random.Random) -> str:
    tokens = _TOKEN.findall(code)
    corrupt(tokens, rng)
    return "".join(tokens)


def errors_in(language: str, code: str) -> float:
    found = judge(SYNTAX, fenced(language, code))
    return found.value if isinstance(found, Score) else 0.0


def stray(language: str, code: str) -> bool:
    found = judge(SCRIPT, fenced(language, code))
    return isinstance(found, Score) and found.value > 0


def share(seen: Sequence[bool]) -> float:
    return 100 * sum(seen) / max(1, len(seen))


if __name__ == "__main__":
    main()
