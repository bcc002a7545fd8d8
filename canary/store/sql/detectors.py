"""Detectors' states and parameters, and the alarms they raised."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, exists, select

from canary.errors import NotFound
from canary.records import Alarm, SeriesKey
from canary.store.base import StateKind, StoredState
from canary.store.codec import micros, moment
from canary.store.sql.session import Session, series_id, series_key
from canary.store.sql.statements import chunks, insert_new, upsert
from canary.store.sql.tables import alarms, detector_states, detectors, series


class DetectorPart(Session):
    def states(self, kind: StateKind, series_: Collection[SeriesKey] | None = None) -> Mapping[SeriesKey, StoredState]:
        query = select(detector_states).where(detector_states.c.kind == kind.value)
        if series_ is None:
            keys = self._all_series()
            return {keys[row.series]: _state(row, keys[row.series]) for row in self._connection.execute(query)}
        wanted = {series_id(key): key for key in series_}
        return {
            wanted[row.series]: _state(row, wanted[row.series])
            for chunk in chunks(list(wanted))
            for row in self._connection.execute(query.where(detector_states.c.series.in_(chunk)))
        }

    def put_states(self, states: Sequence[StoredState]) -> None:
        self._enter_series(state.series for state in states)
        upsert(self._writer, detector_states, [_state_row(state) for state in states])

    def drop_states(self, kind: StateKind, series_: Collection[SeriesKey]) -> None:
        for chunk in chunks([series_id(key) for key in series_]):
            which = (detector_states.c.kind == kind.value) & detector_states.c.series.in_(chunk)
            named = self._connection.scalars(select(detector_states.c.detector).where(which)).all()
            self._writer.execute(delete(detector_states).where(which))
            if kind is StateKind.RECOVERY:
                still = exists().where(detector_states.c.detector == detectors.c.digest)
                self._writer.execute(delete(detectors).where(detectors.c.digest.in_(named), ~still))

    def put_detector(self, digest: str, parameters: str) -> None:
        insert_new(self._writer, detectors, [(digest, parameters)])

    def detector(self, digest: str) -> str:
        parameters = self._connection.scalar(select(detectors.c.parameters).where(detectors.c.digest == digest))
        if parameters is None:
            raise NotFound(f"no detector {digest}")
        return str(parameters)

    def add_alarms(self, alarms_: Sequence[Alarm]) -> None:
        self._enter_series(alarm.series for alarm in alarms_)
        insert_new(
            self._writer,
            alarms,
            [(a.id, series_id(a.series), a.slot_id, micros(a.at), float(a.evidence), a.detector) for a in alarms_],
        )

    def alarms(self, *, since: datetime | None = None) -> Sequence[Alarm]:
        key = (series.c.target, series.c.region, series.c.probe_group, series.c.signal)
        query = select(alarms, *key).join(series, alarms.c.series == series.c.id)
        if since is not None:
            query = query.where(alarms.c.at >= micros(since))
        return [
            Alarm(row.id, series_key(row), row.slot_id, moment(row.at), row.evidence, row.detector)
            for row in self._connection.execute(query.order_by(alarms.c.at, alarms.c.id))
        ]


def _state_row(state: StoredState) -> tuple[object, ...]:
    return (
        state.kind.value,
        series_id(state.series),
        state.detector,
        state.version,
        state.blob,
        float(state.evidence),
        state.n,
        None if state.slot_time is None else micros(state.slot_time),
    )


def _state(row: Row[Any], key: SeriesKey) -> StoredState:
    return StoredState(
        series=key,
        kind=StateKind(row.kind),
        detector=row.detector,
        version=row.version,
        blob=bytes(row.blob),
        evidence=row.evidence,
        n=row.n,
        slot_time=None if row.slot_time is None else moment(row.slot_time),
    )
