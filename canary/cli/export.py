"""`canary export`."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from canary.cli.common import config_at, console, progress, store_of
from canary.cli.export_formats import FORMATS, writer
from canary.cli.moment import moment
from canary.cli.remote import remote_options
from canary.cli.word import Word
from canary.errors import CanaryError

if TYPE_CHECKING:
    from canary.cli.remote import Remote
    from canary.desk.rows import Cell, Kind, Row

_KINDS = ("observations", "scores", "incidents", "alarms", "changes")
_PAGE = 1_000  # rows, or observations of which they are, that a daemon is asked for at a time
_LAID = 1_000  # rows between two looks at the bar


@click.command(
    cls=Word,
    exits={0: "written", 2: "bad input, config or store, or pyarrow is missing"},
    examples=(
        "canary export scores --since 7d --format parquet -o scores.parquet",
        "canary export incidents --format csv",
        "canary export observations --since 1h --with-answers | jq .answer",
    ),
)
@click.argument("kind", type=click.Choice(_KINDS), metavar="KIND")
@click.option("--since", callback=moment, help="A day, a time with its zone, or 36h ago. [default: the first]")
@click.option("--until", callback=moment, help="Before then. [default: now]")
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="jsonl", show_default=True, help="How it is written."
)
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="[default: standard output]")
@click.option("--with-answers", is_flag=True, help="Answers too, as far as they are kept: of observations only.")
@remote_options
@click.pass_obj
def command(
    path: str,
    kind: str,
    since: datetime | None,
    until: datetime | None,
    form: str,
    out: Path | None,
    with_answers: bool,
    remote: "Remote | None",
) -> None:
    """What the store holds: KIND is observations, scores, incidents (a row for each finding), alarms or changes.

    Rows are streamed, so that any number of them takes the same memory. Observations and scores are the scheduled ones.
    No prompt and no answer is written unless --with-answers says so; a daemon elsewhere (--url) asks for the role
    operate for that. Parquet needs `pip install 'llm-canary[parquet]'`.
    """
    from canary.desk.rows import ANSWERED, KINDS, Name

    if with_answers and kind != "observations":
        raise CanaryError("--with-answers is for observations")
    if form == "parquet" and out is None and sys.stdout.isatty():
        raise CanaryError("Parquet is not for a terminal: name a file with -o")
    chosen = ANSWERED if with_answers else KINDS[Name(kind)]
    with _rows(path, kind, chosen, since, until, remote) as rows, _file(out) as file:
        write, told = writer(form, file, chosen.columns), _Told(kind, rows)
        write(told)
    click.echo(f"{told.n:,} rows of {kind}", err=True)


@contextmanager
def _rows(
    path: str, kind: str, chosen: "Kind", since: datetime | None, until: datetime | None, remote: "Remote | None"
) -> "Iterator[Iterator[Row]]":
    if remote is not None:
        yield _far(remote, kind, chosen, since, until)
        return
    with store_of(config_at(path)) as store, store.reading() as tx:
        yield chosen.read(tx, since, until)


def _far(
    remote: "Remote", kind: str, chosen: "Kind", since: datetime | None, until: datetime | None
) -> "Iterator[Row]":
    """From a daemon elsewhere, page by page. Raises: CanaryError, where its columns are others."""
    from canary.desk.rows import ANSWERED

    asked = {"since": since and since.isoformat(), "until": until and until.isoformat(), "answers": chosen is ANSWERED}
    after: int | None = 0
    while after is not None:
        page = remote.get("export", kind, **asked, after=after, limit=_PAGE)
        if [tuple(column) for column in page["columns"]] != list(chosen.columns):
            raise CanaryError(f"{remote.url}: has other columns of {kind}: another version?")
        yield from (_cells(row, chosen) for row in page["rows"])
        after = page["next"]


def _cells(row: "Sequence[Cell]", chosen: "Kind") -> "Row":
    """Moments as such."""
    columns = zip(row, chosen.columns, strict=True)
    return tuple(datetime.fromisoformat(str(cell)) if cell and of == "moment" else cell for cell, (_, of) in columns)


@contextmanager
def _file(out: Path | None) -> Iterator[BinaryIO]:
    """The file is there when it is whole."""
    if out is None:
        yield sys.stdout.buffer
        return
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


class _Told:
    """Rows, counted on a terminal as they go by."""

    def __init__(self, kind: str, rows: "Iterable[Row]") -> None:
        self.n = 0
        self._kind = kind
        self._rows = rows

    def __iter__(self) -> "Iterator[Row]":
        with progress(console(stderr=True)) as bar:
            task = bar.add_task(self._kind, total=None)
            for row in self._rows:
                yield row
                self.n += 1
                if self.n % _LAID == 0:
                    bar.update(task, completed=self.n)
