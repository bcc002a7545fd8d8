"""One batch of judged answers: observations, scores and detector states move together, in one transaction.

Every score that was fed is kept with the digest of the parameters, with the budget of its step and with what the
detector made of it, so that `alarms_again` can make the very same steps from the store alone.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from canary.detect import Detector, EsrState, evidence, from_bytes, log_budget, reset, start, step, to_bytes
from canary.pipeline.watch import ANSWER, Watch, Watched, revive
from canary.records import Alarm, Observation, Score, SeriesKey, Unscored
from canary.store.base import ScoreRow, StateKind, StoredState, Transaction


@dataclass(frozen=True, slots=True)
class Judged:
    """An observation with its scores."""

    observation: Observation
    scores: tuple[Score | Unscored, ...]


@dataclass(frozen=True, slots=True)
class Advance:
    """What a batch came to: the answers not seen before, their scores, the alarms they raised, the states they left."""

    fresh: tuple[Judged, ...]
    rows: tuple[ScoreRow, ...]
    alarms: tuple[Alarm, ...]
    states: tuple[StoredState, ...]


def advance(tx: Transaction, judged: Sequence[Judged], watch: Watch) -> Advance:
    """Keep the batch and feed its detectors. An answer whose slot id is known changes nothing."""
    new = tx.add_observations([one.observation for one in judged])
    fresh = {one.observation.slot_id: one for one in reversed(judged) if one.observation.slot_id in new}
    rows = [row for slot_id in new for row in _rows(fresh[slot_id])]
    tracks = _tracks(tx, watch, {row.series for row in rows if _feedable(row, watch)})
    per_week = watch.terms.false_alarms_per_week
    alarms: list[Alarm] = []
    fed = [tracks[row.series].feed(row, per_week, alarms) if _feedable(row, watch) else row for row in rows]
    states = tuple(track.stored() for track in tracks.values())
    tx.add_scores(fed)
    tx.put_states(states)
    tx.add_alarms(alarms)
    return Advance(tuple(fresh[slot_id] for slot_id in new), tuple(fed), tuple(alarms), states)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A fed score and what it did to its series: `after` is the state before the alarm, if there is one, reset it.

    `log_e` is ln e of each alternative, `evidence` ln R of `after`, both in nats.
    """

    row: ScoreRow
    log_e: NDArray[np.float64]
    after: EsrState
    evidence: float
    alarm: Alarm | None

    @property
    def left(self) -> EsrState:
        """The state that the next score finds."""
        return self.after if self.alarm is None else reset(self.after)


def alarms_again(tx: Transaction) -> Iterator[Alarm]:
    """Every alarm that the fed scores of the store raise, from empty states, in the order of feeding."""
    return (step.alarm for step in steps_again(tx, tx.feed()) if step.alarm is not None)


def steps_again(tx: Transaction, feed: Iterable[ScoreRow]) -> Iterator[Step]:
    """The very same steps, from empty states, by what the fed scores keep; `feed` is in the order of feeding."""

    @lru_cache(maxsize=4096)
    def revived(digest: str) -> tuple[Detector, int]:
        return revive(tx.detector(digest))

    at: dict[SeriesKey, tuple[EsrState, int]] = {}
    for row in feed:
        detector, epoch = revived(row.detector or "")
        made = _step(_carried(at.get(row.series), detector, epoch), detector, row)
        at[row.series] = (made.left, epoch)
        yield made


