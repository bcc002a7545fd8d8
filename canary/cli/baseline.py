"""`canary baseline`."""

import getpass
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from canary.cli.baseline_diff import diff, known
from canary.cli.baseline_guard import accept_option, require_quiet, require_same
from canary.cli.baseline_propose import propose
from canary.cli.common import (
    columns,
    config_at,
    console,
    json_option,
    minute,
    printable,
    progress,
    run_async,
    say,
    store_of,
    targets_like,
)
from canary.cli.complete import baseline_ids, target_names
from canary.cli.reach import reach, require_answers
from canary.cli.word import Noun

if TYPE_CHECKING:
    from rich.progress import Progress

    from canary.clock import Clock
    from canary.config import Config
    from canary.pipeline.watch import Watch
    from canary.probe.client import ProbeClient
    from canary.records import Baseline, BaselinePart, Target
    from canary.store.base import Store

_targets = click.option(
    "--target",
    "patterns",
    multiple=True,
    default=("*",),
    shell_complete=target_names,
    help="MODEL/PLATFORM/POOL, or a glob; repeatable. [default: all]",
)


@click.group(cls=Noun)
def command() -> None:
    """Record, list, show, compare and promote golden baselines."""


command.add_command(diff)
command.add_command(propose)


@command.command(
    exits={0: "recorded", 2: "bad input, or a target does not answer", 130: "stopped; the same command goes on"},
    examples=("canary baseline record --promote", "canary baseline record --target 'mid/*/*' -n 2000"),
)
@_targets
@click.option("-n", "n", type=click.IntRange(1, 10_000_000), help="Answers per probe group. [default: enough to arm]")
@click.option("--promote", "at_once", is_flag=True, help="Make the new baselines active when they are recorded.")
@click.option("--version", default="", help="Declare the model's version: a new one may answer differently.")
@accept_option
@json_option
@click.pass_obj
def record(
    path: str,
    patterns: tuple[str, ...],
    n: int | None,
    at_once: bool,
    version: str,
    accept_drift: bool,
    as_json: bool,
) -> None:
    """Fire golden runs and propose baselines from them. Stop it at any time: it resumes where it was.

    Record only while the targets are known to be healthy: what is recorded is what "healthy" will mean. `canary check`
    tells beforehand how many runs and tokens it takes. While an incident of a target is unresolved, or a change takes
    effect, nothing is recorded.
    """
    config = config_at(path)
    targets = targets_like(config, patterns)
    with store_of(config, create=True) as store:
        require_quiet(config, store, targets, version, accept=accept_drift)
        proposed = run_async(record_all(config, store, targets, n, version))
        if at_once:
            epochs = {name: baselines[0].epoch for name, baselines in proposed.items()}
            require_same(config, store, epochs, accept=accept_drift)
            promote_all(config, store, epochs)
    _report(config, proposed, promoted=at_once, as_json=as_json)


@command.command("list", exits={0: "listed", 2: "bad config or store"}, examples=("canary baseline list --json",))
@json_option
@click.pass_obj
def list_(path: str, as_json: bool) -> None:
    """Every baseline: whose, of which epoch, how much golden data, active or not."""
    config = config_at(path)
    with store_of(config) as store, store.reading() as tx:
        known = sorted(tx.baselines(), key=lambda one: (one.series, one.epoch))
    if as_json:
        say([facts(one) for one in known])
        return
    if not known:
        console().print("no baseline yet; next: canary baseline record")
        return
    table = columns("id", "target", "group", "signal", "ep.", "version", "status", "n", "events")
    for one in known:
        series = one.series
        row = (
            one.id[:8],
            series.target,
            series.group,
            series.signal,
            str(one.epoch),
            printable(one.version),
            one.status.value,
        )
        table.add_row(*row, f"{one.n:,}", str(one.events))
    console().print(table)


