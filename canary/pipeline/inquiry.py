"""What an alarm shows: since when, where, how many answers, which ones; and how its end will be known.

The first alarm of a fault is traced back through what the alarming detector heard, to an onset; the answers since then
say where it is (see `blame`); and all answers of that place say when it began there and what share of them it touches.

Where a finding of an open incident stands already, the question is another: whether it has grown. Its place and its
size are known, so "at most that share of the answers there are touched" is the null, and its rejection has an onset of
its own (see `worsening_detector`).
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from canary.alert.home import DOUBT
from canary.alert.incident import EVIDENCE_KEPT
from canary.detect import (
    Detector,
    EventDetector,
    Onset,
    RecoveryTest,
    hierarchy,
    onset,
    size_since_onset,
    start_log_likelihood,
    worsening_detector,
)
from canary.pipeline import blame
from canary.pipeline.blame import Cell, Heard, Past
from canary.pipeline.scopes import hears, is_scope, of_place, place_of
from canary.pipeline.watch import ANSWER, Watch
from canary.records import Alarm, Blame, Finding, Interval, Scope, SeriesKey

HISTORY = 5_000
"""Scores that an alarm is traced back through, and more where it may have begun before them."""

_FURTHER, _MOST_HISTORY = 4, 16 * HISTORY
_SURE = 0.999
_ALPHA = 1e-3  # that a fault is called worse, or over, which is not

_FROM_THE_FIRST = Onset(0, 0, 0, 1.0)

Found = tuple[Finding, RecoveryTest | None]
"""What an alarm shows, and the test of its end; None leaves that as it is."""


def investigate(past: Past, alarm: Alarm, watch: Watch, told: Iterable[Finding], standing: Sequence[Finding]) -> Found:
    """Trace an alarm back. `told` are the findings of recent incidents, `standing` those of them that are not over."""
    alike = [one for one in told if _signal(one.series) == _signal(alarm.series)]
    known = next((finding for finding in standing if finding.series == alarm.series), None)
    if known is not None and (past.tired or not _is_in(past, alarm, _watching(known))):
        return replace(known, alarms=1), None
    if known is not None:
        looks = _doubled(known.alarms + 1)
        return _again(past, alarm, watch, known, _where(past, alarm, known, alike) if looks else known.blame)
    inside = next((one for one in standing if one in alike and hears(_watching(one), alarm.series, "")), None)
    if inside is not None and (past.tired or not _doubled(inside.alarms + 1)):
        return replace(inside, alarms=1), None
    ended = [one for one in alike if one.series == alarm.series and one.recovered_at is not None]
    before = max(ended, key=_recovered, default=None)
    since = before.recovered_at if before else None
    rows, began = _traced(past, alarm, alarm.series, since)
    aside = _apart(alike, Scope.of(alarm.series.target))
    place = _blame(past, alarm, rows[began.best].row.slot_time, aside)
    akin = next((one for one in alike if one in standing and _is_of(past, alarm, one, place)), None)
    if akin is not None:
        return _again(past, alarm, watch, akin, _where(past, alarm, akin, alike))
    there = of_place(place.place, alarm.series)
    if there != alarm.series:
        rows, began = _traced(past, alarm, there, since, aside)
    finding, test = _found(alarm, watch, rows, began, place)
    if before is not None and began.low <= 1:  # from the first answer on: it may have hidden behind what ended there
        low = min(before.onset.low, finding.onset.low)
        finding = replace(finding, onset=replace(finding.onset, low=low))
    return finding, test


def _recovered(finding: Finding) -> datetime:
    return finding.recovered_at or finding.onset.low


def _is_in(past: Past, alarm: Alarm, place: SeriesKey) -> bool:
    """Whether the answer that raised the alarm is of the place. Else a wide scope repeats what is wrong elsewhere."""
    members = frozenset(past.members(alarm.series))
    rows = past.answer(alarm.slot_id)
    return any(row.series in members and hears(place, row.series, row.replica) for row in rows)


def _signal(series: SeriesKey) -> tuple[str, str]:
    return series.signal, series.region


def _apart(findings: Iterable[Finding], scope: Scope) -> set[SeriesKey]:
    """What watches the places of findings that do not overlap this part of the fleet: other faults explain those."""
    return {_watching(finding) for finding in findings if not finding.scope.overlaps(scope)}


def _watching(finding: Finding) -> SeriesKey:
    return of_place(finding.blame.place, finding.series) if finding.blame else finding.series


def _doubled(alarms: int) -> bool:
    """Where a fault is is looked at again whenever there are twice as many alarms."""
    return alarms & (alarms - 1) == 0


def _where(past: Past, alarm: Alarm, known: Finding, alike: Iterable[Finding]) -> Blame | None:
    """Where a known fault is by all answers since it began. It moves where that is clear, and never to elsewhere."""
    latest, told = _blame(past, alarm, known.onset.best, _apart(alike, known.scope)), known.blame
    if told is None:
        return latest
    unclear = latest.runner_up == told.place and latest.margin < DOUBT
    apart = not latest.place.scope.overlaps(told.place.scope) or _later_beyond(past, alarm, known, latest)
    return told if unclear or apart else latest


def _is_of(past: Past, alarm: Alarm, known: Finding, place: Blame) -> bool:
    """Whether what is wrong at a place is what is known to be wrong there, at least from the same time on."""
    return known.scope.overlaps(place.place.scope) and not _later_beyond(past, alarm, known, place)


def _later_beyond(past: Past, alarm: Alarm, known: Finding, latest: Blame) -> bool:
    """Whether what is wrong outside the told place began later: then a second fault is what makes it look wider."""
    told, wide = _watching(known), of_place(latest.place, alarm.series)
    if told == wide:
        return False
    rows = _history(past, alarm, wide, known.onset.low)
    beyond = [one for one in rows if not hears(told, one.row.series, one.row.replica)]
    return bool(beyond) and beyond[_onset(wide, beyond).low].row.slot_time > known.onset.high


def _again(past: Past, alarm: Alarm, watch: Watch, known: Finding, place: Blame | None) -> Found:
    """What stands already, as it is now; where its place is as it was told, perhaps worse."""
    past.look()
    there = of_place(place.place, alarm.series) if place else alarm.series
    since = (known.worsened or known.onset).best
    rows = _history(past, alarm, there, since) or _history(past, alarm, alarm.series, since)
    moved = place is not None and known.blame is not None and place.place != known.blame.place
    grew = None if moved else _growth(rows, known)
    found, test = _found(alarm, watch, rows, grew or _FROM_THE_FIRST, place)
    return replace(found, onset=known.onset, worsened=found.onset if grew else known.worsened), test


def _growth(rows: Sequence[Heard], known: Finding) -> Onset | None:
    """Since when the share of touched answers is beyond what is known of it, if it is."""
    detector = worsening_detector(_pooled(rows), known.size, ANSWER)
    if detector is None:
        return None
    log_e = _events_log_e(detector, rows)
    reached = np.logaddexp.reduce(start_log_likelihood(log_e)) - math.log(len(rows))
    looks = known.alarms + 1  # each alarm may be one; the parts of alpha, 6 / (pi * looks)^2, sum to it
    return onset(log_e) if reached >= 2.0 * math.log(looks * math.pi) - math.log(6.0 * _ALPHA) else None


def _events_log_e(detector: EventDetector, rows: Sequence[Heard]) -> NDArray[np.float64]:
    none, event = detector.typical(ANSWER)
    happened = np.array([bool(heard.row.event) for heard in rows])
    return np.where(happened[:, np.newaxis], event, none)


def _found(alarm: Alarm, watch: Watch, rows: Sequence[Heard], began: Onset, place: Blame | None) -> Found:
    touched = rows[began.best :]
    detector = _pooled(touched)
    events = [bool(heard.row.event) for heard in touched]
    finding = Finding(
        series=alarm.series,
        symptom=watch.signals[touched[0].row.series].symptom,
        alarms=1,
        onset=Interval(*(rows[nth].row.slot_time for nth in (max(0, began.low - 1), began.best, began.high))),
        size=size_since_onset(detector, events, [ANSWER] * len(events)),
        evidence=_strongest(touched, alarm),
        blame=place,
    )
    return finding, RecoveryTest.for_(detector, finding.size, ANSWER, alpha=_ALPHA)


def _traced(
    past: Past, alarm: Alarm, series: SeriesKey, since: datetime | None, aside: Collection[SeriesKey] = ()
) -> tuple[list[Heard], Onset]:
    """What it heard, and since when it is wrong. A small share takes long to find, and began long ago.

    Answers of places that are set aside say nothing of when it began, unless there are no others.
    """
    scores = HISTORY
    rows = _beside(aside, _history(past, alarm, series, since, scores))
    began = _onset(series, rows)
    while began.low == 0 and scores < _MOST_HISTORY:
        scores *= _FURTHER
        more = _beside(aside, _history(past, alarm, series, since, scores))
        if len(more) == len(rows):
            break
        rows, began = more, _onset(series, more)
    return rows, began


def _history(past: Past, alarm: Alarm, series: SeriesKey, since: datetime | None, scores: int = HISTORY) -> list[Heard]:
    """What a series, or the members of a scope, were fed since then, by the golden answers of today."""
    replica, members = place_of(series).replica, past.members(series)
    fed = _of_replica(replica, past.history(members, scores, since, alarm.at))
    heard = [one for one in fed if one.row.slot_time >= one.watched.since]
    return heard or _of_replica(replica, past.history(members, scores, until=alarm.at))[-1:]  # clocks jump


def _beside(places: Collection[SeriesKey], heard: list[Heard]) -> list[Heard]:
    cells = {(one.row.series, one.row.replica) for one in heard} if places else ()
    inside = {cell for cell in cells if _in(places, cell)}
    return [one for one in heard if (one.row.series, one.row.replica) not in inside] or heard if inside else heard


def _of_replica(name: str, heard: list[Heard]) -> list[Heard]:
    return [one for one in heard if one.row.replica == name] if name else heard


def _onset(series: SeriesKey, rows: Sequence[Heard]) -> Onset:
    return onset(_log_e(series, rows))


def _blame(past: Past, alarm: Alarm, since: datetime, aside: Collection[SeriesKey]) -> Blame:
    """Looks at all series of the alarming one's signal, but for answers of the places that are set aside."""
    cells = past.cells(past.alike(alarm.series), blame.ANSWERS, since, alarm.at)
    return blame.blame(alarm.series, {cell: bets for cell, bets in cells.items() if not _in(aside, cell)})


