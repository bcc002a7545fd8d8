"""An answer beside the nearest golden one: which tokens are other, and which characters should not be there."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TYPE_CHECKING

from canary.cli.common import printable

if TYPE_CHECKING:
    from rich.text import Text

    from canary.records import Probe

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_MOST = 20_000  # characters of an answer that are compared
_AROUND = 12  # tokens shown on each side of a difference
_DIFFERENCES = 4


class Part(StrEnum):
    """What a piece of the diff is."""

    SAME = "same"
    GOLDEN = "golden"  # only in the golden answer
    OTHER = "other"  # only in this one
    OFFENDING = "offending"  # and a scorer says that it should not be there
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text of one kind."""

    part: Part
    text: str


def nearest(answer: str, golden: Iterable[str]) -> str | None:
    """The golden answer that has most in common with this one; None where there is none.

    >>> nearest("the tide rose", ["a lamp", "the tide rises"])
    'the tide rises'
    """
    tokens = _tokens(answer)
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(tokens)
    best, most = None, -1.0
    for text in dict.fromkeys(golden):
        matcher.set_seq1(_tokens(text))
        if matcher.quick_ratio() > most and (found := matcher.ratio()) > most:
            best, most = text, found
    return best


def diff(golden: str, answer: str, offending: frozenset[int] = frozenset()) -> tuple[Piece, ...]:
    """The first differences with some tokens around each; `offending` are places in the answer.

    >>> [(piece.part.value, piece.text) for piece in diff("the tide rises", "the lamp rises")]
    [('same', 'the '), ('golden', 'tide'), ('other', 'lamp'), ('same', ' rises')]
    """
    ours, theirs = _tokens(answer), _tokens(golden)
    blocks = SequenceMatcher(None, theirs, ours, autojunk=False).get_grouped_opcodes(_AROUND)
    starts = _starts(ours)
    pieces: list[Piece] = []
    for nth, block in enumerate(blocks):
        if nth == _DIFFERENCES:
            pieces.append(Piece(Part.GAP, ""))
            break
        if block[0][3] > 0:
            pieces.append(Piece(Part.GAP, ""))
        for tag, i1, i2, j1, j2 in block:
            if tag == "equal":
                pieces.append(Piece(Part.SAME, "".join(ours[j1:j2])))
                continue
            pieces += [Piece(Part.GOLDEN, "".join(theirs[i1:i2]))] if i2 > i1 else []
            pieces += _marked("".join(ours[j1:j2]), starts[j1], offending)
    return tuple(pieces)


def offending(probe: "Probe | None", answer: str) -> frozenset[int]:
    """The places of characters that the probe does not allow for."""
    if probe is None:
        return frozenset()
    from canary.score.characters import expand, scripts_in
    from canary.score.script import scan_answer

    asked = frozenset[str]().union(*(scripts_in(message.content) for message in probe.messages))
    spans = scan_answer(answer, expand((*probe.scripts, *probe.allow_scripts)) | asked).spans
    return frozenset(place for span in spans for place in range(span.offset, span.offset + span.length))


def drawn(pieces: Sequence[Piece]) -> "Text":
    """For a terminal: what differs stands in brackets, as in wdiff, and in colour; nothing in it can steer one."""
    from rich.text import Text

    looks = {
        Part.SAME: ("", "", ""),
        Part.GOLDEN: ("[-", "-]", "green"),
        Part.OTHER: ("{+", "+}", "bold yellow"),
        Part.OFFENDING: ("{!", "!}", "bold white on red"),
        Part.GAP: ("…", "", "dim"),
    }
    made = Text()
    for piece in pieces:
        before, after, style = looks[piece.part]
        made.append(f"{before}{_on_one_line(piece.text)}{after}", style)
    return made


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text[:_MOST])


def _starts(tokens: Sequence[str]) -> list[int]:
    """Where each begins, and where the last ends: the tokens cover the text without a gap."""
    starts = [0]
    for token in tokens:
        starts.append(starts[-1] + len(token))
    return starts


def _marked(text: str, start: int, bad: frozenset[int]) -> Iterator[Piece]:
    """What only this answer has, with its offending stretches apart."""
    begin = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or (start + end in bad) is not (start + begin in bad):
            yield Piece(Part.OFFENDING if start + begin in bad else Part.OTHER, text[begin:end])
            begin = end


def _on_one_line(text: str) -> str:
    return printable(text).replace("\n", "⏎").replace("\t", " ")
