"""`canary change`."""

import getpass
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from canary.changes import MOST_BYTES, Defaults, Source, change_id, link, moment, one_line, parse, scope
from canary.cli.common import columns, config_at, console, json_option, minute, printable, say, short, store_of
from canary.cli.complete import target_names
from canary.cli.remote import remote_options
from canary.cli.word import Noun
from canary.records import Change, ChangeKind, Scope

if TYPE_CHECKING:
    from canary.cli.remote import Remote
    from canary.config import Config

_AHEAD = timedelta(minutes=5)  # by which clocks may differ

T = TypeVar("T")


def _read(reader: Callable[[str], T]) -> Callable[[click.Context, click.Parameter, str | None], T | None]:
    """A click callback of what raises ValueError."""

    def callback(_: click.Context, __: click.Parameter, written: str | None) -> T | None:
        try:
            return None if written is None else reader(written)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


def _moment(text: str) -> datetime:
    from canary.clock import SystemClock

    return moment(text, SystemClock().now())


def _past(text: str) -> datetime:
    when = _moment(text)
    if when > _moment("now") + _AHEAD:
        raise ValueError("lies ahead: record a change when it is made")
    return when


def _line(text: str) -> str:
    line = one_line(text)
    if not line:
        raise ValueError("is empty: write one line")
    return line


_kinds = click.Choice([kind.value for kind in ChangeKind if kind is not ChangeKind.GATE])
_scope = click.option(
    "--scope",
    "where",
    default="*",
    show_default=True,
    callback=_read(scope),
    shell_complete=target_names,
    help="MODEL/PLATFORM/POOL or MODEL/PLATFORM/POOL/REGION; each a name or a glob, * for any.",
)


def _require_considered(kind: str | None) -> None:
    """A change of kind model ends what golden answers say of all in its scope: that is no default."""
    source = click.get_current_context().get_parameter_source("where")
    if kind == ChangeKind.MODEL and source is click.core.ParameterSource.DEFAULT:
        raise click.UsageError(
            "a change of kind model needs --scope: all that lies there is learned anew, and pages nobody until then "
            "(--scope '*' for the whole fleet)"
        )


@click.group(cls=Noun)
def command() -> None:
    """Record, import and list changes: deploys, configs, flags, weights. Incidents name those that may be the cause."""


@command.command(
    exits={0: "recorded, or known already", 2: "bad input, config or store"},
    examples=(
        'canary change add deploy "engine 2.4" --scope "*/api/tpu-*"',
        'canary change add routing "10 % to long" --scope mid/api/short --at "10m ago" --link https://ci.example.com/7',
        'canary change add rollout "sampler 9" --at 2025-08-25T21:00:00Z --until 2025-08-26T03:00:00Z --id sampler-9',
    ),
)
@click.argument("kind", type=_kinds, metavar="KIND")
@click.argument("summary", callback=_read(_line))
@_scope
@click.option(
    "--at", default="now", show_default=True, callback=_read(_past), help='ISO 8601 with a zone, or "10m ago".'
)
@click.option("--until", callback=_read(_moment), help="When it had taken effect everywhere, if step by step.")
@click.option("--link", "url", callback=_read(link), help="Where to read more; shown in notifications.")
@click.option("--author", callback=_read(_line), help="Who made it. [default: your user name; with --url the token's]")
@click.option("--id", "identity", callback=_read(_line), help="Of your own; recorded twice, it counts once.")
@remote_options
@json_option
@click.pass_obj
def add(
    path: str,
    kind: str,
    summary: str,
    where: Scope,
    at: datetime,
    until: datetime | None,
    url: str | None,
    author: str | None,
    identity: str | None,
    remote: "Remote | None",
    as_json: bool,
) -> None:
    """Record a change: KIND is what was changed, SUMMARY says it in a few words.

    KIND is deploy (code), config, flag, routing (weights, load balancing), rollout (a deploy step by step), model
    (weights, tokenizer, template), scale, hardware or other.

    Golden answers say nothing of another model: after a change of kind model the targets in its scope are learning, and
    nobody is paged for their quality, until `canary baseline record --version NAME` has learnt how it answers. So it
    has to name its --scope, and --at where golden answers of the new model are there already.
    """
    _require_considered(kind)
    if until is not None and until < at:
        raise click.BadParameter("lies before --at", param_hint="--until")
    if remote is not None and author is not None:
        raise click.UsageError("a daemon elsewhere takes the token's name for the author: leave out --author")
    what = ChangeKind(kind)
    identity = identity or change_id(what, at, where, summary)
    change = Change(identity, what, at, summary, where, url or "", author or getpass.getuser(), until)
    told = _recorded(path, change) if remote is None else _sent(remote, change)
    if as_json:
        say(told)
    else:
        new = "recorded" if told["recorded"] else "known already:"
        click.echo(f"{new} {change.id} {kind} on {where.name}, {minute(at)}")
    if remote is None:
        _warn(config_at(path), [change])
    elif not told["targets"]:
        click.echo(f"canary: warning: no target of {remote.url} fits {where.name}", err=True)


