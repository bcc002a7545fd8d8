"""`canary incident`."""

import getpass
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from canary.cli.common import columns, config_at, console, json_option, minute, plain, printable, say, store_of
from canary.cli.complete import evidence_ids, incident_ids
from canary.cli.incident_show import STYLES, show
from canary.cli.probe import show_outcome
from canary.cli.remote import remote_options
from canary.cli.word import Noun, Refused

if TYPE_CHECKING:
    from rich.table import Table

    from canary.cli.remote import Remote
    from canary.config import Config
    from canary.desk.ground import Ground
    from canary.records import Act

_who = click.option("--by", "who", default=getpass.getuser, help="Who does it. [default: your user name]")
_which = click.argument("incident_id", shell_complete=incident_ids)


@click.group(cls=Noun)
def command() -> None:
    """List, show, acknowledge and resolve incidents."""


@command.command(
    "list",
    exits={0: "no incident is unresolved", 1: "one is", 2: "bad config or store"},
    examples=(
        "canary incident list",
        "canary incident list --all --json",
        "canary incident list --url http://canary:9464",
    ),
)
@click.option("--all", "everything", is_flag=True, help="Resolved ones too.")
@remote_options
@json_option
@click.pass_obj
def list_(path: str, everything: bool, remote: "Remote | None", as_json: bool) -> None:
    """Unresolved incidents, newest last."""
    found = _all(path, everything) if remote is None else remote.get("incidents", all=everything, limit=1_000)
    if as_json:
        say(found)
    elif found:
        console().print(_listed(found))
    else:
        console().print("no incident yet" if everything else "no unresolved incident")
    if any(one["incident"]["resolved_at"] is None for one in found):
        raise SystemExit(1)


command.add_command(show)


@command.command(
    exits={0: "shown", 2: "no such slot in the store, or bad config or store"},
    examples=("canary incident evidence 1576961b",),
)
@click.argument("slot_id", shell_complete=evidence_ids)
@json_option
@click.pass_obj
def evidence(path: str, slot_id: str, as_json: bool) -> None:
    """The answer of one run (a slot id, or the beginning of one that an incident names), with its scores.

    The answer is shown here and nowhere else: notifications, logs and the page never carry it.
    """
    from canary.desk.evidence import exhibit, outcome

    with store_of(config_at(path)) as store, store.reading() as tx:
        seen, scores = exhibit(tx, slot_id)
    if as_json:
        say(outcome(seen, scores))
        return
    out = console()
    out.print(f"[bold]{seen.probe_id}[/] on {seen.target}, {minute(seen.slot_time)}, slot {seen.slot_id}")
    if seen.response is None and seen.failure is None:
        out.print("the answer is not kept any more (see store.retention in the config)")
    show_outcome(seen, scores)


@command.command(
    exits={0: "acknowledged", 2: "no such incident, or it is resolved, or bad config or store"},
    examples=("canary incident ack 72ac --by ada",),
)
@_which
@_who
@remote_options
@json_option
@click.pass_obj
def ack(path: str, incident_id: str, who: str, remote: "Remote | None", as_json: bool) -> None:
    """Acknowledge an incident: somebody is on it."""
    from canary.records import Act

    decided = _decided(path, incident_id, Act.ACKNOWLEDGE, who, remote)
    if decided["incident"]["state"] == "resolved":
        raise Refused(f"{decided['incident']['id']} is resolved: there is nothing to acknowledge")
    _tell(decided, as_json=as_json)


@command.command(
    exits={0: "resolved", 2: "no such incident, or bad config or store"}, examples=("canary incident resolve 72ac",)
)
@_which
@_who
@remote_options
@json_option
@click.pass_obj
def resolve(path: str, incident_id: str, who: str, remote: "Remote | None", as_json: bool) -> None:
    """Resolve an incident by hand; an alarm within the hour opens it again."""
    from canary.records import Act

    _tell(_decided(path, incident_id, Act.RESOLVE, who, remote), as_json=as_json)


def _all(path: str, everything: bool) -> "list[Any]":
    from canary.clock import SystemClock
    from canary.desk.incidents import listed

    config = config_at(path)
    with store_of(config) as store, store.reading() as tx:
        return list(listed(tx, _ground(config), SystemClock().now(), everything=everything))


def _decided(path: str, incident_id: str, act: "Act", who: str, remote: "Remote | None") -> Any:
    from canary.clock import SystemClock
    from canary.desk.incidents import decide, decided
    from canary.records import Act

    if remote is not None:
        return remote.post("incidents", incident_id, "ack" if act is Act.ACKNOWLEDGE else "resolve", by=who)
    config = config_at(path)
    with store_of(config) as store, store.transaction() as tx:
        return decided(decide(tx, _ground(config), incident_id, act, who, SystemClock().now()))


def _tell(decided: Any, *, as_json: bool) -> None:
    if as_json:
        say(decided)
    else:
        click.echo(printable(f"{decided['incident']['id']} {decided['reason']}"))


def _ground(config: "Config") -> "Ground":
    from canary.daemon.assembly import ground_of

    return ground_of(config)


def _listed(found: "Sequence[Any]") -> "Table":
    from canary.alert.quiet import Quiet
    from canary.cli.matrix import quiet_lines

    table = columns("incident", "state", "opened", "what")
    for one in found:
        facts, style = one["incident"], STYLES[one["incident"]["state"]]
        opened = minute(datetime.fromisoformat(facts["opened_at"]))
        quiet = None if one["silenced"] is None else Quiet.of(one["silenced"])
        state = "\n".join((f"[{style}]{facts['state']}[/]", *quiet_lines(quiet)))
        table.add_row(plain(facts["id"]), state, opened, plain(one["summary"]))
    return table
