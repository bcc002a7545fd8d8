"""`canary incident show`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from canary.cli.common import columns, config_at, console, json_option, minute, plain, printable, say, store_of
from canary.cli.complete import incident_ids
from canary.cli.matrix import spark
from canary.cli.remote import remote_options
from canary.cli.word import Word

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from canary.alert.suspects import Suspects
    from canary.cli.remote import Remote
    from canary.config import Config
    from canary.desk.evidence import Exhibit
    from canary.desk.ground import Ground
    from canary.desk.story import Moment
    from canary.records import Incident, Observation
    from canary.store.base import Transaction

STYLES = {"open": "bold red", "acknowledged": "yellow", "resolved": "green"}
_KINDS = {"onset": "yellow", "alarm": "bold red", "worsened": "bold red", "change": "magenta", "recovered": "green"}
_GOLDEN = 20  # golden answers of the same probe and salt that are looked at
_SPARK = 60


@dataclass(frozen=True, slots=True)
class _Story:
    """All that is shown."""

    incident: "Incident"
    silenced: Any
    suspected: "Suspects"
    moments: "Sequence[Moment]"
    trend: Sequence[float]
    exhibits: "Sequence[Exhibit]"
    golden: "Sequence[Sequence[str]]"


@click.command(
    cls=Word,
    exits={0: "shown", 2: "no such incident, or bad config or store"},
    examples=("canary incident show", "canary incident show 72ac --no-answers", "canary incident show 72ac --json"),
)
@click.argument("incident_id", required=False, shell_complete=incident_ids)
@click.option("--answers/--no-answers", default=True, show_default=True, help="What the worst answers say.")
@remote_options
@json_option
@click.pass_obj
def show(path: str, incident_id: str | None, answers: bool, remote: "Remote | None", as_json: bool) -> None:
    """The story of one incident: what, where, since when, how big, evidence, suspected changes, what to do next.

    INCIDENT_ID is an id or the beginning of one; without it, the newest that is unresolved. The worst answers stand
    beside the nearest golden one: [-golden-] {+other+} {!and should not be there!}. They are shown here alone: no
    notification, log, metric or page carries them, and --json does not.
    """
    from canary.desk import incidents

    if remote is not None:
        _show_remote(remote, incident_id, as_json=as_json)
        return
    from canary.clock import SystemClock

    config, now = config_at(path), SystemClock().now()
    with store_of(config) as store, store.reading() as tx:
        found = tx.incident(incident_id) if incident_id else incidents.newest(tx)
        facts = incidents.shown(tx, _ground(config), found, now)
        story = _told(config, tx, found, facts["silenced"], answers=answers and not as_json)
    if as_json:
        say(facts)
    else:
        _show(console(), config, story, answers=answers)


def _told(config: "Config", tx: "Transaction", found: "Incident", silenced: object, *, answers: bool) -> _Story:
    from canary.desk import incidents
    from canary.desk.evidence import exhibits
    from canary.desk.story import timeline, traced, trend

    shown, suspected = exhibits(tx, found), incidents.suspected(tx, _ground(config), found)
    golden = [_golden(tx, one.observation) if answers else () for one in shown]
    return _Story(found, silenced, suspected, timeline(tx, found, suspected), trend(tx, traced(found)), shown, golden)


def _show_remote(remote: "Remote", incident_id: str | None, *, as_json: bool) -> None:
    """As the daemon tells it: the same text and timeline, without what only a store can draw."""
    from canary.desk.story import Moment

    found = remote.get("incidents", incident_id or _newest(remote))
    if as_json:
        say(found)
        return
    out, facts, (head, *lines) = console(), found["incident"], found["text"]
    out.print(f"[{STYLES[facts['state']]}]{facts['state']}[/] [bold]{plain(facts['id'])}[/] {plain(head)}")
    for line in (*_quiet(found["silenced"]), *lines):
        out.print(plain(line), soft_wrap=True)
    out.print(_timeline([Moment(datetime.fromisoformat(one.pop("at")), **one) for one in found["timeline"]]))


def _quiet(silenced: Any) -> list[str]:
    from canary.alert.quiet import Quiet

    return [] if silenced is None else [f"quiet    {printable(Quiet.of(silenced).words)}"]


def _newest(remote: "Remote") -> str:
    from canary.errors import NotFound

    unresolved = remote.get("incidents")
    if not unresolved:
        raise NotFound("no unresolved incident: `canary incident list --all` has the others")
    return str(unresolved[-1]["incident"]["id"])


def _ground(config: "Config") -> "Ground":
    from canary.daemon.assembly import ground_of

    return ground_of(config)


def _golden(tx: "Transaction", seen: "Observation") -> list[str]:
    """Golden answers of the same probe and salt on the same target, as far as they are kept."""
    from canary.records import Purpose

    alike = [
        one.slot_id
        for one in tx.observations(target=seen.target, group=seen.group, purpose=Purpose.GOLDEN)
        if (one.probe_digest, one.salt) == (seen.probe_digest, seen.salt)
    ]
    bodies = (tx.observation(slot_id) for slot_id in alike[-_GOLDEN:])
    return [one.response.text for one in bodies if one is not None and one.response is not None]


def _show(out: "Console", config: "Config", story: _Story, *, answers: bool) -> None:
    from rich.markup import escape

    from canary.alert.words import text
    from canary.desk.story import traced, watching

    found = story.incident
    head, *lines = text(found, story.suspected)
    out.print(f"[{STYLES[found.state.value]}]{found.state.value}[/] [bold]{found.id}[/] {escape(head)}")
    for line in (*_quiet(story.silenced), *lines):
        out.print(escape(line), soft_wrap=True)
    out.print(_findings(found))
    out.print(_timeline(story.moments))
    if story.trend:
        what = escape(watching(finding.series, found.target)) if (finding := traced(found)) else ""
        out.print(f"evidence of {what} [cyan]{spark(story.trend, _SPARK)}[/]; a full bar is an alarm")
    for one, golden in zip(story.exhibits, story.golden, strict=True):
        for part in _exhibit(config, one, golden, answers=answers):
            out.print(part, soft_wrap=True)
    for line in _next(story):
        out.print(line)


def _findings(found: "Incident") -> "Table":
    from canary.alert.gist import answers
    from canary.desk.story import watching

    table = columns("finding", "alarms", "since", "share", "recovered")
    for finding in found.findings:
        size, series = finding.size, finding.series
        share = f"{size.best:.1%} ({size.low:.1%} to {size.high:.1%}) of {answers(finding.group)}"
        row = (watching(series, found.target), str(finding.alarms), minute(finding.onset.best), share)
        table.add_row(*row, minute(finding.recovered_at))
    return table


def _timeline(moments: "Sequence[Moment]") -> "Table":
    table = columns("when (UTC)", "", "what happened")
    for one in moments:
        style = _KINDS.get(one.kind, "bold")
        table.add_row(f"{one.at:%m-%d %H:%M:%S}", f"[{style}]{plain(one.kind)}[/]", plain(one.text))
    return table


def _exhibit(config: "Config", one: "Exhibit", golden: Sequence[str], *, answers: bool) -> "Iterator[RenderableType]":
    from rich.markup import escape

    from canary.cli.token_diff import diff, drawn, nearest, offending

    seen = one.observation
    server = f" from {escape(printable(seen.replica))}" if seen.replica else ""
    yield f"[bold]{seen.slot_id[:12]}[/] {minute(seen.slot_time)} {seen.probe_id}{server}: {escape(one.words())}"
    if not answers or seen.response is None:
        return
    text, like = seen.response.text, nearest(seen.response.text, golden)
    if like is None:
        yield "  no golden answer of this probe is kept"
        return
    probe = next((each for each in config.probes if each.digest == seen.probe_digest), None)
    pieces = diff(like, text, offending(probe, text))
    yield drawn(pieces) if pieces else "  the text is that of a golden answer: see its token probabilities in `explain`"


def _next(story: _Story) -> Iterator[str]:
    """What to type now."""
    from canary.alert.gist import replay_command

    found = story.incident
    if story.exhibits:
        yield f"look at one: canary incident evidence {story.exhibits[0].observation.slot_id[:12]}"
    yield f"why:         canary explain {found.id}"
    if found.resolved_at is None:
        yield f"still there: {replay_command(found)}"
        yield f"what in it:  canary bisect {found.id}"
        if found.acknowledged_by is None:
            yield f"take it:     canary incident ack {found.id}"
