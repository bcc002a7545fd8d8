"""`canary status`."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import click

from canary.cli.common import columns, config_at, console, json_option, printable, say, short, store_of
from canary.cli.word import Word

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from canary.config import Config
    from canary.detect import Learning
    from canary.pipeline.watch import Watch
    from canary.records import Incident
    from canary.store.base import Store, StoredState
    from canary.web.status import TargetStatus

_LOOKS = {
    "healthy": ("green", "✓"),
    "learning": ("cyan", "…"),
    "stale": ("yellow", "◷"),
    "acknowledged": ("yellow", "◑"),
    "suppressed": ("dim", "–"),
    "incident": ("bold red", "✕"),
    "unreachable": ("bold red", "∅"),
}
_CELL = 20  # columns of the matrix
_SCOPES = 3  # of those with the strongest evidence
_RECENT = timedelta(minutes=1)  # of a daemon's heartbeat


@dataclass(frozen=True, slots=True)
class Row:
    """A target: its strongest evidence, what an incident touches, when it was seen, and what has most to learn."""

    status: "TargetStatus"
    evidence: float
    strongest: str
    touched: float | None
    seen: timedelta | None
    learning: "Learning | None"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the fleet that is heard as a whole: of which signal, its evidence, and when it last heard something."""

    place: str
    signal: str
    evidence: float
    seen: timedelta | None


@dataclass(frozen=True, slots=True)
class Survey:
    """What the store knows: of every target, of the parts with the strongest evidence, the unresolved incidents."""

    rows: "Sequence[Row]"
    parts: "Sequence[Part]"
    incidents: "Sequence[Incident]"
    watch: "Watch"


@click.command(
    cls=Word,
    exits={0: "no unresolved incident", 1: "there is one", 2: "bad config or store"},
    examples=("canary status", "canary status --reach", "watch --color canary --color status", "canary status --json"),
)
@click.option("--reach", "reaching", is_flag=True, help="Also say what the armed detectors can find, and how soon.")
@json_option
@click.pass_obj
def command(path: str, reaching: bool, as_json: bool) -> None:
    """The fleet as a matrix: model by platform and pool, with the strongest evidence of each target.

    Evidence is ln R: a detector alarms at 0, and far below it all is well. "armed 5 of 8" series are watched, the
    others still learn: "learning, 340 of 569" golden answers is the one that lacks most. "escalated prose": that probe
    group is probed faster at present. Parts of the fleet that are heard as a whole follow, those with the strongest
    evidence. It reads the store, so it works without the daemon.
    """
    config = config_at(path)
    with store_of(config) as store:
        found = survey(config, store)
    if as_json:
        say(_all_facts(found, reaching=reaching))
    else:
        _show(console(), config, found)
        if reaching:
            _show_reach(console(), found.watch)
    if found.incidents:
        raise SystemExit(1)


def survey(config: "Config", store: "Store") -> Survey:
    """What the store knows of the fleet."""
    from canary.clock import SystemClock
    from canary.daemon.assembly import watch_of
    from canary.store.base import StateKind

    watch, now = watch_of(config, store), SystemClock().now()
    with store.reading() as tx:
        states = tx.states(StateKind.ALARM)
        incidents = tx.incidents(open_only=True)
        last = {target.name: tx.last_slot(target.name, config.region) for target in config.targets}
    rows = _with_escalated(_rows(config, watch, list(states.values()), last, incidents, now), config, store, now)
    return Survey(rows, list(islice(_parts(watch, states.values(), now), _SCOPES)), incidents, watch)


def fleet(rows: "Sequence[Row]", width: int) -> "Table":
    """Model by platform and pool; a line for each target where that is too wide."""
    places = list(dict.fromkeys((row.status.platform, row.status.pool) for row in rows))
    return _matrix(rows, places) if (len(places) + 1) * _CELL <= width else _lines(rows)


def _matrix(rows: "Sequence[Row]", places: Sequence[tuple[str, str]]) -> "Table":
    from rich.table import Table

    cells = {(row.status.model, row.status.platform, row.status.pool): "\n".join(_cell(row)) for row in rows}
    table = Table("model", *(f"{platform}/{pool}" for platform, pool in places))
    for model in dict.fromkeys(row.status.model for row in rows):
        table.add_row(model, *(cells.get((model, *place), "") for place in places))
    return table


