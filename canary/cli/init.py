"""`canary init`."""

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    r"""Write a commented starter config and an example probe into FOLDER.

    \b
    Example:
      canary init my-canary && cd my-canary && canary check
    """
    from canary.config import write_starter

    for path in write_starter(folder):
        click.echo(f"wrote {path}")
    click.echo(f"next: edit {folder / 'canary.yaml'}, then `canary -c {folder / 'canary.yaml'} check`")
