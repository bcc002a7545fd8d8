"""`canary drill`."""

import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from canary.cli.common import columns, console, json_option, minute, progress, say, short
from canary.cli.word import Word

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from canary.drill.judge import Check, Outcome
    from canary.drill.perform import Report
    from canary.drill.scenario import Scenario

_MOST_WORKERS = 64


@click.command(
    cls=Word,
    exits={0: "all that the scenario expects came true", 1: "some of it did not", 2: "bad input or an error"},
    examples=(
        "canary drill corruption",
        "canary drill my-fleet.yaml --report out/ --json",
        "canary drill misrouting --fast --seeds 20",
    ),
)
@click.argument("name", metavar="NAME|FILE")
@click.option("--seed", type=click.IntRange(0), help="Another seed, another fleet. [default: the scenario's]")
@click.option("--seeds", type=click.IntRange(2, 10_000), help="Play it with so many seeds, and tell the distribution.")
@click.option(
    "--fast",
    is_flag=True,
    help="Fire what the fleet can answer once, and replay its scores: minutes instead of an hour, of the same law.",
)
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), help="Write a page with pictures there.")
@click.option("--png", "pngs", is_flag=True, help="With --report: the pictures as PNG too (extra `plot`).")
@json_option
def command(
    name: str, seed: int | None, seeds: int | None, fast: bool, report: Path | None, pngs: bool, as_json: bool
) -> None:
    """Play a scenario: faults in a simulated fleet, the whole product in virtual time, and was all found?

    NAME is one of those that come with Canary, FILE one of your own. The exit code is for your CI.
    """
    from canary.drill.scenario import scenario

    if pngs and report is None:
        raise click.UsageError("--png goes with --report DIRECTORY")
    found = scenario(name)
    first = found.file.seed if seed is None else seed
    if seeds is None:
        reports = [_played(found, first, pictures=report is not None, fast=fast)]
    else:
        reports = _all(found, first, seeds, fast=fast)
    if report is not None:
        from canary.drill.page import write

        write(found, reports[0], report, pngs=pngs)
    if as_json:
        say(_facts(reports[0]) if seeds is None else [_facts(one) for one in reports])
    elif seeds is None:
        _show(console(), reports[0])
    else:
        _distribution(console(), reports)
    if not all(one.judgement.held for one in reports):
        raise SystemExit(1)


def _played(found: "Scenario", seed: int, *, pictures: bool, fast: bool) -> "Report":
    from canary.drill.perform import perform

    with progress(console(stderr=True)) as bar:
        task = bar.add_task(found.name, total=None)
        return perform(
            found,
            seed,
            lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
            pictures=pictures,
            workers=_workers(),
            fast=fast,
        )


def _all(found: "Scenario", first: int, seeds: int, *, fast: bool) -> "list[Report]":
    from canary.drill.perform import perform_all

    workers = min(seeds, _workers())
    with progress(console(stderr=True)) as bar:
        task = bar.add_task(f"{found.name}, seeds", total=seeds)
        reports = []
        for one in perform_all(found.path, range(first, first + seeds), workers, fast=fast):
            reports.append(one)
            bar.advance(task)
    return sorted(reports, key=lambda one: one.seed)


def _workers() -> int:
    return min(os.cpu_count() or 1, _MOST_WORKERS)


def _show(out: "Console", report: "Report") -> None:
    from rich.markup import escape

    from canary.drill.perform import of_bursts

    judgement = report.judgement
    out.print(f"[bold]{escape(report.name)}[/] {escape(report.why)}")
    out.print(
        f"{minute(report.begin)} to {minute(report.end)}, {report.targets} targets, {report.armed} series armed"
        f"{f' ({report.learning} learning)' if report.learning else ''}, seed {report.seed}"
    )
    out.print(
        f"{report.runs:,} runs, {report.tokens:,} tokens, and {report.golden_tokens:,} of golden answers; "
        f"{report.notifications} notifications{f'; {report.vectors:,} answers fired' if report.vectors else ''}"
    )
    for line in of_bursts(report):
        out.print(line)
    if judgement.outcomes:
        out.print(_found(judgement.outcomes))
    for outcome in judgement.outcomes:
        if outcome.noticed is not None:
            out.print(f"{escape(outcome.expected.fault)}: the real one was noticed on {minute(outcome.noticed)}")
    out.print(_checks([*(c for outcome in judgement.outcomes for c in outcome.checks), *judgement.checks]))
    out.print(_rules(report))
    false = len(judgement.false)
    out.print(f"false alarms: {false}; the budget of this time allows {judgement.budget:.2g} on average")
    out.print("[bold green]as expected[/]" if judgement.held else "[bold red]not as expected[/]")


