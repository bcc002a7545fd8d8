"""What the store knows of the fleet, for `canary status`."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from canary.alert.message import describe
from canary.alert.quiet import Quiet, holding, over, told
from canary.config import Config
from canary.daemon.audience import windows_of
from canary.daemon.board import by_target, state_of
from canary.daemon.escalator import kept
from canary.detect import Learning
from canary.pipeline.advance import own_steps
from canary.pipeline.scopes import is_scope, members, place_of
from canary.pipeline.sight import Sight, sights
from canary.pipeline.watch import Watch
from canary.records import Incident, SeriesKey
from canary.store.base import StateKind, Store, StoredState, Transaction
from canary.web.status import TargetState, TargetStatus

_SCOPES = 3  # of those with the strongest evidence
_RECENT = timedelta(minutes=1)  # of a daemon's heartbeat
TREND = 120
"""Answers that a trend shows."""


@dataclass(frozen=True, slots=True)
class Row:
    """A target: its strongest evidence, what an incident touches, when it was seen, and what has most to learn.

    `trend` is how the strongest evidence came to be, answer after answer (ln R).
    """

    status: TargetStatus
    evidence: float
    strongest: str
    touched: float | None
    seen: timedelta | None
    learning: Learning | None
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
    """What the store knows: of every target, of the parts with the strongest evidence, the unresolved incidents.

    `quiets` are the silences and maintenance windows that hold.
    """

    rows: Sequence[Row]
    parts: Sequence[Part]
    incidents: Sequence[Incident]
    watch: Watch
    quiets: Sequence[Quiet] = ()


def survey(config: Config, store: Store, watch: Watch, now: datetime, *, trends: bool = False) -> Survey:
    """What the store knows of the fleet; with the trend of each target's strongest series where it is asked for."""
    with store.reading() as tx:
        states = tx.states(StateKind.ALARM)
        incidents = tx.incidents(open_only=True)
        quiets = holding(tx.silences(since=now), windows_of(config), now)
        last = {target.name: tx.last_slot(target.name, config.region) for target in config.targets}
        rows = _rows(config, watch, list(states.values()), last, incidents, now)
        rows = [_with_trend(row, tx, config.region) for row in rows] if trends else rows
    rows = [_with_quiet(row, quiets, config.region) for row in _with_escalated(rows, config, store, now)]
    return Survey(rows, list(islice(_parts(watch, states.values(), now), _SCOPES)), incidents, watch, quiets)


def _rows(
    config: Config,
    watch: Watch,
    states: Sequence[StoredState],
    seen: Mapping[str, datetime | None],
    incidents: Sequence[Incident],
    now: datetime,
) -> list[Row]:
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
                _touched(mine, target.name, config.region),
                None if last is None else max(timedelta(0), now - last),
                _neediest(watch, target.name),
            )
        )
    return rows


def _touched(incidents: Iterable[Incident], target: str, region: str) -> float | None:
    """The largest share of the target's answers that a finding speaks of."""
    findings = (finding for incident in incidents for finding in incident.findings)
    return max((one.size.best for one in findings if one.scope.covers(target, region)), default=None)


def _parts(watch: Watch, states: Iterable[StoredState], now: datetime) -> Iterator[Part]:
    """Scopes that still hear an armed series, the strongest evidence first."""
    known = (state for state in states if is_scope(state.series) and state.detector == watch.hierarchy.digest)
    scopes = [state for state in known if math.isfinite(state.evidence)]
    for state in sorted(scopes, key=lambda state: state.evidence, reverse=True):
        if members(state.series, watch.armed):
            at = state.slot_time
            seen = None if at is None else max(timedelta(0), now - at)
            yield Part(place_of(state.series).name, state.series.signal, state.evidence, seen)


def _with_trend(row: Row, tx: Transaction, region: str) -> Row:
    """Made again from the latest scores; twice as many as are shown, for R forgets what it began with."""
    if not row.strongest:
        return row
    group, signal = row.strongest.split("/")
    found = tx.scores(SeriesKey(row.status.name, region, group, signal), limit=2 * TREND)
    steps = [step.evidence for step in own_steps(tx, found)]
    return replace(row, trend=tuple(steps[-TREND:] if len(steps) < 2 * TREND else steps[TREND:]))


