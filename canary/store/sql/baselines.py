"""Golden recordings, baselines and references; changes and small facts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from canary.records import Baseline, BaselineStatus, Change, Recording, Reference
from canary.store.codec import dumps, loads, micros, moment, pack, unpack
from canary.store.sql.session import Session
from canary.store.sql.statements import insert, upsert
from canary.store.sql.tables import baselines, changes, facts, recordings, refs


class BaselinePart(Session):
    def put_recording(self, recording: Recording) -> None:
        r = recording
        finished = None if r.finished_at is None else micros(r.finished_at)
        row = (r.id, r.target, r.region, r.epoch, r.n, micros(r.started_at), finished)
        upsert(self._writer, recordings, [row])

    def recordings(self, target: str | None = None) -> Sequence[Recording]:
        query = select(recordings).order_by(recordings.c.started_at, recordings.c.id)
        if target is not None:
            query = query.where(recordings.c.target == target)
        return [_recording(row) for row in self._connection.execute(query)]

    def put_baseline(self, baseline: Baseline) -> None:
        b = baseline
        upsert(self._writer, baselines, [(b.id, b.series.target, b.epoch, b.status.value, pack(b))])

    def baselines(
        self, *, target: str | None = None, status: BaselineStatus | None = None, epoch: int | None = None
    ) -> Sequence[Baseline]:
        query = select(baselines.c.document).order_by(baselines.c.target, baselines.c.epoch, baselines.c.id)
        if target is not None:
            query = query.where(baselines.c.target == target)
        if status is not None:
            query = query.where(baselines.c.status == status.value)
        if epoch is not None:
            query = query.where(baselines.c.epoch == epoch)
        return [unpack(document, Baseline) for document in self._connection.scalars(query)]

    def put_references(self, target: str, epoch: int, references: Sequence[Reference]) -> None:
        rows = [(target, epoch, r.probe_digest, r.salt, pack(r)) for r in references]
        upsert(self._writer, refs, rows)

    def reference(self, target: str, epoch: int, probe_digest: str, salt: int) -> Reference | None:
        document = self._connection.scalar(
            select(refs.c.document).where(
                refs.c.target == target,
                refs.c.epoch == epoch,
                refs.c.probe_digest == probe_digest,
                refs.c.salt == salt,
            )
        )
        return None if document is None else unpack(document, Reference)

    def add_change(self, change: Change) -> bool:
        known = select(changes.c.id).where(changes.c.id == change.id)
        if self._writer.scalar(known) is not None:
            return False
        insert(self._writer, changes, [(change.id, micros(change.at), dumps(change))])
        return True

    def changes(self, *, since: datetime | None = None, until: datetime | None = None) -> Sequence[Change]:
        query = select(changes.c.document).order_by(changes.c.at, changes.c.id)
        if since is not None:
            query = query.where(changes.c.at >= micros(since))
        if until is not None:
            query = query.where(changes.c.at < micros(until))
        return [loads(document, Change) for document in self._connection.scalars(query)]

    def fact(self, name: str) -> str | None:
        return self._connection.scalar(select(facts.c.value).where(facts.c.name == name))

    def put_fact(self, name: str, value: str) -> None:
        upsert(self._writer, facts, [(name, value)])


def _recording(row: Row[Any]) -> Recording:
    return Recording(
        id=row.id,
        target=row.target,
        region=row.region,
        epoch=row.epoch,
        n=row.n,
        started_at=moment(row.started_at),
        finished_at=None if row.finished_at is None else moment(row.finished_at),
    )
