"""Golden recordings, baselines and references; changes and small facts."""

from collections.abc import Sequence
from datetime import datetime

from canary.records import Baseline, BaselineStatus, Change, Recording, Reference
from canary.store.memory.tables import Session, between


class BaselinePart(Session):
    def put_recording(self, recording: Recording) -> None:
        self._draft.recordings[recording.id] = recording

    def recordings(self, target: str | None = None) -> Sequence[Recording]:
        found = (recording for recording in self._tables.recordings.values() if target in (None, recording.target))
        return sorted(found, key=lambda recording: (recording.started_at, recording.id))

    def put_baseline(self, baseline: Baseline) -> None:
        self._draft.baselines[baseline.id] = baseline

    def baselines(
        self, *, target: str | None = None, status: BaselineStatus | None = None, epoch: int | None = None
    ) -> Sequence[Baseline]:
        found = (
            baseline
            for baseline in self._tables.baselines.values()
            if target in (None, baseline.series.target)
            and status in (None, baseline.status)
            and epoch in (None, baseline.epoch)
        )
        return sorted(found, key=lambda baseline: (baseline.series.target, baseline.epoch, baseline.id))

    def put_references(self, target: str, epoch: int, references: Sequence[Reference]) -> None:
        self._draft.references.update({(target, epoch, r.probe_digest, r.salt): r for r in references})

    def reference(self, target: str, epoch: int, probe_digest: str, salt: int) -> Reference | None:
        return self._tables.references.get((target, epoch, probe_digest, salt))

    def add_change(self, change: Change) -> bool:
        if change.id in self._draft.changes:
            return False
        self._draft.changes[change.id] = change
        return True

    def changes(self, *, since: datetime | None = None, until: datetime | None = None) -> Sequence[Change]:
        found = (change for change in self._tables.changes.values() if between(change.at, since, until))
        return sorted(found, key=lambda change: (change.at, change.id))

    def fact(self, name: str) -> str | None:
        return self._tables.facts.get(name)

    def put_fact(self, name: str, value: str) -> None:
        self._draft.facts[name] = value
