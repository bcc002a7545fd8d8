"""`canary backtest`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from canary.cli.common import (
    columns,
    config_at,
    console,
    json_option,
    minute,
    printable,
    progress,
    say,
    short,
    store_of,
)
from canary.cli.moment import moment
from canary.cli.picture import MOST_COLUMNS, styled
from canary.cli.word import Word
from canary.errors import CanaryError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from canary.config import Config
    from canary.draw import Track
    from canary.hindsight.backtest import Rerun, Setting
    from canary.hindsight.reign import Group
    from canary.hindsight.verdicts import Comparison, Pair, Side
    from canary.records import Change, Incident
    from canary.store.base import Store

_MOST_ROWS = 20
_NAMED = 5
_WHY = "handed in, not probed, and judged as it came"


@click.command(
    cls=Word,
    exits={0: "done, whatever came of it", 2: "nothing is stored of that time, bad input or an error", 130: "stopped"},
    examples=(
        "canary backtest --since 14d                      # this config: does it give what was raised?",
        "canary backtest --since 14d --config new.yaml    # another budget, share, choice of probes or signals",
        "canary backtest --since 2025-08-01 --until 2025-09-01 --baseline current --json",
    ),
)
@click.option("--since", metavar="TIME", callback=moment, help="A time, or 14d for so long ago. [default: all]")
@click.option("--until", metavar="TIME", callback=moment, help="Before that time. [default: now]")
@click.option(
    "--config", "other", type=click.Path(dir_okay=False), help="The config to try. [default: the present one]"
)
@click.option(
    "--baseline",
    "judge",
    type=click.Choice(["in-force", "current"]),
    default="in-force",
    show_default=True,
    help="What judges: the baselines that judged then, or those that are active now.",
)
@json_option
@click.pass_obj
def command(
    path: str, since: datetime | None, until: datetime | None, other: str | None, judge: str, as_json: bool
) -> None:
    """Run the detectors of a config over what is stored, and compare: what would have been raised, and when?

    What was handed in (feedback, scores of external targets) is left out, and named.

    Stored scores are taken as they are; where the config asks for one that was not made, answers that are still kept
    are scored again. Nothing is written to the store. Detectors begin empty at --since.
    """
    from canary.hindsight.backtest import Judge, rerun
    from canary.hindsight.handed import handed_in

    present = config_at(path)
    tried = config_at(other) if other else present
    if tried.region != present.region:
        raise CanaryError(f"{tried.path}: it is of region {tried.region}, the store's config of {present.region}")
    setting = _setting(present, tried)
    with store_of(present) as store, _scratch() as scratch, progress(console(stderr=True)) as bar:
        task = bar.add_task("backtest", total=None)
        run = rerun(
            store,
            scratch,
            setting,
            Judge(judge),
            since=since,
            until=until,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
        if run.first is None or run.last is None:
            raise CanaryError("the store holds no scheduled answer of that time")
        changes = _changes(store, tried, run.first, run.last)
        handed = handed_in(store, tried.region, since, until)
        compared = _compared(store, run, setting, changes, handed, since, until)
    if as_json:
        say({**_facts(tried, run, compared), "left_out": _left_out(handed)})
    else:
        _show(console(), tried, judge, run, compared)
        for line in _omitted(handed):
            click.echo(line)


def _setting(present: "Config", tried: "Config") -> "Setting":
    from canary.daemon.assembly import rhythms_of, scorers_of, terms_of
    from canary.daemon.audience import windows_of
    from canary.hindsight.backtest import Setting, aliases

    known = aliases(present.probes, tried.probes)
    return Setting(rhythms_of(tried), terms_of(tried), tried.region, scorers_of(tried), known, windows_of(tried))


@contextmanager
def _scratch() -> "Iterator[Store]":
    """A store on disk, so that memory stays bounded; gone at the end."""
    from canary.store import open_store

    with TemporaryDirectory(prefix="canary-backtest-") as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'scratch.db'}", create=True)
        try:
            yield store
        finally:
            store.close()


def _changes(store: "Store", tried: "Config", first: datetime, last: datetime) -> "tuple[Change, ...]":
    """Those of the span that concern a target of the config."""
    from canary.hindsight.scope import concerns

    with store.reading() as tx:
        found = tx.changes(since=first, until=last)
    return tuple(c for c in found if any(concerns(c, target.name, tried.region) for target in tried.targets))


def _compared(
    store: "Store",
    run: "Rerun",
    setting: "Setting",
    changes: "tuple[Change, ...]",
    handed: "Mapping[Group, int]",
    since: datetime | None,
    until: datetime | None,
) -> "Comparison":
    from canary.alert.incident import Policy
    from canary.hindsight.handed import without
    from canary.hindsight.verdicts import compare, lived

    return compare(
        run.would,
        without(lived(store, setting.region, since, until), handed),
        changes,
        per_week=setting.terms.false_alarms_per_week,
        lasted=_lasted(run),
        policy=Policy(),
    )


def _left_out(handed: "Mapping[Group, int]") -> list[dict[str, object]]:
    return [{"target": target, "group": group, "observations": n, "why": _WHY} for (target, group), n in handed.items()]


def _omitted(handed: "Mapping[Group, int]") -> Iterator[str]:
    """What the comparison says nothing of, and why."""
    if not handed:
        return
    named = ", ".join(f"{target} {group}" for target, group in sorted(handed)[:_NAMED])
    more = f" and {len(handed) - _NAMED} more" if len(handed) > _NAMED else ""
    yield printable(f"left out, with their alarms: {sum(handed.values()):,} observations of {named}{more}: {_WHY}")


def _lasted(run: "Rerun") -> timedelta:
    return run.last - run.first if run.first and run.last else timedelta(0)


def _show(out: "Console", tried: "Config", judge: str, run: "Rerun", compared: "Comparison") -> None:
    from rich.markup import escape

    from canary.draw import timeline

    armed, learning = len(run.watch.armed), len(run.watch.learning)
    head = f"{run.answers:,} answers, {minute(run.first)} to {minute(run.last)} ({short(_lasted(run))})"
    out.print(f"[bold]{escape(tried.path.name)}[/] over {head}: {armed} series armed, {learning} learning")
    out.print(f"judged by the baselines {_JUDGES[judge]}; {run.fed:,} scores fed, from empty detectors on")
    if run.rescored or run.lost:
        out.print(
            f"{run.rescored:,} answers were scored again for a signal that they had no score of; "
            f"{run.lost:,} could not be, for their bodies are not kept any more"
        )
    if run.grown:
        out.print(f"{run.grown} series are judged by golden answers that were scored again for them")
    out.print(_sums(compared))
    if compared.pairs:
        out.print(_incidents(compared))
    if compared.found:
        out.print(_found(compared))
    if run.first and run.last and (compared.pairs or compared.found):
        drawn = timeline(_tracks(compared), run.first, run.last, min(out.width, MOST_COLUMNS))
        for line in styled(drawn):
            out.print(line)
    out.print(_verdict(compared))


_JUDGES = {"in-force": "that judged then", "current": "that are active now"}


def _sums(compared: "Comparison") -> "Table":
    table = columns("", "would have been", "really were")
    table.add_row("alarms", str(len(compared.would.alarms)), str(len(compared.live.alarms)))
    table.add_row("incidents", str(len(compared.would.incidents)), str(len(compared.live.incidents)))
    unexplained = (str(compared.unexplained_would), str(compared.unexplained_live))
    table.add_row(f"alarms without a recorded change (budget of the span: {compared.budget:.2g})", *unexplained)
    return table


def _incidents(compared: "Comparison") -> "Table":
    from rich.markup import escape

    table = columns("incident", "signals", "would have alarmed", "really alarmed", "id")
    for pair in compared.pairs[:_MOST_ROWS]:
        known = [one for one in (pair.would, pair.live) if one is not None]
        signals = sorted({f"{f.series.group}/{f.series.signal}" for one in known for f in one.findings})
        times = (_alarmed(compared.would, pair.would), _alarmed(compared.live, pair.live))
        table.add_row(escape(known[0].target), ", ".join(signals), *times, pair.live.id if pair.live else "-")
    if len(compared.pairs) > _MOST_ROWS:
        table.add_row(f"{len(compared.pairs) - _MOST_ROWS} more: see --json")
    return table


def _alarmed(side: "Side", incident: "Incident | None") -> str:
    """When first, and how often."""
    found = () if incident is None else side.of(incident)
    if not found:
        return "-"
    times = f" ({len(found)} times)" if len(found) > 1 else ""
    return f"{found[0].at:%Y-%m-%d %H:%M:%S}Z{times}"


def _found(compared: "Comparison") -> "Table":
    from rich.markup import escape

    table = columns("change", "what", "would have alarmed after", "really after")
    for found in compared.found[:_MOST_ROWS]:
        change = found.change
        what = escape(printable(f"{change.kind} {change.summary}"))
        delays = ("-" if delay is None else short(delay) for delay in (found.would, found.live))
        table.add_row(f"{change.at:%Y-%m-%d %H:%M:%S}Z", what, *delays)
    return table


def _tracks(compared: "Comparison") -> "list[Track]":
    """A row for each target that alarmed on a side, and one for the changes."""
    from canary.draw import Ink

    sides = (("would", compared.would.alarms), ("really", compared.live.alarms))
    targets = sorted({alarm.series.target for _, alarms in sides for alarm in alarms})[:_MOST_ROWS]
    tracks: list[Track] = [
        (f"{target} {name}", [(a.at, "▲", Ink.ALARM) for a in alarms if a.series.target == target])
        for target in targets
        for name, alarms in sides
    ]
    changes = [(found.change.at, "c", Ink.CHANGE) for found in compared.found]
    return [*tracks, ("changes", changes)] if changes else tracks


def _verdict(compared: "Comparison") -> str:
    if compared.same:
        return "exactly the alarms that were raised"
    would, live = ({alarm.id for alarm in side.alarms} for side in (compared.would, compared.live))
    return f"{len(would & live)} of the {len(live)} alarms that were raised, and {len(would - live)} others"


def _facts(tried: "Config", run: "Rerun", compared: "Comparison") -> dict[str, object]:
    return {
        "config": str(tried.path),
        "digest": tried.digest,
        "answers": run.answers,
        "first": run.first,
        "last": run.last,
        "fed": run.fed,
        "rescored": run.rescored,
        "not_rescored": run.lost,
        "baselines_from_kept_answers": run.grown,
        "armed": len(run.watch.armed),
        "learning": [f"{key.target} {key.group}/{key.signal}" for key in sorted(run.watch.learning)],
        "budget": compared.budget,
        "same": compared.same,
        "would": _side(compared.would, compared.unexplained_would),
        "live": _side(compared.live, compared.unexplained_live),
        "pairs": [_pair(pair) for pair in compared.pairs],
        "changes": [
            {**asdict(found.change), "would_seconds": found.would, "live_seconds": found.live}
            for found in compared.found
        ],
    }


def _side(side: "Side", unexplained: int) -> dict[str, object]:
    from canary.alert.message import describe

    return {
        "alarms": [asdict(alarm) for alarm in side.alarms],
        "unexplained": unexplained,
        "incidents": [describe(incident) for incident in side.incidents],
    }


def _pair(pair: "Pair") -> dict[str, object]:
    return {"would": pair.would.id if pair.would else None, "live": pair.live.id if pair.live else None}
