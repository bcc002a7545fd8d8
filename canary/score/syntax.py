"""The syntax scorer: errors in the code of an answer."""

from typing import NamedTuple

from canary.records import Finish, Probe, Response, UnscoredReason
from canary.score.fences import MOST_LINES, Fence, Piece, fences, language_name
from canary.score.measure import Judgement, Measure
from canary.score.parsers import CHECKERS

MOST_ERRORS = 100.0
"""The value is cut off here."""
MOST_CODE = 8_000
"""Characters of code, beyond which an answer is not judged: hostile code costs parsers the square of its length."""
MOST_BASH = 5_000
"""The same of Bash, whose grammar is the dearest by far."""
MOST_BLOCKS = 50
"""Blocks of code, beyond which an answer is not judged."""


def measure(probe: Probe, response: Response) -> Judgement:
    """Count the syntax errors in an answer's fenced code; in Python the undefined names too.

    A fence without a tag is in the probe's code language. An unclosed fence is an error, unless the answer was cut by
    its token limit: then its last piece is judged up to its last whole line, and what is merely open does not count.
    Where a probe asks for code and the answer has no fence, the whole answer is read as code: prose does not parse, so
    that an answer without the code asked for is a fault. So is one whose fences are all in other languages.

    Shape:
        One probe and one response to one value.
    Unit:
        Errors; exposure in non-blank lines of code.
    Range:
        0 <= value <= 100; exposure >= 1.

    Raises:
        Nothing.

    References:
        CommonMark 0.31, section 4.5; the grammars' own specifications.
    """
    asked = language_name(probe.code_language or "")
    blocks = fences(response.text) or _bare(response, asked)
    if _too_long(response.text, blocks, asked):
        return UnscoredReason.TOO_LONG
    found = [judged for block in blocks if (judged := _judge(block, asked, response.finish))]
    if asked in CHECKERS and blocks and all(judged.language != asked for judged in found):
        found.append(_Judged(asked, 1, 0))
    return _sum(found) if found else UnscoredReason.NO_CODE


def _too_long(text: str, blocks: tuple[Fence, ...], asked: str) -> bool:
    if text.count("\n") >= MOST_LINES or len(blocks) > MOST_BLOCKS:
        return True
    bash = sum(len(block.code) for block in blocks if (block.language or asked) == "bash")
    return bash > MOST_BASH or sum(len(block.code) for block in blocks) > MOST_CODE


class _Judged(NamedTuple):
    language: str
    errors: int
    lines: int


def _bare(response: Response, asked: str) -> tuple[Fence, ...]:
    if not asked or not response.text.strip():
        return ()
    closed = response.finish is not Finish.LENGTH
    return (Fence(asked, asked, response.text, closed, 0, response.text.count("\n") + 1),)


def _judge(fence: Fence, asked: str, finish: Finish) -> _Judged | None:
    language = fence.language or ("" if fence.tag else asked)
    cut = not fence.closed and finish is Finish.LENGTH
    unclosed = int(not fence.closed and not cut)
    if language not in CHECKERS:
        return _Judged("fence", unclosed, 0) if unclosed else None
    lines = sum(bool(line.strip()) for line in fence.code.splitlines())
    return _Judged(language, CHECKERS[language](Piece(fence.code, cut)) + unclosed, lines)


def _sum(found: list[_Judged]) -> Measure:
    total = sum(judged.errors for judged in found)
    worst = max(found, key=lambda judged: judged.errors)
    note = f"{worst.errors} in {worst.language}" if total else ""
    return Measure(min(MOST_ERRORS, float(total)), max(1.0, float(sum(judged.lines for judged in found))), note)
