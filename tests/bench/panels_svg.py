"""Panels as Grafana would lay them out, drawn as SVG: numbers, charts, states over time, tables."""

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from itertools import pairwise
from typing import Any

from canary.draw.scale import Span, number_ticks, thinned, time_ticks
from tests.bench.panels import Filled, Json

COLUMN, ROW, GAP, HEAD = 50.0, 34.0, 8.0, 44.0
_LETTER, _AXIS = 6.6, 88.0
_CYCLE = ("#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#b877d9", "#8ab8ff", "#e0b400", "#ff7383", "#96d98d", "#c0d8ff")
_COLOURS = {
    "red": "#f2495c",
    "orange": "#ff9830",
    "yellow": "#e0b400",
    "green": "#56a64b",
    "blue": "#3274d9",
    "text": "#6e7687",
}
_STYLE = (
    "text{font:11px ui-sans-serif,system-ui,Helvetica,Arial,sans-serif;fill:#ccccdc} .title{font-weight:600;"
    "font-size:12px} .big{font-size:30px;font-weight:600;fill:#fff} .faint{fill:#8e94a3} .head{font-weight:600}"
)
_UNITS = {"reqps": " req/s", "ops": " ops/s"}


def drawn(
    title: str, panels: Sequence[Filled], over: Sequence[tuple[str, float]], begin: datetime, end: datetime
) -> str:
    """The whole document; `over` are the colours and moments of what is laid over every chart."""
    rows = max(one.place["y"] + one.place["h"] for one in panels)
    width, height = 24 * COLUMN + GAP, HEAD + rows * ROW + GAP
    body = [_panel(one, over, begin, end) for one in panels]
    head = f"{title}, {begin:%Y-%m-%d %H:%M} to {end:%H:%M} UTC"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f'<rect width="{width:g}" height="{height:g}" fill="#111217"/>'
        f'<text class="title" x="12" y="28" style="font-size:16px">{escape(head)}</text>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _panel(one: Filled, over: Sequence[tuple[str, float]], begin: datetime, end: datetime) -> str:
    place = one.place
    x, y = place["x"] * COLUMN + GAP, HEAD + place["y"] * ROW
    width, height = place["w"] * COLUMN - GAP, place["h"] * ROW - GAP
    draw = {"stat": _stat, "table": _table, "state-timeline": _states}.get(one.panel["type"], _chart)
    inside = _text(width / 2, height / 2, "No data", "faint", "middle")
    if not one.is_empty:
        inside = "".join(draw(one, width, height, begin, end))
    if draw is _chart:
        across = _across(width, begin, end)
        inside += "".join(_rule(across.place(at), 32.0, across.place(at), height - 46.0, _COLOURS[c]) for c, at in over)
    return (
        f'<svg x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}">'
        f'<rect width="100%" height="100%" rx="3" fill="#181b1f" stroke="#2c3235"/>{inside}'
        f"{_text(10, 20, one.title, 'title')}</svg>"
    )


def _stat(one: Filled, width: float, height: float, _: datetime, __: datetime) -> Iterator[str]:
    value = one.lines[0].points[-1][1]
    text, colour = mapped(one.panel, value) or (written(value, _unit(one)), _stepped(one.panel, value))
    yield f'<rect width="100%" height="100%" rx="3" fill="{colour}"/>'
    yield _text(width / 2, height / 2 + 16, text, "big", "middle")


