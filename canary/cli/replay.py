"""`canary replay`."""

from typing import TYPE_CHECKING

import click

from canary.cli.common import columns, config_at, console, json_option, run_async, say, store_of
from canary.cli.complete import replayable, target_names
from canary.cli.ondemand import EXIT, STYLES, firing, named, names_of, share_option
from canary.cli.word import Word

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from rich.console import Console
    from rich.table import Table

    from canary.config import Config
    from canary.pipeline.record import Groups
    from canary.records import Incident, Probe, Target
    from canary.store.base import Store, Transaction
    from canary.verdict import Report, Shown


@click.command(
    cls=Word,
    exits={
        0: "pass: a fault as large as --share is excluded",
        1: "fail: the target is not as in its baseline, or worse than --against",
        2: "inconclusive, or bad input or an error",
    },
    examples=(
        "canary replay 3f2a9c1e                          # an incident, where it is",
        "canary replay 3f2a9c1e --target mid/api/long    # is the pool next door touched too?",
        "canary replay 3f2a9c1e --against mid/api/long   # both at once, pair by pair, without a baseline",
        "canary replay onetoken --target mid/api/short --burst 64 --share 0.02 -n 1000",
    ),
)
@click.argument("what", shell_complete=replayable)
@click.option(
    "--target",
    "target_name",
    shell_complete=target_names,
    help="MODEL/PLATFORM/POOL. [default: the incident's own]",
)
@click.option(
    "-n",
    "n",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    help="Runs at most; a burst counts as one.",
)
@click.option("--against", shell_complete=target_names, help="Judge it by this target's answers to the same probes.")
@click.option(
    "--burst", type=click.IntRange(1, 1_024), help="So many equal requests at once. [default: as it is fired]"
)
@share_option
@json_option
@click.pass_obj
def command(
    path: str,
    what: str,
    target_name: str | None,
    n: int,
    against: str | None,
    burst: int | None,
    share: float | None,
    as_json: bool,
) -> None:
    """Fire the probes of WHAT at a target and judge the answers against its baseline.

    WHAT is an incident, a probe or a probe group (a family, or one in bursts such as onetoken@8). It stops as soon
    as it is sure, and says which share of touched answers it would have seen. The answers are kept, but feed neither
    baselines nor detectors. In bursts it is judged by the golden answers of bursts of that size.
    """
    config = config_at(path)
    with store_of(config) as store:
        target, groups = aim(config, store, what, target_name)
        groups = groups if burst is None else in_bursts(target, groups, burst)
        if against is not None:
            _beside(config, store, (target, against), groups, n, share, as_json=as_json)
        report = run_async(again(config, store, target, groups, n, share or config.detect.smallest_share))
    if as_json:
        say(facts(report))
    else:
        show(console(), report)
    raise SystemExit(EXIT[report.verdict.value])


def _beside(
    config: "Config",
    store: "Store",
    targets: "tuple[Target, str]",
    groups: "Groups",
    n: int,
    share: float | None,
    *,
    as_json: bool,
) -> "NoReturn":
    """As `compare` does, with the probes of a replay."""
    from canary.cli import compare
    from canary.daemon.assembly import target_of
    from canary.detect.twosample import PairRule
    from canary.records import Purpose

    target, other = targets[0], target_of(config, targets[1])
    rule = PairRule(share or config.detect.smallest_share)
    found = run_async(compare.side_by_side(config, store, (target, other), groups, n, rule, Purpose.REPLAY))
    if as_json:
        say(compare.facts(found))
    else:
        compare.show(console(), found)
    raise SystemExit(EXIT[found.verdict.value])


def in_bursts(target: "Target", groups: "Groups", size: int) -> "Groups":
    """The same probes, so many at once. Raises: CanaryError where the target may not bear that."""
    from canary.errors import CanaryError
    from canary.records import burst_group

    if size > target.limits.concurrency:
        most = target.limits.concurrency
        raise CanaryError(f"{target.name} may bear {most} requests at once: raise limits.concurrency, or ask for fewer")
    families: dict[str, dict[str, Probe]] = {}
    for probes in groups.values():
        for probe in probes:
            families.setdefault(burst_group(probe.group, size), {})[probe.id] = probe
    return {group: tuple(probes.values()) for group, probes in families.items()}


def aim(config: "Config", store: "Store", what: str, target_name: str | None) -> "tuple[Target, Groups]":
    """What to fire at whom, by probe group. Raises: NotFound."""
    from canary.alert.gist import largest
    from canary.daemon.assembly import probes_on, target_of
    from canary.errors import NotFound

    groups = named(config, what)
    if groups:
        if target_name is None:
            raise NotFound("which target? Give --target MODEL/PLATFORM/POOL")
        target = target_of(config, target_name)
        return target, _as_fired(groups, probes_on(config, target), what)
    with store.reading() as tx:
        incident = _incident(tx, what)
    target = target_of(config, target_name or largest(incident).target)
    fired = probes_on(config, target)
    groups = {group: probes for group, probes in fired.items() if _concerns(incident, group, probes)}
    if not groups:
        raise NotFound(f"no suite of the config fires what incident {incident.id} is about at {target.name} (any more)")
    return target, groups


