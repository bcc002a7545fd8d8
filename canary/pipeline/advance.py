"""One batch of judged answers: observations, scores and detector states move together, in one transaction.

Every score that was fed is kept with the digest of the parameters, with the budget of its step and with what the
detector made of it, so that `alarms_again` can make the very same steps from the store alone. A burst is one step: of
its answers the worst is fed, and kept as fed; the scores of the others are kept beside it.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from functools import cached_property, lru_cache
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from canary.detect import Detector, EsrState, evidence, from_bytes, log_budget, reset, start, step, to_bytes
from canary.pipeline.hearing import Bet, Heard, Hearing
from canary.pipeline.scopes import Hierarchy, is_replica_of, place_of
from canary.pipeline.watch import Watch, Watched, exposure_of, heard_as, revive, threshold_of
from canary.records import Alarm, Observation, Score, SeriesKey, Unscored
from canary.score.burst import bursts, worst
from canary.store.base import ScoreRow, StateKind, StoredState, Transaction


class Fate(Enum):
    """What becomes of a score."""

    FED = auto()
    KEPT = auto()  # no detector is there for it
    PASSED_OVER = auto()  # its detector stands still


def never(_: Observation) -> bool:
    """No detector stands still."""
    return False


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


def advance(
    tx: Transaction, judged: Sequence[Judged], watch: Watch, frozen: Callable[[Observation], bool] = never
) -> Advance:
    """Keep the batch and feed its detectors. An answer whose slot id is known changes nothing.

    What is `frozen` is not fed, and its time is not spent: it counts as the time of the last slot.
    """
    new = tx.add_observations([one.observation for one in judged])
    known = {one.observation.slot_id: one for one in reversed(judged)}
    fresh = tuple(known[slot_id] for slot_id in new)
    foremost = _foremost(fresh)
    answers = [
        [(row, _fate(row, watch, foremost, still=still)) for row in _rows(one)]
        for one, still in ((one, frozen(one.observation)) for one in fresh)
    ]
    feeding = _Feeding(tx, watch, [row for rows in answers for row, fate in rows if fate is Fate.FED])
    kept = tuple(row for rows in answers for row in feeding.answer(rows))
    states = tuple(feeding.states())
    tx.add_scores(kept)
    tx.put_states(states)
    tx.add_alarms(feeding.alarms)
    return Advance(fresh, kept, tuple(feeding.alarms), states)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A fed score and what it did to its series or to a scope that hears it.

    `detector` is the digest of what made the step; `after` is the state before the alarm, if there is one, reset it.
    `log_budget` is ln of what the step might spend, `log_e` ln e of each alternative, `evidence` ln R of `after`, all
    in nats.
    """

    row: ScoreRow
    series: SeriesKey
    detector: str
    log_budget: float
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
    """The very same steps, from empty states, by what the fed scores keep; `feed` is in the order of feeding.

    Of a scope they are right when `feed` holds all of its members.
    """

    @lru_cache(maxsize=4096)
    def revived(digest: str) -> tuple[Detector, int, Hierarchy]:
        return revive(tx.detector(digest))

    at: dict[SeriesKey, tuple[EsrState, int]] = {}
    hearing = Hearing()
    for _, answer in groupby(feed, key=lambda row: row.slot_id):
        bets = []
        for row in answer:
            detector, epoch, hierarchy = revived(row.detector or "")
            if row.series in at and at[row.series][1] != epoch:
                hearing.forget(row.series, hierarchy)
            made = _step(_carried(at.get(row.series), detector, epoch), detector, row)
            at[row.series] = (made.left, epoch)
            bets.append(_bet(row, detector, hierarchy))
            yield made
        yield from _scope_steps(hearing.hear(bets, row.slot_time), row)


