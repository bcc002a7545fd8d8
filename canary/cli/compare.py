"""`canary compare`."""

from typing import TYPE_CHECKING

import click

from canary.cli.common import columns, config_at, console, json_option, run_async, say, store_of
from canary.cli.complete import probes_and_groups, suite_names, target_names
from canary.cli.ondemand import EXIT, STYLES, firing, groups_for, names_of, share_option
from canary.cli.word import Word
from canary.errors import CanaryError

if TYPE_CHECKING:
    from datetime import timedelta

    from rich.console import Console
    from rich.table import Table

    from canary.config import Config
    from canary.detect.twosample import PairRule
    from canary.pipeline.record import Groups
    from canary.records import Purpose, Target
    from canary.store.base import Store
    from canary.verdict import Compared, Comparison


@click.command(
    cls=Word,
    exits={
        0: "pass: B is not worse than A by a fault as large as --share",
        1: "fail: B is worse than A",
        2: "inconclusive, or bad input or an error",
    },
    examples=(
        "canary compare mid/api/short mid/api/long               # all that the config fires",
        "canary compare mid/api/short mid/api/long prose code    # these probes or probe groups",
        "canary compare mid/api/stable mid/api/canary --suite smoke --share 0.02 -n 1000",
    ),
)
@click.argument("a", shell_complete=target_names)
@click.argument("b", shell_complete=target_names)
@click.argument("probes", nargs=-1, shell_complete=probes_and_groups)
@click.option(
    "--suite", shell_complete=suite_names, help="What this suite of the config, or a built-in one, fires at B."
)
@click.option(
    "-n",
    "n",
    type=click.IntRange(1, 100_000),
    default=400,
    show_default=True,
    help="Pairs at most; a pair of bursts counts as one.",
)
@share_option
@click.option(
    "--alpha",
    type=click.FloatRange(1e-6, 0.5),
    default=0.01,
    show_default=True,
    help="Chance of ever calling targets different that are alike.",
)
@json_option
@click.pass_obj
def command(
    path: str,
    a: str,
    b: str,
    probes: tuple[str, ...],
    suite: str | None,
    n: int,
    share: float | None,
    alpha: float,
    as_json: bool,
) -> None:
    """Is B worse than A? Both get the same probes at the same time; no baseline is needed.

    PROBES are probes or probe groups; without them, all that the config fires at B. It stops as soon as it is sure,
    and Ctrl-C gives the verdict so far. The answers are kept, but feed neither baselines nor detectors.
    """
    from canary.daemon.assembly import target_of
    from canary.detect.twosample import PairRule
    from canary.records import Purpose

    if probes and suite:
        raise CanaryError("give PROBES or --suite, not both")
    config = config_at(path)
    other, target = target_of(config, a), target_of(config, b)
    groups = groups_for(config, target, probes, suite)
    rule = PairRule(share or config.detect.smallest_share, alpha)
    with store_of(config, create=True) as store:
        found = run_async(side_by_side(config, store, (target, other), groups, n, rule, Purpose.COMPARE))
    if as_json:
        say(facts(found))
    else:
        show(console(), found)
    raise SystemExit(EXIT[found.verdict.value])


async def side_by_side(
    config: "Config",
    store: "Store",
    targets: "tuple[Target, Target]",
    groups: "Groups",
    n: int,
    rule: "PairRule",
    purpose: "Purpose",
    within: "timedelta | None" = None,
) -> "Comparison":
    """Fire pairs at the target to judge and the other one, and judge. Raises: CanaryError."""
    from canary.clock import SystemClock
    from canary.daemon.assembly import watch_of_pairs
    from canary.verdict import compare, plan_pairs

    names = (targets[0].name, targets[1].name)
    if names[0] == names[1]:
        raise CanaryError(f"{names[0]} cannot be compared with itself: name two targets")
    turns = plan_pairs(targets, groups, config.region, n, SystemClock().now(), purpose)
    watch = watch_of_pairs(config, targets, groups)
    runs = sum(len(volley) for turn in turns for volley in turn)
    async with firing(f"{names[1]} | {names[0]}", runs, within) as ground:
        return await compare(store, ground.fire, watch, names, turns, rule, ground.told, ground.stop)


