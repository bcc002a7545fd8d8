"""`canary init`."""

import shlex
from pathlib import Path

import click

from canary.cli.common import json_option, say
from canary.cli.word import Word


@click.command(
    cls=Word,
    exits={0: "written", 2: "a file is there already, or the folder cannot be written"},
    examples=("canary init my-canary", "cd my-canary && canary check"),
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@json_option
def command(folder: Path, as_json: bool) -> None:
    """Write a commented starter config and an example probe into FOLDER. It overwrites nothing."""
    from canary.config import write_starter

    written = write_starter(folder)
    if as_json:
        say({"written": written})
        return
    for path in written:
        click.echo(f"wrote {path}")
    click.echo(f"next: edit {folder / 'canary.yaml'}, then")
    click.echo(f"  cd {shlex.quote(str(folder))} && canary check")