class _Feeding:
    """A batch on its way through the detectors of its series and scopes."""

    def __init__(self, tx: Transaction, watch: Watch, rows: Sequence[ScoreRow]) -> None:
        scopes = {scope for row in rows for scope in watch.hierarchy.scopes(row.series, row.replica)}
        tracks = _tracks(tx, watch, {row.series for row in rows})
        stored = tx.states(StateKind.ALARM, scopes)
        self.alarms: list[Alarm] = []
        self._tx = tx
        self._tracks = tracks
        self._passed: dict[SeriesKey, datetime] = {}
        self._hearing = Hearing({key: from_bytes(state.blob) for key, state in stored.items()})
        self._per_week = watch.terms.false_alarms_per_week

    def answer(self, rows: Sequence[tuple[ScoreRow, Fate]]) -> list[ScoreRow]:
        """The scores of one answer, first to their own series, then to the scopes; the rows as they are to be kept."""
        kept = []
        bets = []
        for row, fate in rows:
            if fate is not Fate.FED:
                kept.append(row)
                if fate is Fate.PASSED_OVER:
                    self._pass_over(row)
                continue
            track = self._tracks[row.series]
            if track.renewed:
                self._forget(row.series, track.watched.hierarchy)
            fed = track.feed(row, self._per_week, self.alarms)
            kept.append(fed)
            bets.append(_bet(fed, track.watched.detector, track.watched.hierarchy))
        if bets:
            heard = self._hearing.hear(bets, rows[0][0].slot_time)
            self.alarms += [_scope_alarm(heard, nth, rows[0][0]) for nth in heard.alarmed]
        return kept

    def _forget(self, series: SeriesKey, tree: Hierarchy) -> None:
        """Of replicas also those of which the batch has no answer."""
        self._hearing.forget(series, tree)
        self._tx.drop_states(StateKind.ALARM, [key for key in self._replicas if is_replica_of(key, series)])

    @cached_property
    def _replicas(self) -> Sequence[SeriesKey]:
        return [key for key in self._tx.states(StateKind.ALARM) if place_of(key).replica]

    def states(self) -> Iterator[StoredState]:
        """As they are to be kept."""
        for track in self._tracks.values():
            yield track.stored()
        for still in self._tx.states(StateKind.ALARM, self._passed).values():
            passed = self._passed[still.series]
            yield replace(still, slot_time=max(passed, still.slot_time or passed))
        for scope, (state, digest, slot_time) in self._hearing.states():
            yield kept_state(scope, state, digest, slot_time)

    def _pass_over(self, row: ScoreRow) -> None:
        if row.series in self._tracks:
            self._tracks[row.series].pass_over(row.slot_time)
        else:
            self._passed[row.series] = max(row.slot_time, self._passed.get(row.series, row.slot_time))


