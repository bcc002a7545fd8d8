"""`canary prometheus`."""

from pathlib import Path

import click

from canary.cli.common import json_option, say
from canary.cli.word import Noun


@click.group(cls=Noun)
def command() -> None:
    """Write the alert rules for Prometheus and its operator."""


@command.command(
    exits={0: "written, or as they were", 2: "they cannot be written"},
    examples=(
        "canary prometheus render monitoring",
        "canary prometheus render monitoring --runbooks https://git.example.com/canary/deploy/runbooks",
        "promtool check rules monitoring/prometheus/rules.yaml",
    ),
)
@click.argument("folder", default="deploy", type=click.Path(path_type=Path, file_okay=False))
@click.option("--runbooks", metavar="URL", help="Where you serve the runbooks. [default: their path in the repository]")
@json_option
def render(folder: Path, runbooks: str | None, as_json: bool) -> None:
    """Write prometheus/rules.yaml and kubernetes/prometheusrule.yaml into FOLDER (default: deploy).

    The rules need Prometheus 2.42 or later, a scrape job named canary, and Alertmanager routes for the label severity:
    "page", "ticket", and "none" of the watchdog, which always fires.
    """
    from canary.observe.files import write
    from canary.observe.prometheus import RUNBOOKS, files

    written = write(files(runbooks or RUNBOOKS), folder)
    if as_json:
        say([{"path": str(path), "changed": changed} for path, changed in written])
        return
    for path, changed in written:
        click.echo(f"{path}{'' if changed else ' (as it was)'}")
