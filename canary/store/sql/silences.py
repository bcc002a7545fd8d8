"""Silences."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from canary.errors import NotFound
from canary.records import Silence
from canary.store.codec import dumps, loads, micros
from canary.store.sql.session import Session
from canary.store.sql.statements import upsert
from canary.store.sql.tables import silences


class SilencePart(Session):
    def put_silence(self, silence: Silence) -> None:
        upsert(self._writer, silences, [(silence.id, micros(silence.ends_at), dumps(silence))])

    def silence(self, silence_id: str) -> Silence:
        prefix = func.substr(silences.c.id, 1, len(silence_id))
        query = select(silences.c.id, silences.c.document).where(prefix == silence_id)
        query = query.order_by(silences.c.id).limit(2 if silence_id else 0)
        found = {row.id: row.document for row in self._connection.execute(query)}
        if silence_id in found:
            return loads(found[silence_id], Silence)
        if len(found) != 1:
            raise NotFound(f"{'more than one' if found else 'no'} silence {silence_id}")
        return loads(found.popitem()[1], Silence)

    def silences(self, *, since: datetime | None = None) -> Sequence[Silence]:
        query = select(silences.c.document).order_by(silences.c.ends_at, silences.c.id)
        if since is not None:
            query = query.where(silences.c.ends_at > micros(since))
        return [loads(document, Silence) for document in self._connection.scalars(query)]
