"""What the store knows of the fleet, for `canary status`."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from canary.config import Config
    from canary.detect import Learning
    from canary.pipeline.watch import Watch
    from canary.records import Incident
    from canary.store.base import Store, StoredState, Transaction
    from canary.web.status import TargetStatus

_SCOPES = 3  # of those with the strongest evidence
_RECENT = timedelta(minutes=1)  # of a daemon's heartbeat
TREND = 120
"""Answers that a trend shows."""


@dataclass(frozen=True, slots=True)
class Row:
    """A target: its strongest evidence, what an incident touches, when it was seen, and what has most to learn.

    `trend` is how the strongest evidence came to be, answer after answer (ln R).
    """

    status: "TargetStatus"
    evidence: float
    strongest: str
    touched: float | None
    seen: timedelta | None
    learning: "Learning | None"
    trend: tuple[float, ...] = ()


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


def survey(config: "Config", store: "Store", *, trends: bool = False) -> Survey:
    """What the store knows of the fleet; with the trend of each target's strongest series where it is asked for."""
    from canary.clock import SystemClock
    from canary.daemon.assembly import watch_of
    from canary.store.base import StateKind

    watch, now = watch_of(config, store), SystemClock().now()
    with store.reading() as tx:
        states = tx.states(StateKind.ALARM)
        incidents = tx.incidents(open_only=True)
        last = {target.name: tx.last_slot(target.name, config.region) for target in config.targets}
        rows = _rows(config, watch, list(states.values()), last, incidents, now)
        rows = [_with_trend(row, tx, config.region) for row in rows] if trends else rows
    rows = _with_escalated(rows, config, store, now)
    return Survey(rows, list(islice(_parts(watch, states.values(), now), _SCOPES)), incidents, watch)


def _rows(
    config: "Config",
    watch: "Watch",
    states: "Sequence[StoredState]",
    seen: "Mapping[str, datetime | None]",
    incidents: "Sequence[Incident]",
    now: datetime,
) -> list[Row]:
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


def _with_trend(row: Row, tx: "Transaction", region: str) -> Row:
    """Made again from the latest scores; twice as many as are shown, for R forgets what it began with."""
    from canary.pipeline.advance import own_steps
    from canary.records import SeriesKey

    if not row.strongest:
        return row
    group, signal = row.strongest.split("/")
    found = tx.scores(SeriesKey(row.status.name, region, group, signal), limit=2 * TREND)
    steps = [step.evidence for step in own_steps(tx, found)]
    return replace(row, trend=tuple(steps[-TREND:] if len(steps) < 2 * TREND else steps[TREND:]))


def _with_escalated(rows: list[Row], config: "Config", store: "Store", now: datetime) -> list[Row]:
    from canary.daemon.board import by_target
    from canary.daemon.escalator import kept

    told = kept(store, config.region)
    groups = by_target(told.keys if told.at is not None and now - told.at < _RECENT else ())
    return [replace(row, status=replace(row.status, escalated=groups.get(row.status.name, ()))) for row in rows]


def _neediest(watch: "Watch", target: str) -> "Learning | None":
    ours = [learning for series, learning in watch.learning.items() if series.target == target]
    return max(ours, key=lambda learning: learning.needed - learning.n, default=None)


def _intervals(config: "Config") -> dict[str, timedelta]:
    """The shortest interval of each target that is probed."""
    slowest_first = sorted(config.assignments(), key=lambda one: one.interval, reverse=True)
    return {one.target.name: one.interval for one in slowest_first}
