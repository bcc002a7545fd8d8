"""`canary replay`."""

from typing import TYPE_CHECKING

import click

from canary.cli.common import config_at, console, json_option, progress, run_async, say, store_of
from canary.cli.probe import probe_of

if TYPE_CHECKING:
    from canary.config import Config
    from canary.detect import Judgement
    from canary.records import Probe, Target
    from canary.store.base import Store
    from canary.verdict import Report

_EXIT = {"pass": 0, "fail": 1, "inconclusive": 2}
_STYLES = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}


@click.command()
@click.argument("what")
@click.option("--target", "target_name", help="MODEL/PLATFORM/POOL. [default: the incident's own]")
@click.option("-n", "n", type=click.IntRange(1, 100_000), default=200, show_default=True, help="Runs at most.")
@click.option(
    "--share", type=click.FloatRange(0.001, 0.99), help="The fault that a pass excludes. [default: the config's]"
)
@json_option
@click.pass_obj
def command(path: str, what: str, target_name: str | None, n: int, share: float | None, as_json: bool) -> None:
    r"""Fire the probes of WHAT at a target and judge the answers against its baseline.

    WHAT is an incident, a probe or a probe group (family). It stops as soon as it is sure. The answers feed neither
    baselines nor detectors.

    \b
    Exit codes: 0 pass, 1 fail, 2 inconclusive.
    \b
    Examples:
      canary replay 3f2a9c1e --target mid/api/long -n 200
      canary replay prose --target mid/api/short --share 0.02 -n 1000
    """
    config = config_at(path)
    with store_of(config) as store:
        target, probes = _aim(config, store, what, target_name)
        report = run_async(_replay(config, store, target, probes, n, share or config.detect.smallest_share))
    if as_json:
        say(_facts(report))
    else:
        _show(report)
    raise SystemExit(_EXIT[report.verdict.value])


def _aim(config: "Config", store: "Store", what: str, target_name: str | None) -> "tuple[Target, tuple[Probe, ...]]":
    from canary.daemon.assembly import probes_on, target_of
    from canary.errors import NotFound

    groups = {probe.family: [p for p in config.probes if p.family == probe.family] for probe in config.probes}
    if what in groups or any(probe.id == what for probe in config.probes):
        if target_name is None:
            raise NotFound("which target? Give --target MODEL/PLATFORM/POOL")
        return target_of(config, target_name), tuple(groups.get(what) or [probe_of(config, what)])
    with store.reading() as tx:
        incident = tx.incident(what)
    target = target_of(config, target_name or incident.target)
    fired = probes_on(config, target)
    involved = {finding.series.group for finding in incident.findings}
    return target, tuple(probe for group in sorted(involved & fired.keys()) for probe in fired[group])


async def _replay(
    config: "Config", store: "Store", target: "Target", probes: "tuple[Probe, ...]", n: int, share: float
) -> "Report":
    from canary.clock import SystemClock
    from canary.daemon.assembly import watch_of
    from canary.detect import Rule
    from canary.http import HttpClient
    from canary.probe.client import ProbeClient
    from canary.verdict import plan, replay

    clock, http = SystemClock(), HttpClient()
    runs = plan(target, probes, config.region, n, clock.now())
    try:
        with progress(console(stderr=True)) as bar:
            task = bar.add_task(target.name, total=n)

            def show(fired: int, judgement: "Judgement") -> None:
                bar.update(task, completed=fired, description=f"{target.name} evidence {judgement.evidence:+.1f}")

            return await replay(store, ProbeClient(http, clock).fire, watch_of(config, store), runs, Rule(share), show)
    finally:
        await http.aclose()


def _facts(report: "Report") -> dict[str, object]:
    judgement = report.judgement
    return {
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
    }


def _show(report: "Report") -> None:
    from rich.table import Table

    out, judgement, rule = console(), report.judgement, report.rule
    style = _STYLES[report.verdict.value]
    out.print(
        f"[{style}]{report.verdict.value.upper()}[/] {report.target} after {report.fired} of {report.planned} runs"
    )
    match report.verdict.value:
        case "fail":
            out.print(
                f"{judgement.signal} is not as in the baseline; a healthy target fails with {rule.alpha:.0%} at most"
            )
        case "pass":
            out.print(f"a fault in {rule.share:.1%} of answers would have passed with {rule.beta:.0%} at most")
        case _:
            out.print(
                f"not sure; a fault in {judgement.visible:.1%} of answers would have failed with {rule.power:.0%}"
            )
    if report.shown:
        table = Table("group", "signal", "events", "share of answers", "evidence")
        for shown in report.shown:
            size = f"{shown.size.best:.1%} ({shown.size.low:.1%} to {shown.size.high:.1%})"
            events = f"{shown.events} of {shown.answers}"
            table.add_row(shown.series.group, shown.series.signal, events, size, " ".join(shown.evidence[:3]))
        out.print(table)
    if report.failures:
        out.print(f"{report.failures} runs failed")
    if report.learning:
        names = ", ".join(f"{series.group}/{series.signal}" for series in report.learning)
        out.print(f"not judged, for want of golden data: {names}")
