"""`canary gate`."""

import getpass
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from canary.cli.common import config_at, console, json_option, run_async, say, store_of
from canary.cli.complete import suite_names, target_names
from canary.cli.moment import length
from canary.cli.ondemand import EXIT, STYLES, firing, groups_for, share_option
from canary.cli.word import Word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from canary.config import Config
    from canary.pipeline.record import Groups
    from canary.records import Target
    from canary.store.base import Store
    from canary.verdict import Comparison, Report

BETA = 0.01
"""A target with the fault passes with this chance at most: an early pass must not spend what a late fail could find."""
_MORE = "--max-probes"


@click.command(
    cls=Word,
    exits={
        0: "pass: a fault as large as --share is excluded",
        1: "fail: the target is not as in its baseline, or worse than --against",
        2: "inconclusive (unless --inconclusive says otherwise), or bad input or an error",
    },
    examples=(
        "canary gate --target mid/api/canary --suite smoke",
        "canary gate --target mid/api/canary --against mid/api/stable --max-time 10m",
        "canary gate --target mid/api/canary --share 0.02 --inconclusive fail --junit gate.xml",
        'canary gate --target mid/api/canary --markdown "$GITHUB_STEP_SUMMARY"',
    ),
)
@click.option("--target", "target_name", required=True, shell_complete=target_names, help="MODEL/PLATFORM/POOL.")
@click.option(
    "--suite", shell_complete=suite_names, help="Of the config, or a built-in one. [default: all that the config fires]"
)
@click.option(
    "--against", shell_complete=target_names, help="Judge it by this target's answers. [default: by its baseline]"
)
@share_option
@click.option(
    "--max-probes",
    type=click.IntRange(1, 100_000),
    default=400,
    show_default=True,
    help="Probes at most; a burst counts as one, a pair too.",
)
@click.option("--max-time", metavar="TIME", callback=length, help="90s, 5m, 1h: then the verdict so far.")
@click.option(
    "--inconclusive", type=click.Choice(["pass", "fail"]), help="What an inconclusive verdict is to the exit code."
)
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write a JUnit report into this file.")
@click.option("--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Append a summary in Markdown to it.")
@click.option("--no-change", is_flag=True, help="Do not mark the moment among the recorded changes.")
@click.option("--by", "who", default=getpass.getuser, help="Who asks. [default: your user name]")
@json_option
@click.pass_obj
def command(
    path: str,
    target_name: str,
    suite: str | None,
    against: str | None,
    share: float | None,
    max_probes: int,
    max_time: timedelta | None,
    inconclusive: str | None,
    junit: Path | None,
    markdown: Path | None,
    no_change: bool,
    who: str,
    as_json: bool,
) -> None:
    """Pass or fail a target, for CI and rollouts; no daemon is needed.

    It is judged by its baseline, or by --against, and stops as soon as it is sure. The verdict is kept: `canary
    explain` makes it again from the stored answers, bit for bit.
    """
    from canary.daemon.assembly import target_of

    config = config_at(path)
    target = target_of(config, target_name)
    other = target_of(config, against) if against is not None else None
    asked = _Asked(groups_for(config, target, (), suite), max_probes, share or config.detect.smallest_share, max_time)
    with store_of(config, create=other is not None) as store:
        if other is None:
            outcome = _of_report(run_async(_alone(config, store, target, asked)))
        else:
            outcome = _of_comparison(run_async(_beside(config, store, (target, other), asked)))
        _note(store, outcome.id, who, marks=not no_change)
    if junit is not None:
        _write(junit, outcome, inconclusive)
    if markdown is not None:
        _append(markdown, outcome, inconclusive)
    if as_json:
        say({**outcome.facts, "inconclusive_is": inconclusive})
    else:
        _show(outcome)
    raise SystemExit(EXIT[_taken(outcome.verdict, inconclusive)])