def facts(found: "Comparison") -> dict[str, object]:
    """The verdict for `--json`."""
    judgement = found.judgement
    return {
        "id": found.id,
        "target": found.target,
        "against": found.against,
        "verdict": found.verdict.value,
        "worse": worse_one(found),
        "fired": found.fired,
        "planned": found.planned,
        "failures": {found.target: found.failures[0], found.against: found.failures[1]},
        "evidence_nats": judgement.evidence,
        "evidence_against_is_worse_nats": judgement.better,
        "signal": judgement.signal,
        "excludes_share": found.rule.share,
        "visible_share": judgement.visible,
        "power": found.rule.power,
        "alpha": found.rule.alpha,
        "beta": found.rule.beta,
        "compared": [_signal(one) for one in found.compared],
        "left_out": [
            {"group": series.group, "signal": series.signal, "reason": reason} for series, reason in found.left_out
        ],
    }


def worse_one(found: "Comparison") -> str | None:
    """The target that is shown to be the worse one; None where neither is."""
    if found.verdict.value == "fail":
        return found.target
    return found.against if found.against_is_worse else None


def show(out: "Console", found: "Comparison") -> None:
    """The verdict for a person: what, how sure, which signal, where to look."""
    from rich.markup import escape

    style = STYLES[found.verdict.value]
    head = f"[{style}]{found.verdict.value.upper()}[/] {escape(found.target)} against {escape(found.against)}"
    out.print(f"{head} after {found.fired} of {found.planned} runs")
    out.print(meaning(found))
    if any(one.worse or one.better for one in found.compared):
        out.print(_table(found))
    if alike := names_of(one.series for one in found.compared if not one.worse and not one.better):
        out.print(f"alike in every pair: {alike}")
    if any(found.failures):
        out.print(f"runs that failed: {found.failures[0]} of {found.target}, {found.failures[1]} of {found.against}")
    for reason, names in _left_out(found).items():
        out.print(f"not compared ({reason}): {', '.join(names)}")
    out.print(f"kept: canary explain {found.id}")
    worst = next((one.slots[0] for one in _worst_first(found) if one.slots), None)
    if found.verdict.value == "fail" and worst is not None:
        out.print(f"look at one: canary incident evidence {worst}")


def meaning(found: "Comparison", more: str = "-n") -> str:
    """What the verdict says, in a sentence."""
    judgement, rule = found.judgement, found.rule
    chance = f"targets that are alike would come to this with a chance of {rule.alpha:.0%} at most"
    other = f"{found.against} is worse ({chance}); " if found.against_is_worse else ""
    match found.verdict.value:
        case "fail":
            return f"{found.target} is worse in {judgement.signal} ({chance})"
        case "pass":
            numbers = [one for one in found.compared if one.kind.value == "number"]
            apart = " (of events; numbers may fail it, but never pass it)" if numbers else ""
            return (
                f"{other}were {found.target} worse in {rule.share:.1%} of answers, it would have passed with a chance "
                f"of {rule.beta:.0%} at most{apart}"
            )
        case _ if judgement.visible < 1.0:
            return (
                f"{other}not sure; were {found.target} worse in {judgement.visible:.1%} of answers, it would have "
                f"failed with a chance of {rule.power:.0%}"
            )
        case _:
            return f"{other}not sure: too few pairs to see any difference; give a larger {more}"


def _signal(one: "Compared") -> dict[str, object]:
    return {
        "group": one.series.group,
        "signal": one.series.signal,
        "kind": one.kind.value,
        "pairs": one.pairs,
        "worse": one.worse,
        "better": one.better,
        "evidence_nats": one.evidence,
        "evidence_against_is_worse_nats": one.counter,
        "soundness_nats": one.soundness,
        "visible_share": one.visible,
        "slots": one.slots[:10],
    }


def _left_out(found: "Comparison") -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for series, reason in found.left_out:
        words = "they need a baseline" if reason == "no_reference" else reason.replace("_", " ")
        reasons.setdefault(words, []).append(f"{series.group}/{series.signal}")
    return reasons


def _worst_first(found: "Comparison") -> "list[Compared]":
    return sorted(found.compared, key=lambda one: (-one.evidence, one.series))


def _table(found: "Comparison") -> "Table":
    table = columns("signal", "pairs", "worse", "evidence", "better", "evidence", "would have been seen", "slots")
    for one in (each for each in _worst_first(found) if each.worse or each.better):
        table.add_row(
            f"{one.series.group}/{one.series.signal}",
            f"{one.pairs}",
            f"{one.worse}",
            f"{one.evidence:+.1f}",
            f"{one.better}",
            f"{one.counter:+.1f}",
            f"{one.visible:.1%} of answers" if one.visible < 1.0 else "-",
            " ".join(slot[:8] for slot in one.slots[:3]),
        )
    return table
