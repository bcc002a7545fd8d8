"""`canary tail`."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

from canary.cli.common import config_at, printable, store_of
from canary.cli.complete import signal_names, target_names
from canary.cli.word import Word
from canary.errors import NotFound

if TYPE_CHECKING:
    from canary.config import Config
    from canary.records import Observation
    from canary.store.base import Kept, ScoreRow, Store

_PAGE = 500
_FURTHEST = 100_000  # observations that are looked through for the first lines
_LATEST = 2**40  # more observations than a store holds


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which observations, and which of their scores, are shown."""

    targets: Sequence[str]
    signals: Sequence[str]
    events: bool

    def scores(self, kept: "Kept") -> "list[ScoreRow]":
        return [row for row in kept.scores if not self.signals or row.series.signal in self.signals]

    def fits(self, kept: "Kept") -> bool:
        seen = kept.observation
        if self.targets and not any(fnmatchcase(seen.target, glob) for glob in self.targets):
            return False
        shown = self.scores(kept)
        if self.signals and not shown:
            return False
        return not self.events or seen.failure is not None or any(row.event for row in shown)


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
    as_json: bool,
) -> None:
    """Scheduled observations as they are kept, one line each; never an answer's text.

    A line has the time of the slot, the target, the probe, the replica, how long it took, and what was wrong: a
    failure, or the signals of which the answer is an event. It reads the store, so no daemon is needed.
    """
    config, wanted = config_at(path), _Wanted(targets, signals, events)
    _require_known(config, signals)
    told = _json if as_json else _line
    with store_of(config) as store:
        _require_kept(store)
        try:
            for kept in _followed(store, wanted, n, interval if follow else None):
                click.echo(told(kept, wanted), color=_colour())
        except KeyboardInterrupt:
            return


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


def _followed(store: "Store", wanted: _Wanted, n: int, interval: float | None) -> "Iterator[Kept]":
    """The last n that are wanted, then what is committed after them, in that order."""
    from time import sleep

    end = _end(store)
    yield from _last(store, wanted, n, end)
    while interval is not None:
        page = _page(store, end)
        yield from filter(wanted.fits, page)
        end = page[-1].seq if page else end
        if len(page) < _PAGE:
            sleep(interval)


def _end(store: "Store") -> int:
    """The last seq, by bisection: each look is one step into an index."""
    low, high = 0, _LATEST
    with store.reading() as tx:
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if tx.kept(after=middle - 1, limit=1) else (low, middle)
    return low


def _last(store: "Store", wanted: _Wanted, n: int, end: int) -> "list[Kept]":
    """The last n of those up to `end`, looked for further and further back."""
    found: list[Kept] = []
    begin = end
    while len(found) < n and begin > 0 and end - begin < _FURTHEST:
        begin, until = max(0, begin - _PAGE), begin
        page = (kept for kept in _page(store, begin) if kept.seq <= until and wanted.fits(kept))
        found = [*page, *found]
    return found[-n:] if n else []


def _page(store: "Store", after: int) -> "Sequence[Kept]":
    with store.reading() as tx:
        return tx.kept(after=after, limit=_PAGE)


def _line(kept: "Kept", wanted: _Wanted) -> str:
    seen = kept.observation
    where = f"{seen.target} {seen.probe_id}" + (f" {printable(seen.replica)}" if seen.replica else "")
    took = f"{seen.duration.total_seconds() * 1000:.0f} ms"
    return (
        f"{seen.slot_time:%H:%M:%S}Z {where} {took} {_outcome(seen, wanted.scores(kept), plainly=not wanted.signals)}"
    )


def _outcome(seen: "Observation", scores: "Sequence[ScoreRow]", *, plainly: bool) -> str:
    """What was wrong, in colour; where signals were asked for, their values."""
    if seen.failure is not None:
        return click.style(f"{seen.failure.kind.value}: {seen.failure.detail}", fg="red", bold=True)
    told = [click.style(_scored(row), fg="yellow", bold=True) if row.event else _scored(row) for row in scores]
    wrong = [text for text, row in zip(told, scores, strict=True) if row.event] if plainly else told
    return ", ".join(wrong) or click.style("ok", fg="green")


def _scored(row: "ScoreRow") -> str:
    from canary.records import Score

    if not isinstance(row.score, Score):
        return f"{row.series.signal} unscored ({row.score.reason.value})"
    note = f" ({printable(row.score.note)})" if row.event and row.score.note else ""
    return f"{row.series.signal} {row.score.value:.4g}{note}"


def _json(kept: "Kept", wanted: _Wanted) -> str:
    seen = kept.observation
    facts = {
        "seq": kept.seq,
        "slot_id": seen.slot_id,
        "at": seen.slot_time.isoformat(),
        "target": seen.target,
        "region": seen.region,
        "group": seen.group,
        "probe": seen.probe_id,
        "replica": seen.replica,
        "duration_seconds": seen.duration.total_seconds(),
        "failure": None if seen.failure is None else seen.failure.kind.value,
        "scores": [_score_facts(row) for row in wanted.scores(kept)],
    }
    return json.dumps(facts)


def _score_facts(row: "ScoreRow") -> dict[str, object]:
    from canary.records import Score

    if not isinstance(row.score, Score):
        return {"signal": row.series.signal, "unscored": row.score.reason.value}
    score = row.score
    return {
        "signal": score.signal,
        "value": score.value,
        "exposure": score.exposure,
        "event": row.event,
        "note": score.note,
    }


def _colour() -> bool | None:
    """As `--color` or NO_COLOR say; else colour on a terminal."""
    wish = click.get_current_context().color
    return False if wish is None and "NO_COLOR" in os.environ else wish