class _Track:
    """A series on its way through a batch."""

    def __init__(
        self, series: SeriesKey, watched: Watched, state: EsrState, slot_time: datetime | None, *, renewed: bool
    ) -> None:
        self.series = series
        self.watched = watched
        self.renewed = renewed
        """Whether the next score is the first of its epoch, after others."""
        self._state = state
        self._slot_time = slot_time

    def feed(self, row: ScoreRow, per_week: float, alarms: list[Alarm]) -> ScoreRow:
        """One step, which may add an alarm; the row as it is to be kept."""
        watched = self.watched
        self.renewed = False
        fed = replace(
            row,
            detector=watched.digest,
            event=watched.detector.is_event(heard_as(watched.detector, row), threshold_of(watched, row)),
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

    def pass_over(self, slot_time: datetime) -> None:
        """The time until then is not to be spent."""
        self._slot_time = max(slot_time, self._slot_time or slot_time)

    def stored(self) -> StoredState:
        """The state as it is to be kept."""
        return kept_state(self.series, self._state, self.watched.digest, self._slot_time)


def kept_state(series: SeriesKey, state: EsrState, detector: str, slot_time: datetime | None) -> StoredState:
    """The state of a series' or a scope's detector, as it is to be kept."""
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


def _fate(row: ScoreRow, watch: Watch, foremost: frozenset[tuple[str, str]], *, still: bool) -> Fate:
    if still:
        return Fate.PASSED_OVER if row.series in watch.armed else Fate.KEPT
    return Fate.FED if _id(row) in foremost and _feedable(row, watch) else Fate.KEPT


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
    renewed = before is not None and before[1] != watched.epoch
    return _Track(series, watched, state, None if stored is None else stored.slot_time, renewed=renewed)


def _epoch(tx: Transaction, stored: StoredState, watched: Watched) -> int:
    return watched.epoch if stored.detector == watched.digest else revive(tx.detector(stored.detector))[1]


def _carried(before: tuple[EsrState, int] | None, detector: Detector, epoch: int) -> EsrState:
    if before is None or before[1] != epoch or before[0].log_r.shape != (detector.alternatives,):
        return start(detector.alternatives)
    return before[0]


def _step(state: EsrState, detector: Detector, row: ScoreRow) -> Step:
    """Feed a row by what it keeps. That it was an event is kept, so any threshold on that side of it serves."""
    threshold = -math.inf if row.event else math.inf
    exposure = exposure_of(detector, row)
    log_e = detector.log_e(heard_as(detector, row), exposure, threshold)
    budget = -math.inf if row.log_budget is None else row.log_budget
    after = step(state, log_e, budget, detector.outcomes(exposure))
    reached = float(evidence(after))
    if reached < 0.0:
        return Step(row, row.series, row.detector or "", budget, log_e, after, reached, None)
    alarm = alarm_of(row.series, row, reached, row.detector or "")
    return Step(row, row.series, row.detector or "", budget, log_e, after, reached, alarm)


def own_steps(tx: Transaction, rows: Iterable[ScoreRow]) -> Iterator[Step]:
    """The steps of one series alone, from the first of these rows on, as if its detector had been empty before."""
    at: tuple[EsrState, int] | None = None
    revived = lru_cache(lambda digest: revive(tx.detector(digest)))
    for row in rows:
        detector, epoch, _ = revived(row.detector or "")
        made = _step(_carried(at, detector, epoch), detector, row)
        at = (made.left, epoch)
        yield made


def _scope_steps(heard: Heard, row: ScoreRow) -> Iterator[Step]:
    """What an answer did to its scopes. Any row of the answer will do."""
    alarmed = set(heard.alarmed)
    for nth in range(len(heard)):
        alarm = _scope_alarm(heard, nth, row) if nth in alarmed else None
        yield Step(
            row=heard.rows[nth],
            series=heard.scope(nth),
            detector=heard.digests[nth],
            log_budget=heard.log_budget(nth),
            log_e=heard.log_e[nth],
            after=heard.after(nth),
            evidence=float(heard.reached[nth]),
            alarm=alarm,
        )


def _scope_alarm(heard: Heard, nth: int, row: ScoreRow) -> Alarm:
    return alarm_of(heard.scope(nth), row, float(heard.reached[nth]), heard.digests[nth])


def alarm_of(series: SeriesKey, row: ScoreRow, reached: float, detector: str) -> Alarm:
    """Of a series, or of a scope, at a score that it heard; `reached` is ln R."""
    return Alarm(_alarm_id(series, row.slot_id), series, row.slot_id, row.slot_time, reached, detector)


def _bet(row: ScoreRow, detector: Detector, hierarchy: Hierarchy) -> Bet:
    threshold = -math.inf if row.event else math.inf
    exposure = exposure_of(detector, row)
    outcomes = detector.bet_outcomes(exposure) if hierarchy.saves else None
    return Bet(row, detector.bet(heard_as(detector, row), exposure, threshold), hierarchy, outcomes)


def _alarm_id(series: SeriesKey, slot_id: str) -> str:
    facts = (series.target, series.region, series.group, series.signal, slot_id)
    return hashlib.blake2b("\0".join(facts).encode(), digest_size=8).hexdigest()
