"""Tokens of the API: `canary_ID_SECRET`. The id finds the token, the secret, of which we keep a digest, proves it."""

import hashlib
import hmac
import re
import secrets
from dataclasses import replace
from datetime import datetime

from canary.errors import NotFound
from canary.records import Act, AuditEntry, Role, Token
from canary.store.base import Transaction

NAME = re.compile(r"[A-Za-z0-9._@:+-]{1,80}")
_WRITTEN = re.compile(r"canary_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")


def mint(
    tx: Transaction, name: str, role: Role, now: datetime, who: str, expires: datetime | None
) -> tuple[Token, str]:
    """A new token, and its text, which can never be shown again. Raises: ValueError."""
    if not NAME.fullmatch(name):
        raise ValueError("a token's name has 1 to 80 letters, digits and . _ @ : + -")
    if any(token.name == name and token.valid(now) for token in tx.tokens()):
        raise ValueError(f"there is a valid token {name} already: revoke it, or take another name")
    identity, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    token = Token(identity, name, role, _digest(secret), now, expires)
    tx.put_token(token)
    tx.note(AuditEntry(now, who, Act.TOKEN, name, f"{identity} {role.value}"))
    return token, f"canary_{identity}_{secret}"


def revoke(tx: Transaction, name: str, now: datetime, who: str) -> Token:
    """The valid token of this name or id opens nothing any more. Raises: NotFound."""
    found = next((token for token in tx.tokens() if name in {token.name, token.id} and token.valid(now)), None)
    if found is None:
        raise NotFound(f"no valid token {name}: see `canary token list`")
    ended = replace(found, revoked_at=now)
    tx.put_token(ended)
    tx.note(AuditEntry(now, who, Act.REVOKE, found.name, found.id))
    return ended


def bearer(tx: Transaction, text: str, now: datetime) -> Token | None:
    """The valid token that this is the text of. What a guess costs in time tells nothing of the secret."""
    written = _WRITTEN.fullmatch(text)
    token = tx.token(written[1]) if written else None
    if written is None or token is None:
        return None
    genuine = hmac.compare_digest(token.digest, _digest(written[2]))
    return token if genuine and token.valid(now) else None


def facts(token: Token, now: datetime) -> dict[str, object]:
    """The token as JSON, without a word of its secret."""
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role.value,
        "valid": token.valid(now),
        "created_at": token.created_at.isoformat(),
        "expires_at": None if token.expires_at is None else token.expires_at.isoformat(),
        "revoked_at": None if token.revoked_at is None else token.revoked_at.isoformat(),
    }


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
