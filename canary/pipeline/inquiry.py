"""What an alarm shows: since when, where, how many answers, which ones; and how its end will be known.

The first alarm of a fault is traced back through what the alarming detector heard, to an onset; the answers since then
say where it is (see `blame`); and all answers of that place say when it began there and what share of them it touches.

Where a finding of an open incident stands already, the question is another: whether it has grown. Its place and its
size are known, so "at most that share of the answers there are touched" is the null, and its rejection has an onset of
its own (see `worsening_detector`).
"""

import math
from collections.abc import Iterable, Sequence
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
    size,
    start_log_likelihood,
    worsening_detector,
)
from canary.pipeline import blame
from canary.pipeline.blame import Heard
from canary.pipeline.scopes import is_scope, members, of_place, place_of
from canary.pipeline.watch import ANSWER, Watch
from canary.records import Alarm, Blame, Finding, Interval, SeriesKey
from canary.store.base import Transaction

HISTORY = 5_000
"""Scores that an alarm is traced back through."""

_SURE = 0.999
_ALPHA = 1e-3  # that a fault is called worse, or over, which is not

_FROM_THE_FIRST = Onset(0, 0, 0, 1.0)

Found = tuple[Finding, RecoveryTest]


def investigate(
    tx: Transaction, alarm: Alarm, watch: Watch, ends: Iterable[datetime], standing: Sequence[Finding]
) -> Found:
    """Trace an alarm back. `ends` are when its series was last shown to be healthy, `standing` the open findings."""
    known = next((finding for finding in standing if finding.series == alarm.series), None)
    if known is not None:
        looks = _doubled(known.alarms + 1)
        return _again(tx, alarm, watch, known, _where(tx, alarm, watch, known) if looks else known.blame)
    since = max(ends, default=None)
    rows = _history(tx, alarm, watch, alarm.series, since)
    place = _blame(tx, alarm, watch, rows[_onset(alarm.series, rows).best].row.slot_time)
    akin = next((finding for finding in standing if _akin(finding, alarm.series, place)), None)
    if akin is not None:
        return _again(tx, alarm, watch, akin, _where(tx, alarm, watch, akin))
    there = of_place(place.place, alarm.series)
    rows = rows if there == alarm.series else _history(tx, alarm, watch, there, since)
    return _found(alarm, watch, rows, _onset(there, rows), place)


def _doubled(alarms: int) -> bool:
    """Where a fault is is looked at again whenever there are twice as many alarms."""
    return alarms & (alarms - 1) == 0


def _akin(finding: Finding, series: SeriesKey, place: Blame) -> bool:
    same = (finding.series.signal, finding.series.region) == (series.signal, series.region)
    return same and finding.scope.overlaps(place.place.scope)


def _where(tx: Transaction, alarm: Alarm, watch: Watch, known: Finding) -> Blame | None:
    """Where a known fault is by all answers since it began. It moves where that is clear, and never to elsewhere."""
    latest, told = _blame(tx, alarm, watch, known.onset.best), known.blame
    if told is None:
        return latest
    unclear = latest.runner_up == told.place and latest.margin < DOUBT
    return told if unclear or not latest.place.scope.overlaps(told.place.scope) else latest


def _again(tx: Transaction, alarm: Alarm, watch: Watch, known: Finding, place: Blame | None) -> Found:
    """What stands already, as it is now; where its place is as it was told, perhaps worse."""
    there = of_place(place.place, alarm.series) if place else alarm.series
    rows = _history(tx, alarm, watch, there, (known.worsened or known.onset).best)
    same = known.blame is None or known.blame == place or (place and known.blame.place == place.place)
    grew = _growth(rows, known) if same else None
    found, test = _found(alarm, watch, rows, grew or _FROM_THE_FIRST, place)
    return replace(found, onset=known.onset, worsened=found.onset if grew else known.worsened), test


def _growth(rows: Sequence[Heard], known: Finding) -> Onset | None:
    """Since when the share of touched answers is beyond what is known of it, if it is."""
    detector = worsening_detector(_pooled(rows), known.size, ANSWER)
    if detector is None:
        return None
    log_e = _events_log_e(detector, rows)
    reached = np.logaddexp.reduce(start_log_likelihood(log_e)) - math.log(len(rows))
    return onset(log_e) if reached >= -math.log(_ALPHA) else None


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
        size=size(detector, events, [ANSWER] * len(events)),
        evidence=_strongest(touched, alarm),
        blame=place,
    )
    return finding, RecoveryTest.for_(detector, finding.size, ANSWER, alpha=_ALPHA)


def _history(tx: Transaction, alarm: Alarm, watch: Watch, series: SeriesKey, since: datetime | None) -> list[Heard]:
    """What a series, or the members of a scope, were fed since then, by the golden answers of today."""
    fed = blame.history(tx, watch, members(series, watch.armed), HISTORY)
    replica = place_of(series).replica
    fed = [one for one in fed if one.row.slot_time <= alarm.at and replica in ("", one.row.replica)]
    heard = [one for one in fed if one.row.slot_time >= max(one.watched.since, since or one.watched.since)]
    return heard or fed[-1:]  # clocks jump: `since` may lie after the alarm


def _onset(series: SeriesKey, rows: Sequence[Heard]) -> Onset:
    return onset(np.stack([_log_e(series, heard) for heard in rows]))


def _blame(tx: Transaction, alarm: Alarm, watch: Watch, since: datetime) -> Blame:
    """Looks at all series of the alarming one's signal."""
    whole = [key for key in watch.armed if key.signal == alarm.series.signal]
    heard = blame.history(tx, watch, whole, blame.ANSWERS, since)
    return blame.blame(alarm.series, (one for one in heard if one.row.slot_time <= alarm.at))


def _strongest(touched: Sequence[Heard], alarm: Alarm) -> tuple[str, ...]:
    events = sorted((heard for heard in touched if heard.row.event), key=lambda heard: heard.value, reverse=True)
    return tuple(heard.row.slot_id for heard in events[:EVIDENCE_KEPT]) or (alarm.slot_id,)


def _log_e(series: SeriesKey, heard: Heard) -> NDArray[np.float64]:
    """What an answer says to the detector of the series or scope."""
    return hierarchy.log_e(heard.bet) if is_scope(series) else heard.log_e


def _pooled(touched: Sequence[Heard]) -> Detector:
    """The detector of a series, or that of events at a scope's healthy rate: the mean over its answers."""
    detectors = {heard.watched.detector for heard in touched}
    if len(detectors) == 1:
        return detectors.pop()
    mean = sum(heard.watched.detector.healthy_event_rate(ANSWER) for heard in touched) / len(touched)
    return EventDetector(-math.log1p(-min(mean, _SURE)))
