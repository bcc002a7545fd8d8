"""`canary explain`."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from canary.cli.common import config_at, console, json_option, minute, printable, say, short, store_of
from canary.cli.complete import explicable
from canary.cli.explain_verdict import explained, require_no_span
from canary.cli.moment import moment
from canary.cli.picture import MOST_COLUMNS, styled
from canary.cli.word import Word
from canary.errors import CanaryError
from canary.records import KeptVerdict

if TYPE_CHECKING:
    from rich.console import Console

    from canary.alert.maintenance import Window as Maintenance
    from canary.hindsight.explain import Account, Case, Lasted, Strength
    from canary.hindsight.window import Window
    from canary.records import Change, Incident
    from canary.store.base import Transaction

_SHOWN = 4
"""Charts on a terminal; a file and `--json` have all."""


@click.command(
    cls=Word,
    exits={
        0: "explained; the evidence is what was stored, bit for bit",
        1: "explained, but what is computed again differs from what was stored",
        2: "no such incident, alarm or verdict, or bad input or an error",
    },
    examples=(
        "canary explain 3f2a9c1e",
        "canary explain 3f2a9c1e --out evidence.svg       # or evidence.png",
        "canary explain 3f2a9c1e --since 2d --json",
        "canary explain 9ab01c44                          # a verdict of replay, compare or gate",
    ),
)
@click.argument("what", shell_complete=explicable)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Draw it into a file: .svg or .png.")
@click.option(
    "--since", metavar="TIME", callback=moment, help="Show it from then on. [default: some time before the onset]"
)
@click.option(
    "--until", metavar="TIME", callback=moment, help="Show it until then. [default: some time after the alarm]"
)
@json_option
@click.pass_obj
def command(
    path: str, what: str, out: Path | None, since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Why WHAT was raised: the evidence over time, computed again from the store and compared with it.

    WHAT is an incident, an alarm or a verdict on demand, by its id or the beginning of one. Shown are ln R of each
    series with its threshold, when the fault began, recorded changes, and the answers that weigh most; of a verdict
    the evidence for a fail and for a pass, answer after answer.
    """
    from canary.daemon.audience import windows_of
    from canary.hindsight.explain import explain
    from canary.hindsight.window import window

    _require_format(out)
    config = config_at(path)
    with store_of(config) as store, store.reading() as tx:
        subject = _subject(tx, what)
        if isinstance(subject, KeptVerdict):
            require_no_span((since, until))
            raise SystemExit(0 if explained(tx, subject, out, as_json=as_json) else 1)
        incident, found = subject
        windows = windows_of(config)
        accounts = [explain(tx, case, windows) for case in found]
    if not accounts:
        raise CanaryError(f"{what}: the store has no alarm of it any more")
    begin, end = window(accounts)
    shown = since or begin, until or end
    if out is not None:
        _draw(out, incident, accounts, shown)
    if as_json:
        say(_facts(incident, accounts, since, until))
    else:
        _show(console(), incident, accounts, shown)
    if any(account.differences for account in accounts):
        raise SystemExit(1)


def _subject(tx: "Transaction", what: str) -> "KeptVerdict | tuple[Incident | None, tuple[Case, ...]]":
    from canary.errors import NotFound
    from canary.hindsight.explain import cases

    try:
        return cases(tx, what)
    except NotFound as error:
        try:
            return tx.verdict(what)
        except NotFound:
            raise NotFound(f"{error}, and no verdict") from None


def _require_format(out: Path | None) -> None:
    if out is not None and out.suffix.lower() not in {".svg", ".png"}:
        raise click.BadParameter(f"{out.name} is neither .svg nor .png", param_hint="--out")


def _draw(out: Path, incident: "Incident | None", accounts: "Sequence[Account]", shown: "Window") -> None:
    from canary.draw import drawn, png, svg
    from canary.hindsight.window import chart, lettered

    letters = lettered(accounts, shown)
    charts = [chart(account, shown, letters) for account in accounts]
    notes = [f"{letter}  {_change(change)}" for letter, change in letters.values()]
    picture = drawn(_title(incident, accounts), charts, notes)
    out.write_bytes(svg(picture).encode() if out.suffix.lower() == ".svg" else png(picture))


def _title(incident: "Incident | None", accounts: "Sequence[Account]") -> str:
    from canary.alert.words import summary

    if incident is None:
        alarm = accounts[0].case.alarm
        return f"alarm {alarm.id} on {alarm.series.target}"
    return f"{incident.id} {summary(incident)}"


def _show(out: "Console", incident: "Incident | None", accounts: "Sequence[Account]", shown: "Window") -> None:
    from rich.markup import escape

    from canary.draw import lines
    from canary.hindsight.window import chart, lettered

    letters = lettered(accounts, shown)
    out.print(f"[bold]{escape(_title(incident, accounts))}[/]")
    for account in accounts[:_SHOWN]:
        drawn = chart(account, shown, letters)
        out.print(f"\n[bold]{escape(drawn.title)}[/], evidence ln R in nats")
        for line in styled(lines(drawn, min(out.width, MOST_COLUMNS))):
            out.print(line)
        for name, words in _words(account):
            out.print(f"{name:<9}{escape(words)}", soft_wrap=True)
    if len(accounts) > _SHOWN:
        out.print(f"\n{len(accounts) - _SHOWN} more series: see --out and --json")
    for letter, change in letters.values():
        out.print(f"change {letter} {escape(_change(change))}", soft_wrap=True)


