"""`canary lab`."""

from contextlib import suppress
from pathlib import Path

import click

from canary.cli.common import json_option, say
from canary.cli.word import Noun

_TERMS = "detect: {smallest_share: 0.1}  # coarse, so that it learns in a minute\n"


@click.group(cls=Noun)
def command() -> None:
    """A simulated fleet with the faults of the postmortem."""


@command.command(
    exits={0: "stopped", 2: "the port is taken, or a file cannot be written"},
    examples=(
        "canary lab serve --write-config lab.yaml",
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
@json_option
def serve(port: int, seed: int, latency: float, write_config: Path | None, as_json: bool) -> None:
    """Serve two models on two platforms and three pools over HTTP on 127.0.0.1, until Ctrl-C.

    Faults: corruption, swap, dropped_top, misrouting (with a "to_pool"), unreachable, throttled, slow (with "seconds").
    """
    from canary.lab.run import serve as run
    from canary.lab.spec import A_FEW, config_text, default_spec

    spec = default_spec(seed, latency)

    def ready(url: str) -> None:
        if write_config is not None:
            text = _TERMS + config_text(spec, url, interval="1s", choice=A_FEW)
            write_config.write_text(text, encoding="utf-8")
        if as_json:
            say({"url": url, "targets": ["/".join(target) for target in spec.targets], "config": write_config})
            return
        click.echo(f"serving {len(spec.targets)} targets at {url}")
        if write_config is not None:
            click.echo(f"wrote {write_config}; next: canary -c {write_config} baseline record --promote")

    with suppress(KeyboardInterrupt):
        run(spec, port=port, ready=ready)