def _as_fired(groups: "Groups", fired: "Groups", what: str) -> "Groups":
    """Of a family what is fired there, for of the rest there are no golden answers; a probe by its name as it is."""
    return {group: fired[group] if what == group and group in fired else probes for group, probes in groups.items()}


def _concerns(incident: "Incident", group: str, probes: "Sequence[Probe]") -> bool:
    """Whether a finding is of this probe group; one of a part of the fleet is of all groups that it hears."""
    from canary.pipeline.scopes import is_scope, place_of

    scored = {name for probe in probes for name in probe.scorers} | {"availability"}
    for finding in incident.findings:
        place = place_of(finding.series)
        if is_scope(finding.series) and finding.blame is not None:
            place = finding.blame.place
        if place.group in ("", group) and (place.group or finding.series.signal in scored):
            return True
    return False


def _incident(tx: "Transaction", what: str) -> "Incident":
    from canary.errors import NotFound

    try:
        return tx.incident(what)
    except NotFound as error:
        raise NotFound(f'"{what}" is no probe and no probe group, and as an incident: {error}') from None


async def again(config: "Config", store: "Store", target: "Target", groups: "Groups", n: int, share: float) -> "Report":
    """Fire and judge. Raises: BaselineError."""
    from canary.clock import SystemClock
    from canary.daemon.assembly import watch_of_groups
    from canary.detect import Rule
    from canary.verdict import plan, replay

    watch = watch_of_groups(config, store, target, groups)
    volleys = plan(target, groups, config.region, n, SystemClock().now())
    async with firing(target.name, sum(map(len, volleys))) as ground:
        return await replay(store, ground.fire, watch, volleys, Rule(share), ground.told, ground.stop)


def facts(report: "Report") -> dict[str, object]:
    """The verdict for `--json`."""
    judgement = report.judgement
    return {
        "id": report.id,
        "target": report.target,
        "verdict": report.verdict.value,
        "fired": report.fired,
        "planned": report.planned,
        "failures": report.failures,
        "evidence_nats": judgement.evidence,
        "signal": judgement.signal,
        "excludes_share": report.rule.share,
        "visible_share": judgement.visible,
        "power": report.rule.power,
        "alpha": report.rule.alpha,
        "beta": report.rule.beta,
        "shown": [
            {
                "group": shown.series.group,
                "signal": shown.series.signal,
                "answers": shown.answers,
                "events": shown.events,
                "share": [shown.size.low, shown.size.best, shown.size.high],
                "evidence": shown.evidence[:10],
            }
            for shown in report.shown
        ],
        "learning": [f"{series.group}/{series.signal}" for series in report.learning],
        "unspoken": report.unspoken,
    }


def show(out: "Console", report: "Report") -> None:
    """The verdict for a person: what, how sure, where to look."""
    style = STYLES[report.verdict.value]
    head = f"[{style}]{report.verdict.value.upper()}[/] {report.target}"
    out.print(f"{head} after {report.fired} of {report.planned} runs")
    out.print(meaning(report))
    if report.shown:
        out.print(_table(report))
    if report.failures:
        out.print(f"{report.failures} of {report.fired} runs failed")
    if report.learning:
        out.print(f"not judged, for want of golden data: {names_of(report.learning)}")
    out.print(f"kept: canary explain {report.id}")
    worst = next((shown.evidence[0] for shown in _worst_first(report) if shown.evidence), None)
    if worst is not None:
        out.print(f"look at one: canary incident evidence {worst}")


def meaning(report: "Report", more: str = "-n") -> str:
    """What the verdict says, in a sentence."""
    judgement, rule = report.judgement, report.rule
    healthy = "a healthy target would fail"
    fault, faulty = "with a fault that shows in", "of answers, the target would have"
    match report.verdict.value:
        case "fail":
            return f"{judgement.signal} is not as in the baseline ({healthy} with a chance of {rule.alpha:.0%} at most)"
        case "pass":
            apart = f" (but for one that only {_either(report.unspoken)} would show)" if report.unspoken else ""
            return f"{fault} {rule.share:.1%} {faulty} passed with a chance of {rule.beta:.0%} at most{apart}"
        case _ if judgement.visible < 1.0:
            return f"not sure; {fault} {judgement.visible:.1%} {faulty} failed with a chance of {rule.power:.0%}"
        case _:
            return f"not sure: too few judged answers to see any fault; give a larger {more}"


def _either(names: "Sequence[str]") -> str:
    """As people list them.

    >>> _either(["kl", "logprob", "finish"])
    'kl, logprob or finish'
    """
    *rest, last = names
    return f"{', '.join(rest)} or {last}" if rest else last


def _worst_first(report: "Report") -> "list[Shown]":
    return sorted(report.shown, key=lambda shown: (-shown.events, shown.series))


def _table(report: "Report") -> "Table":
    from canary.alert.gist import answers

    table = columns("series", "events", "share", "evidence")
    for shown in _worst_first(report):
        share = (
            f"{shown.size.best:.1%} ({shown.size.low:.1%} to {shown.size.high:.1%}) of {answers(shown.series.group)}"
        )
        events = f"{shown.events} of {shown.answers}"
        slots = " ".join(slot[:8] for slot in shown.evidence[:3])
        table.add_row(f"{shown.series.group}/{shown.series.signal}", events, share, slots)
    return table
