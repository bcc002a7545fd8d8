"""Draws the figures of `tests.bench.matrix`: scorers down, faults across, the share that is seen in each cell.

    python -m tests.bench.matrix --record deploy/docs/scorers.json
    python -m tests.bench.picture deploy/docs/scorers.json deploy/docs/scorers.svg

The picture follows the reader's colour scheme, light or dark.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from tests.bench.alternatives import ALTERNATIVES
from tests.bench.table import ANY, Table

WIDTH, HEIGHT, NAMES, SLANT, GAP, MARGIN = 44, 23, 150, 96, 14, 16
_STRONG = 0.6
"""The share from which a cell is dark enough for letters of the other colour."""
_NOTES = (
    "% of answers. Of clean and healthy ones: flagged for nothing. No figure: not judged, or a scorer of logprobs.",
    "Any scorer: on the left without copy, which needs a probe that asks for a copy.",
)
_HEADINGS = ("faults put into clean answers", "faults of a real engine")
_STYLE = """
svg { --paper: #fff; --ink: #1f2328; --faint: #8c959f; --seen: #084a91; --false: #b42318; --on: #fff }
@media (prefers-color-scheme: dark) {
  svg { --paper: #0d1117; --ink: #e6edf3; --faint: #8b949e; --seen: #79b8ff; --false: #ff8f82; --on: #0d1117 }
}
text { font: 12px system-ui, sans-serif; fill: var(--ink) }
.paper { fill: var(--paper) } .line { stroke: var(--faint); stroke-opacity: .5 }
.empty { fill: var(--faint) } .strong { fill: var(--on) } .bold { font-weight: 600 }
.middle { text-anchor: middle } .end { text-anchor: end }
.seen { fill: var(--seen) } .false { fill: var(--false) }
"""


@dataclass(frozen=True, slots=True)
class Column:
    table: Table
    name: str
    x: int
    is_healthy: bool


def main() -> None:
    source, target = map(Path, sys.argv[1:])
    figures: Mapping[str, Any] = json.loads(source.read_text("utf-8"))
    target.write_text(draw([Table(**table) for table in figures["tables"]], figures["micros"]), "utf-8")


def draw(tables: Sequence[Table], micros: Mapping[str, float]) -> str:
    rows, columns = _rows(tables), list(_columns(tables))
    top = MARGIN + HEIGHT + SLANT
    right = columns[-1].x + WIDTH + GAP
    ys = {name: top + HEIGHT * i + _lower(name) for i, name in enumerate(rows)}
    width, bottom = right + 70 + MARGIN, max(ys.values()) + HEIGHT + GAP
    instead = min(y for name, y in ys.items() if name in ALTERNATIVES)
    parts = [
        *(_heading(table, columns, name) for table, name in zip(tables, _HEADINGS, strict=False)),
        *(_slanted(column.name, column.x, top) for column in columns),
        _slanted("CPU, us", right, top),
        *(_label(name, y, micros.get(name), right) for name, y in ys.items()),
        *(_cell(column, name, y) for column in columns for name, y in ys.items()),
        _text(MARGIN, instead - 8, "what one could use instead", "bold"),
        *(_text(MARGIN, bottom + 18 * (i + 1), note, "") for i, note in enumerate(_NOTES)),
    ]
    return _page(width, bottom + 18 * len(_NOTES) + MARGIN, "\n".join(filter(None, parts)))


def _rows(tables: Sequence[Table]) -> list[str]:
    """Scorers that see something, all of them together, then the alternatives."""
    names = list(dict.fromkeys(name for table in tables for name in table.rows))
    active = [name for name in names if any(any(table.rows.get(name, {}).values()) for table in tables)]
    ours = [name for name in active if name not in ALTERNATIVES and name != ANY]
    return [*ours, ANY, *(name for name in names if name in ALTERNATIVES)]


def _lower(name: str) -> int:
    return 2 * GAP + HEIGHT if name in ALTERNATIVES else GAP * (name == ANY)


def _columns(tables: Sequence[Table]) -> Iterator[Column]:
    x = MARGIN + NAMES
    for table in tables:
        for i, name in enumerate(table.columns):
            yield Column(table, name, x, is_healthy=i == 0)
            x += WIDTH
        x += GAP


def _heading(table: Table, columns: Sequence[Column], name: str) -> str:
    own = [column.x for column in columns if column.table is table]
    y = MARGIN + HEIGHT - 6
    line = f'<line class="line" x1="{own[0]}" x2="{own[-1] + WIDTH - 2}" y1="{y}" y2="{y}"/>'
    return _text(own[0], y - 6, name, "bold") + line


def _slanted(name: str, x: int, top: int) -> str:
    at = f"translate({x + WIDTH // 2} {top - 6}) rotate(-45)"
    return f'<text transform="{at}">{escape(name)}</text>'


def _label(name: str, y: int, cost: float | None, right: int) -> str:
    shown = _text(MARGIN, y + 16, name, "bold" if name == ANY else "")
    return shown if cost is None else shown + _text(right + WIDTH - 4, y + 16, f"{cost:,.0f}", "end")


def _cell(column: Column, row: str, y: int) -> str:
    share = column.table.rows.get(row, {}).get(column.name)
    if share is None:
        return ""
    if share == 0:
        return _text(column.x + WIDTH // 2 - 1, y + 16, "0", "empty middle")
    kind = "false" if column.is_healthy else "seen"
    size = f'width="{WIDTH - 2}" height="{HEIGHT - 2}" rx="3" fill-opacity="{0.1 + 0.9 * share:.2f}"'
    ink = "strong middle" if share >= _STRONG else "middle"
    box = f'<rect class="{kind}" x="{column.x}" y="{y}" {size}/>'
    return box + _text(column.x + WIDTH // 2 - 1, y + 16, _percent(share), ink)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share >= 0.0995 else f"{100 * share:.1f}"


def _text(x: int, y: int, content: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(content)}</text>'


def _page(width: int, height: int, body: str) -> str:
    size = f'width="{width}" height="{height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size} role="img">\n'
        f"<title>Which scorer sees which fault</title>\n<style>{_STYLE}</style>\n"
        f'<rect class="paper" {size} rx="6"/>\n{body}\n</svg>\n'
    )


if __name__ == "__main__":
    main()