def _with_escalated(rows: list[Row], config: Config, store: Store, now: datetime) -> list[Row]:
    told = kept(store, config.region)
    groups = by_target(told.keys if told.at is not None and now - told.at < _RECENT else ())
    return [replace(row, status=replace(row.status, escalated=groups.get(row.status.name, ()))) for row in rows]


def _with_quiet(row: Row, quiets: Sequence[Quiet], region: str) -> Row:
    return replace(row, status=replace(row.status, silenced=over(quiets, row.status.name, region)))


def _neediest(watch: Watch, target: str) -> Learning | None:
    ours = [learning for series, learning in watch.learning.items() if series.target == target]
    return max(ours, key=lambda learning: learning.needed - learning.n, default=None)


def _intervals(config: Config) -> dict[str, timedelta]:
    """The shortest interval of each target that is probed."""
    slowest_first = sorted(config.assignments(), key=lambda one: one.interval, reverse=True)
    return {one.target.name: one.interval for one in slowest_first}


def facts(found: Survey, *, reaching: bool) -> dict[str, object]:
    """As JSON; with `reaching`, what the armed detectors can find too."""
    hierarchy = found.watch.hierarchy
    document: dict[str, object] = {
        "targets": [_facts(row) for row in found.rows],
        "parts": [{**asdict(part), "seen": _seconds(part.seen)} for part in found.parts],
        "incidents": [{**describe(one), "silenced": told(found.quiets, one)} for one in found.incidents],
        "budget": {
            "false_alarms_per_week": found.watch.terms.false_alarms_per_week,
            "series_share": 1.0 / hierarchy.total,
            "levels": [level.value for level in hierarchy.levels],
        },
    }
    if reaching:
        document["reach"] = [_sight(one) for one in sights(found.watch, by_signal=True)]
    return document


def _facts(row: Row) -> dict[str, object]:
    status, last = row.status, row.status.last_result_at
    return {
        "target": status.name,
        "state": status.state.value,
        "evidence_nats": row.evidence if math.isfinite(row.evidence) else None,
        "strongest": row.strongest or None,
        "trend_nats": [each if math.isfinite(each) else None for each in row.trend],
        "touched_share": row.touched,
        "armed": status.armed,
        "escalated": list(status.escalated),
        "silenced": None if status.silenced is None else status.silenced.facts(),
        "series": status.series,
        "golden": None if row.learning is None else row.learning.n,
        "golden_needed": None if row.learning is None else row.learning.needed,
        "visible_share": None if row.learning is None else row.learning.visible,
        "last_slot_at": None if last is None else last.isoformat(),
        "seen_seconds": _seconds(row.seen),
    }


def _sight(one: Sight) -> dict[str, object]:
    delays = [{**asdict(delay), "time": _seconds(delay.time)} for delay in one.delays]
    return {**asdict(one), "interval": _seconds(one.interval), "arl": _seconds(one.arl), "delays": delays}


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else time.total_seconds()


def rows_of(told: Mapping[str, Any]) -> list[Row]:
    """The rows that `facts` told of."""
    return [_row(one) for one in told["targets"]]


def parts_of(told: Mapping[str, Any]) -> list[Part]:
    """The parts that `facts` told of."""
    return [Part(one["place"], one["signal"], one["evidence"], _span(one["seen"])) for one in told["parts"]]


def _row(one: Mapping[str, Any]) -> Row:
    learns = None if one["golden"] is None else Learning(one["golden"], one["golden_needed"], one["visible_share"])
    return Row(
        _status(one),
        -math.inf if one["evidence_nats"] is None else one["evidence_nats"],
        one["strongest"] or "",
        one["touched_share"],
        _span(one["seen_seconds"]),
        learns,
        tuple(-math.inf if each is None else each for each in one["trend_nats"]),
    )


def _status(one: Mapping[str, Any]) -> TargetStatus:
    """Without what is not told of: how often it is probed, and since when."""
    model, platform, pool = one["target"].rsplit("/", 2)
    last = None if one["last_slot_at"] is None else datetime.fromisoformat(one["last_slot_at"])
    return TargetStatus(
        model=model,
        platform=platform,
        pool=pool,
        state=TargetState(one["state"]),
        interval=timedelta(0),
        expected_since=last or datetime.min.replace(tzinfo=UTC),
        last_result_at=last,
        armed=one["armed"],
        series=one["series"],
        escalated=tuple(one["escalated"]),
        silenced=None if one["silenced"] is None else Quiet.of(one["silenced"]),
    )


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