def _lines(rows: "Sequence[Row]") -> "Table":
    table = columns("target", "state", "evidence", "seen", "watched")
    for row in rows:
        table.add_row(row.status.name, _state(row), _touched(row), _ago(row.seen), "\n".join(_lacks(row)) or "all")
    return table


def _rows(
    config: "Config",
    watch: "Watch",
    states: "Sequence[StoredState]",
    seen: "Mapping[str, datetime | None]",
    incidents: "Sequence[Incident]",
    now: datetime,
) -> list[Row]:
    from dataclasses import replace

    from canary.alert.message import largest
    from canary.daemon.board import state_of
    from canary.web.status import TargetState, TargetStatus

    intervals = _intervals(config)
    judged: dict[str, list[StoredState]] = defaultdict(list)
    for state in states:
        if state.series in watch.armed:
            judged[state.series.target].append(state)
    rows = []
    for target in config.targets:
        if target.name not in intervals:
            continue
        last = seen[target.name]
        status = TargetStatus(
            model=target.model,
            platform=target.platform,
            pool=target.pool,
            state=TargetState.LEARNING,
            interval=intervals[target.name],
            expected_since=now,
            last_result_at=last,
            armed=sum(series.target == target.name for series in watch.armed),
            series=sum(series.target == target.name for series in watch.signals),
        )
        mine = [incident for incident in incidents if incident.touches(target.name, config.region)]
        strongest = max(judged[target.name], key=lambda state: state.evidence, default=None)
        rows.append(
            Row(
                replace(status, state=state_of(status, mine, now)),
                -math.inf if strongest is None else strongest.evidence,
                "" if strongest is None else f"{strongest.series.group}/{strongest.series.signal}",
                max((largest(incident).size.best for incident in mine), default=None),
                None if last is None else max(timedelta(0), now - last),
                _neediest(watch, target.name),
            )
        )
    return rows


def _parts(watch: "Watch", states: "Iterable[StoredState]", now: datetime) -> Iterator[Part]:
    """Scopes that still hear an armed series, the strongest evidence first."""
    from canary.pipeline.scopes import is_scope, members, place_of

    known = (state for state in states if is_scope(state.series) and state.detector == watch.hierarchy.digest)
    scopes = [state for state in known if math.isfinite(state.evidence)]
    for state in sorted(scopes, key=lambda state: state.evidence, reverse=True):
        if members(state.series, watch.armed):
            at = state.slot_time
            seen = None if at is None else max(timedelta(0), now - at)
            yield Part(place_of(state.series).name, state.series.signal, state.evidence, seen)


def _with_escalated(rows: list[Row], config: "Config", store: "Store", now: datetime) -> list[Row]:
    from dataclasses import replace

    from canary.daemon.board import by_target
    from canary.daemon.escalator import kept

    told = kept(store, config.region)
    groups = by_target(told.keys if told.at is not None and now - told.at < _RECENT else ())
    return [replace(row, status=replace(row.status, escalated=groups.get(row.status.name, ()))) for row in rows]


def _neediest(watch: "Watch", target: str) -> "Learning | None":
    ours = [learning for series, learning in watch.learning.items() if series.target == target]
    return max(ours, key=lambda learning: learning.needed - learning.n, default=None)


def _show(out: "Console", config: "Config", found: Survey) -> None:
    out.print(fleet(found.rows, out.width))
    if found.parts:
        out.print(_parts_table(found.parts))
    armed = sum(row.status.armed for row in found.rows)
    hierarchy = found.watch.hierarchy
    levels = ", ".join(level.value for level in hierarchy.levels)
    theirs = (
        f": {1.0 / hierarchy.total:.0%} of it theirs, the rest for what hears many ({levels})"
        if levels and armed
        else ""
    )
    out.print(f"budget {config.budget.false_alarms_per_week:g} false alarms per week over {armed} armed series{theirs}")
    for incident in found.incidents:
        _show_incident(out, incident)
    if found.incidents:
        out.print(f"next: canary incident show {found.incidents[0].id}")
    elif not armed:
        out.print("nothing is watched yet; next: canary baseline record --promote")