class _Track:
    """A series on its way through a batch."""

    def __init__(self, series: SeriesKey, watched: Watched, state: EsrState, slot_time: datetime | None) -> None:
        self.series = series
        self.watched = watched
        self._state = state
        self._slot_time = slot_time

    def feed(self, row: ScoreRow, per_week: float, alarms: list[Alarm]) -> ScoreRow:
        """One step, which may add an alarm; the row as it is to be kept."""
        score, watched = _score(row), self.watched
        fed = replace(
            row,
            detector=watched.digest,
            event=watched.detector.is_event(score.value, watched.thresholds[row.probe_digest]),
            log_budget=log_budget(
                per_week=per_week,
                share=watched.share,
                slot_time=row.slot_time,
                previous=self._slot_time,
                interval=watched.interval,
            ),
        )
        made = _step(self._state, watched.detector, fed)
        self._state = made.left
        self._slot_time = max(row.slot_time, self._slot_time or row.slot_time)
        if made.alarm is not None:
            alarms.append(made.alarm)
        return fed

    def stored(self) -> StoredState:
        """The state as it is to be kept."""
        return StoredState(
            series=self.series,
            kind=StateKind.ALARM,
            detector=self.watched.digest,
            version=self._state.version,
            blob=to_bytes(self._state),
            evidence=float(evidence(self._state)),
            n=int(self._state.n),
            slot_time=self._slot_time,
        )


def _rows(judged: Judged) -> Iterator[ScoreRow]:
    seen = judged.observation
    for score in judged.scores:
        series = SeriesKey(seen.target, seen.region, seen.group, score.signal)
        yield ScoreRow(seen.slot_id, series, seen.slot_time, score, seen.probe_digest)


def _feedable(row: ScoreRow, watch: Watch) -> bool:
    """Armed, and by golden data of this very probe and of this version of the scorer."""
    watched, score = watch.armed.get(row.series), row.score
    if watched is None or isinstance(score, Unscored) or score.version != watched.version:
        return False
    return row.probe_digest in watched.thresholds and math.isfinite(score.value)


def _tracks(tx: Transaction, watch: Watch, series: set[SeriesKey]) -> Mapping[SeriesKey, _Track]:
    stored = tx.states(StateKind.ALARM, series)
    return {key: _track(tx, key, watch.armed[key], stored.get(key)) for key in sorted(series)}


def _track(tx: Transaction, series: SeriesKey, watched: Watched, stored: StoredState | None) -> _Track:
    """The state goes on when parameters change within an epoch (a budget divided anew); a new epoch starts afresh."""
    if stored is None or stored.detector != watched.digest:
        tx.put_detector(watched.digest, watched.parameters)
    before = None if stored is None else (from_bytes(stored.blob), _epoch(tx, stored, watched))
    state = _carried(before, watched.detector, watched.epoch)
    return _Track(series, watched, state, None if stored is None else stored.slot_time)


def _epoch(tx: Transaction, stored: StoredState, watched: Watched) -> int:
    return watched.epoch if stored.detector == watched.digest else revive(tx.detector(stored.detector))[1]


def _carried(before: tuple[EsrState, int] | None, detector: Detector, epoch: int) -> EsrState:
    if before is None or before[1] != epoch or before[0].log_r.shape != (detector.alternatives,):
        return start(detector.alternatives)
    return before[0]


def _step(state: EsrState, detector: Detector, row: ScoreRow) -> Step:
    """Feed a row by what it keeps. That it was an event is kept, so any threshold on that side of it serves."""
    score = _score(row)
    threshold = -math.inf if row.event else math.inf
    log_e = detector.log_e(score.value, ANSWER, threshold)
    after = step(state, log_e, -math.inf if row.log_budget is None else row.log_budget)
    reached = float(evidence(after))
    if reached < 0.0:
        return Step(row, log_e, after, reached, None)
    alarm = Alarm(_alarm_id(row), row.series, row.slot_id, row.slot_time, reached, row.detector or "")
    return Step(row, log_e, after, reached, alarm)


def _score(row: ScoreRow) -> Score:
    if isinstance(row.score, Unscored):
        raise TypeError("an unscored answer is never fed")
    return row.score


def _alarm_id(row: ScoreRow) -> str:
    series = row.series
    facts = (series.target, series.region, series.group, series.signal, row.slot_id)
    return hashlib.blake2b("\0".join(facts).encode(), digest_size=8).hexdigest()