@command.command(
    exits={0: "shown", 2: "no such baseline, or several, or bad config or store"},
    examples=("canary baseline show 3f2a9c1e",),
)
@click.argument("baseline_id", shell_complete=baseline_ids)
@json_option
@click.pass_obj
def show(path: str, baseline_id: str, as_json: bool) -> None:
    """One baseline (an id or the beginning of one): its data, and whether it arms its series."""
    from canary.daemon.assembly import watch_of

    config = config_at(path)
    with store_of(config) as store:
        one = known(store, baseline_id)
        watch = watch_of(config, store)
    details = _details(config, one, watch)
    if as_json:
        say(details)
        return
    for name, value in details.items():
        console().print(f"[bold]{name}[/] {value}")


@command.command(
    exits={0: "promoted", 2: "nothing is proposed for these targets, or bad input"},
    examples=("canary baseline promote", "canary baseline promote --target 'mid/api/*' --epoch 3"),
)
@_targets
@click.option("--epoch", type=int, help="The recording to promote. [default: the newest proposed]")
@accept_option
@json_option
@click.pass_obj
def promote(path: str, patterns: tuple[str, ...], epoch: int | None, accept_drift: bool, as_json: bool) -> None:
    """Make proposed baselines the ones that judge. A running daemon takes them up within seconds.

    Their golden answers are first judged by the baselines that are active now: where they differ by more than chance,
    or an incident or a change fell into the recording, nothing is promoted unless you accept it. A recording of a
    declared new version may differ.
    """
    from canary.errors import BaselineError
    from canary.records import BaselineStatus

    config = config_at(path)
    with store_of(config) as store:
        epochs = _proposed(store, [target.name for target in targets_like(config, patterns, external=True)], epoch)
        require_same(config, store, epochs, accept=accept_drift)
        changed = promote_all(config, store, epochs)
    if not changed:
        raise BaselineError("no baseline is proposed for these targets: run `canary baseline record` first")
    if as_json:
        say([facts(one) for one in changed])
        return
    active = sum(one.status is BaselineStatus.ACTIVE for one in changed)
    click.echo(f"{active} baselines are active now, {len(changed) - active} retired")


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
        "version": one.version,
        "status": one.status.value,
        "answers": one.n,
        "events": one.events,
        "exposure": one.exposure,
        "scorer_version": one.scorer_version,
        "created_at": one.created_at.isoformat(),
    }


async def record_all(
    config: "Config", store: "Store", targets: "tuple[Target, ...]", n: int | None, version: str = ""
) -> "Mapping[str, tuple[Baseline, ...]]":
    """Record all the targets at once, with a bar for each; by target name.

    Raises:
        CanaryError: a target does not answer at all: nothing was recorded.
    """
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    from canary.clock import SystemClock
    from canary.forecast import golden_answers
    from canary.http import HttpClient
    from canary.probe.client import ProbeClient

    # CPython's `ast.parse` is not safe in two threads at once (SystemError: recursion depth mismatch): score in one.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    clock, http = SystemClock(), HttpClient()
    client = ProbeClient(http, clock)
    answers = n or golden_answers(config)
    try:
        require_answers(await reach(client, config, targets))
        with progress(console(stderr=True)) as bar:
            each = [_record_one(config, store, client, clock, one, answers, bar, version) for one in targets]
            recorded = await asyncio.gather(*each)
    finally:
        await http.aclose()
    return dict(zip([target.name for target in targets], recorded, strict=True))


async def _record_one(
    config: "Config",
    store: "Store",
    client: "ProbeClient",
    clock: "Clock",
    target: "Target",
    n: int,
    bar: "Progress",
    version: str,
) -> "tuple[Baseline, ...]":
    import asyncio

    from canary.daemon.assembly import probes_on, scorers_of
    from canary.pipeline.record import begin, record

    recording = await asyncio.to_thread(begin, store, target, config.region, n, clock.now(), version)
    task = bar.add_task(target.name, total=None)
    groups = probes_on(config, target)
    return await record(
        store,
        client.fire_at_once,
        clock,
        recording,
        target,
        groups,
        lambda done, total: bar.update(task, completed=done, total=total),
        lambda done, total: bar.update(task, completed=done, total=total, description=f"{target.name}, judging"),
        scorers_of(config),
        version,
    )