def _words(account: "Account") -> Iterator[tuple[str, str]]:
    """What it is, how strong, which answers, the budget, and whether it is as stored."""
    onset, alarm, strength = account.case.onset, account.case.alarm, account.strength
    delay = short(max(alarm.at - onset.best, alarm.at - alarm.at))
    yield "alarm", f"{alarm.at:%Y-%m-%d %H:%M:%S}Z with evidence {alarm.evidence:+.2f}, {delay} after the onset"
    yield "since", f"{onset.best:%Y-%m-%d %H:%M:%S}Z (between {onset.low:%H:%M:%S} and {onset.high:%H:%M:%S})"
    if account.lasted is not None:
        yield "lasted", _lasted(account.lasted)
    if strength is not None:
        yield "strength", _strength(strength)
        yield (
            "answers",
            ", ".join(f"{one.slot_id[:12]} {one.nats:+.2f}" for one in strength.heaviest) or "none stands out",
        )
        yield "budget", _budget(account, strength)
    for window in account.windows:
        yield "still", _window(window)
    yield "again", _again(account)


def _window(window: "Maintenance") -> str:
    again = f", every {short(window.every)}" if window.every is not None else ""
    return f"maintenance {window.name} from {minute(window.starts)} for {short(window.lasts)}{again}: {window.reason}"


def _lasted(lasted: "Lasted") -> str:
    first, last = f"{lasted.first:%Y-%m-%d %H:%M:%S}Z", f"{lasted.last:%Y-%m-%d %H:%M:%S}Z"
    if lasted.over:
        return f"transient: from {first} to {last}, over since then"
    return f"sustained: from {first}, at {last} still there, and nothing since shows that it ended"


def _strength(strength: "Strength") -> str:
    seen = f"{_count(strength.events, 'event')} in {_count(strength.answers, 'answer')} since then"
    return f"{seen}: {strength.nats:+.1f} nats, {_ratio(strength.nats)} as likely with a fault as without one"


def _ratio(nats: float) -> str:
    return f"{math.exp(nats):,.0f} times" if nats < math.log(1e6) else f"1e{nats / math.log(10.0):.0f} times"


def _budget(account: "Account", strength: "Strength") -> str:
    first, last = account.points[0], account.points[-1]
    return (
        f"{account.spent:.2g} of a false alarm in {len(account.points):,} answers since {minute(first.at)}, "
        f"{strength.spent:.2g} of it since the onset; an answer may spend {last.budget:.2g} (ln {_log(last.budget)})"
    )


def _log(budget: float) -> str:
    return f"{math.log(budget):.1f}" if budget > 0.0 else "-inf"


def _again(account: "Account") -> str:
    if not account.differences:
        steps, alarms = _count(len(account.points), "step"), _count(len(account.alarms), "alarm")
        return f"the same as stored, bit for bit: {steps}, {alarms}"
    kept = f"{account.points[0].at:%Y-%m-%d}" if account.points else "long ago"
    return (
        f"DIFFERS from the store: {'; '.join(account.differences)}. Its scores are kept since {kept}: what "
        "store.retention forgot before that is missing here"
    )


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _change(change: "Change") -> str:
    return f"{change.at:%Y-%m-%d %H:%M:%S}Z {printable(f'{change.kind} {change.scope.name} {change.summary}')}"


def _facts(
    incident: "Incident | None", accounts: "Sequence[Account]", since: datetime | None, until: datetime | None
) -> dict[str, object]:
    from canary.alert.message import describe

    return {
        "incident": None if incident is None else describe(incident),
        "same": not any(account.differences for account in accounts),
        "series": [_account(account, since, until) for account in accounts],
    }


def _account(account: "Account", since: datetime | None, until: datetime | None) -> dict[str, object]:
    from dataclasses import asdict

    case = account.case
    return {
        **asdict(case.series),
        "alarm": case.alarm.id,
        "onset": asdict(case.onset),
        "differences": account.differences,
        "alarms": [_alarm(alarm.id, alarm.slot_id, alarm.at, alarm.evidence) for alarm in account.alarms],
        "strength": None if account.strength is None else asdict(account.strength),
        "lasted": None if account.lasted is None else asdict(account.lasted),
        "spent": account.spent,
        "changes": [asdict(change) for change in account.changes],
        "maintenance": [window.name for window in account.windows],
        "steps": [
            {**asdict(point), "evidence": point.evidence if math.isfinite(point.evidence) else None}
            for point in account.points
            if (since is None or point.at >= since) and (until is None or point.at <= until)
        ],
    }


def _alarm(identity: str, slot_id: str, at: datetime, evidence: float) -> dict[str, object]:
    return {"id": identity, "slot_id": slot_id, "at": at.isoformat(), "evidence": evidence}