def _chart(one: Filled, width: float, height: float, begin: datetime, end: datetime) -> Iterator[str]:
    lines = [(line.name, [p for p in line.points if math.isfinite(p[1])]) for line in one.lines]
    legend, lower = _legend([name for name, _ in lines], width, height)
    across = _across(width, begin, end)
    values = [value for _, points in lines for _, value in points] or [0.0]
    up = _scale(values, one.panel, lower, 34.0)
    for tick in number_ticks(up.low, up.high, 5):
        yield _rule(across.begin, up.place(tick), across.end, up.place(tick), "#2c3235")
        yield _text(_AXIS - 6, up.place(tick) + 4, written(tick, _unit(one)), "faint", "end")
    yield from _times(across, begin, end, lower)
    for nth, (name, points) in enumerate(lines):
        dash = ' stroke-dasharray="6 6"' if name.startswith("healthy") else ""
        for stretch in _stretches(points):
            path = thinned([(across.place(at), up.place(value)) for at, value in stretch], 1.5)
            shown = " ".join(f"{x:.1f},{y:.1f}" for x, y in path)
            ink = f'stroke="{_CYCLE[nth % len(_CYCLE)]}" stroke-width="1.3"{dash}'
            yield f'<polyline points="{shown}" fill="none" {ink}/>'
    if one.panel["fieldConfig"]["defaults"]["custom"].get("thresholdsStyle", {}).get("mode") == "line":
        limit = one.panel["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"]
        yield _rule(across.begin, up.place(limit), across.end, up.place(limit), _COLOURS["red"])
    yield from legend


def _across(width: float, begin: datetime, end: datetime) -> Span:
    return Span(begin.timestamp(), end.timestamp(), _AXIS, width - 12.0)


def _stretches(points: Sequence[tuple[float, float]]) -> Iterator[Sequence[tuple[float, float]]]:
    """Without the gaps, in which Prometheus has nothing."""
    step = min((after[0] - before[0] for before, after in pairwise(points)), default=0.0)
    begin = 0
    for at in range(1, len(points) + 1):
        if at == len(points) or points[at][0] - points[at - 1][0] > 1.5 * step:
            yield points[begin:at]
            begin = at


def _scale(values: Sequence[float], panel: Json, lower: float, upper: float) -> Span:
    defaults = panel["fieldConfig"]["defaults"]
    low, high = min(values), max(values)
    if defaults["custom"].get("thresholdsStyle", {}).get("mode") == "line":
        high = max(high, defaults["thresholds"]["steps"][-1]["value"])
    low, high = defaults.get("min", low), max(defaults.get("max", high), high)
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return Span(low if "min" in defaults else low - room, high + room, lower, upper)


def _states(one: Filled, width: float, height: float, begin: datetime, end: datetime) -> Iterator[str]:
    across = Span(begin.timestamp(), end.timestamp(), 130.0, width - 12.0)
    lower = height - 46.0
    tall = (lower - 32.0) / len(one.lines)
    step = (end - begin).total_seconds() / max(1, max(len(line.points) for line in one.lines) - 1)
    for nth, line in enumerate(one.lines):
        top = 32.0 + nth * tall
        yield _text(124, top + tall / 2 + 4, line.name, "faint", "end")
        for first, last, value in _runs(line.points):
            _, colour = mapped(one.panel, value) or ("", "#888")
            left, right = across.place(first), across.place(last + step)
            yield _box(left, top, right - left, tall - 2, colour)
    yield from _times(across, begin, end, lower)
    seen = sorted({value for line in one.lines for _, value in line.points})
    names = [found for value in seen if (found := mapped(one.panel, value))]
    for nth, (text, colour) in enumerate(names):
        yield _box(12 + nth * 110, height - 18, 10, 10, colour)
        yield _text(26 + nth * 110, height - 9, text)


def _runs(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float, float]]:
    first = 0
    for at in range(1, len(points) + 1):
        if at == len(points) or points[at][1] != points[first][1]:
            yield points[first][0], points[at - 1][0], points[first][1]
            first = at


