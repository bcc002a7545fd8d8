"""`canary status`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from canary.cli.common import columns, config_at, console, json_option, plain, say, store_of
from canary.cli.matrix import ago, evidence_text, fleet
from canary.cli.remote import remote_options
from canary.cli.word import Word

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from canary.cli.remote import Remote
    from canary.config import Config
    from canary.daemon.survey import Part, Row
    from canary.pipeline.watch import Watch
    from canary.store.base import Store

Told = Mapping[str, Any]
"""The fleet as JSON: from the store, or from a daemon."""


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
@remote_options
@json_option
@click.pass_obj
def command(path: str, reaching: bool, seconds: float | None, remote: "Remote | None", as_json: bool) -> None:
    """The fleet as a matrix: model by platform and pool, with the strongest evidence of each target.

    Evidence is ln R: a detector alarms at 0, and far below it all is well. "armed 5 of 8" series are watched, the
    others still learn: "learning, 340 of 569" golden answers is the one that lacks most. "escalated prose": that probe
    group is probed faster at present. Parts of the fleet that are heard as a whole follow, those with the strongest
    evidence. It reads the store, so it works without the daemon. The bars are how the strongest evidence came to be,
    from 20 nats below the alarm to a full bar at it.
    """
    if as_json and seconds is not None:
        raise click.UsageError("--watch is for people: give --json without it")
    if remote is not None and reaching and not as_json:
        raise click.UsageError("--reach of a daemon elsewhere is for programs: give --json too")
    if remote is not None:
        told = _shown(lambda: remote.get("survey", reach=reaching), seconds, as_json=as_json)
    else:
        told = _near(config_at(path), seconds, reaching=reaching, as_json=as_json)
    if told["incidents"]:
        raise SystemExit(1)


def _near(config: "Config", seconds: float | None, *, reaching: bool, as_json: bool) -> Told:
    """From the config's own store."""
    with store_of(config) as store:
        told = _shown(lambda: _look(config, store, reaching=reaching and as_json), seconds, as_json=as_json)
        if reaching and not as_json and not seconds:
            from canary.daemon.assembly import watch_of

            _show_reach(console(), watch_of(config, store))
    return told


def _look(config: "Config", store: "Store", *, reaching: bool) -> Told:
    from canary.clock import SystemClock
    from canary.daemon.assembly import watch_of
    from canary.daemon.survey import facts, survey

    return facts(survey(config, store, watch_of(config, store), SystemClock().now(), trends=True), reaching=reaching)


def _shown(look: Callable[[], Told], seconds: float | None, *, as_json: bool) -> Told:
    if seconds:
        return _watched(look, seconds)
    told = look()
    if as_json:
        say(told)
    else:
        for line in _lines(console(), told):
            console().print(line)
    return told


def _watched(look: Callable[[], Told], seconds: float) -> Told:
    """Look again and again; returns what was seen last. In a pipe one look follows the other."""
    from time import sleep

    told = look()
    try:
        with _screen(console(), seconds) as show:
            while True:
                show(told)
                sleep(seconds)
                told = look()
    except KeyboardInterrupt:
        return told


@contextmanager
def _screen(out: "Console", seconds: float) -> "Iterator[Callable[[Told], None]]":
    """The whole screen of a terminal, which is as before afterwards."""
    from rich.console import Group
    from rich.live import Live

    from canary.clock import SystemClock

    clock = SystemClock()

    def look(told: Told) -> Group:
        title = f"[bold]canary status[/] {clock.now():%Y-%m-%d %H:%M:%S}Z, every {seconds:g} s"
        return Group(title, *_lines(out, told))

    if not out.is_terminal:
        yield lambda told: out.print(look(told))
        return
    with Live(console=out, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        yield lambda told: live.update(look(told), refresh=True)


def _lines(out: "Console", told: Told) -> "Iterator[RenderableType]":
    from canary.daemon.survey import parts_of, rows_of

    rows, parts, budget = rows_of(told), parts_of(told), told["budget"]
    yield fleet(rows, out.width)
    if parts:
        yield _parts_table(parts)
    armed, levels = sum(row.status.armed for row in rows), plain(", ".join(budget["levels"]))
    theirs = (
        f": {budget['series_share']:.0%} of it theirs, the rest for what hears many ({levels})"
        if levels and armed
        else ""
    )
    yield f"budget {budget['false_alarms_per_week']:g} false alarms per week over {armed} armed series{theirs}"
    yield from _quiets(rows, told)
    for incident in told["incidents"]:
        yield from _incident(incident)
    if told["incidents"]:
        yield f"next: canary incident show {plain(told['incidents'][0]['incident']['id'])}"
    elif not armed:
        yield "nothing is watched yet; next: canary baseline record --promote"


def _quiets(rows: "Sequence[Row]", told: Told) -> Iterator[str]:
    """Each silence and maintenance window once: until when, by whom, and why."""
    from canary.alert.quiet import Quiet

    of_targets = (row.status.silenced for row in rows if row.status.silenced is not None)
    of_incidents = (Quiet.of(one["silenced"]) for one in told["incidents"] if one["silenced"] is not None)
    for words in dict.fromkeys(quiet.words for quiet in (*of_targets, *of_incidents)):
        yield f"[yellow]quiet[/] {plain(words)}"


def _incident(told: Told) -> Iterator[str]:
    facts = told["incident"]
    state = facts["state"] if told["silenced"] is None else f"{facts['state']}, silenced"
    yield f"[bold red]{plain(facts['id'])}[/] {plain(state)}: {plain(told['summary'])}"


def _parts_table(parts: "Sequence[Part]") -> "Table":
    table = columns("part of the fleet", "signal", "evidence", "seen", title="Heard as a whole, the strongest evidence")
    for part in parts:
        table.add_row(plain(part.place), plain(part.signal), evidence_text(part.evidence), ago(part.seen))
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
