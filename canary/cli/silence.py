"""`canary silence`."""

import getpass
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from canary.changes import one_line
from canary.cli.common import columns, config_at, console, json_option, minute, printable, say, store_of
from canary.cli.complete import matcher_texts, silence_ids
from canary.cli.moment import length
from canary.cli.remote import remote_options
from canary.cli.word import Noun

if TYPE_CHECKING:
    from canary.cli.remote import Remote
    from canary.records import Matchers, Silence

_LONGEST = timedelta(days=365)
_SHOWN = 5  # names in a line


def _read(_: click.Context, __: click.Parameter, texts: Sequence[str]) -> "Matchers":
    from canary.records import matcher

    try:
        return tuple(matcher(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _line(_: click.Context, __: click.Parameter, text: str) -> str:
    line = one_line(text)
    if not line:
        raise click.BadParameter("is empty: write one line")
    return line


def _moment(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    from canary.changes import moment

    try:
        return None if text is None else moment(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


_matchers = click.argument(
    "matchers", nargs=-1, required=True, metavar="LABEL=GLOB...", callback=_read, shell_complete=matcher_texts
)
_who = click.option("--by", "who", default=getpass.getuser, callback=_line, help="Who. [default: your user name]")


@click.group(cls=Noun)
def command() -> None:
    """Silence incidents for a while, or freeze what is worked on."""


@command.command(
    exits={0: "silenced", 2: "bad input, config or store: nothing was silenced"},
    examples=(
        'canary silence add pool=tpu-3 --for 2h --reason "draining, see OPS-17"',
        'canary silence add model=mid symptom=shape|deviation --until 2026-03-01T06:00Z --reason "new template"',
        'canary silence add platform=tpu --maintenance --for 4h --reason "kernel upgrade"',
    ),
)
@_matchers
@click.option("--reason", required=True, callback=_line, help="Why; people will read it.")
@click.option("--for", "lasts", callback=length, help="How long: 90s, 5m, 1h, 2d. This or --until is required.")
@click.option("--until", "end", callback=_moment, help="When it ends: ISO 8601 with a zone.")
@click.option("--from", "start", callback=_moment, help="When it begins: ISO 8601 with a zone. [default: now]")
@click.option("--maintenance", "freezes", is_flag=True, help="Also let the detectors of these targets stand still.")
@click.option("--force", is_flag=True, help="Though nothing that is known fits a matcher.")
@_who
@remote_options
@json_option
@click.pass_obj
def add(
    path: str,
    matchers: "Matchers",
    reason: str,
    lasts: timedelta | None,
    end: datetime | None,
    start: datetime | None,
    freezes: bool,
    force: bool,
    who: str,
    remote: "Remote | None",
    as_json: bool,
) -> None:
    """Tell nobody of incidents that all matchers cover, until a time.

    LABEL is model, platform, pool, region, group, symptom, signal or severity; GLOB a name or a glob, with | between
    alternatives; LABEL!=GLOB is its opposite. Answers are still judged and incidents still kept; who was told of one
    hears of its end; what is open when the silence ends is told then. Receivers are reminded an hour before the end,
    and weekly.

    With --maintenance the detectors of the targets stand still meanwhile: nothing is fed to them, and nothing reset.
    """
    from canary.alert.maintenance import fault
    from canary.alert.silences import describe, made
    from canary.clock import SystemClock
    from canary.daemon.assembly import ground_of
    from canary.desk import silences as desk

    now = SystemClock().now()
    starts, ends = _span(now, start, lasts, end)
    wrong = fault(matchers) if freezes else None
    if wrong is not None:
        raise click.BadParameter(wrong, param_hint="LABEL=GLOB")
    silence = made(matchers, who, reason, starts, ends, freezes=freezes)
    if remote is not None:
        told = _sent(remote, silence, force=force)
    else:
        config = config_at(path)
        with store_of(config, create=True) as store, store.transaction() as tx:
            told = {**describe(silence), **desk.add(tx, ground_of(config), silence, who, now, doubtful=force).facts()}
    if as_json:
        say(told)
    else:
        click.echo(printable(f"{told['id']} until {minute(silence.ends_at)}"))
        _show(told)


@command.command(
    exits={0: "shown", 2: "bad input, config or store"},
    examples=("canary silence preview pool=tpu-*", "canary silence preview symptom=shape --json"),
)
@_matchers
@remote_options
@json_option
@click.pass_obj
def preview(path: str, matchers: "Matchers", remote: "Remote | None", as_json: bool) -> None:
    """What these matchers would silence now: targets, and open incidents. Nothing is silenced."""
    from canary.daemon.assembly import ground_of
    from canary.desk.silences import covered

    if remote is not None:
        told = remote.post("silences", "preview", matchers=[one.text for one in matchers])
    else:
        config = config_at(path)
        with store_of(config) as store, store.reading() as tx:
            told = covered(tx, ground_of(config), matchers).facts()
    if as_json:
        say(told)
    else:
        _show(told)


@command.command(
    "list",
    exits={0: "listed", 2: "bad config or store"},
    examples=("canary silence list", "canary silence list --all --json"),
)
@click.option("--all", "everything", is_flag=True, help="Those that ended too.")
@remote_options
@json_option
@click.pass_obj
def list_(path: str, everything: bool, remote: "Remote | None", as_json: bool) -> None:
    """Silences that hold or will hold, the first to end first."""
    from canary.alert.silences import describe
    from canary.clock import SystemClock

    now = SystemClock().now()
    if remote is not None:
        found = remote.get("silences", all=everything)
    else:
        with store_of(config_at(path)) as store, store.reading() as tx:
            found = [describe(one) for one in tx.silences(since=None if everything else now)]
    if as_json:
        say(found)
    elif found:
        _table(found, now)
    else:
        console().print("no silence yet" if everything else "nothing is silenced")


@command.command(
    exits={0: "ended, or had ended before", 2: "no such silence, or bad config or store"},
    examples=("canary silence expire 3f2a", "canary silence expire 3f2a --by ada"),
)
@click.argument("silence_id", shell_complete=silence_ids)
@_who
@remote_options
@json_option
@click.pass_obj
def expire(path: str, silence_id: str, who: str, remote: "Remote | None", as_json: bool) -> None:
    """End a silence now; what is open then is told within seconds, if the daemon runs."""
    from canary.alert.silences import describe
    from canary.clock import SystemClock
    from canary.desk import silences as desk

    if remote is not None:
        ended = remote.post("silences", silence_id, "expire", by=who)
    else:
        with store_of(config_at(path)) as store, store.transaction() as tx:
            ended = describe(desk.expire(tx, silence_id, who, SystemClock().now()))
    if as_json:
        say(ended)
    else:
        click.echo(printable(f"{ended['id']} ended {minute(datetime.fromisoformat(ended['ends_at']))}"))


def _span(
    now: datetime, start: datetime | None, lasts: timedelta | None, end: datetime | None
) -> tuple[datetime, datetime]:
    if (lasts is None) == (end is None):
        raise click.UsageError("give --for or --until: a silence has an end")
    starts = now if start is None else start
    ends = starts + lasts if lasts is not None else end or now
    if ends <= max(now, starts):
        raise click.BadParameter("has passed, or is not after its beginning", param_hint="the end")
    if ends - now > _LONGEST:
        raise click.BadParameter("is more than a year ahead", param_hint="the end")
    return starts, ends


def _sent(remote: "Remote", silence: "Silence", *, force: bool) -> Any:
    return remote.post(
        "silences",
        matchers=list(silence.matchers),
        reason=silence.reason,
        starts=silence.starts_at.isoformat(),
        until=silence.ends_at.isoformat(),
        maintenance=silence.freezes,
        force=force or None,
        by=silence.author,
    )


def _show(told: Any) -> None:
    for doubt in told["doubts"]:
        click.echo(printable(f"canary: warning: {doubt}"), err=True)
    names = ", ".join(map(printable, told["targets"][:_SHOWN])) + (", ..." if len(told["targets"]) > _SHOWN else "")
    click.echo(f"silences {len(told['targets'])} of {told['targets_total']} targets now{f': {names}' if names else ''}")
    for incident, summary in zip(told["incidents"], told["summaries"], strict=True):
        click.echo(printable(f"silences {incident} {summary}"))
    if not told["incidents"]:
        click.echo("silences no open incident")


def _table(found: Sequence[Any], now: datetime) -> None:
    from rich.markup import escape

    table = columns("silence", "matches", "from", "until", "by", "reason")
    for one in found:
        starts, ends = (datetime.fromisoformat(one[key]) for key in ("starts_at", "ends_at"))
        state = "" if starts <= now < ends else " (ended)" if ends <= now else " (to come)"
        kind = " [bold]maintenance[/]" if one["maintenance"] else ""
        what = f"{escape(printable(' '.join(one['matchers'])))}{kind}"
        said = (escape(printable(one["author"])), escape(printable(one["reason"])))
        table.add_row(escape(printable(one["id"])), what, minute(starts), f"{minute(ends)}{state}", *said)
    console().print(table)
