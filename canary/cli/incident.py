"""`canary incident`."""

import getpass
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from canary.cli.common import config_at, console, json_option, say, store_of

if TYPE_CHECKING:
    from canary.alert.incident import Decision
    from canary.records import Incident

_STYLES = {"open": "bold red", "acknowledged": "yellow", "resolved": "green"}
_who = click.option("--by", "who", default=getpass.getuser, help="Who does it. [default: your user name]")


@click.group()
def command() -> None:
    """List, show, acknowledge and resolve incidents."""


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Resolved ones too.")
@json_option
@click.pass_obj
def list_(path: str, everything: bool, as_json: bool) -> None:
    """Unresolved incidents, newest last.

    Exit codes: 0 there is none, 1 there is.
    """
    from rich.table import Table

    from canary.alert.message import describe, summary

    with store_of(config_at(path)) as store, store.reading() as tx:
        found = tx.incidents(open_only=not everything)
    if as_json:
        say([describe(one) for one in found])
    else:
        table = Table("incident", "state", "opened", "what")
        for one in found:
            state = f"[{_STYLES[one.state.value]}]{one.state.value}[/]"
            table.add_row(one.id, state, one.opened_at.isoformat(timespec="minutes"), summary(one))
        console().print(table if found else "no unresolved incident")
    if any(one.resolved_at is None for one in found):
        raise SystemExit(1)


@command.command()
@click.argument("incident_id")
@json_option
@click.pass_obj
def show(path: str, incident_id: str, as_json: bool) -> None:
    """One incident (an id or the beginning of one): what, where, since when, how big, evidence, how to replay it."""
    from rich.markup import escape
    from rich.table import Table

    from canary.alert.message import describe, text

    with store_of(config_at(path)) as store, store.reading() as tx:
        found = tx.incident(incident_id)
    if as_json:
        say(describe(found))
        return
    out = console()
    head, *lines = text(found)
    out.print(f"[{_STYLES[found.state.value]}]{found.state.value}[/] [bold]{found.id}[/] {escape(head)}")
    for line in lines:
        out.print(escape(line), soft_wrap=True)
    table = Table("signal", "group", "alarms", "since", "share of answers", "recovered")
    for finding in found.findings:
        size = finding.size
        share = f"{size.best:.1%} ({size.low:.1%} to {size.high:.1%})"
        recovered = "-" if finding.recovered_at is None else finding.recovered_at.isoformat(timespec="minutes")
        since = finding.onset.best.isoformat(timespec="minutes")
        table.add_row(finding.series.signal, finding.series.group, str(finding.alarms), since, share, recovered)
    out.print(table)


@command.command()
@click.argument("incident_id")
@_who
@click.pass_obj
def ack(path: str, incident_id: str, who: str) -> None:
    """Acknowledge an incident: somebody is on it."""
    from canary.alert.incident import acknowledge

    _decide(path, incident_id, lambda found, now: acknowledge(found, who, now))


@command.command()
@click.argument("incident_id")
@_who
@click.pass_obj
def resolve(path: str, incident_id: str, who: str) -> None:
    """Resolve an incident by hand; an alarm within the hour opens it again."""
    from canary.alert.incident import resolve as resolved

    _decide(path, incident_id, lambda found, now: resolved(found, who, now))


def _decide(path: str, incident_id: str, act: "Callable[[Incident, datetime], Decision]") -> None:
    from canary.alert.incident import notification
    from canary.alert.message import notifications
    from canary.alert.routing import route
    from canary.clock import SystemClock
    from canary.daemon.assembly import receivers_of

    config, now = config_at(path), SystemClock().now()
    with store_of(config) as store, store.transaction() as tx:
        incident, reason = act(tx.incident(incident_id), now)
        tx.put_incident(incident)
        kind = notification(reason, incident)
        if kind is not None:
            tx.enqueue(notifications(incident, kind, route(receivers_of(config), incident), now))
    click.echo(f"{incident.id} {reason.value}")
