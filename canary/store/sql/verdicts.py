"""Verdicts on demand."""

from collections.abc import Sequence

from sqlalchemy import func, select

from canary.errors import NotFound
from canary.records import KeptVerdict
from canary.store.codec import micros, pack, unpack
from canary.store.sql.session import Session
from canary.store.sql.statements import upsert
from canary.store.sql.tables import verdicts


class VerdictPart(Session):
    def put_verdict(self, verdict: KeptVerdict) -> None:
        v = verdict
        upsert(self._writer, verdicts, [(v.id, v.kind.value, v.verdict, v.target, micros(v.at), pack(v))])

    def verdict(self, verdict_id: str) -> KeptVerdict:
        prefix = func.substr(verdicts.c.id, 1, len(verdict_id))
        query = select(verdicts.c.id, verdicts.c.document).where(prefix == verdict_id)
        query = query.order_by(verdicts.c.id).limit(2 if verdict_id else 0)
        found = {row.id: row.document for row in self._connection.execute(query)}
        if verdict_id in found:
            return unpack(found[verdict_id], KeptVerdict)
        if len(found) != 1:
            raise NotFound(f"{'more than one' if found else 'no'} verdict {verdict_id}")
        return unpack(found.popitem()[1], KeptVerdict)

    def verdicts(self, *, limit: int = 50) -> Sequence[KeptVerdict]:
        query = select(verdicts.c.document).order_by(verdicts.c.at.desc(), verdicts.c.id).limit(limit)
        return [unpack(document, KeptVerdict) for document in self._connection.scalars(query)]
