"""`canary status`."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from canary.cli.common import config_at, console, json_option, say, store_of

if TYPE_CHECKING:
    from rich.table import Table

    from canary.config import Config
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


@click.command()
@json_option
@click.pass_obj
def command(path: str, as_json: bool) -> None:
    """The fleet as a matrix: model by platform and pool, with the strongest evidence of each target.

    Evidence is ln R: a detector alarms at 0. It reads the store, so it works without the daemon.

    Exit codes: 0 no unresolved incident, 1 there is one.
    """
    config = config_at(path)
    with store_of(config, create=True) as store:
        rows, incidents = survey(config, store)
    if as_json:
        say({"targets": [_facts(*row) for row in rows], "incidents": _described(incidents)})
    else:
        _show(config, rows, incidents)
    if incidents:
        raise SystemExit(1)


Row = tuple["TargetStatus", float]
"""A target and the strongest evidence of its series."""


def survey(config: "Config", store: "Store") -> "tuple[list[Row], Sequence[Incident]]":
    """What the store knows of every target, and the unresolved incidents."""
    from canary.clock import SystemClock
    from canary.daemon.assembly import watch_of

    states, incidents = _read(store)
    return _rows(config, watch_of(config, store), states, incidents, SystemClock().now()), incidents


def matrix(rows: "Sequence[Row]") -> "Table":
    """Model by platform and pool."""
    from rich.table import Table

    places = list(dict.fromkeys((status.platform, status.pool) for status, _ in rows))
    cells = {(s.model, s.platform, s.pool): _cell(s, evidence) for s, evidence in rows}
    table = Table("model", *(f"{platform}/{pool}" for platform, pool in places))
    for model in dict.fromkeys(status.model for status, _ in rows):
        table.add_row(model, *(cells.get((model, *place), "") for place in places))
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
) -> "list[tuple[TargetStatus, float]]":
    from dataclasses import replace

    from canary.daemon.board import state_of
    from canary.web.status import TargetState, TargetStatus

    intervals = _intervals(config)
    rows = []
    for target in config.targets:
        if target.name not in intervals:
            continue
        ours = states.get(target.name, [])
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
        mine = [incident for incident in incidents if incident.target == target.name]
        evidence = max((state.evidence for state in ours), default=-math.inf)
        rows.append((replace(status, state=state_of(status, mine, now)), evidence))
    return rows


def _show(config: "Config", rows: "Sequence[Row]", incidents: "Sequence[Incident]") -> None:
    from rich.markup import escape

    from canary.alert.message import summary

    out = console()
    out.print(matrix(rows))
    armed = sum(status.armed for status, _ in rows)
    out.print(f"budget {config.budget.false_alarms_per_week:g} false alarms per week over {armed} armed series")
    for incident in incidents:
        out.print(f"[bold red]{incident.id}[/] {incident.state.value}: {escape(summary(incident))}")
    if incidents:
        out.print(f"next: canary incident show {incidents[0].id}")


def _cell(status: "TargetStatus", evidence: float) -> str:
    style, sign = _LOOKS[status.state.value]
    shown = f"{evidence:+.1f}" if math.isfinite(evidence) else "none"
    armed = "" if status.armed == status.series else f"\narmed {status.armed} of {status.series}"
    return f"[{style}]{sign} {status.state.value}[/]\nevidence {shown}{armed}"


def _facts(status: "TargetStatus", evidence: float) -> dict[str, object]:
    last = status.last_result_at
    return {
        "target": status.name,
        "state": status.state.value,
        "evidence_nats": evidence if math.isfinite(evidence) else None,
        "armed": status.armed,
        "series": status.series,
        "last_slot_at": None if last is None else last.isoformat(),
    }


def _described(incidents: "Sequence[Incident]") -> list[object]:
    from canary.alert.message import describe

    return [describe(incident) for incident in incidents]


def _intervals(config: "Config") -> dict[str, timedelta]:
    """The shortest interval of each target that is probed."""
    slowest_first = sorted(config.assignments(), key=lambda one: one.interval, reverse=True)
    return {one.target.name: one.interval for one in slowest_first}