def promote_all(config: "Config", store: "Store", epochs: Mapping[str, int]) -> "list[Baseline]":
    """Make these epochs of these targets the ones that judge; returns all that changed."""
    from canary.clock import SystemClock
    from canary.daemon.assembly import signals_of
    from canary.pipeline.record import promote_epoch
    from canary.records import Act, AuditEntry

    known_signals, now, who = signals_of(config), SystemClock().now(), getpass.getuser()
    changed = (
        promote_epoch(store, name, epoch, known_signals, AuditEntry(now, who, Act.PROMOTE, name, f"epoch {epoch}"))
        for name, epoch in epochs.items()
    )
    return [baseline for baselines in changed for baseline in baselines]


def _proposed(store: "Store", targets: Sequence[str], epoch: int | None) -> dict[str, int]:
    """The newest proposed epoch of each target, or this one where it is proposed."""
    from canary.records import BaselineStatus

    with store.reading() as tx:
        waiting = [one for target in targets for one in tx.baselines(target=target, status=BaselineStatus.PROPOSED)]
    newest: dict[str, int] = {}
    for one in waiting:
        if epoch in {None, one.epoch}:
            newest[one.series.target] = max(one.epoch, newest.get(one.series.target, one.epoch))
    return newest


def _details(config: "Config", one: "Baseline", watch: "Watch") -> dict[str, object]:
    learning = watch.learning.get(one.series)
    known = {probe.digest: probe.id for probe in config.probes}
    return {
        **facts(one),
        "armed": one.series in watch.armed,
        "needed": None if learning is None else learning.needed,
        "probes": {known.get(part.probe_digest, part.probe_digest): _part(part) for part in one.parts},
        "calibration": _quantiles(one),
    }


def _report(config: "Config", proposed: "Mapping[str, tuple[Baseline, ...]]", *, promoted: bool, as_json: bool) -> None:
    from canary.daemon.assembly import rhythms_of, terms_of
    from canary.pipeline.watch import muster

    every = [baseline for baselines in proposed.values() for baseline in baselines]
    watch = muster(rhythms_of(config), every, terms_of(config), config.region)
    if as_json:
        say([{**facts(one), "armed": one.series in watch.armed} for one in every])
        return
    table = columns("target", "epoch", "recorded", "series", "armed", "still learning")
    for target, baselines in proposed.items():
        armed = [one for one in baselines if one.series in watch.armed]
        short = [
            _shortfall(one, watch.learning[one.series].needed) for one in baselines if one.series in watch.learning
        ]
        first = baselines[0]
        row = (target, str(first.epoch), minute(first.created_at), str(len(baselines)), str(len(armed)))
        table.add_row(*row, "\n".join(short) or "-")
    console().print(table)
    console().print(
        "active now; next: canary run" if promoted else "proposed; next: canary baseline list, canary baseline promote"
    )


def _part(part: "BaselinePart") -> dict[str, float]:
    facts = {"answers": part.n, "threshold": part.threshold}
    return {**facts, "scale": part.scale} if part.calibration else facts


def _quantiles(one: "Baseline") -> dict[str, float] | None:
    """Of golden distances in the signal's unit."""
    values = one.golden
    if not values:
        return None
    at = {"median": 0.5, "99 %": 0.99, "maximum": 1.0}
    return {name: values[min(len(values) - 1, int(q * len(values)))] for name, q in at.items()}


def _shortfall(one: "Baseline", needed: int) -> str:
    return f"{one.series.group}/{one.series.signal} {one.n} of {needed}"
