"""Tokens, and the audit log."""

from collections.abc import Sequence
from datetime import datetime

from canary.records import AuditEntry, Token
from canary.store.memory.tables import Session, between


class AccessPart(Session):
    def put_token(self, token: Token) -> None:
        self._draft.tokens[token.id] = token

    def token(self, token_id: str) -> Token | None:
        return self._tables.tokens.get(token_id)

    def tokens(self) -> Sequence[Token]:
        return sorted(self._tables.tokens.values(), key=lambda token: (token.created_at, token.id))

    def note(self, entry: AuditEntry) -> None:
        self._draft.audit[len(self._tables.audit)] = entry

    def audit(self, *, since: datetime | None = None, limit: int | None = None) -> Sequence[AuditEntry]:
        found = [entry for entry in self._tables.audit.values() if between(entry.at, since, None)]
        return found if limit is None else found[max(0, len(found) - limit) :]
