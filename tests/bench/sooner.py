"""Draws the figures of `tests.bench.detection`: probes to alarm by rule, and delays over that of an oracle.

    python -m tests.bench.detection --all --record deploy/docs/detection.json
    python -m tests.bench.sooner deploy/docs/detection.json deploy/docs/detection.svg

The picture follows the reader's colour scheme, light or dark.
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from canary.draw import Ink, Picture, svg
from canary.draw.marks import Label, Mark, Path, Shape, box
from canary.draw.scale import Span
from tests.bench.rules import ORACLE, OURS, SHARES

TITLE = "How soon a fault is seen, against what is possible"
_WIDTH, _TOP, _ROW = 1180.0, 112.0, 26.0
_RULES = Span(0.0, math.log10(5000.0), 220.0, 560.0)
_NEVER = 580.0
_RATIOS = Span(0.9, 1.4, 880.0, 1156.0)
_NAMES = 664.0
_INKS = dict(zip(SHARES, (Ink.CHANGE, Ink.EVIDENCE, Ink.EVENT, Ink.FAINT), strict=True))
_GOAL = 1.2
Row = Mapping[str, Any]


def main() -> None:
    source, target = map(FilePath, sys.argv[1:])
    target.write_text(draw(json.loads(source.read_text("utf-8"))), "utf-8")


def draw(figures: Mapping[str, Sequence[Row]]) -> str:
    return svg(picture(figures))


def picture(figures: Mapping[str, Sequence[Row]]) -> Picture:
    rules = _in_order([rule for rule in figures["rules"] if rule["is_equal"]])
    delays = [row for row in figures["delays"] if row["is_counted"]]
    height = _TOP + _ROW * max(len(rules), len(delays)) + 64.0
    marks = (
        box(0.0, 0.0, _WIDTH, height, Ink.PAPER),
        Label((16.0, 28.0), TITLE, size=16.0),
        *_rules(rules),
        *_delays(delays),
    )
    return Picture(_WIDTH, height, TITLE, marks)


def _in_order(rules: Sequence[Row]) -> list[Row]:
    """The oracle, ours, then the rest: what sees the most shares comes first, and the sooner of equals."""
    best = [rule for name in (ORACLE, OURS) for rule in rules if rule["name"] == name]
    return [*best, *sorted((rule for rule in rules if rule not in best), key=_lateness)]


def _lateness(rule: Row) -> list[float]:
    return [math.inf if median["value"] is None else median["value"] for median in rule["medians"][1:]]


def _rules(rules: Sequence[Row]) -> Iterator[Mark]:
    bottom = _TOP + _ROW * len(rules)
    yield Label((16.0, 58.0), "median probes to alarm, by the share of answers 5 sd off", size=13.0)
    yield Label((16.0, 76.0), "every rule set to one false alarm in 100,000 healthy probes", Ink.FAINT, size=11.0)
    yield from _shares(_RULES.begin, _TOP - 14.0)
    yield Label((_NEVER, _TOP - 14.0), "not in 5,000", Ink.FAINT, size=11.0)
    for probes in (1, 10, 100, 1000, 5000):
        yield from _gridline(_RULES.place(math.log10(probes)), bottom, f"{probes:,}")
    for at, rule in enumerate(rules):
        yield from _rule(rule, _TOP + _ROW * (at + 0.5))


def _shares(left: float, y: float) -> Iterator[Mark]:
    for at, (share, ink) in enumerate(_INKS.items()):
        yield _diamond(left + 84.0 * at, y - 4.0, ink)
        yield Label((left + 9.0 + 84.0 * at, y), f"{100 * share:g} %", Ink.FAINT, size=11.0)


def _rule(rule: Row, y: float) -> Iterator[Mark]:
    is_best = rule["name"] in (ORACLE, OURS)
    yield Label((16.0, y + 4.0), rule["name"], Ink.TEXT if is_best else Ink.FAINT)
    yield Path(((_RULES.begin, y), (_RULES.end, y)), Ink.GRID)
    never = 0
    for ink, median in zip(_INKS.values(), rule["medians"], strict=True):
        if median["value"] is None:
            yield _diamond(_NEVER + 6.0 + 16.0 * never, y, ink)
            never += 1
        else:
            yield _diamond(_RULES.place(math.log10(median["value"])), y, ink)


def _delays(delays: Sequence[Row]) -> Iterator[Mark]:
    bottom = _TOP + _ROW * len(delays)
    yield Label((_NAMES, 58.0), "mean delay over that of the oracle, which knows both laws", size=13.0)
    yield Label(
        (_NAMES, 76.0),
        "c: mean probes to a false alarm, proven for ours, measured for the oracle",
        Ink.FAINT,
        size=11.0,
    )
    for ratio in (0.9, 1.0, 1.1, 1.2, 1.3, 1.4):
        yield from _gridline(_RATIOS.place(ratio), bottom, f"{ratio:g}")
    for ratio, ink in ((1.0, Ink.TEXT), (_GOAL, Ink.THRESHOLD)):
        yield Path(((_RATIOS.place(ratio), _TOP), (_RATIOS.place(ratio), bottom)), ink, 1.5)
    yield Label((_RATIOS.place(1.0), _TOP - 6.0), "oracle", Ink.TEXT, "middle", 11.0)
    yield Label((_RATIOS.place(_GOAL), _TOP - 6.0), "goal (mean)", Ink.THRESHOLD, "middle", 11.0)
    for at, row in enumerate(delays):
        yield from _delay(row, _TOP + _ROW * (at + 0.5))
    yield from _parts(bottom + 44.0)


def _delay(row: Row, y: float) -> Iterator[Mark]:
    told, ours, proof = (
        _RATIOS.place(row[name]["value"] / row["oracle"]["value"]) for name in ("told", "ours", "proof")
    )
    yield Label((_NAMES, y + 4.0), f"{row['fault']}, c = {row['c']:.0e}".replace("e+0", "e"))
    yield Path(((ours, y), (proof, y)), Ink.FAINT, 3.0)
    yield Path(((told, y), (ours, y)), Ink.EVENT, 5.0)
    yield box(told - 1.5, y - 6.0, told + 1.5, y + 6.0, Ink.EVENT)
    yield _diamond(ours, y, Ink.EVIDENCE)


def _parts(y: float) -> Iterator[Mark]:
    left = _NAMES
    for ink, text in (
        (Ink.EVIDENCE, "ours"),
        (Ink.EVENT, "of it: not knowing the fault"),
        (Ink.FAINT, "what the plain proof would add"),
    ):
        yield _diamond(left + 6.0, y, ink) if ink is Ink.EVIDENCE else box(left, y - 2.0, left + 14.0, y + 2.0, ink)
        yield Label((left + 20.0, y + 4.0), text, Ink.FAINT, size=11.0)
        left += 48.0 + 6.0 * len(text)


def _gridline(x: float, bottom: float, text: str) -> Iterator[Mark]:
    yield Path(((x, _TOP), (x, bottom)), Ink.GRID)
    yield Label((x, bottom + 16.0), text, Ink.FAINT, "middle", 11.0)


def _diamond(x: float, y: float, ink: Ink) -> Shape:
    return Shape(((x, y - 5.5), (x + 5.5, y), (x, y + 5.5), (x - 5.5, y)), ink)


if __name__ == "__main__":
    main()
