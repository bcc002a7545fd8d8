"""`canary baseline`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from canary.cli.common import config_at, console, json_option, progress, run_async, say, store_of, targets_like

if TYPE_CHECKING:
    from rich.progress import Progress

    from canary.clock import Clock
    from canary.config import Config
    from canary.probe.client import ProbeClient
    from canary.records import Baseline, Target
    from canary.store.base import Store


@click.group()
def command() -> None:
    """Record, list, show and promote golden baselines."""


@command.command()
@click.option("--target", "patterns", multiple=True, default=("*",), help="MODEL/PLATFORM/POOL, or a glob; repeatable.")
@click.option("-n", "n", type=click.IntRange(min=1), help="Judged answers per probe group. [default: enough to arm]")
@click.option("--promote", "at_once", is_flag=True, help="Make the new baselines active when they are recorded.")
@json_option
@click.pass_obj
def record(path: str, patterns: tuple[str, ...], n: int | None, at_once: bool, as_json: bool) -> None:
    r"""Fire golden runs and propose baselines from them. Stop it at any time: it resumes where it was.

    Record only while the targets are known to be healthy: what is recorded is what "healthy" will mean.

    \b
    Example:
      canary baseline record --target 'mid/*/*' -n 2000 --promote
    """
    config = config_at(path)
    targets = targets_like(config, patterns)
    with store_of(config, create=True) as store:
        proposed = run_async(record_all(config, store, targets, n, promote=at_once))
    _report(config, proposed, promoted=at_once, as_json=as_json)


@command.command("list")
@json_option
@click.pass_obj
def list_(path: str, as_json: bool) -> None:
    """Every baseline: whose, of which epoch, how much golden data, active or not."""
    from rich.table import Table

    config = config_at(path)
    with store_of(config) as store, store.reading() as tx:
        known = sorted(tx.baselines(), key=lambda one: (one.series, one.epoch))
    if as_json:
        say([facts(one) for one in known])
        return
    table = Table("id", "target", "group", "signal", "epoch", "status", "answers", "events", "recorded")
    for one in known:
        series = one.series
        row = (one.id[:10], series.target, series.group, series.signal, str(one.epoch), one.status.value)
        table.add_row(*row, f"{one.n:,}", str(one.events), one.created_at.isoformat(timespec="minutes"))
    console().print(table)


@command.command()
@click.argument("baseline_id")
@json_option
@click.pass_obj
def show(path: str, baseline_id: str, as_json: bool) -> None:
    """One baseline (an id or the beginning of one): its data, and whether it arms its series."""
    from canary.daemon.assembly import watch_of
    from canary.errors import NotFound

    config = config_at(path)
    with store_of(config) as store:
        with store.reading() as tx:
            found = [one for one in tx.baselines() if one.id.startswith(baseline_id)]
        if len(found) != 1:
            raise NotFound(f'{len(found)} baselines begin with "{baseline_id}": see `canary baseline list`')
        watch = watch_of(config, store)
    (one,) = found
    learning = watch.learning.get(one.series)
    details = {
        **facts(one),
        "armed": one.series in watch.armed,
        "needed": None if learning is None else learning.needed,
        "probes": {part.probe_digest: {"answers": part.n, "threshold": part.threshold} for part in one.parts},
        "calibration": _quantiles(one),
    }
    if as_json:
        say(details)
        return
    for name, value in details.items():
        console().print(f"[bold]{name}[/] {value}")


@command.command()
@click.option("--target", "patterns", multiple=True, default=("*",), help="MODEL/PLATFORM/POOL, or a glob; repeatable.")
@click.option("--epoch", type=int, help="The recording to promote. [default: the newest proposed]")
@click.pass_obj
def promote(path: str, patterns: tuple[str, ...], epoch: int | None) -> None:
    """Make proposed baselines the ones that judge. A running daemon takes them up within seconds."""
    from canary.daemon.assembly import signals_of
    from canary.errors import BaselineError
    from canary.pipeline.record import promote_epoch
    from canary.records import BaselineStatus

    config = config_at(path)
    count = 0
    with store_of(config) as store:
        for target in targets_like(config, patterns):
            with store.reading() as tx:
                waiting = tx.baselines(target=target.name, status=BaselineStatus.PROPOSED)
            epochs = [one.epoch for one in waiting if epoch in {None, one.epoch}]
            if epochs:
                count += len(promote_epoch(store, target.name, max(epochs), signals_of(config)))
    if not count:
        raise BaselineError("no baseline is proposed for these targets: run `canary baseline record` first")
    click.echo(f"{count} baselines changed")


def enough(config: "Config") -> int:
    """Golden answers per group that arm a series which has shown a few events."""
    from canary.detect import answers_needed
    from canary.forecast import forecast
    from canary.records import SignalKind

    outlook = forecast(config)
    delta = outlook.delta / outlook.series
    few = answers_needed(1, SignalKind.EVENT, delta=delta, smallest_share=outlook.smallest_share)
    return max(few, outlook.golden)


def facts(one: "Baseline") -> dict[str, object]:
    """A baseline for `--json`."""
    series = one.series
    return {
        "id": one.id,
        "target": series.target,
        "region": series.region,
        "group": series.group,
        "signal": series.signal,
        "epoch": one.epoch,
        "status": one.status.value,
        "answers": one.n,
        "events": one.events,
        "exposure": one.exposure,
        "scorer_version": one.scorer_version,
        "created_at": one.created_at.isoformat(),
    }


async def record_all(
    config: "Config", store: "Store", targets: "tuple[Target, ...]", n: int | None, *, promote: bool
) -> "Mapping[str, tuple[Baseline, ...]]":
    """Record all the targets at once, with a bar for each; by target name."""
    import asyncio

    from canary.clock import SystemClock
    from canary.daemon.assembly import signals_of
    from canary.http import HttpClient
    from canary.pipeline.record import promote_epoch
    from canary.probe.client import ProbeClient

    clock, http = SystemClock(), HttpClient()
    client = ProbeClient(http, clock)
    try:
        with progress(console(stderr=True)) as bar:
            each = [_record_one(config, store, client, clock, one, n or enough(config), bar) for one in targets]
            recorded = await asyncio.gather(*each)
    finally:
        await http.aclose()
    proposed = dict(zip([target.name for target in targets], recorded, strict=True))
    for name, baselines in proposed.items() if promote else ():
        promote_epoch(store, name, baselines[0].epoch, signals_of(config))
    return proposed


async def _record_one(
    config: "Config",
    store: "Store",
    client: "ProbeClient",
    clock: "Clock",
    target: "Target",
    n: int,
    bar: "Progress",
) -> "tuple[Baseline, ...]":
    import asyncio

    from canary.daemon.assembly import probes_on, scorers_of
    from canary.pipeline.record import begin, record

    recording = await asyncio.to_thread(begin, store, target, config.region, n, clock.now())
    task = bar.add_task(target.name, total=None)
    groups = probes_on(config, target)
    return await record(
        store,
        client.fire,
        clock,
        recording,
        target,
        groups,
        lambda done, total: bar.update(task, completed=done, total=total),
        scorers_of(config),
    )


def _report(config: "Config", proposed: "Mapping[str, tuple[Baseline, ...]]", *, promoted: bool, as_json: bool) -> None:
    from rich.table import Table

    from canary.daemon.assembly import rhythms_of, terms_of
    from canary.pipeline.watch import muster

    every = [baseline for baselines in proposed.values() for baseline in baselines]
    watch = muster(rhythms_of(config), every, terms_of(config), config.region)
    if as_json:
        say([{**facts(one), "armed": one.series in watch.armed} for one in every])
        return
    table = Table("target", "epoch", "series", "armed", "learning")
    for target, baselines in proposed.items():
        armed = [one for one in baselines if one.series in watch.armed]
        short = [
            _shortfall(one, watch.learning[one.series].needed) for one in baselines if one.series in watch.learning
        ]
        row = (target, str(baselines[0].epoch), str(len(baselines)), str(len(armed)))
        table.add_row(*row, ", ".join(short) or "-")
    console().print(table)
    console().print("active now" if promoted else "proposed: look at them, then `canary baseline promote`")


def _quantiles(one: "Baseline") -> dict[str, float] | None:
    if not one.calibration:
        return None
    at = {"median": 0.5, "99 %": 0.99, "maximum": 1.0}
    return {
        name: one.calibration[min(len(one.calibration) - 1, int(q * len(one.calibration)))] for name, q in at.items()
    }


def _shortfall(one: "Baseline", needed: int) -> str:
    return f"{one.series.group}/{one.series.signal} {one.n} of {needed}"
