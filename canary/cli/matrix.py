"""The fleet as a table: model by platform and pool, each target in its colour."""

import math
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from canary.cli.common import columns, plain, short

if TYPE_CHECKING:
    from rich.table import Table

    from canary.alert.quiet import Quiet
    from canary.daemon.survey import Row

_LOOKS = {
    "healthy": ("green", "✓"),
    "learning": ("cyan", "…"),
    "stale": ("yellow", "◷"),
    "acknowledged": ("yellow", "◑"),
    "suppressed": ("dim", "–"),
    "incident": ("bold red", "✕"),
    "unreachable": ("bold red", "∅"),
}
_CELL = 20  # columns of the matrix
_BARS = "▁▂▃▄▅▆▇█"
_DEPTH = 20.0  # nats below the threshold that the lowest bar stands for


def fleet(rows: "Sequence[Row]", width: int) -> "Table":
    """Model by platform and pool; a line for each target where that is too wide."""
    places = list(dict.fromkeys((row.status.platform, row.status.pool) for row in rows))
    return _matrix(rows, places) if (len(places) + 1) * _CELL <= width else _lines(rows)


def _matrix(rows: "Sequence[Row]", places: Sequence[tuple[str, str]]) -> "Table":
    from rich.table import Table

    cells = {(row.status.model, row.status.platform, row.status.pool): "\n".join(_cell(row)) for row in rows}
    table = Table("model", *(plain(f"{platform}/{pool}") for platform, pool in places))
    for model in dict.fromkeys(row.status.model for row in rows):
        table.add_row(plain(model), *(cells.get((model, *place), "") for place in places))
    return table


def _lines(rows: "Sequence[Row]") -> "Table":
    table = columns("target", "state", "evidence", "", "seen", "watched")
    for row in rows:
        table.add_row(
            plain(row.status.name),
            "\n".join((_state(row), *quiet_lines(row.status.silenced))),
            _touched(row),
            spark(row.trend, 8),
            ago(row.seen),
            "\n".join(_lacks(row)) or "all",
        )
    return table


def spark(trend: Sequence[float], width: int = 16) -> str:
    """Evidence over time in `width` letters, the largest of each part; a full bar is an alarm.

    >>> spark([-20.0, -10.0, -math.inf, -5.0, 0.5], width=5)
    '▁▄ ▆█'
    """
    parts = min(width, len(trend))
    cuts = [round(nth * len(trend) / parts) for nth in range(parts + 1)] if parts else [0]
    highest = [max(trend[begin:end]) for begin, end in pairwise(cuts)]
    return "".join(map(_bar, highest))


def _bar(evidence: float) -> str:
    if evidence == -math.inf:
        return " "
    height = min(1.0, max(0.0, 1.0 + evidence / _DEPTH))
    return _BARS[int(height * (len(_BARS) - 1))]


def _cell(row: "Row") -> list[str]:
    """State; evidence, or what an incident touches, for its alarm has reset the detector; when seen; what learns."""
    touched = _touched(row)
    return [
        _state(row),
        *quiet_lines(row.status.silenced),
        touched if "touched" in touched else f"evidence {touched}",
        *([spark(row.trend)] if row.trend else []),
        f"seen {ago(row.seen)}",
        *([f"escalated {plain(', '.join(row.status.escalated))}"] if row.status.escalated else []),
        *_lacks(row),
    ]


def _state(row: "Row") -> str:
    style, sign = _LOOKS[row.status.state.value]
    return f"[{style}]{sign} {row.status.state.value}[/]"


def quiet_lines(quiet: "Quiet | None") -> list[str]:
    """What keeps it quiet, and until when, in narrow lines."""
    if quiet is None:
        return []
    return [f"{'' if quiet.whole else 'partly '}{quiet.what}", f"until {quiet.until:%m-%d %H:%M}Z"]


def _touched(row: "Row") -> str:
    return evidence_text(row.evidence) if row.touched is None else f"{row.touched:.0%} touched"


def _lacks(row: "Row") -> list[str]:
    """What is not armed yet, how far the neediest series is, and the least share that it could see."""
    armed, learning = (row.status.armed, row.status.series), row.learning
    lines = [] if armed[0] == armed[1] else [f"armed {armed[0]} of {armed[1]}"]
    if learning is not None:
        lines.append(f"learning, {learning.n:,} of {learning.needed:,}")
        lines += [f"sees {learning.visible:.0%}, not less"] if learning.visible < 1.0 else []
    return lines


def evidence_text(evidence: float) -> str:
    return f"{evidence:+.1f}" if math.isfinite(evidence) else "none"


def ago(time: timedelta | None) -> str:
    return "never" if time is None else f"{short(timedelta(seconds=round(time.total_seconds())))} ago"
