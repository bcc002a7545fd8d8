"""Detectors' states and parameters, and the alarms they raised."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from canary.errors import NotFound
from canary.records import Alarm, SeriesKey
from canary.store.base import StateKind, StoredState
from canary.store.memory.tables import Session, between


class DetectorPart(Session):
    def states(self, kind: StateKind, series: Collection[SeriesKey] | None = None) -> Mapping[SeriesKey, StoredState]:
        wanted = None if series is None else frozenset(series)
        found = self._tables.states.items()
        return {key: state for (of, key), state in found if of == kind and (wanted is None or key in wanted)}

    def put_states(self, states: Sequence[StoredState]) -> None:
        self._draft.states.update({(state.kind, state.series): state for state in states})

    def drop_states(self, kind: StateKind, series: Collection[SeriesKey]) -> None:
        gone = [self._draft.states.pop((kind, key), None) for key in series]
        if kind is StateKind.RECOVERY:
            named = {state.detector for state in gone if state is not None}
            for digest in named - {state.detector for state in self._tables.states.values()}:
                self._draft.detectors.pop(digest, None)

    def put_detector(self, digest: str, parameters: str) -> None:
        self._draft.detectors.setdefault(digest, parameters)

    def detector(self, digest: str) -> str:
        try:
            return self._tables.detectors[digest]
        except KeyError:
            raise NotFound(f"no detector {digest}") from None

    def add_alarms(self, alarms: Sequence[Alarm]) -> None:
        for alarm in alarms:
            self._draft.alarms.setdefault(alarm.id, alarm)

    def alarms(self, *, since: datetime | None = None) -> Sequence[Alarm]:
        found = (alarm for alarm in self._tables.alarms.values() if between(alarm.at, since, None))
        return sorted(found, key=lambda alarm: (alarm.at, alarm.id))