def _show_incident(out: "Console", incident: "Incident") -> None:
    from rich.markup import escape

    from canary.alert.message import largest, summary

    out.print(f"[bold red]{incident.id}[/] {incident.state.value}: {escape(summary(incident))}")
    blame = largest(incident).blame
    if blame is not None and blame.place.name != incident.target:
        out.print(f"  where: {escape(printable(blame.place.name))}")


def _parts_table(parts: "Sequence[Part]") -> "Table":
    from rich.markup import escape

    table = columns("part of the fleet", "signal", "evidence", "seen", title="Heard as a whole, the strongest evidence")
    for part in parts:
        table.add_row(escape(printable(part.place)), part.signal, _evidence(part.evidence), _ago(part.seen))
    return table


def _show_reach(out: "Console", watch: "Watch") -> None:
    from canary.cli.sights import NOTE, table, unseen
    from canary.pipeline.sight import sights

    found = sights(watch)
    if not found:
        return
    out.print(table(found))
    for line in unseen(found):
        out.print(line)
    out.print(NOTE, style="dim")


def _cell(row: Row) -> list[str]:
    """State; evidence, or what an incident touches, for its alarm has reset the detector; when seen; what learns."""
    touched = _touched(row)
    return [
        _state(row),
        touched if "touched" in touched else f"evidence {touched}",
        f"seen {_ago(row.seen)}",
        *([f"escalated {', '.join(row.status.escalated)}"] if row.status.escalated else []),
        *_lacks(row),
    ]


def _state(row: Row) -> str:
    style, sign = _LOOKS[row.status.state.value]
    return f"[{style}]{sign} {row.status.state.value}[/]"


def _touched(row: Row) -> str:
    return _evidence(row.evidence) if row.touched is None else f"{row.touched:.0%} touched"


def _lacks(row: Row) -> list[str]:
    """What is not armed yet, how far the neediest series is, and the least share that it could see."""
    armed, learning = (row.status.armed, row.status.series), row.learning
    lines = [] if armed[0] == armed[1] else [f"armed {armed[0]} of {armed[1]}"]
    if learning is not None:
        lines.append(f"learning, {learning.n:,} of {learning.needed:,}")
        lines += [f"sees {learning.visible:.0%}, not less"] if learning.visible < 1.0 else []
    return lines


def _evidence(evidence: float) -> str:
    return f"{evidence:+.1f}" if math.isfinite(evidence) else "none"


def _ago(time: timedelta | None) -> str:
    return "never" if time is None else f"{short(timedelta(seconds=round(time.total_seconds())))} ago"


def _all_facts(found: Survey, *, reaching: bool) -> dict[str, object]:
    from dataclasses import asdict

    from canary.pipeline.sight import sights

    facts: dict[str, object] = {
        "targets": [_facts(row) for row in found.rows],
        "parts": [asdict(part) for part in found.parts],
        "incidents": _described(found.incidents),
    }
    return {**facts, "reach": [asdict(one) for one in sights(found.watch, by_signal=True)]} if reaching else facts


def _facts(row: Row) -> dict[str, object]:
    status, last = row.status, row.status.last_result_at
    return {
        "target": status.name,
        "state": status.state.value,
        "evidence_nats": row.evidence if math.isfinite(row.evidence) else None,
        "strongest": row.strongest or None,
        "touched_share": row.touched,
        "armed": status.armed,
        "escalated": status.escalated,
        "series": status.series,
        "golden": None if row.learning is None else row.learning.n,
        "golden_needed": None if row.learning is None else row.learning.needed,
        "visible_share": None if row.learning is None else row.learning.visible,
        "last_slot_at": None if last is None else last.isoformat(),
    }


def _described(incidents: "Sequence[Incident]") -> list[object]:
    from canary.alert.message import describe

    return [describe(incident) for incident in incidents]


def _intervals(config: "Config") -> dict[str, timedelta]:
    """The shortest interval of each target that is probed."""
    slowest_first = sorted(config.assignments(), key=lambda one: one.interval, reverse=True)
    return {one.target.name: one.interval for one in slowest_first}
