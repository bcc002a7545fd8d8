"""`canary lab`."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from canary.cli.common import json_option, say
from canary.cli.word import Noun

if TYPE_CHECKING:
    from canary.lab.server import LabApp

_TERMS = "detect: {smallest_share: 0.1}  # coarse, so that it learns in a minute\n"


@click.group(cls=Noun)
def command() -> None:
    """A simulated fleet with the faults of the postmortem."""


@command.command(
    exits={0: "stopped", 2: "the port is taken, or a file cannot be written"},
    examples=(
        "canary lab serve --write-config lab.yaml",
        "canary lab serve misrouting --speed 60 --lead 600 --write-config lab.yaml  # an hour becomes a minute",
        "# from another terminal, a fault on (and off again with an empty list):",
        "curl -X PUT http://127.0.0.1:8199/lab/faults \\",
        """  -d '[{"kind": "corruption", "model": "mid", "pool": "short", "share": 0.3}]'""",
    ),
)
@click.option("--port", type=click.IntRange(0, 65_535), default=8199, show_default=True, help="0: one that is free.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another fleet.")
@click.option(
    "--latency", type=click.FloatRange(0, 60), default=0.02, show_default=True, help="Typical seconds to an answer."
)
@click.option(
    "--write-config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write a config that watches it, with a few probes for prose and code.",
)
@click.option("--speed", type=click.FloatRange(1, 10_000), help="Scenario: how many times faster its time passes.")
@click.option(
    "--lead",
    type=click.FloatRange(0, 86_400),
    default=0.0,
    show_default=True,
    help="Scenario: seconds until it begins, in which to record golden answers.",
)
@click.argument("scenario", required=False)
@json_option
def serve(
    port: int,
    seed: int,
    latency: float,
    write_config: Path | None,
    speed: float | None,
    lead: float,
    scenario: str | None,
    as_json: bool,
) -> None:
    """Serve two models on two platforms and three pools over HTTP on 127.0.0.1, until Ctrl-C; or SCENARIO's fleet.

    Faults: corruption, swap, dropped_top, misrouting (with a "to_pool"), unreachable, throttled, slow (with "seconds").
    Those of a SCENARIO (see `canary drill`) come and go by its own time.
    """
    from canary.lab.run import serve as run

    if scenario is None and speed is not None:
        raise click.UsageError("--speed is of a SCENARIO: name one")
    served = _default(seed, latency) if scenario is None else _scenario(scenario, seed, speed or 1.0, lead)

    def ready(url: str) -> None:
        if write_config is not None:
            write_config.write_text(served.config(url), encoding="utf-8")
        if as_json:
            say({"url": url, "targets": list(served.targets), "config": write_config, "begins": served.begins})
            return
        click.echo(f"serving {len(served.targets)} targets at {url}")
        if served.begins is not None:
            click.echo(f"the scenario begins at {served.begins:%Y-%m-%d %H:%M:%SZ}")
        if write_config is not None:
            click.echo(f"wrote {write_config}; next: canary -c {write_config} baseline record --promote")

    with suppress(KeyboardInterrupt):
        run(served.app, port=port, ready=ready)


@dataclass(frozen=True)
class _Served:
    app: "LabApp"
    targets: Sequence[str]
    config: Callable[[str], str]
    begins: datetime | None = None
    """When a scenario does, in real time."""


def _default(seed: int, latency: float) -> _Served:
    from canary.lab.fleet import Fleet
    from canary.lab.server import LabApp
    from canary.lab.spec import A_FEW, config_text, default_spec

    spec = default_spec(seed, latency)
    names = ["/".join(target) for target in spec.targets]
    return _Served(LabApp(Fleet(spec)), names, lambda url: _TERMS + config_text(spec, url, interval="1s", choice=A_FEW))


def _scenario(name: str, seed: int, speed: float, lead: float) -> _Served:
    from canary.clock import SystemClock
    from canary.drill.app import ScenarioApp
    from canary.drill.clock import HurriedClock
    from canary.drill.scenario import scenario
    from canary.drill.setup import config_text
    from canary.lab.fleet import Fleet

    found = scenario(name)
    fleet, real = Fleet(found.spec(seed)), SystemClock()
    begins = real.now() + timedelta(seconds=lead)
    app = ScenarioApp(fleet, found.faults, HurriedClock(real, found.begin, speed, lead))
    return _Served(app, found.targets, lambda url: config_text(found, url, speed), begins)
