"""`canary probe lint`."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import click

from canary.cli.common import console, json_option, say
from canary.cli.word import Word

if TYPE_CHECKING:
    from canary.score import Scorer

Row = dict[str, object]


@click.command(
    cls=Word,
    exits={
        0: "nothing to mend",
        1: "something: each with file, line and key",
        2: "a path or the config cannot be read",
    },
    examples=("canary probe lint", "canary probe lint my-probes"),
)
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@json_option
@click.pass_obj
def lint(path: str, paths: tuple[Path, ...], as_json: bool) -> None:
    """Say what is wrong with probe files, and with scorers of your own.

    PATHs are files or folders; without one, all folders of the config. Beyond what keeps a file from being read: ids
    used twice, reasons that are missing, expectations that no answer can meet. Scorers of your own are held to the
    contract that Canary's keep.
    """
    folders, own = _sources(Path(path), paths)
    rows = [*_probe_rows(folders, own), *_scorer_rows(own)]
    if as_json:
        say(rows)
    elif rows:
        click.echo("\n".join(map(_line, rows)))
    else:
        console().print(f"[green]nothing to mend in {', '.join(map(str, folders))}[/]")
    if rows:
        raise SystemExit(1)


def _sources(config: Path, paths: tuple[Path, ...]) -> "tuple[tuple[Path, ...], Mapping[str, Scorer]]":
    """Probe files can be looked at without a config."""
    from canary.config import probe_sources

    if paths and not config.exists():
        return paths, {}
    folders, own = probe_sources(config, os.environ)
    return paths or folders, own


def _probe_rows(folders: tuple[Path, ...], own: "Mapping[str, Scorer]") -> Iterator[Row]:
    from canary.config import lint as findings

    for found in findings(folders, own):
        yield {"path": str(found.path), "line": found.line, "place": found.place, "text": found.text}


def _scorer_rows(own: "Mapping[str, Scorer]") -> Iterator[Row]:
    from canary.score.contract import check, hostile

    cases = list(hostile()) if own else []
    for name, scorer in own.items():
        for problem in check(scorer, cases, process_time):
            yield {"path": f"scorer {name}", "line": None, "place": "", "text": problem}


def _line(row: Row) -> str:
    source = f"{row['path']}:{row['line']}" if row["line"] else row["path"]
    return ": ".join(str(part) for part in (source, row["place"], row["text"]) if part)
