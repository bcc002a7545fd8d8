"""What the words share: the config, the store, tables, JSON, plain output."""

import asyncio
import json
import os
import sys
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from canary.errors import NotFound, SchemaMismatch

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from rich.console import Console
    from rich.panel import Panel
    from rich.progress import Progress
    from rich.table import Table

    from canary.config import Config
    from canary.records import Target
    from canary.store.base import Store

_READABLE = 100
_WIDE = 200  # columns where nobody looks: a pipe, a file

T = TypeVar("T")

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")


def config_at(path: str) -> "Config":
    """Raises: ConfigError, ProbeFileError, NotFound."""
    from canary.config import load

    require_config(path)
    return load(Path(path), os.environ)


def require_config(path: str) -> None:
    """Raises: NotFound."""
    if not Path(path).exists():
        raise NotFound(f"there is no {path}: name your config with -c, or write one with `canary init FOLDER`")


@contextmanager
def store_of(config: "Config", *, create: bool = False) -> Iterator["Store"]:
    """The config's store, closed at the end. One that is not there yet reads as an empty one, or is created."""
    store = _opened(config, create=create)
    try:
        yield store
    finally:
        store.close()


def targets_like(config: "Config", patterns: Sequence[str], *, external: bool = False) -> tuple["Target", ...]:
    """The targets that a glob fits (MODEL/PLATFORM/POOL), `external` ones only where said so. Raises: NotFound."""
    from fnmatch import fnmatchcase

    there = [target for target in config.targets if external or not target.external]
    found = tuple(t for t in there if any(fnmatchcase(t.name, pattern) for pattern in patterns))
    if not found:
        names = ", ".join(target.name for target in config.targets[:8])
        raise NotFound(f"no target fits {' or '.join(patterns)}: the config has {names}")
    return found


def say(facts: object) -> None:
    """JSON for machines; pure ASCII, so that an answer in it cannot steer a terminal."""
    click.echo(json.dumps(facts, indent=2, default=_plain))


def printable(text: str) -> str:
    r"""The text with what could steer a terminal, or hide in it, spelt out.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return "".join(
        letter if letter in "\n\t " or letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def plain(text: str) -> str:
    """For a table or a line of Rich: printable, and nothing of it read as markup."""
    from rich.markup import escape

    return escape(printable(text))


def console(*, stderr: bool = False) -> "Console":
    """Colour on a terminal, plain and wide (or COLUMNS wide) elsewhere; `--color` and `--no-color` decide before.

    What moves does so on a terminal alone: in a pipe, its last state is written, coloured or not.
    """
    from rich.console import Console

    wish = click.get_current_context().color
    plain = wish is False or (wish is None and "NO_COLOR" in os.environ)
    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr,
        no_color=plain,
        force_terminal=True if wish else None,
        force_interactive=None if stream.isatty() else False,
        width=None if stream.isatty() or "COLUMNS" in os.environ else _WIDE,
        highlight=False,
    )


def columns(*heads: str, title: str | None = None) -> "Table":
    """A table that fits narrow terminals."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(*heads, box=SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left", title_style="bold")


def panel(text: str, title: str) -> "Panel":
    """A text in a frame, narrow enough to be read."""
    from rich.markup import escape
    from rich.panel import Panel

    return Panel(escape(text), title=title, title_align="left", width=min(_READABLE, console().width))


def progress(out: "Console") -> "Progress":
    """A bar for long work, on standard error."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(20),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=out,
        disable=not out.is_terminal,
    )


def short(time: "timedelta") -> str:
    """A duration in three digits."""
    seconds = time.total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def minute(moment: "datetime | None") -> str:
    """A moment in UTC, to the minute."""
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M}Z"


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; Ctrl-C ends it in order."""
    return asyncio.run(work)


def _plain(value: object) -> object:
    """Durations in seconds, all else as text."""
    from datetime import timedelta

    return value.total_seconds() if isinstance(value, timedelta) else str(value)


def _opened(config: "Config", *, create: bool) -> "Store":
    from canary.daemon.assembly import store_url
    from canary.store import MemoryStore, open_store

    url = store_url(config)
    try:
        return open_store(url, create=create)
    except SchemaMismatch:
        from canary.store.sql import schema

        if schema.current(url) is not None:
            raise
        return MemoryStore()