def _in(places: Iterable[SeriesKey], cell: Cell) -> bool:
    return any(hears(place, *cell) for place in places)


def _strongest(touched: Sequence[Heard], alarm: Alarm) -> tuple[str, ...]:
    events = sorted((heard for heard in touched if heard.row.event), key=lambda heard: heard.value, reverse=True)
    return tuple(heard.row.slot_id for heard in events[:EVIDENCE_KEPT]) or (alarm.slot_id,)


def _log_e(series: SeriesKey, rows: Sequence[Heard]) -> NDArray[np.float64]:
    """What answers say to the detector of the series or scope."""
    return hierarchy.log_e([one.bet for one in rows]) if is_scope(series) else np.stack([one.log_e for one in rows])


def _pooled(touched: Sequence[Heard]) -> Detector:
    """The detector of a series, or that of events at a scope's healthy rate: the mean over its answers."""
    judges = {id(heard.watched): heard.watched.detector for heard in touched}
    detectors = set(judges.values())
    if len(detectors) == 1:
        return detectors.pop()
    rates = {judge: detector.healthy_event_rate(ANSWER) for judge, detector in judges.items()}
    mean = sum(rates[id(heard.watched)] for heard in touched) / len(touched)
    return EventDetector(-math.log1p(-min(mean, _SURE)))
