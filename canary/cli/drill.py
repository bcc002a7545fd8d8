"""`canary drill`."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from canary.cli.common import columns, console, json_option, minute, progress, say, short
from canary.cli.word import Word

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from canary.drill.distribution import Distribution, Estimate
    from canary.drill.judge import Check, Outcome
    from canary.drill.perform import Report
    from canary.drill.scenario import Scenario

_MOST_WORKERS = 64
_RANDOM = "random"


@click.command(
    cls=Word,
    exits={0: "all that the scenario expects came true", 1: "some of it did not", 2: "bad input or an error"},
    examples=(
        "canary drill corruption",
        "canary drill my-fleet.yaml --report out/ --json",
        "canary drill misrouting --fast --seeds 20",
        "canary drill random --seed 7 --fast",
    ),
)
@click.argument("name", metavar="NAME|FILE")
@click.option("--seed", type=click.IntRange(0), help="Another seed, another fleet. [default: the scenario's]")
@click.option("--seeds", type=click.IntRange(2, 10_000), help="Play it with so many seeds, and tell the distribution.")
@click.option(
    "--fast",
    is_flag=True,
    help="Fire what the fleet can answer once, and replay its scores: far sooner, by the same law.",
)
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), help="Write a page with pictures there.")
@click.option("--png", "pngs", is_flag=True, help="With --report: the pictures as PNG too (extra `plot`).")
@json_option
def command(
    name: str, seed: int | None, seeds: int | None, fast: bool, report: Path | None, pngs: bool, as_json: bool
) -> None:
    """Play a scenario: faults in a simulated fleet, the whole product in virtual time, and was all found?

    NAME is one of those that come with Canary, FILE one of your own. The exit code is for your CI. NAME "random" is a
    scenario made from the seed; with --seeds so many of them, and how many of their faults were found.
    """
    if pngs and report is None:
        raise click.UsageError("--png goes with --report DIRECTORY")
    if name == _RANDOM and seeds is not None:
        _honesty(range(seed or 1, (seed or 1) + seeds), fast=fast, as_json=as_json)
        return
    found = _scenario(name, seed)
    first = found.file.seed if seed is None else seed
    if seeds is None:
        reports = [_played(found, first, pictures=report is not None, fast=fast)]
    else:
        reports = _all(found, first, seeds, fast=fast)
    if report is not None:
        from canary.drill.page import write

        write(found, reports[0], report, pngs=pngs)
    if seeds is None:
        say(_facts(reports[0])) if as_json else _show(console(), reports[0])
    else:
        from canary.drill.distribution import distribution

        summed = distribution(reports)
        if as_json:
            say({"distribution": asdict(summed), "drills": [_facts(one) for one in reports]})
        else:
            _distribution(console(), summed)
    if not all(one.judgement.held for one in reports):
        raise SystemExit(1)


def _scenario(name: str, seed: int | None) -> "Scenario":
    if name != _RANDOM:
        from canary.drill.scenario import scenario

        return scenario(name)
    from canary.drill.chance import drawn

    folder = TemporaryDirectory(prefix="canary-drill-")
    click.get_current_context().call_on_close(folder.cleanup)
    return drawn(1 if seed is None else seed, Path(folder.name))


def _honesty(seeds: Sequence[int], *, fast: bool, as_json: bool) -> None:
    """Of many scenarios made at random. It is a measurement: that a fault is missed is no failure of it."""
    from canary.drill.honesty import attempts, shares

    out, played = console(), []
    with progress(console(stderr=True)) as bar:
        task = bar.add_task("scenarios made at random", total=len(seeds))
        for one in attempts(seeds, min(len(seeds), _workers()), fast=fast):
            played.append(one)
            bar.advance(task)
    found = shares(played)
    if as_json:
        say({"attempts": [asdict(one) for one in played], "shares": [{**asdict(s), "bounds": s.bounds} for s in found]})
        return
    table = columns("", "", "(95 %)")
    for share in found:
        low, high = share.bounds
        table.add_row(share.what, f"{share.count} of {share.of}", f"{low:.0%} to {high:.0%}")
    out.print(table)
    false, budget = sum(one.false for one in played), sum(one.budget for one in played)
    out.print(f"{false} false alarms; the budget allows {budget:.2g}")


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


def _distribution(out: "Console", found: "Distribution") -> None:
    """Of the delays by fault, and of false alarms, with 95 % intervals."""
    table = columns("fault", "found", "median", "(95 %)", "p90", "(95 %)", "as expected")
    for one in found.faults:
        cells = [cell for each in (one.median, one.p90) for cell in _delay(each)]
        table.add_row(one.fault, f"{one.found} of {found.drills}", *cells, f"{one.held} of {found.drills}")
    out.print(table)
    (few, many), (low, high) = found.false_bounds, found.held_bounds
    out.print(
        f"{found.false_alarms} false alarms in {found.weeks:.3g} fleet-weeks (95 %: {few:.2g} to {many:.2g}); "
        f"the budget allows {found.budget:.2g}"
    )
    out.print(f"{found.held} of {found.drills} seeds as expected (95 %: {low:.0%} to {high:.0%})")


def _delay(found: "Estimate") -> tuple[str, str]:
    best, low, high = (
        "never" if each is None else short(timedelta(seconds=each)) for each in (found.value, found.low, found.high)
    )
    return best, f"{low} to {high}"


def _facts(report: "Report") -> dict[str, object]:
    facts = asdict(report)
    del facts["pictures"]
    facts["held"] = report.judgement.held
    for outcome, told in zip(facts["judgement"]["outcomes"], report.judgement.outcomes, strict=True):
        outcome["expected"] = told.expected.model_dump(mode="json")
    return facts
