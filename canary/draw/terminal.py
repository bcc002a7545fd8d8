"""A chart in letters: braille dots for the curve, so that each cell of the terminal holds two by four of them.

It says everything without colour: rows below the curve mark the onset, the answers and the changes.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, pairwise

from canary.draw.chart import Chart
from canary.draw.marks import Ink
from canary.draw.scale import Span as Scale
from canary.draw.scale import number_ticks, time_ticks

Span = tuple[str, Ink]
"""Letters in one ink."""
Line = tuple[Span, ...]
Moment = tuple[datetime, str, Ink]
Track = tuple[str, Sequence[Moment]]
"""What a row is called, and what happened in it."""

_BRAILLE = 0x2800
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # of the left and of the right column, from the top
_MARGIN = 8
_Row = list[tuple[str, Ink]]


def lines(chart: Chart, width: int, height: int = 12) -> tuple[Line, ...]:
    """The chart in `width` columns; its curve takes `height` rows, what stands below it up to five."""
    columns = max(20, width - _MARGIN)
    across = _across(chart.begin, chart.end, columns)
    return _headed([*_plot(chart, across, columns, height), *_below(chart, across, columns)], _MARGIN)


def timeline(rows: Sequence[Track], begin: datetime, end: datetime, width: int) -> tuple[Line, ...]:
    """Moments in rows, each with a letter, over one axis of time."""
    margin = 2 + max((len(head) for head, _ in rows), default=0)
    columns = max(20, width - margin)
    across = _across(begin, end, columns)
    drawn = [(head, _marked(across, moments, columns)) for head, moments in rows]
    ticks = time_ticks(begin, end, max(2, columns // 12))
    return _headed([*drawn, *_axis(across, ticks, "UTC", columns)], margin)


def _marked(across: Scale, moments: Iterable[Moment], columns: int) -> _Row:
    row = [("·", Ink.GRID)] * columns
    for at, letter, ink in moments:
        row[int(across.place(at.timestamp()))] = (letter, ink)
    return row


def _plot(chart: Chart, across: Scale, columns: int, height: int) -> Iterator[tuple[str, _Row]]:
    low, high = chart.depth
    up = Scale(low, high, 4.0 * height - 1e-6, 0.0)
    heads = {int(up.place(value) // 4): f"{value:g}" for value in number_ticks(low, high, max(2, height // 3))}
    zero = int(up.place(0.0) // 4)
    cells = [[(" ", Ink.GRID)] * columns for _ in range(height)]
    cells[zero] = [("─", Ink.THRESHOLD)] * columns
    heads[zero] = f"{chart.limit} 0"
    for moment, letter in chart.changes:
        _column(cells, int(across.place(moment.timestamp())), letter)
    for (column, row), dots in _dots(chart, across, up).items():
        cells[row][column] = (chr(_BRAILLE + dots), Ink.EVIDENCE)
    for at, value in chart.alarms:
        cells[int(up.place(value) // 4)][int(across.place(at.timestamp()))] = ("▲", Ink.ALARM)
    return ((heads.get(at, ""), row) for at, row in enumerate(cells))


def _column(cells: list[_Row], column: int, letter: str) -> None:
    for row in cells:
        row[column] = ("┊", Ink.CHANGE)
    cells[0][column] = (letter, Ink.CHANGE)


def _dots(chart: Chart, across: Scale, up: Scale) -> dict[tuple[int, int], int]:
    cells: dict[tuple[int, int], int] = {}
    for curve in chart.curves:
        places = [(int(2 * across.place(at.timestamp())), int(up.place(value))) for at, value in curve]
        for x, y in _joined(places):
            cell = (x // 2, y // 4)
            cells[cell] = cells.get(cell, 0) | _DOTS[x % 2][y % 4]
    return cells


def _joined(places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Every dot on the way."""
    yield from places[:1]
    for (x0, y0), (x1, y1) in pairwise(places):
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(1, steps + 1):
            yield x0 + round((x1 - x0) * step / steps), y0 + round((y1 - y0) * step / steps)


def _below(chart: Chart, across: Scale, columns: int) -> Iterator[tuple[str, _Row]]:
    if chart.onset is not None:
        yield "onset", _onset(across, chart.onset, columns)
    if chart.answers:
        yield "answers", _answers(across, chart.answers, columns)
    yield from _axis(across, chart.ticks(max(2, columns // 12)), chart.unit, columns)


def _onset(across: Scale, onset: tuple[datetime, datetime, datetime], columns: int) -> _Row:
    low, best, high = (int(across.place(moment.timestamp())) for moment in onset)
    row = [(" ", Ink.ONSET)] * columns
    row[low : high + 1] = [("─", Ink.EVENT)] * (high + 1 - low)
    row[low], row[high] = ("├", Ink.EVENT), ("┤", Ink.EVENT)
    row[best] = ("●", Ink.EVENT)
    return row


def _answers(across: Scale, answers: Iterable[tuple[datetime, bool]], columns: int) -> _Row:
    row = [(" ", Ink.FAINT)] * columns
    for at, event in answers:
        column = int(across.place(at.timestamp()))
        if event or row[column][0] == " ":
            row[column] = ("╿", Ink.EVENT) if event else ("╷", Ink.FAINT)
    return row


def _axis(across: Scale, places: Iterable[tuple[datetime, str]], unit: str, columns: int) -> Iterator[tuple[str, _Row]]:
    ticks, texts = [("─", Ink.FAINT)] * columns, [(" ", Ink.FAINT)] * columns
    for moment, text in places:
        column = int(across.place(moment.timestamp()))
        ticks[column] = ("┴", Ink.FAINT)
        left = min(max(0, column - len(text) // 2), columns - len(text))
        texts[left : left + len(text)] = [(letter, Ink.FAINT) for letter in text]
    yield "", ticks
    yield unit, texts


def _across(begin: datetime, end: datetime, columns: int) -> Scale:
    return Scale(begin.timestamp(), end.timestamp(), 0.0, columns - 1e-6)


def _headed(rows: Iterable[tuple[str, _Row]], margin: int) -> tuple[Line, ...]:
    return tuple(((f"{head:>{margin - 1}} ", Ink.FAINT), *_spans(row)) for head, row in rows)


def _spans(row: _Row) -> Iterator[Span]:
    for ink, cells in groupby(row, key=lambda cell: cell[1]):
        yield "".join(letter for letter, _ in cells), ink