@dataclass(frozen=True, slots=True)
class _Asked:
    groups: "Groups"
    n: int
    share: float
    within: timedelta | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came out, whichever way it was judged; `signals` says of each what it showed."""

    id: str
    target: str
    verdict: str
    meaning: str
    fired: int
    planned: int
    signal: str
    signals: "Mapping[str, str]"
    facts: dict[str, object]

    @property
    def line(self) -> str:
        return f"{self.target} after {self.fired} of {self.planned} runs: {self.meaning} [canary explain {self.id}]"


async def _alone(config: "Config", store: "Store", target: "Target", asked: _Asked) -> "Report":
    from canary.clock import SystemClock
    from canary.daemon.assembly import watch_of_groups
    from canary.detect import Rule
    from canary.records import Purpose
    from canary.verdict import plan, replay

    watch = watch_of_groups(config, store, target, asked.groups)
    volleys = plan(target, asked.groups, config.region, asked.n, SystemClock().now(), Purpose.GATE)
    async with firing(target.name, sum(map(len, volleys)), asked.within) as ground:
        return await replay(store, ground.fire, watch, volleys, Rule(asked.share, beta=BETA), ground.told, ground.stop)


async def _beside(config: "Config", store: "Store", targets: "tuple[Target, Target]", asked: _Asked) -> "Comparison":
    from canary.cli.compare import side_by_side
    from canary.detect.twosample import PairRule
    from canary.records import Purpose

    rule = PairRule(asked.share)
    return await side_by_side(config, store, targets, asked.groups, asked.n, rule, Purpose.GATE, asked.within)


def _of_report(report: "Report") -> _Outcome:
    from canary.cli.replay import facts, meaning

    return _Outcome(
        id=report.id,
        target=report.target,
        verdict=report.verdict.value,
        meaning=meaning(report, _MORE),
        fired=report.fired,
        planned=report.planned,
        signal=report.judgement.signal,
        signals={
            f"{one.series.group}/{one.series.signal}": f"{one.events} events in {one.answers} answers"
            for one in report.shown
        },
        facts=facts(report),
    )


def _of_comparison(found: "Comparison") -> _Outcome:
    from canary.cli.compare import facts, meaning

    return _Outcome(
        id=found.id,
        target=f"{found.target} against {found.against}",
        verdict=found.verdict.value,
        meaning=meaning(found, _MORE),
        fired=found.fired,
        planned=found.planned,
        signal=found.judgement.signal,
        signals={
            f"{one.series.group}/{one.series.signal}": f"worse in {one.worse} and better in {one.better} of "
            f"{one.pairs} pairs"
            for one in found.compared
        },
        facts=facts(found),
    )


def _taken(verdict: str, inconclusive: str | None) -> str:
    return inconclusive if verdict == "inconclusive" and inconclusive is not None else verdict


def _show(outcome: _Outcome) -> None:
    """One line, for a log that is seldom read."""
    from rich.markup import escape

    style = STYLES[outcome.verdict]
    console().print(f"[{style}]{outcome.verdict.upper()}[/] {escape(outcome.line)}", soft_wrap=True)


def _note(store: "Store", verdict_id: str, who: str, *, marks: bool) -> None:
    from canary.clock import SystemClock
    from canary.desk.changes import gated

    with store.transaction() as tx:
        gated(tx, tx.verdict(verdict_id), who, SystemClock().now(), marks=marks)


def _append(path: Path, outcome: _Outcome, inconclusive: str | None) -> None:
    from canary.cli.markdown import summary

    told = summary(_taken(outcome.verdict, inconclusive), outcome.line, outcome.signal, outcome.signals)
    with path.open("a", encoding="utf-8") as file:
        file.write(told)


def _write(path: Path, outcome: _Outcome, inconclusive: str | None) -> None:
    from canary.cli.junit import Case, report

    taken = _taken(outcome.verdict, inconclusive)
    failing = {name for name in outcome.signals if taken == "fail" and name == outcome.signal}
    cases = [Case(name, showed, outcome.line if name in failing else "") for name, showed in outcome.signals.items()]
    unsure = taken == "inconclusive"
    whole = Case("verdict", f"canary explain {outcome.id}", outcome.line if taken == "fail" else "", skipped=unsure)
    path.write_text(report(f"canary gate {outcome.target}", [whole, *cases]), encoding="utf-8")
