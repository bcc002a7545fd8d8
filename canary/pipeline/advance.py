"""One batch of judged answers: observations, scores and detector states move together, in one transaction.

Every score that was fed is kept with the digest of the parameters, with the budget of its step and with what the
detector made of it, so that `alarms_again` can make the very same steps from the store alone. A burst is one step: of
its answers the worst is fed, and kept as fed; the scores of the others are kept beside it.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import groupby

from canary.detect import Detector, EsrState, evidence, from_bytes, log_budget, reset, start, step, to_bytes
from canary.pipeline.hearing import Bet, Hearing
from canary.pipeline.scopes import Hierarchy
from canary.pipeline.watch import ANSWER, Watch, Watched, revive
from canary.records import Alarm, Observation, Score, SeriesKey, Unscored
from canary.score.burst import bursts, worst
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
    known = {one.observation.slot_id: one for one in reversed(judged)}
    fresh = tuple(known[slot_id] for slot_id in new)
    foremost = _foremost(fresh)
    answers = [[(row, _id(row) in foremost and _feedable(row, watch)) for row in _rows(one)] for one in fresh]
    feeding = _Feeding(tx, watch, [row for rows in answers for row, feeds in rows if feeds])
    kept = tuple(row for rows in answers for row in feeding.answer(rows))
    states = tuple(feeding.states())
    tx.add_scores(kept)
    tx.put_states(states)
    tx.add_alarms(feeding.alarms)
    return Advance(fresh, kept, tuple(feeding.alarms), states)


def alarms_again(tx: Transaction) -> Iterator[Alarm]:
    """Every alarm that the fed scores of the store raise, from empty states, in the order of feeding."""

    @lru_cache(maxsize=4096)
    def revived(digest: str) -> tuple[Detector, int, Hierarchy]:
        return revive(tx.detector(digest))

    at: dict[SeriesKey, tuple[EsrState, int]] = {}
    hearing = Hearing()
    for _, answer in groupby(tx.feed(), key=lambda row: row.slot_id):
        bets = []
        for row in answer:
            detector, epoch, hierarchy = revived(row.detector or "")
            state, alarm = _step(_carried(at.get(row.series), detector, epoch), detector, row)
            at[row.series] = (state, epoch)
            bets.append(_bet(row, detector, hierarchy))
            if alarm is not None:
                yield alarm
        yield from _heard(hearing, row, bets)


class _Feeding:
    """A batch on its way through the detectors of its series and scopes."""

    def __init__(self, tx: Transaction, watch: Watch, rows: Sequence[ScoreRow]) -> None:
        scopes = {scope for row in rows for scope in watch.hierarchy.scopes(row.series, row.replica)}
        tracks = _tracks(tx, watch, {row.series for row in rows})
        stored = tx.states(StateKind.ALARM, scopes)
        self.alarms: list[Alarm] = []
        self._tracks = tracks
        self._hearing = Hearing({key: from_bytes(state.blob) for key, state in stored.items()})
        self._per_week = watch.terms.false_alarms_per_week

    def answer(self, rows: Sequence[tuple[ScoreRow, bool]]) -> list[ScoreRow]:
        """The scores of one answer, first to their own series, then to the scopes; the rows as they are to be kept."""
        kept = []
        bets = []
        for row, feeds in rows:
            if not feeds:
                kept.append(row)
                continue
            track = self._tracks[row.series]
            fed = track.feed(row, self._per_week, self.alarms)
            kept.append(fed)
            bets.append(_bet(fed, track.watched.detector, track.watched.hierarchy))
        if bets:
            self.alarms += _heard(self._hearing, rows[0][0], bets)
        return kept

    def states(self) -> Iterator[StoredState]:
        """As they are to be kept."""
        for track in self._tracks.values():
            yield track.stored()
        for scope, (state, digest, slot_time) in self._hearing.states():
            yield _stored(scope, state, digest, slot_time)


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
        self._state, alarm = _step(self._state, watched.detector, fed)
        self._slot_time = max(row.slot_time, self._slot_time or row.slot_time)
        if alarm is not None:
            alarms.append(alarm)
        return fed

    def stored(self) -> StoredState:
        """The state as it is to be kept."""
        return _stored(self.series, self._state, self.watched.digest, self._slot_time)


def _stored(series: SeriesKey, state: EsrState, detector: str, slot_time: datetime | None) -> StoredState:
    reached, n = float(evidence(state)), int(state.n)
    return StoredState(series, StateKind.ALARM, detector, state.version, to_bytes(state), reached, n, slot_time)


def _rows(judged: Judged) -> Iterator[ScoreRow]:
    seen = judged.observation
    for score in judged.scores:
        series = SeriesKey(seen.target, seen.region, seen.group, score.signal)
        yield ScoreRow(seen.slot_id, series, seen.slot_time, score, seen.probe_digest, replica=seen.replica)


def _foremost(fresh: Sequence[Judged]) -> frozenset[tuple[str, str]]:
    """The scores that speak for their bursts, by slot id and signal. All answers of a burst come in one batch."""
    whole = bursts((one.observation, one.scores) for one in fresh)
    return frozenset((seen.slot_id, score.signal) for burst in whole for seen, score in worst(burst))


def _id(row: ScoreRow) -> tuple[str, str]:
    return row.slot_id, row.series.signal


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
        tx.put_detector(watched.hierarchy.digest, watched.hierarchy.to_json())
    before = None if stored is None else (from_bytes(stored.blob), _epoch(tx, stored, watched))
    state = _carried(before, watched.detector, watched.epoch)
    return _Track(series, watched, state, None if stored is None else stored.slot_time)


def _epoch(tx: Transaction, stored: StoredState, watched: Watched) -> int:
    return watched.epoch if stored.detector == watched.digest else revive(tx.detector(stored.detector))[1]


def _carried(before: tuple[EsrState, int] | None, detector: Detector, epoch: int) -> EsrState:
    if before is None or before[1] != epoch or before[0].log_r.shape != (detector.alternatives,):
        return start(detector.alternatives)
    return before[0]


def _step(state: EsrState, detector: Detector, row: ScoreRow) -> tuple[EsrState, Alarm | None]:
    """Feed a row by what it keeps. That it was an event is kept, so any threshold on that side of it serves."""
    score = _score(row)
    threshold = -math.inf if row.event else math.inf
    log_e = detector.log_e(score.value, ANSWER, threshold)
    after = step(state, log_e, -math.inf if row.log_budget is None else row.log_budget)
    reached = float(evidence(after))
    if reached < 0.0:
        return after, None
    return reset(after), Alarm(
        _alarm_id(row.series, row.slot_id), row.series, row.slot_id, row.slot_time, reached, row.detector or ""
    )


def _bet(row: ScoreRow, detector: Detector, hierarchy: Hierarchy) -> Bet:
    threshold = -math.inf if row.event else math.inf
    value = detector.bet(_score(row).value, ANSWER, threshold)
    return Bet(row.series, row.replica, value, -math.inf if row.log_budget is None else row.log_budget, hierarchy)


def _heard(hearing: Hearing, row: ScoreRow, bets: Sequence[Bet]) -> Iterator[Alarm]:
    """An answer in its scopes. Any row of the answer will do."""
    for scope, reached, digest in hearing.hear(bets, row.slot_time):
        yield Alarm(_alarm_id(scope, row.slot_id), scope, row.slot_id, row.slot_time, reached, digest)


def _score(row: ScoreRow) -> Score:
    if isinstance(row.score, Unscored):
        raise TypeError("an unscored answer is never fed")
    return row.score


def _alarm_id(series: SeriesKey, slot_id: str) -> str:
    facts = (series.target, series.region, series.group, series.signal, slot_id)
    return hashlib.blake2b("\0".join(facts).encode(), digest_size=8).hexdigest()
