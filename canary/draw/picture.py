"""Charts laid out on paper, one below the other, with one legend."""

from collections.abc import Iterator, Sequence

from canary.draw.chart import Chart
from canary.draw.marks import Ink, Label, Mark, Path, Picture, Shape, box
from canary.draw.scale import Span, number_ticks, thinned

_WIDTH, _LEFT, _RIGHT = 960.0, 64.0, 24.0
_HEAD, _PANEL, _TITLE, _FOOT, _LEGEND = 44.0, 250.0, 24.0, 46.0, 34.0
_RUG = 12.0
_OVER_TIME = (
    (Ink.THRESHOLD, "threshold"),
    (Ink.ONSET, "onset interval"),
    (Ink.ALARM, "alarm"),
    (Ink.EVENT, "answer with an event"),
    (Ink.CHANGE, "recorded change"),
)
_COUNTED = (
    (Ink.THRESHOLD, "needed"),
    (Ink.ALARM, "sure"),
    (Ink.EVENT, "answer that speaks against the target"),
)


def drawn(title: str, charts: Sequence[Chart], notes: Sequence[str] = ()) -> Picture:
    """The charts as a picture; `notes` are lines below them."""
    height = _HEAD + _PANEL * len(charts) + _LEGEND + 18.0 * len(notes)
    marks: list[Mark] = [box(0.0, 0.0, _WIDTH, height, Ink.PAPER), Label((16.0, 26.0), title, size=16.0)]
    for at, chart in enumerate(charts):
        marks += _panel(chart, _HEAD + _PANEL * at)
    foot = _HEAD + _PANEL * len(charts)
    marks += _legend(foot + 8.0, _keys(charts))
    marks += [Label((16.0, foot + 44.0 + 18.0 * row), note, Ink.FAINT) for row, note in enumerate(notes)]
    return Picture(_WIDTH, height, title, tuple(marks))


def _panel(chart: Chart, top: float) -> Iterator[Mark]:
    across = Span(chart.begin.timestamp(), chart.end.timestamp(), _LEFT, _WIDTH - _RIGHT)
    upper, lower = top + _TITLE, top + _PANEL - _FOOT
    up = Span(*chart.depth, lower, upper)
    yield Label((_LEFT, top + 14.0), chart.title, size=13.0)
    if chart.onset is not None:
        low, best, high = (across.place(moment.timestamp()) for moment in chart.onset)
        yield box(low - 0.5, upper, max(high, low + 1.0) + 0.5, lower, Ink.ONSET)
        yield Path(((best, upper), (best, lower)), Ink.EVENT)
    yield from _axes(chart, across, up)
    yield from _changes(chart, across, up)
    yield from _curves(chart, across, up)
    yield from _rug(chart, across, lower)


def _axes(chart: Chart, across: Span, up: Span) -> Iterator[Mark]:
    for value in number_ticks(up.low, up.high, 6):
        height = up.place(value)
        yield Path(((across.begin, height), (across.end, height)), Ink.GRID)
        yield Label((across.begin - 8.0, height + 4.0), f"{value:g}", Ink.FAINT, "end", 11.0)
    for moment, text in chart.ticks(9):
        place = across.place(moment.timestamp())
        yield Path(((place, up.begin), (place, up.begin + 4.0)), Ink.FAINT)
        yield Label((place, up.begin + _RUG + 18.0), text, Ink.FAINT, "middle", 11.0)
    zero = up.place(0.0)
    yield Path(((across.begin, zero), (across.end, zero)), Ink.THRESHOLD, 1.5)


def _changes(chart: Chart, across: Span, up: Span) -> Iterator[Mark]:
    for moment, letter in chart.changes:
        place = across.place(moment.timestamp())
        yield Path(((place, up.end), (place, up.begin)), Ink.CHANGE, 1.5)
        yield Label((place + 4.0, up.end + 12.0), letter, Ink.CHANGE, size=11.0)


def _curves(chart: Chart, across: Span, up: Span) -> Iterator[Mark]:
    for curve in chart.curves:
        points = thinned([(across.place(at.timestamp()), up.place(value)) for at, value in curve], 1.0)
        if len(points) > 1:
            yield Path(tuple(points), Ink.EVIDENCE, 1.5)
        else:
            yield from (box(x - 1.0, y - 1.0, x + 1.0, y + 1.0, Ink.EVIDENCE) for x, y in points)
    for at, value in chart.alarms:
        yield _arrow(across.place(at.timestamp()), up.place(value))


def _arrow(x: float, y: float) -> Shape:
    return Shape(((x, y - 6.0), (x + 5.5, y + 4.0), (x - 5.5, y + 4.0)), Ink.ALARM)


def _rug(chart: Chart, across: Span, lower: float) -> Iterator[Mark]:
    """A tick for each answer, at most one a pixel; those with an event are longer."""
    places = {event: {round(across.place(at.timestamp())) for at, e in chart.answers if e == event} for event in (0, 1)}
    for event, ink, length in ((0, Ink.FAINT, 4.0), (1, Ink.EVENT, _RUG)):
        for place in sorted(places[event]):
            yield Path(((place, lower + 1.0), (place, lower + 1.0 + length)), ink)


def _keys(charts: Sequence[Chart]) -> list[tuple[Ink, str]]:
    curves = dict.fromkeys(chart.evidence for chart in charts)
    counted = any(chart.counted for chart in charts)
    return [*((Ink.EVIDENCE, curve) for curve in curves), *(_COUNTED if counted else _OVER_TIME)]


def _legend(top: float, keys: Sequence[tuple[Ink, str]]) -> Iterator[Mark]:
    left = _LEFT
    for ink, text in keys:
        yield _arrow(left + 6.0, top + 8.0) if ink is Ink.ALARM else box(left, top + 4.0, left + 12.0, top + 12.0, ink)
        yield Label((left + 18.0, top + 12.0), text, Ink.FAINT, size=11.0)
        left += 40.0 + 6.4 * len(text)
