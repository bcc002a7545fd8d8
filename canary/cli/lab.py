"""`canary lab`."""

from pathlib import Path

import click


@click.group()
def command() -> None:
    """A simulated fleet with the faults of the postmortem."""


@command.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=8199, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--latency", type=float, default=0.02, show_default=True, help="Typical seconds to an answer.")
@click.option("--write-config", type=click.Path(path_type=Path), help="Also write a config that watches it.")
def serve(port: int, seed: int, latency: float, write_config: Path | None) -> None:
    r"""Serve two models on two platforms and three pools over HTTP on 127.0.0.1, until Ctrl-C.

    \b
    Switch a fault on (and off again with an empty list), from another terminal:
      curl -X PUT http://127.0.0.1:8199/lab/faults -d '[{"kind": "corruption", "pool": "short", "share": 0.02}]'
    """
    from canary.lab.run import serve as run
    from canary.lab.spec import config_text, default_spec

    spec = default_spec(seed, latency)

    def ready(url: str) -> None:
        click.echo(f"serving {len(spec.targets)} targets at {url}")
        if write_config is not None:
            write_config.write_text(config_text(spec, url), encoding="utf-8")
            click.echo(f"wrote {write_config}: canary -c {write_config} baseline record --promote")

    run(spec, port=port, ready=ready)
