"""The most that hostile answers cost: CPU of each scorer, in milliseconds. `python -m tests.bench.hostile`.

Prose: one unit repeated to 65,536 characters, alone and after a code block. Code: one unit repeated to 7,900 characters
of each language (Bash 4,900), which is just not too long. The dearest are shown.
"""

import time
from collections.abc import Iterator

from canary.records import Probe
from canary.score.parsers import CHECKERS
from canary.score.syntax import MOST_BASH, MOST_CODE
from tests.unit.score.build import fenced, judge, probe

PROSE, SHOWN = 65_536, 12
MARKDOWN = (
    *("a", "a ", "a. ", "a\n", "\n", "```\n", "```py\nx\n```\n", "> > ```\n", "- - ```\n", "1. ```\n", "- - - - a\n"),
    *("> - > - a\n", "`", "` `a", "<a", "[a]: b\n", "![", "_a*", "http://", "www.", "\"'", "a" * 59 + ". ", "\r\n"),
    *("极", "極 ", "สวัสดี", "αα ", "ααα", "\u200b", "👩\u200d", "🏴\U000e0061", "Ã©", "ÐÐ", "\ufffd", "\x00", "\ud83d"),
)
CODE = (
    *(
        "(",
        "[",
        "{",
        "<",
        "a.",
        "a.a.",
        "x=",
        '"',
        "'",
        "`",
        "-",
        "!",
        "a ",
        "a\n",
        ";",
        "<div>",
        "<a b=c ",
        "$(",
        "/*",
    ),
    *(
        "极",
        "[[",
        "a:\n ",
        "- ",
        "&a ",
        "{a:",
        "[a.b]\n",
        "a.b=1\n",
        "if x:\n ",
        "a?b:",
        "a<b,",
        "(a)",
        "*",
        "<<E\n",
        "(1+",
    ),
    *(
        "select(",
        "select * from a,",
        "a={",
        "A=[",
        "x\r",
        '"""',
        "1e",
        "lambda:",
        "a if b else ",
        "<!--",
        "@a{",
        "a{b{",
        "a{</b{",
        "int f(A_MACRO{",
    ),
)


def main() -> None:
    for language in CHECKERS:
        judge(probe("syntax"), fenced(language, "x\n"))  # loads its grammar
    for scorer, answers in (
        ("script", _prose()),
        ("language", _prose()),
        ("syntax", _prose()),
        ("syntax", _code()),
    ):
        costs = sorted(((_milliseconds(probe(scorer), text), name) for name, text in answers), reverse=True)
        print(f"{scorer:<9}" + "".join(f"  {cost:.0f} {name}" for cost, name in costs[:SHOWN]))


def _prose() -> Iterator[tuple[str, str]]:
    for unit in MARKDOWN:
        text = (unit * PROSE)[:PROSE]
        yield repr(unit[:12]), text
        yield f"{unit[:12]!r} after code", (fenced("py", "x = 'a'\n") + text)[:PROSE]


def _code() -> Iterator[tuple[str, str]]:
    for language in CHECKERS:
        for unit in (*CODE, "a." * 4_000 + "a=1\n"):
            most = MOST_BASH if language == "bash" else MOST_CODE
            yield f"{language} {unit[:12]!r}", fenced(language, (unit * most)[: most - 100] + "\n")


def _milliseconds(one: Probe, text: str) -> float:
    return min(_once(one, text) for _ in range(2))


def _once(one: Probe, text: str) -> float:
    start = time.process_time()
    judge(one, text)
    return 1e3 * (time.process_time() - start)


if __name__ == "__main__":
    main()
