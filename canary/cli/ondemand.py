"""What `replay`, `compare` and `gate` share: exit codes, what to fire, how it is fired, the words for it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from canary.cli.common import console, progress
from canary.errors import NotFound

if TYPE_CHECKING:
    from canary.config import Config
    from canary.detect import Judgement
    from canary.pipeline.record import Groups
    from canary.probe.client import ProbeClient
    from canary.records import Probe, SeriesKey, Target
    from canary.verdict import Fire

EXIT = {"pass": 0, "fail": 1, "inconclusive": 2}
STYLES = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}

share_option = click.option(
    "--share", type=click.FloatRange(0.001, 0.99), help="The fault that a pass excludes. [default: the config's]"
)


@dataclass(frozen=True, slots=True)
class Range:
    """A place to fire from: `fire` sends, `told` takes progress, `stop` ends it."""

    fire: "Fire"
    told: "Callable[[int, Judgement], None]"
    stop: asyncio.Event


@asynccontextmanager
async def ground(within: timedelta | None = None) -> "AsyncIterator[tuple[ProbeClient, asyncio.Event]]":
    """A client, and what stops it: Ctrl-C, or the time; a second Ctrl-C ends it at once."""
    from canary.clock import SystemClock
    from canary.http import HttpClient
    from canary.probe.client import ProbeClient

    clock, http, stop = SystemClock(), HttpClient(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    with suppress(NotImplementedError, ValueError, RuntimeError):  # not the main thread
        loop.add_signal_handler(signal.SIGINT, interrupted)
    deadline = None if within is None else loop.call_later(within.total_seconds(), stop.set)
    try:
        yield ProbeClient(http, clock), stop
    finally:
        if deadline is not None:
            deadline.cancel()
        with suppress(NotImplementedError, ValueError, RuntimeError):
            loop.remove_signal_handler(signal.SIGINT)
        await http.aclose()


@asynccontextmanager
async def firing(label: str, total: int, within: timedelta | None = None) -> AsyncIterator[Range]:
    """With a bar of `total` runs. What stops it gives the verdict by what is known by then."""
    async with ground(within) as (client, stop):
        with progress(console(stderr=True)) as bar:
            task = bar.add_task(label, total=total)

            def told(fired: int, judgement: "Judgement") -> None:
                bar.update(task, completed=fired, description=f"{label} evidence {judgement.evidence:+.1f}")

            yield Range(client.fire_at_once, told, stop)


def named(config: "Config", what: str) -> "Groups":
    """The probe, or the probe group (of bursts: as a suite fires it), that goes by this name; else nothing."""
    family = tuple(probe for probe in config.probes if probe.family == what)
    members = family or tuple(probe for probe in config.probes if probe.id == what)
    if members:
        return {members[0].group: members}
    return {one.group: one.probes for one in config.assignments() if one.group == what}


def groups_for(config: "Config", target: "Target", names: Sequence[str], suite: str | None) -> "Groups":
    """The probes of these names, or of a suite, or all that the config fires at the target. Raises: NotFound."""
    if not names:
        return _of_suites(config, target, suite)
    merged: dict[str, dict[str, Probe]] = {}
    for name in names:
        found = named(config, name)
        if not found:
            raise NotFound(f'"{name}" is no probe and no probe group: see `canary probe list`')
        for group, probes in found.items():
            merged.setdefault(group, {}).update((probe.id, probe) for probe in probes)
    return {group: tuple(probes.values()) for group, probes in merged.items()}


def names_of(series: "Iterable[SeriesKey]") -> str:
    """For a person."""
    return ", ".join(f"{each.group}/{each.signal}" for each in series)


def _of_suites(config: "Config", target: "Target", suite: str | None) -> "Groups":
    fired = config.assignments() if suite is None else config.fired_by(suite)
    if suite is not None and not fired:
        raise NotFound(f'no suite "{suite}": there are {", ".join(_suites(config))}')
    ours = [one for one in fired if one.target.name == target.name]
    if not ours:
        raise NotFound(f"suite {suite} fires nothing at {target.name}" if suite else f"no suite fires at {target.name}")
    return {one.group: one.probes for one in ours}


def _suites(config: "Config") -> list[str]:
    from canary.config import builtin_suites

    return list(dict.fromkeys([*(one.suite for one in config.assignments()), *builtin_suites()]))
