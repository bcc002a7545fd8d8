"""`canary status`."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from canary.cli.common import columns, config_at, console, json_option, say, short, store_of
from canary.cli.word import Word

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from canary.config import Config
    from canary.detect import Learning
    from canary.pipeline.watch import Watch
    from canary.records import Incident
    from canary.store.base import Store, StoredState
    from canary.web.status import TargetStatus

_LOOKS = {
    "healthy": ("green", "✓"),
    "learning": ("cyan", "…"),
    "stale": ("yellow", "◷"),
    "acknowledged": ("yellow", "◑"),
    "suppressed": ("dim", "–"),
    "incident": ("bold red", "✕"),
    "unreachable": ("bold red", "∅"),
}
_CELL = 18  # columns of the matrix
_RECENT = timedelta(minutes=1)  # of a daemon's heartbeat


@dataclass(frozen=True, slots=True)
class Row:
    """A target: its strongest evidence, what an incident touches, when it was seen, and what has most to learn."""

    status: "TargetStatus"
    evidence: float
    strongest: str
    touched: float | None
    seen: timedelta | None
    learning: "Learning | None"


@click.command(
    cls=Word,
    exits={0: "no unresolved incident", 1: "there is one", 2: "bad config or store"},
    examples=("canary status", "watch --color canary --color status", "canary status --json"),
)
@json_option
@click.pass_obj
def command(path: str, as_json: bool) -> None:
    """The fleet as a matrix: model by platform and pool, with the strongest evidence of each target.

    Evidence is ln R: a detector alarms at 0, and far below it all is well. "armed 5 of 8" series are watched, the
    others still learn: "golden 340 of 569" is the one that lacks most. "escalated prose": that probe group is probed
    faster at present. It reads the store, so it works without the daemon.
    """
    config = config_at(path)
    with store_of(config) as store:
        rows, incidents = survey(config, store)
    if as_json:
        say({"targets": [_facts(row) for row in rows], "incidents": _described(incidents)})
    else:
        _show(console(), config, rows, incidents)
    if incidents:
        raise SystemExit(1)


def survey(config: "Config", store: "Store") -> "tuple[list[Row], Sequence[Incident]]":
    """What the store knows of every target, and the unresolved incidents."""
    from canary.clock import SystemClock
    from canary.daemon.assembly import watch_of

    states, incidents = _read(store)
    now = SystemClock().now()
    rows = _rows(config, watch_of(config, store), states, incidents, now)
    return _with_escalated(rows, config, store, now), incidents


def fleet(rows: "Sequence[Row]", width: int) -> "Table":
    """Model by platform and pool; a line for each target where that is too wide."""
    places = list(dict.fromkeys((row.status.platform, row.status.pool) for row in rows))
    return _matrix(rows, places) if (len(places) + 1) * _CELL <= width else _lines(rows)


def _matrix(rows: "Sequence[Row]", places: Sequence[tuple[str, str]]) -> "Table":
    from rich.table import Table

    cells = {(row.status.model, row.status.platform, row.status.pool): "\n".join(_cell(row)) for row in rows}
    table = Table("model", *(f"{platform}/{pool}" for platform, pool in places))
    for model in dict.fromkeys(row.status.model for row in rows):
        table.add_row(model, *(cells.get((model, *place), "") for place in places))
    return table


def _lines(rows: "Sequence[Row]") -> "Table":
    table = columns("target", "state", "evidence", "seen", "watched")
    for row in rows:
        state, evidence, *rest = _cell(row)
        table.add_row(
            row.status.name, state, evidence.removeprefix("evidence "), _seen(row), "\n".join(rest[1:]) or "all"
        )
    return table


def _read(store: "Store") -> "tuple[Mapping[str, list[StoredState]], Sequence[Incident]]":
    from canary.store.base import StateKind

    by_target: dict[str, list[StoredState]] = defaultdict(list)
    with store.reading() as tx:
        for series, state in tx.states(StateKind.ALARM).items():
            by_target[series.target].append(state)
        return by_target, tx.incidents(open_only=True)


def _rows(
    config: "Config",
    watch: "Watch",
    states: "Mapping[str, list[StoredState]]",
    incidents: "Sequence[Incident]",
    now: datetime,
) -> list[Row]:
    from dataclasses import replace

    from canary.alert.message import largest
    from canary.daemon.board import state_of
    from canary.web.status import TargetState, TargetStatus

    intervals = _intervals(config)
    rows = []
    for target in config.targets:
        if target.name not in intervals:
            continue
        ours = [state for state in states.get(target.name, []) if state.series in watch.armed]
        last = max((state.slot_time for state in ours if state.slot_time), default=None)
        status = TargetStatus(
            model=target.model,
            platform=target.platform,
            pool=target.pool,
            state=TargetState.LEARNING,
            interval=intervals[target.name],
            expected_since=now,
            last_result_at=last,
            armed=sum(series.target == target.name for series in watch.armed),
            series=sum(series.target == target.name for series in watch.signals),
        )
        mine = [incident for incident in incidents if incident.touches(target.name, config.region)]
        strongest = max(ours, key=lambda state: state.evidence, default=None)
        rows.append(
            Row(
                replace(status, state=state_of(status, mine, now)),
                -math.inf if strongest is None else strongest.evidence,
                "" if strongest is None else f"{strongest.series.group}/{strongest.series.signal}",
                max((largest(incident).size.best for incident in mine), default=None),
                None if last is None else max(timedelta(0), now - last),
                _neediest(watch, target.name),
            )
        )
    return rows


def _with_escalated(rows: list[Row], config: "Config", store: "Store", now: datetime) -> list[Row]:
    from dataclasses import replace

    from canary.daemon.board import by_target
    from canary.daemon.escalator import kept

    told = kept(store, config.region)
    groups = by_target(told.keys if told.at is not None and now - told.at < _RECENT else ())
    return [replace(row, status=replace(row.status, escalated=groups.get(row.status.name, ()))) for row in rows]


def _neediest(watch: "Watch", target: str) -> "Learning | None":
    ours = [learning for series, learning in watch.learning.items() if series.target == target]
    return max(ours, key=lambda learning: learning.needed - learning.n, default=None)


def _show(out: "Console", config: "Config", rows: "Sequence[Row]", incidents: "Sequence[Incident]") -> None:
    from rich.markup import escape

    from canary.alert.message import summary

    out.print(fleet(rows, out.width))
    armed = sum(row.status.armed for row in rows)
    out.print(f"budget {config.budget.false_alarms_per_week:g} false alarms per week over {armed} armed series")
    for incident in incidents:
        out.print(f"[bold red]{incident.id}[/] {incident.state.value}: {escape(summary(incident))}")
    if incidents:
        out.print(f"next: canary incident show {incidents[0].id}")
    elif not armed:
        out.print("nothing is watched yet; next: canary baseline record --promote")


def _cell(row: Row) -> list[str]:
    """State; evidence, or what an incident touches, for its alarm has reset the detector; when seen; what learns."""
    status = row.status
    style, sign = _LOOKS[status.state.value]
    evidence = f"evidence {row.evidence:+.1f}" if math.isfinite(row.evidence) else "evidence none"
    touched = evidence if row.touched is None else f"{row.touched:.0%} touched"
    lines = [f"[{style}]{sign} {status.state.value}[/]", touched, f"seen {_seen(row)}"]
    if status.armed < status.series:
        lines.append(f"armed {status.armed} of {status.series}")
    if status.escalated:
        lines.append(f"escalated {', '.join(status.escalated)}")
    if row.learning is not None:
        lines.append(f"golden {row.learning.n:,} of {row.learning.needed:,}")
    return lines


def _seen(row: Row) -> str:
    return "never" if row.seen is None else f"{short(timedelta(seconds=round(row.seen.total_seconds())))} ago"


def _facts(row: Row) -> dict[str, object]:
    status, last = row.status, row.status.last_result_at
    return {
        "target": status.name,
        "state": status.state.value,
        "evidence_nats": row.evidence if math.isfinite(row.evidence) else None,
        "strongest": row.strongest or None,
        "touched_share": row.touched,
        "armed": status.armed,
        "escalated": status.escalated,
        "series": status.series,
        "golden": None if row.learning is None else row.learning.n,
        "golden_needed": None if row.learning is None else row.learning.needed,
        "last_slot_at": None if last is None else last.isoformat(),
    }


def _described(incidents: "Sequence[Incident]") -> list[object]:
    from canary.alert.message import describe

    return [describe(incident) for incident in incidents]


def _intervals(config: "Config") -> dict[str, timedelta]:
    """The shortest interval of each target that is probed."""
    slowest_first = sorted(config.assignments(), key=lambda one: one.interval, reverse=True)
    return {one.target.name: one.interval for one in slowest_first}
