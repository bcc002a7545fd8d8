"""Why a series alarmed: its steps made again from the store, compared with what was kept, and weighed.

Every fed score keeps what its step needs (see `canary.pipeline.advance`), so the evidence comes out bit for bit; where
it does not, the account says in what it differs.
"""

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from canary.alert.maintenance import Window, touching, windows_of
from canary.detect import EsrState, evidence, from_bytes, spell, to_bytes
from canary.errors import NotFound
from canary.hindsight.scope import concerning
from canary.pipeline.advance import Step, steps_again
from canary.pipeline.inquiry import HISTORY
from canary.pipeline.scopes import members, place_of
from canary.records import Alarm, Change, Incident, Interval, Score, SeriesKey
from canary.store.base import StateKind, Transaction

HEAVIEST = 5
"""Answers that are named."""


@dataclass(frozen=True, slots=True)
class Case:
    """A series and the alarm that is asked about; `onset` is what was found out about it then."""

    series: SeriesKey
    alarm: Alarm
    onset: Interval


@dataclass(frozen=True, slots=True)
class Point:
    """A fed score, what its step might spend of the budget (in false alarms), and the evidence after it (ln R).

    `value` is in the signal's unit; a detector of distances heard it standardised.
    """

    slot_id: str
    at: datetime
    value: float
    event: bool
    budget: float
    evidence: float
    alarm: bool


@dataclass(frozen=True, slots=True)
class Weight:
    """An answer and what it adds to the evidence, in nats, against the alternatives that the alarm speaks for."""

    slot_id: str
    at: datetime
    value: float
    nats: float


@dataclass(frozen=True, slots=True)
class Strength:
    """What the answers from the onset to the alarm say.

    Attributes:
        answers: how many they are; `events` of them were events.
        nats: ln of the likelihood ratio of a fault that began at the onset against none, mixed over alternatives.
        spent: what their steps might spend of the budget, in false alarms.
        heaviest: those that add most, the heaviest first.
    """

    answers: int
    events: int
    nats: float
    spent: float
    heaviest: tuple[Weight, ...]


@dataclass(frozen=True, slots=True)
class Lasted:
    """From when to when the fault most likely lasted; `over`: what came after excludes that it goes on."""

    first: datetime
    last: datetime
    over: bool


@dataclass(frozen=True, slots=True)
class Account:
    """A series in hindsight. Without `differences` every alarm and the state are as stored, bit for bit.

    `windows` are those of maintenance in which it may have stood still.
    """

    case: Case
    points: tuple[Point, ...] = field(repr=False)
    alarms: tuple[Alarm, ...]
    strength: Strength | None
    lasted: Lasted | None
    changes: tuple[Change, ...]
    differences: tuple[str, ...]
    windows: tuple[Window, ...] = ()

    @property
    def spent(self) -> float:
        """What all steps might spend of the budget, in false alarms."""
        return math.fsum(point.budget for point in self.points)


def cases(tx: Transaction, what: str) -> tuple[Incident | None, tuple[Case, ...]]:
    """The series behind an incident or an alarm, by its id or the beginning of one; with the incident, if there is one.

    Raises:
        NotFound: it is neither, or it is not clear which.
    """
    alarms = tx.alarms()
    found = [alarm for alarm in alarms if what and alarm.id.startswith(what)]
    if len(found) > 1:
        raise NotFound(f'{len(found)} alarms begin with "{what}": give more of the id')
    if found:
        incident = _incident_of(tx, found[0])
        return incident, (_case(found[0], incident),)
    try:
        incident = tx.incident(what)
    except NotFound as error:
        raise NotFound(f'"{what}" is no alarm, and as an incident: {error}') from None
    firsts = {finding.series: _first(alarms, finding.series, finding.onset) for finding in incident.findings}
    return incident, tuple(_case(alarm, incident) for alarm in firsts.values() if alarm is not None)


def explain(tx: Transaction, case: Case, windows: Sequence[Window] = ()) -> Account:
    """Make the steps of the case's series again, and compare and weigh them.

    `windows` are those of maintenance that the config knows; the store knows its own.
    """
    points: list[Point] = []
    alarms: list[Alarm] = []
    recent: deque[Step] = deque(maxlen=HISTORY)
    strength, last = None, None
    for last in _steps(tx, case.series):
        points.append(_point(last))
        recent.append(last)
        if last.alarm is not None:
            alarms.append(last.alarm)
            strength = _strength(recent, case.onset) if last.alarm.slot_id == case.alarm.slot_id else strength
    return Account(
        case=case,
        points=tuple(points),
        alarms=tuple(alarms),
        strength=strength,
        lasted=_lasted(recent, case.onset),
        changes=concerning(tx.changes(), case.series.target, case.series.region),
        differences=tuple(_differences(tx, case.series, points, alarms, last)),
        windows=_windows(tx, case.series, points, windows),
    )


