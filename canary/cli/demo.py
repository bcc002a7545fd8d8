"""`canary demo`."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from canary.cli.baseline import promote_all, record_all
from canary.cli.common import config_at, console, panel, run_async, store_of
from canary.cli.matrix import fleet
from canary.cli.replay import again, aim, show
from canary.cli.word import Word
from canary.errors import CanaryError

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from canary.config import Config
    from canary.daemon.survey import Survey
    from canary.records import Incident
    from canary.store.base import Store

_FAULT = {"kind": "corruption", "model": "mid", "platform": "api", "pool": "short", "share": 0.3}
_FAULTY, _NEIGHBOUR = "mid/api/short", "mid/api/long"
_HEALTHY, _PATIENCE = timedelta(seconds=12), timedelta(seconds=75)
_TERMS = """\
region: demo
detect: {smallest_share: 0.1}
web: {port: 0}
"""


@click.command(
    cls=Word,
    exits={0: "the fault was found where it is", 2: "it was not"},
    examples=(
        "canary demo",
        "canary demo --keep /tmp/demo    # and then look around: canary -c /tmp/demo/canary.yaml status",
    ),
)
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Leave config and store in this folder.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another fleet.")
def command(keep: Path | None, seed: int) -> None:
    """Watch the canary find a fault, in under three minutes, on this machine alone.

    It starts a simulated fleet (two models, two platforms, six targets), records golden baselines while all is well,
    runs the daemon, lets one pool put foreign characters into some of its answers, and replays the incident.
    """
    with _folder(keep) as folder:
        run_async(_demo(folder, seed))
    if keep is not None:
        click.echo(f"config, store and log are in {keep}: canary -c {keep / 'canary.yaml'} status")


async def _demo(folder: Path, seed: int) -> None:
    from canary.lab.run import in_process
    from canary.lab.spec import A_FEW, config_text, default_spec

    out, spec = console(), default_spec(seed, latency=0.01)
    with in_process(spec) as url:
        out.print(f"[bold]1.[/] A fleet of {len(spec.targets)} targets answers at {url}.")
        path = folder / "canary.yaml"
        path.write_text(_TERMS + config_text(spec, url, interval="1s", choice=A_FEW), encoding="utf-8")
        config = config_at(str(path))
        out.print("[bold]2.[/] All is well: golden baselines are recorded.")
        with store_of(config, create=True) as store:
            recorded = await record_all(config, store, config.targets, None)
            promote_all(config, store, {name: baselines[0].epoch for name, baselines in recorded.items()})
            out.print(
                "[bold]3.[/] The daemon probes. Evidence is ln R of a target's strongest detector: 0 is an alarm."
            )
            async with _daemon(config):
                incident = await _watch(out, config, store, url)
            _tell(out, incident)
            await _replay(out, config, store, incident)
        out.print(f"[bold green]Found:[/] the fault is in {_FAULTY}, and nowhere else.")


def _survey(config: "Config", store: "Store", now: "datetime") -> "Survey":
    from canary.daemon.assembly import watch_of
    from canary.daemon.survey import survey

    return survey(config, store, watch_of(config, store), now)


async def _watch(out: "Console", config: "Config", store: "Store", url: str) -> "Incident":
    """Show the fleet, healthy and then with the fault, until an incident opens."""
    from rich.live import Live

    from canary.clock import SystemClock

    clock = SystemClock()
    switched_at = clock.now() + _HEALTHY
    faulty = False
    with Live(console=out, refresh_per_second=4, transient=False) as live:
        while clock.now() < switched_at + _PATIENCE:
            found = await asyncio.to_thread(_survey, config, store, clock.now())
            live.update(fleet(found.rows, out.width))
            if found.incidents:
                live.console.print()  # a panel follows
                return _checked(found.incidents, faulty=faulty)
            if not faulty and clock.now() >= switched_at:
                faulty = True
                await _switch(url)
                live.console.print(
                    f"[bold]4.[/] A fault: foreign characters in {_FAULT['share']:.0%} of the answers of {_FAULTY}."
                )
            await clock.sleep(0.5)
    raise CanaryError(f"the demo failed: no incident within {_PATIENCE.total_seconds():.0f} s of the fault")


def _checked(incidents: "Sequence[Incident]", *, faulty: bool) -> "Incident":
    """Raises: CanaryError unless there is one incident, after the fault, on the faulty target."""
    named = ", ".join(incident.target for incident in incidents)
    if not faulty:
        raise CanaryError(f"the demo failed: an incident on {named} before there was a fault")
    if named != _FAULTY:
        raise CanaryError(f"the demo failed: the fault is in {_FAULTY}, but the incident names {named}")
    return incidents[0]


def _tell(out: "Console", incident: "Incident") -> None:
    from canary.alert.words import text

    out.print(panel("\n".join(text(incident)), f"[bold red]incident {incident.id}[/]"))


async def _replay(out: "Console", config: "Config", store: "Store", incident: "Incident") -> None:
    """What a person on call does next: is it so, and is it so next door?"""
    from canary.daemon.assembly import target_of

    out.print("[bold]5.[/] On call: the incident's probes again, there and in the pool next door.")
    for name in (_FAULTY, _NEIGHBOUR):
        out.print(f"[dim]$ canary replay {incident.id[:8]} --target {name}[/]")
        _, groups = aim(config, store, incident.id, name)
        show(out, await again(config, store, target_of(config, name), groups, 200, config.detect.smallest_share))


async def _switch(url: str) -> None:
    from canary.http import HttpClient, NoAnswer

    http = HttpClient()
    try:
        answer = await http.send(
            "PUT",
            f"{url}/lab/faults",
            headers={"content-type": "application/json"},
            body=json.dumps([_FAULT]).encode(),
            within=timedelta(seconds=5),
            max_bytes=100_000,
        )
    finally:
        await http.aclose()
    if isinstance(answer, NoAnswer) or answer.status != 200:
        raise CanaryError("the demo failed: the lab did not take the fault")


@asynccontextmanager
async def _daemon(config: "Config") -> AsyncIterator[None]:
    """The real daemon, in a process of its own; its log lies beside its config."""
    words = (sys.executable, "-m", "canary", "-c", str(config.path), "run")
    with (config.path.parent / "daemon.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*words, stdout=log, stderr=log, env=os.environ)
        try:
            yield
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            if await process.wait():
                raise CanaryError(f"the demo failed: the daemon ended badly, see {log.name}")


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="canary-demo-") as name:
        yield Path(name)
