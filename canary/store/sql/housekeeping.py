"""Forgetting, in bounded steps. Each body past its time is judged once: deleted, or marked with why it is kept."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, delete, exists, select, update

from canary.records import BaselineStatus, IncidentState, Observation, Purpose, Recording
from canary.store.base import Retention, StateKind
from canary.store.codec import micros
from canary.store.retention import EVIDENCE, NEIGHBOURS, ON_DEMAND, evidence, in_force, recording_of
from canary.store.sql.baselines import BaselinePart
from canary.store.sql.rows import to_observation
from canary.store.sql.statements import chunks
from canary.store.sql.tables import (
    answers,
    baselines,
    detector_states,
    incidents,
    observations,
    outbox,
    scores,
    silences,
    verdicts,
)

_BAD = observations.c.failure.is_not(None) | exists().where(
    scores.c.seq == observations.c.seq, scores.c.event.is_(True)
)


class HousekeepingPart(BaselinePart):
    def forget(self, retention: Retention, now: datetime, *, limit: int = 5_000) -> int:
        steps: Sequence[Callable[[int], int]] = (
            lambda most: self._judge_bodies(now - retention.healthy_bodies, most),
            lambda most: self._delete(answers, _kept_past(now - retention.failure_bodies), most),
            lambda most: self._delete(answers, answers.c.kept.in_(self._idle_recordings()), most),
            lambda most: self._delete(observations, _bare_past(now - retention.observations), most),
            lambda most: self._drop_states(now - retention.observations, most),
            lambda most: self._delete(verdicts, verdicts.c.at < micros(now - retention.observations), most),
            lambda most: self._delete(outbox, _told_past(now - retention.notifications), most),
            lambda most: self._delete(silences, silences.c.ends_at < micros(now - retention.observations), most),
        )
        done = 0
        for step in steps:
            if done < limit:
                done += step(limit - done)
        return done

    def _delete(self, table: Table, condition: ColumnElement[bool], limit: int) -> int:
        key = next(iter(table.primary_key))
        some = select(key).where(condition).limit(limit)
        return self._writer.execute(delete(table).where(key.in_(some))).rowcount

    def _drop_states(self, cutoff: datetime, limit: int) -> int:
        alarming = detector_states.c.kind == StateKind.ALARM.value
        past = select(detector_states.c.series).where(alarming, detector_states.c.slot_time < micros(cutoff))
        gone = delete(detector_states).where(alarming, detector_states.c.series.in_(past.limit(limit)))
        return self._writer.execute(gone).rowcount

    def _judge_bodies(self, cutoff: datetime, limit: int) -> int:
        query = select(observations).join(answers).where(answers.c.kept == "", answers.c.slot_time < micros(cutoff))
        found = self._writer.execute(query.order_by(answers.c.slot_time).limit(limit)).all()
        golden = in_force(self.recordings(), self._epochs_in_use())
        why = {row.seq: _reason(to_observation(row, None), golden) for row in found}
        near = self._evidence([row for row in found if not why[row.seq]])
        why |= {seq: EVIDENCE for seq in near if why.get(seq) == ""}
        for reason, seqs in _by_reason(why):
            for chunk in chunks(seqs):
                chosen = answers.c.seq.in_(chunk)
                change = update(answers).values(kept=reason) if reason else delete(answers)
                self._writer.execute(change.where(chosen))
        return len(found)

    def _evidence(self, rows: Sequence[Row[Any]]) -> frozenset[int]:
        lines = groupby(sorted(rows, key=_line), key=_line)
        return frozenset[int]().union(*(evidence(self._neighbourhood(list(line))) for _, line in lines))

    def _neighbourhood(self, line: Sequence[Row[Any]]) -> list[tuple[int, bool]]:
        """All (seq, bad) between the first and the last of a line, and the neighbours on both sides."""
        at = observations.c.slot_time
        first, last = (pick(row.slot_time for row in line) for pick in (min, max))
        query = select(observations.c.seq, _BAD.label("bad")).where(
            observations.c.target == line[0].target, observations.c.probe_group == line[0].probe_group
        )
        before = query.where(at < first).order_by(at.desc(), observations.c.seq.desc()).limit(NEIGHBOURS)
        within = query.where(at.between(first, last)).order_by(at, observations.c.seq)
        after = query.where(at > last).order_by(at, observations.c.seq).limit(NEIGHBOURS)
        parts = [self._connection.execute(part).all() for part in (before, within, after)]
        return [(row.seq, bool(row.bad)) for row in (*reversed(parts[0]), *parts[1], *parts[2])]

    def _epochs_in_use(self) -> frozenset[tuple[str, int]]:
        """From the columns alone: the documents of a large fleet weigh hundreds of megabytes."""
        query = select(baselines.c.target, baselines.c.epoch).distinct()
        found = self._connection.execute(query.where(baselines.c.status != BaselineStatus.RETIRED.value))
        return frozenset((row.target, row.epoch) for row in found)

    def _idle_recordings(self) -> list[str]:
        known = self.recordings()
        used = {recording.id for recording in in_force(known, self._epochs_in_use())}
        return [recording.id for recording in known if recording.id not in used]


def _kept_past(cutoff: datetime) -> ColumnElement[bool]:
    return (answers.c.kept == EVIDENCE) & (answers.c.slot_time < micros(cutoff))


def _bare_past(cutoff: datetime) -> ColumnElement[bool]:
    return (observations.c.slot_time < micros(cutoff)) & ~exists().where(answers.c.seq == observations.c.seq)


def _told_past(cutoff: datetime) -> ColumnElement[bool]:
    """Of incidents that are over: of the others it is still asked who was told."""
    unresolved = exists().where(
        incidents.c.id == outbox.c.incident_id, incidents.c.state != IncidentState.RESOLVED.value
    )
    return (outbox.c.delivered_at < micros(cutoff)) & ~unresolved


def _reason(observation: Observation, recordings: Sequence[Recording]) -> str:
    if observation.purpose in ON_DEMAND:
        return EVIDENCE
    recording = recording_of(observation, recordings) if observation.purpose == Purpose.GOLDEN else None
    return recording.id if recording else ""


def _line(row: Row[Any]) -> tuple[str, str]:
    return (row.target, row.probe_group)


def _by_reason(why: dict[int, str]) -> Iterable[tuple[str, list[int]]]:
    for reason in sorted(set(why.values())):
        yield reason, [seq for seq, given in why.items() if given == reason]
