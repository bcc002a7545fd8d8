"""What the words share: the config, the store, tables, JSON, plain output."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from canary.errors import NotFound

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from canary.config import Config
    from canary.records import Target
    from canary.store.base import Store

_WIDE = 200  # columns where nobody looks: a pipe, a file

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
pass_config_path = click.pass_obj


def config_at(path: str) -> "Config":
    """Raises: ConfigError."""
    from canary.config import load

    return load(Path(path), os.environ)


@contextmanager
def store_of(config: "Config", *, create: bool = False) -> Iterator["Store"]:
    """The config's store, closed at the end."""
    from canary.daemon.assembly import store_url
    from canary.store import open_store

    store = open_store(store_url(config), create=create)
    try:
        yield store
    finally:
        store.close()


def targets_like(config: "Config", patterns: Sequence[str]) -> tuple["Target", ...]:
    """The targets that a glob fits (MODEL/PLATFORM/POOL). Raises: NotFound."""
    from fnmatch import fnmatchcase

    found = tuple(t for t in config.targets if any(fnmatchcase(t.name, pattern) for pattern in patterns))
    if not found:
        names = ", ".join(target.name for target in config.targets[:8])
        raise NotFound(f"no target fits {' or '.join(patterns)}: the config has {names}")
    return found


def say(facts: object) -> None:
    """JSON for machines."""
    click.echo(json.dumps(facts, indent=2, ensure_ascii=False, default=str))


def console(*, stderr: bool = False) -> "Console":
    """Colour on a terminal, plain and wide elsewhere; `--color` and `--no-color` decide before that."""
    from rich.console import Console

    wish = click.get_current_context().color
    plain = wish is False or (wish is None and "NO_COLOR" in os.environ)
    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr,
        no_color=plain,
        force_terminal=True if wish else None,
        width=None if stream.isatty() else _WIDE,
        highlight=False,
    )


def progress(out: "Console") -> "Progress":
    """A bar for long work, on standard error."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=out
    )


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; Ctrl-C ends it in order."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise click.Abort from None