def _table(one: Filled, width: float, height: float, _: datetime, __: datetime) -> Iterator[str]:
    rows = [
        [_cell(value, _column_unit(one, head)) for head, value in zip(one.heads, row, strict=True)] for row in one.rows
    ]
    room = int((height - 52.0) // 20.0)
    longest = [max(len(row[at]) for row in [list(one.heads), *rows[:room]]) + 2 for at in range(len(one.heads))]
    share = min(1.0, (width - 20.0) / (sum(longest) * _LETTER))
    places = [10.0 + sum(longest[:at]) * _LETTER * share for at in range(len(longest))]
    for at, name in enumerate(one.heads):
        yield _text(places[at], 44, _cut(name, longest[at] * _LETTER * share), "head")
    for nth, row in enumerate(rows[:room]):
        y = 64.0 + 20.0 * nth
        for at, value in enumerate(row):
            wide = longest[at] * _LETTER * share
            text, colour = value, None
            if (found := mapped(one.panel, one.rows[nth][at])) is not None:
                text, colour = found
                yield _box(places[at] - 4, y - 14, wide - 2, 18, colour)
            yield _text(places[at], y, _cut(text, wide))
    if len(rows) > room:
        yield _text(width - 10, 20, f"{len(rows)} rows", "faint", "end")


def mapped(panel: Json, value: Any) -> tuple[str, str] | None:
    """The text and colour that the panel has for a number."""
    if not isinstance(value, float):
        return None
    for one in panel["fieldConfig"]["defaults"].get("mappings", ()):
        if (found := one["options"].get(f"{value:g}")) is not None:
            return found["text"], _COLOURS[found["color"]]
    return None


def _stepped(panel: Json, value: float) -> str:
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    reached = [step for step in steps if step["value"] is None or value >= step["value"]]
    return _COLOURS[reached[-1]["color"]]


def _unit(one: Filled) -> str:
    return str(one.panel["fieldConfig"]["defaults"]["unit"])


def written(value: float, unit: str) -> str:
    """As Grafana writes it, nearly."""
    if unit == "percentunit":
        return f"{100 * value:.3g}%"
    if unit != "s" or value == 0:
        return f"{value:.4g}{_UNITS.get(unit, unit.removeprefix('suffix:') if unit.startswith('suffix:') else '')}"
    for size, name in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms")):
        if abs(value) >= size:
            return f"{value / size:.3g} {name}"
    return f"{value * 1e6:.3g} µs"


def _times(across: Span, begin: datetime, end: datetime, lower: float) -> Iterator[str]:
    for moment, text in time_ticks(begin, end, max(2, int((across.end - across.begin) // 90))):
        x = across.place(moment.timestamp())
        yield _rule(x, 32.0, x, lower, "#22252b")
        yield _text(x, lower + 16, text, "faint", "middle")


def _legend(names: Sequence[str], width: float, height: float) -> tuple[list[str], float]:
    """The names from the bottom up, and where the chart above them ends."""
    spots, x, row = [], 12.0, 0
    for name in names:
        wide = 26.0 + len(name) * _LETTER
        if x + wide > width and x > 12.0:
            x, row = 12.0, row + 1
        spots.append((x, row))
        x += wide
    rows = min(row + 1, 4)
    top = height - 8.0 - 16.0 * rows
    made = []
    for nth, ((left, at), name) in enumerate(zip(spots, names, strict=True)):
        if at < rows:
            y = top + 16.0 * at + 11.0
            made += [_rule(left, y - 4, left + 12, y - 4, _CYCLE[nth % len(_CYCLE)]), _text(left + 16, y, name)]
    return made, top - 22.0


def _column_unit(one: Filled, head: str) -> str:
    for override in one.panel["fieldConfig"]["overrides"]:
        if re.search(override["matcher"]["options"], head):
            return next((str(found["value"]) for found in override["properties"] if found["id"] == "unit"), "none")
    return "none"


def _cell(value: Any, unit: str) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%H:%M:%S}"
    return written(float(value), unit) if isinstance(value, float | Decimal) else "" if value is None else str(value)


def _cut(text: str, wide: float) -> str:
    letters = max(1, int(wide / _LETTER))
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _rule(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'