@command.command(
    "import",
    exits={0: "imported; what was known already counts once", 2: "bad input, config or store: nothing was recorded"},
    examples=(
        "canary change import github event.json --scope 'mid/api/*'",
        "git log --since=2.weeks | canary change import git --kind config --scope '*/api/*'",
        "kubectl get applications -A -o json | canary change import argo",
    ),
)
@click.argument("source", type=click.Choice([source.value for source in Source]), metavar="SOURCE")
@click.argument("file", type=click.File("rb"), default="-")
@_scope
@click.option("--kind", type=_kinds, metavar="KIND", help="Overrides the source's; see `canary change add --help`.")
@json_option
@click.pass_obj
def import_(path: str, source: str, file: Any, where: Scope, kind: str | None, as_json: bool) -> None:
    """Record what a SOURCE tells, from FILE or standard input.

    SOURCE is github (webhook events: deployment, deployment_status, push), argo (Argo CD Applications with their
    history), flagger (webhooks of type event) or git (the output of plain `git log`). Pushes and commits are of kind
    "other", unless --kind says more.

    --scope holds where the source says none: a deployment's payload or a Flagger webhook's metadata may say a "scope",
    an Application the annotation "canary/scope".
    """
    _require_considered(kind)
    config = config_at(path)
    name = getattr(file, "name", "<stdin>")
    defaults = Defaults(where, ChangeKind(kind) if kind else None)
    changes = parse(file.read(MOST_BYTES + 1), Source(source), name=name, defaults=defaults)
    new = _record(config, changes)
    if as_json:
        say([_told(config, change, new=first) for change, first in zip(changes, new, strict=True)])
    else:
        click.echo(f"{sum(new)} recorded, {len(new) - sum(new)} known already")
    _warn(config, changes)


@command.command(
    "list",
    exits={0: "listed", 2: "bad input, config or store"},
    examples=("canary change list", "canary change list --since 2d --scope mid/api/short --json"),
)
@click.option("--since", default="14d ago", show_default=True, callback=_read(_moment), help="ISO 8601, or 14d ago.")
@_scope
@remote_options
@json_option
@click.pass_obj
def list_(path: str, since: datetime, where: Scope, remote: "Remote | None", as_json: bool) -> None:
    """Recorded changes, newest last; with --scope, those that may have touched it."""
    if remote is None:
        found = _listed(path, since, where)
    else:
        found = remote.get("changes", since=since.isoformat(), scope=where.name)
    if as_json:
        say(found)
    elif found:
        _show(found)
    else:
        click.echo(f"no change recorded since {minute(since)}: `canary change add --help`")


def _listed(path: str, since: datetime, where: Scope) -> list[Any]:
    from canary.alert.message import describe_change
    from canary.desk.changes import listed

    with store_of(config_at(path)) as store, store.reading() as tx:
        return [describe_change(change) for change in listed(tx, since, where)]


def _recorded(path: str, change: Change) -> Any:
    config = config_at(path)
    (new,) = _record(config, [change])
    return _told(config, change, new=new)


def _sent(remote: "Remote", change: Change) -> Any:
    until = change.finished_at
    return remote.post(
        "changes",
        kind=change.kind.value,
        summary=change.summary,
        scope=change.scope.name,
        at=change.at.isoformat(),
        until=None if until is None else until.isoformat(),
        link=change.link or None,
        id=change.id,
    )


def _record(config: "Config", changes: Sequence[Change]) -> list[bool]:
    """Keep them; whether each was new."""
    from canary.clock import SystemClock
    from canary.daemon.assembly import ground_of
    from canary.desk.changes import record

    with store_of(config, create=True) as store, store.transaction() as tx:
        return record(tx, ground_of(config), changes, getpass.getuser(), SystemClock().now())


def _told(config: "Config", change: Change, *, new: bool) -> dict[str, object]:
    from canary.daemon.assembly import ground_of
    from canary.desk.changes import told

    return told(ground_of(config), change, new=new)


def _warn(config: "Config", changes: Iterable[Change]) -> None:
    from canary.daemon.assembly import ground_of

    for where in dict.fromkeys(change.scope for change in changes):
        if not ground_of(config).within(where):
            click.echo(f"canary: warning: no configured target fits {where.name}{_near(config, where)}", err=True)


def _near(config: "Config", where: Scope) -> str:
    from difflib import get_close_matches

    wanted = replace(where, region=None).name
    return "".join(
        f'; did you mean "{name}"?' for name in get_close_matches(wanted, [one.name for one in config.targets], n=1)
    )


def _show(found: Sequence[Any]) -> None:
    from rich.markup import escape

    table = columns("at", "kind", "scope", "what", "by", "id")
    for change in found:
        at = datetime.fromisoformat(change["at"])
        when = minute(at) if change["finished_at"] is None else f"{minute(at)} + {_lasted(change)}"
        said = (change["kind"], Scope(**change["scope"]).name, change["summary"], change["author"], change["id"])
        table.add_row(when, *(escape(printable(one)) for one in said))
    console().print(table)


def _lasted(change: Any) -> str:
    return short(datetime.fromisoformat(change["finished_at"]) - datetime.fromisoformat(change["at"]))