def _found(outcomes: "Sequence[Outcome]") -> "Table":
    from rich.markup import escape

    table = columns("fault", "incident", "first signals", "opened", "after", "probes", "tokens", "suspects")
    for outcome in outcomes:
        name = escape(outcome.expected.fault)
        if not outcome.incidents or outcome.delay is None:
            table.add_row(name, "none", *["-"] * 6)
            continue
        one, delay = outcome.incidents[0], outcome.delay
        ranking = one.worsening if outcome.expected.worsening else one.suspects
        named = ", ".join(f"{each.change or 'unrecorded'} {each.probability:.0%}" for each in ranking[:3])
        spent = (short(delay.time), f"{delay.probes:,}", f"{delay.tokens:,}")
        table.add_row(name, escape(one.where), ", ".join(one.signals[:3]), minute(one.opened_at), *spent, escape(named))
    return table


def _checks(checks: "Sequence[Check]") -> "Table":
    from rich.markup import escape

    table = columns("", "expected", "found")
    for check in checks:
        table.add_row("[green]✓[/]" if check.held else "[red]✗[/]", escape(check.what), escape(check.found))
    return table


def _rules(report: "Report") -> "Table":
    faults = [outcome.expected.fault for outcome in report.judgement.outcomes]
    table = columns("common rule, on the same scores", "false alarms", *faults)
    for rule in report.rules:
        delays = ("never" if (delay := rule.delays[fault]) is None else short(delay) for fault in faults)
        table.add_row(rule.rule, f"{rule.false_alarms:,}", *delays)
    return table


def _distribution(out: "Console", reports: "Sequence[Report]") -> None:
    """Of the delays by fault, and of false alarms, with 95 % intervals."""
    from canary.drill.quantiles import count_interval, quantile

    seeds, weeks = len(reports), sum(((one.end - one.begin) / timedelta(weeks=1) for one in reports), 0.0)
    table = columns("fault", "found", "median", "(95 %)", "p90", "(95 %)", "as expected")
    for at, outcome in enumerate(reports[0].judgement.outcomes):
        outcomes = [one.judgement.outcomes[at] for one in reports]
        delays = [one.delay.time.total_seconds() if one.delay else math.inf for one in outcomes]
        cells = [cell for q in (0.5, 0.9) for cell in _quantile(quantile(delays, q))]
        met = sum(all(check.held for check in one.checks) for one in outcomes)
        found = sum(map(math.isfinite, delays))
        table.add_row(outcome.expected.fault, f"{found} of {seeds}", *cells, f"{met} of {seeds}")
    out.print(table)
    false = sum(len(one.judgement.false) for one in reports)
    low, high = count_interval(false)
    budget = sum(one.judgement.budget for one in reports)
    out.print(
        f"{false} false alarms in {weeks:.3g} fleet-weeks (95 %: {low:.2g} to {high:.2g}); "
        f"the budget allows {budget:.2g}"
    )
    held = sum(one.judgement.held for one in reports)
    out.print(f"{held} of {seeds} seeds as expected")


def _quantile(found: tuple[float, float, float]) -> tuple[str, str]:
    best, low, high = (short(timedelta(seconds=s)) if math.isfinite(s) else "never" for s in found)
    return best, f"{low} to {high}"


def _facts(report: "Report") -> dict[str, object]:
    facts = asdict(report)
    del facts["pictures"]
    facts["held"] = report.judgement.held
    for outcome, told in zip(facts["judgement"]["outcomes"], report.judgement.outcomes, strict=True):
        outcome["expected"] = told.expected.model_dump(mode="json")
    return facts
