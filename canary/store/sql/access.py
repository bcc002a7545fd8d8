"""Tokens, and the audit log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from canary.records import Act, AuditEntry, Role, Token
from canary.store.codec import micros, moment
from canary.store.sql.session import Session
from canary.store.sql.statements import insert, upsert
from canary.store.sql.tables import audit, tokens


class AccessPart(Session):
    def put_token(self, token: Token) -> None:
        t = token
        moments = (micros(t.created_at), _micros(t.expires_at), _micros(t.revoked_at))
        upsert(self._writer, tokens, [(t.id, t.name, t.role.value, t.digest, *moments)])

    def token(self, token_id: str) -> Token | None:
        row = self._connection.execute(select(tokens).where(tokens.c.id == token_id)).one_or_none()
        return None if row is None else _token(row)

    def tokens(self) -> Sequence[Token]:
        return [
            _token(row) for row in self._connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id))
        ]

    def note(self, entry: AuditEntry) -> None:
        insert(self._writer, audit, [(micros(entry.at), entry.who, entry.act.value, entry.subject, entry.detail)])

    def audit(self, *, since: datetime | None = None, limit: int | None = None) -> Sequence[AuditEntry]:
        query = select(audit).order_by(audit.c.n.desc()).limit(limit)
        if since is not None:
            query = query.where(audit.c.at >= micros(since))
        found = [
            AuditEntry(moment(row.at), row.who, Act(row.act), row.subject, row.detail)
            for row in self._connection.execute(query)
        ]
        return found[::-1]


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        digest=row.digest,
        created_at=moment(row.created_at),
        expires_at=_moment(row.expires_at),
        revoked_at=_moment(row.revoked_at),
    )


def _micros(when: datetime | None) -> int | None:
    return None if when is None else micros(when)


def _moment(value: int | None) -> datetime | None:
    return None if value is None else moment(value)
