"""`canary tail`."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from canary.cli.common import config_at, printable, store_of
from canary.cli.complete import signal_names, target_names
from canary.cli.remote import remote_options
from canary.cli.word import Word
from canary.errors import NotFound

if TYPE_CHECKING:
    from canary.cli.remote import Remote
    from canary.config import Config
    from canary.desk.tail import Wanted
    from canary.store.base import Store

_MOST_FAR = 1_000  # of the past that a daemon tells

Look = Callable[[int | None], Mapping[str, Any]]
"""A page of observations: the last ones, or those after one of them."""


@click.command(
    cls=Word,
    exits={0: "stopped by Ctrl-C, or told all with --no-follow", 2: "bad config or store, or no store yet"},
    examples=(
        "canary tail --events",
        "canary tail --target 'mid/api/*' --signal script -n 50",
        "canary tail --json | jq -r 'select(.failure) | .target'",
    ),
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    shell_complete=target_names,
    help="MODEL/PLATFORM/POOL, or a glob; repeatable.",
)
@click.option("--signal", "signals", multiple=True, shell_complete=signal_names, help="Scores of these; repeatable.")
@click.option("--events", is_flag=True, help="Only failures, and answers that a detector takes for an event.")
@click.option(
    "-n", "n", type=click.IntRange(0, 10_000), default=10, show_default=True, help="Lines of the past to begin with."
)
@click.option("--follow/--no-follow", default=True, show_default=True, help="Go on with what comes.")
@click.option(
    "--interval", type=click.FloatRange(0.1, 60.0), default=1.0, show_default=True, help="Seconds between looks."
)
@remote_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def command(
    path: str,
    targets: tuple[str, ...],
    signals: tuple[str, ...],
    events: bool,
    n: int,
    follow: bool,
    interval: float,
    remote: "Remote | None",
    as_json: bool,
) -> None:
    """Scheduled observations as they are kept, one line each; never an answer's text.

    A line has the time of the slot, the target, the probe, the replica, how long it took, and what was wrong: a
    failure, or the signals of which the answer is an event. It reads the store, so no daemon is needed; with --url it
    asks a daemon elsewhere.
    """
    from canary.desk.tail import Wanted

    wanted = Wanted(targets, signals, events)
    pause = interval if follow else None
    told = json.dumps if as_json else lambda one: _line(one, plainly=not signals)
    try:
        for one in _near(path, wanted, n, pause) if remote is None else _followed(_far(remote, wanted, n), pause):
            click.echo(told(one), color=_colour())
    except KeyboardInterrupt:
        return


def _near(path: str, wanted: "Wanted", n: int, pause: float | None) -> Iterator[Mapping[str, Any]]:
    """From the config's own store."""
    from canary.desk.tail import after, latest

    config = config_at(path)
    _require_known(config, wanted.signals)

    with store_of(config) as store:
        _require_kept(store)

        def look(seq: int | None) -> Mapping[str, Any]:
            with store.reading() as tx:
                return latest(tx, wanted, n) if seq is None else after(tx, wanted, seq)

        yield from _followed(look, pause)


def _far(remote: "Remote", wanted: "Wanted", n: int) -> Look:
    """From a daemon elsewhere."""
    if n > _MOST_FAR:
        click.echo(f"a daemon elsewhere tells no more than the last {_MOST_FAR:,}", err=True)

    def look(seq: int | None) -> Mapping[str, Any]:
        chosen = {"target": list(wanted.targets), "signal": list(wanted.signals), "events": wanted.events}
        last = min(n, _MOST_FAR) if seq is None else None
        found: Mapping[str, Any] = remote.get("observations", **chosen, after=seq, last=last)
        return found

    return look


def _require_known(config: "Config", signals: Sequence[str]) -> None:
    """Raises: NotFound."""
    from canary.daemon.assembly import signals_of

    known = signals_of(config)
    for name in signals:
        if name not in known:
            raise NotFound(f'no signal "{name}": there are {", ".join(known)}')


def _require_kept(store: "Store") -> None:
    """Raises: NotFound."""
    from canary.store import MemoryStore

    if isinstance(store, MemoryStore):
        raise NotFound("there is no store yet: `canary run` or `canary db upgrade` makes one")


def _followed(look: Look, pause: float | None) -> Iterator[Mapping[str, Any]]:
    """The last ones that are wanted, then what is kept after them, in that order."""
    from time import sleep

    page = look(None)
    yield from page["observations"]
    while pause is not None:
        page = look(page["next"])
        yield from page["observations"]
        if not page["full"]:
            sleep(pause)


def _line(one: Mapping[str, Any], *, plainly: bool) -> str:
    at, took = datetime.fromisoformat(one["at"]), f"{one['duration_seconds'] * 1000:.0f} ms"
    where = " ".join(filter(None, (one["target"], one["probe"], one["replica"])))
    return f"{at:%H:%M:%S}Z {printable(where)} {took} {_outcome(one, plainly=plainly)}"


def _outcome(one: Mapping[str, Any], *, plainly: bool) -> str:
    """What was wrong, in colour; where signals were asked for, their values."""
    if one["failure"] is not None:
        return click.style(printable(f"{one['failure']}: {one['failure_detail']}"), fg="red", bold=True)
    scores = one["scores"]
    told = [click.style(_scored(row), fg="yellow", bold=True) if row.get("event") else _scored(row) for row in scores]
    wrong = [text for text, row in zip(told, scores, strict=True) if row.get("event")] if plainly else told
    return ", ".join(wrong) or click.style("ok", fg="green")


def _scored(row: Mapping[str, Any]) -> str:
    if "unscored" in row:
        return printable(f"{row['signal']} unscored ({row['unscored']})")
    note = f" ({row['note']})" if row["event"] and row["note"] else ""
    return printable(f"{row['signal']} {row['value']:.4g}{note}")


def _colour() -> bool | None:
    """As `--color` or NO_COLOR say; else colour on a terminal."""
    wish = click.get_current_context().color
    return False if wish is None and "NO_COLOR" in os.environ else wish
