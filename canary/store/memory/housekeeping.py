"""Forgetting, by the same rules as in the database."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from canary.records import BaselineStatus, Purpose
from canary.store.base import Retention, StateKind
from canary.store.memory.baselines import BaselinePart
from canary.store.memory.tables import KeptObservation
from canary.store.retention import EVIDENCE, ON_DEMAND, evidence, in_force, recording_of


class HousekeepingPart(BaselinePart):
    def forget(self, retention: Retention, now: datetime, *, limit: int = 5_000) -> int:
        steps: Sequence[Callable[[int], int]] = (
            lambda most: self._judge_bodies(now - retention.healthy_bodies, most),
            lambda most: self._drop_bodies({EVIDENCE}, now - retention.failure_bodies, most),
            lambda most: self._drop_bodies(self._idle_recordings(), now, most),
            lambda most: self._drop_observations(now - retention.observations, most),
            lambda most: self._drop_states(now - retention.observations, most),
            lambda most: self._drop_verdicts(now - retention.observations, most),
            lambda most: self._drop_notifications(now - retention.notifications, most),
            lambda most: self._drop_silences(now - retention.observations, most),
        )
        done = 0
        for step in steps:
            if done < limit:
                done += step(limit - done)
        return done

    def _judge_bodies(self, cutoff: datetime, limit: int) -> int:
        found = list(islice(self._bodies({""}, cutoff), limit))
        golden = in_force(self.recordings(), self._epochs_in_use())
        near = self._evidence() if found else frozenset[int]()
        for kept in found:
            o = kept.observation
            recording = recording_of(o, golden) if o.purpose == Purpose.GOLDEN else None
            evident = kept.seq in near or o.purpose in ON_DEMAND
            reason = recording.id if recording else EVIDENCE if evident else ""
            self._put(replace(kept, kept=reason) if reason else replace(kept, response=None))
        return len(found)

    def _evidence(self) -> frozenset[int]:
        events = {row.seq for entries in self._tables.scores.values() for _, _, row in entries if row.event}
        lines = defaultdict[tuple[str, str], list[tuple[int, bool]]](list)
        for kept in sorted(self._tables.observations.values(), key=_slot_order):
            o = kept.observation
            lines[o.target, o.group].append((kept.seq, o.failure is not None or kept.seq in events))
        return frozenset[int]().union(*(evidence(line) for line in lines.values()))

    def _bodies(self, why: Collection[str], cutoff: datetime) -> Iterator[KeptObservation]:
        for kept in list(self._draft.observations.values()):
            if kept.response is not None and kept.kept in why and kept.observation.slot_time < cutoff:
                yield kept

    def _drop_bodies(self, why: Collection[str], cutoff: datetime, limit: int) -> int:
        found = list(islice(self._bodies(why, cutoff), limit))
        for kept in found:
            self._put(replace(kept, response=None))
        return len(found)

    def _drop_observations(self, cutoff: datetime, limit: int) -> int:
        table = self._draft.observations
        past = (k for k in table.values() if k.response is None and k.observation.slot_time < cutoff)
        gone = {kept.seq: kept.observation.slot_id for kept in islice(past, limit)}
        for slot_id in gone.values():
            del table[slot_id]
        for series, entries in list(self._draft.scores.items()):
            self._draft.scores[series] = tuple(entry for entry in entries if entry[0] not in gone)
        return len(gone)

    def _drop_states(self, cutoff: datetime, limit: int) -> int:
        kept = self._draft.states.items()
        past = (at for at, one in kept if at[0] is StateKind.ALARM and one.slot_time and one.slot_time < cutoff)
        gone = list(islice(past, limit))
        for at in gone:
            del self._draft.states[at]
        return len(gone)

    def _drop_verdicts(self, cutoff: datetime, limit: int) -> int:
        past = (verdict.id for verdict in self._draft.verdicts.values() if verdict.at < cutoff)
        gone = list(islice(past, limit))
        for verdict_id in gone:
            del self._draft.verdicts[verdict_id]
        return len(gone)

    def _drop_notifications(self, cutoff: datetime, limit: int) -> int:
        live = {incident.id for incident in self._tables.incidents.values() if incident.resolved_at is None}
        past = (
            i
            for i, owed in self._draft.outbox.items()
            if owed.delivered_at and owed.delivered_at < cutoff and owed.notification.incident_id not in live
        )
        gone = list(islice(past, limit))
        for notification_id in gone:
            del self._draft.outbox[notification_id]
        return len(gone)

    def _drop_silences(self, cutoff: datetime, limit: int) -> int:
        past = (silence.id for silence in self._draft.silences.values() if silence.ends_at < cutoff)
        gone = list(islice(past, limit))
        for silence_id in gone:
            del self._draft.silences[silence_id]
        return len(gone)

    def _idle_recordings(self) -> frozenset[str]:
        known = self.recordings()
        return frozenset(r.id for r in known) - {r.id for r in in_force(known, self._epochs_in_use())}

    def _epochs_in_use(self) -> frozenset[tuple[str, int]]:
        used = (one for one in self.baselines() if one.status is not BaselineStatus.RETIRED)
        return frozenset((one.series.target, one.epoch) for one in used)

    def _put(self, kept: KeptObservation) -> None:
        self._draft.observations[kept.observation.slot_id] = kept


def _slot_order(kept: KeptObservation) -> tuple[datetime, int]:
    return kept.observation.slot_time, kept.seq
