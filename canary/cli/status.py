"""`canary status`."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from canary.cli.common import columns, config_at, console, json_option, printable, say, store_of
from canary.cli.matrix import ago, evidence_text, fleet
from canary.cli.survey import Part, Row, Survey, survey
from canary.cli.word import Word

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from canary.config import Config
    from canary.pipeline.watch import Watch
    from canary.records import Incident
    from canary.store.base import Store


@click.command(
    cls=Word,
    exits={0: "no unresolved incident", 1: "there is one", 2: "bad config or store"},
    examples=("canary status", "canary status --reach", "canary status --watch 2", "canary status --json | jq .parts"),
)
@click.option("--reach", "reaching", is_flag=True, help="Also say what the armed detectors can find, and how soon.")
@click.option(
    "--watch",
    "seconds",
    type=click.FloatRange(0.2, 3_600.0),
    is_flag=False,
    flag_value=5.0,
    metavar="[SECONDS]",
    help="Look again every few seconds, 5 if you do not say, until Ctrl-C.",
)
@json_option
@click.pass_obj
def command(path: str, reaching: bool, seconds: float | None, as_json: bool) -> None:
    """The fleet as a matrix: model by platform and pool, with the strongest evidence of each target.

    Evidence is ln R: a detector alarms at 0, and far below it all is well. "armed 5 of 8" series are watched, the
    others still learn: "learning, 340 of 569" golden answers is the one that lacks most. "escalated prose": that probe
    group is probed faster at present. Parts of the fleet that are heard as a whole follow, those with the strongest
    evidence. It reads the store, so it works without the daemon. The bars are how the strongest evidence came to be,
    from 20 nats below the alarm to a full bar at it.
    """
    if as_json and seconds is not None:
        raise click.UsageError("--watch is for people: give --json without it")
    config = config_at(path)
    with store_of(config) as store:
        found = _watched(config, store, seconds) if seconds else survey(config, store, trends=True)
    if as_json:
        say(_all_facts(found, reaching=reaching))
    elif not seconds:
        _show(console(), config, found)
        if reaching:
            _show_reach(console(), found.watch)
    if found.incidents:
        raise SystemExit(1)


def _watched(config: "Config", store: "Store", seconds: float) -> Survey:
    """Look again and again; returns what was seen last. In a pipe one look follows the other."""
    from time import sleep

    found = survey(config, store, trends=True)
    try:
        with _screen(console(), seconds) as show:
            while True:
                show(config, found)
                sleep(seconds)
                found = survey(config, store, trends=True)
    except KeyboardInterrupt:
        return found


@contextmanager
def _screen(out: "Console", seconds: float) -> "Iterator[Callable[[Config, Survey], None]]":
    """The whole screen of a terminal, which is as before afterwards."""
    from rich.console import Group
    from rich.live import Live

    from canary.clock import SystemClock

    clock = SystemClock()

    def look(config: "Config", found: Survey) -> Group:
        title = f"[bold]canary status[/] {clock.now():%Y-%m-%d %H:%M:%S}Z, every {seconds:g} s"
        return Group(title, *_lines(out, config, found))

    if not out.is_terminal:
        yield lambda config, found: out.print(look(config, found))
        return
    with Live(console=out, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        yield lambda config, found: live.update(look(config, found), refresh=True)


def _show(out: "Console", config: "Config", found: Survey) -> None:
    for line in _lines(out, config, found):
        out.print(line)


def _lines(out: "Console", config: "Config", found: Survey) -> "Iterator[RenderableType]":
    yield fleet(found.rows, out.width)
    if found.parts:
        yield _parts_table(found.parts)
    armed = sum(row.status.armed for row in found.rows)
    hierarchy = found.watch.hierarchy
    levels = ", ".join(level.value for level in hierarchy.levels)
    theirs = (
        f": {1.0 / hierarchy.total:.0%} of it theirs, the rest for what hears many ({levels})"
        if levels and armed
        else ""
    )
    yield f"budget {config.budget.false_alarms_per_week:g} false alarms per week over {armed} armed series{theirs}"
    for incident in found.incidents:
        yield from _incident(incident)
    if found.incidents:
        yield f"next: canary incident show {found.incidents[0].id}"
    elif not armed:
        yield "nothing is watched yet; next: canary baseline record --promote"


def _incident(incident: "Incident") -> "Iterator[str]":
    from rich.markup import escape

    from canary.alert.message import largest, summary

    yield f"[bold red]{incident.id}[/] {incident.state.value}: {escape(summary(incident))}"
    blame = largest(incident).blame
    if blame is not None and blame.place.name != incident.target:
        yield f"  where: {escape(printable(blame.place.name))}"


def _parts_table(parts: "Sequence[Part]") -> "Table":
    from rich.markup import escape

    table = columns("part of the fleet", "signal", "evidence", "seen", title="Heard as a whole, the strongest evidence")
    for part in parts:
        table.add_row(escape(printable(part.place)), part.signal, evidence_text(part.evidence), ago(part.seen))
    return table


def _show_reach(out: "Console", watch: "Watch") -> None:
    from canary.cli.sights import NOTE, table, unseen
    from canary.pipeline.sight import sights

    found = sights(watch)
    if not found:
        return
    out.print(table(found))
    for line in unseen(found):
        out.print(line)
    out.print(NOTE, style="dim")


def _all_facts(found: Survey, *, reaching: bool) -> dict[str, object]:
    from dataclasses import asdict

    from canary.pipeline.sight import sights

    facts: dict[str, object] = {
        "targets": [_facts(row) for row in found.rows],
        "parts": [asdict(part) for part in found.parts],
        "incidents": _described(found.incidents),
    }
    return {**facts, "reach": [asdict(one) for one in sights(found.watch, by_signal=True)]} if reaching else facts


def _facts(row: Row) -> dict[str, object]:
    status, last = row.status, row.status.last_result_at
    return {
        "target": status.name,
        "state": status.state.value,
        "evidence_nats": row.evidence if math.isfinite(row.evidence) else None,
        "strongest": row.strongest or None,
        "trend_nats": [each if math.isfinite(each) else None for each in row.trend],
        "touched_share": row.touched,
        "armed": status.armed,
        "escalated": status.escalated,
        "series": status.series,
        "golden": None if row.learning is None else row.learning.n,
        "golden_needed": None if row.learning is None else row.learning.needed,
        "visible_share": None if row.learning is None else row.learning.visible,
        "last_slot_at": None if last is None else last.isoformat(),
    }


def _described(incidents: "Sequence[Incident]") -> list[object]:
    from canary.alert.message import describe

    return [describe(incident) for incident in incidents]