def _windows(
    tx: Transaction, series: SeriesKey, points: Sequence[Point], windows: Sequence[Window]
) -> tuple[Window, ...]:
    if not points:
        return ()
    known = (*windows, *windows_of(tx.silences(since=points[0].at)))
    return touching(known, series.target, series.region, points[0].at, points[-1].at)


def _steps(tx: Transaction, series: SeriesKey) -> Iterator[Step]:
    """The steps of a series, or of a scope by the scores of its members."""
    feed = tx.feed(lambda key: bool(members(series, [key])))
    return (step for step in steps_again(tx, feed) if step.series == series)


def _incident_of(tx: Transaction, alarm: Alarm) -> Incident | None:
    """The one that was open, or opened, when the series alarmed: the last whose finding began before."""
    holding = [
        incident
        for incident in tx.incidents()
        if any(finding.series == alarm.series and finding.onset.low <= alarm.at for finding in incident.findings)
    ]
    return holding[-1] if holding else None


def _case(alarm: Alarm, incident: Incident | None) -> Case:
    findings = incident.findings if incident is not None else ()
    at_once = Interval(alarm.at, alarm.at, alarm.at)
    return Case(alarm.series, alarm, next((f.onset for f in findings if f.series == alarm.series), at_once))


def _first(alarms: Sequence[Alarm], series: SeriesKey, onset: Interval) -> Alarm | None:
    """The alarm that the finding tells of; the last one of the series when clocks jumped."""
    ours = [alarm for alarm in alarms if alarm.series == series]
    return next((alarm for alarm in ours if alarm.at >= onset.best), ours[-1] if ours else None)


def _point(step: Step) -> Point:
    row, budget = step.row, math.exp(step.log_budget)
    return Point(
        row.slot_id, row.slot_time, _value(step), bool(row.event), budget, step.evidence, step.alarm is not None
    )


def _value(step: Step) -> float:
    return step.row.score.value if isinstance(step.row.score, Score) else math.nan


def _strength(recent: Sequence[Step], onset: Interval) -> Strength:
    """Of the answers since the onset; weights are against the alternatives by their share in R."""
    touched = [step for step in recent if step.row.slot_time >= onset.best] or [recent[-1]]
    log_e = np.stack([step.log_e for step in touched])
    log_r = touched[-1].after.log_r
    weights = log_e @ np.exp(log_r - np.logaddexp.reduce(log_r))
    order = sorted(range(len(touched)), key=lambda at: -float(weights[at]))[:HEAVIEST]
    return Strength(
        answers=len(touched),
        events=sum(bool(step.row.event) for step in touched),
        nats=float(np.logaddexp.reduce(log_e.sum(axis=0)) - math.log(log_e.shape[1])),
        spent=math.fsum(_point(step).budget for step in touched),
        heaviest=tuple(_weight(touched[at], float(weights[at])) for at in order if weights[at] > 0.0),
    )


def _lasted(recent: Sequence[Step], onset: Interval) -> Lasted | None:
    """Of the answers from the onset to the latest: a passing fault and one that stays are told apart."""
    steps = [step for step in recent if step.row.slot_time >= onset.low and step.detector == recent[-1].detector]
    if not steps:
        return None
    found = spell(np.stack([step.log_e for step in steps]))
    return Lasted(steps[found.first].row.slot_time, steps[found.last].row.slot_time, found.over)


def _weight(step: Step, nats: float) -> Weight:
    return Weight(step.row.slot_id, step.row.slot_time, _value(step), nats)


def _differences(
    tx: Transaction, series: SeriesKey, points: Sequence[Point], alarms: Sequence[Alarm], last: Step | None
) -> Iterator[str]:
    if last is None:
        yield "the store keeps no score of this series any more"
        return
    stored = {a.id: a for a in tx.alarms(since=min(point.at for point in points)) if a.series == series}
    yield from _alarms_differ(stored, {alarm.id: alarm for alarm in alarms})
    state = tx.states(StateKind.ALARM, [series]).get(series)
    if state is None and place_of(series).replica:  # dropped with the epoch of its pool
        return
    if state is None or (state.blob, state.detector) != (to_bytes(last.left), last.detector):
        kept = "none" if state is None else _told(from_bytes(state.blob))
        yield f"the state: the store has {kept}, again it is {_told(last.left)}"


def _alarms_differ(stored: Mapping[str, Alarm], again: Mapping[str, Alarm]) -> Iterator[str]:
    for alarm in stored.values():
        made = again.get(alarm.id)
        if made is None:
            yield f"the alarm {alarm.id} of {alarm.at:%Y-%m-%d %H:%M:%S}Z is in the store, but does not come again"
        elif made != alarm:
            yield f"the alarm {alarm.id}: the store has evidence {alarm.evidence!r}, again it is {made.evidence!r}"
    for alarm in again.values():
        if alarm.id not in stored:
            yield f"an alarm at {alarm.at:%Y-%m-%d %H:%M:%S}Z comes again that is not in the store"


def _told(state: EsrState) -> str:
    return f"ln R {float(evidence(state))!r} after {int(state.n)} steps"
