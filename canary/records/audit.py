"""Who did what, and who may."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Act(StrEnum):
    """What is written down for ever."""

    ACKNOWLEDGE = "incident.acknowledge"
    RESOLVE = "incident.resolve"
    SILENCE = "silence.add"
    EXPIRE = "silence.expire"
    CHANGE = "change.add"
    GATE = "gate"
    PROMOTE = "baseline.promote"
    RELOAD = "config.reload"
    TOKEN = "token.add"  # noqa: S105  no secret
    REVOKE = "token.revoke"
    FEEDBACK = "feedback.add"
    SCORES = "scores.add"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An act, of a person (by name), of a token ("token:NAME") or of the daemon; `subject` is what it was done to."""

    at: datetime
    who: str
    act: Act
    subject: str
    detail: str = ""


class Role(StrEnum):
    """What the bearer of a token may do."""

    READ = "read"
    OPERATE = "operate"  # read, acknowledge, resolve, record changes, run gates
    INGEST = "ingest"  # hand in changes, feedback counts and scores; nothing is told


@dataclass(frozen=True, slots=True)
class Token:
    """A token as kept: of its secret only the SHA-256, which tells nothing of 256 random bits."""

    id: str
    name: str
    role: Role
    digest: str = field(repr=False)
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def valid(self, now: datetime) -> bool:
        """Whether it opens anything at that moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
