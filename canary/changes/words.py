"""What people write of a change: a scope, a time, a link, one line of text. Each raises ValueError with a remedy."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from canary.records import ChangeKind, Scope

MOST_TEXT = 200
MOST_LINK = 500

_PART = re.compile(r"[A-Za-z0-9._:@+*?\[\]!-]{1,80}", re.ASCII)
_AGO = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(s|m|min|h|d|w)(?:\s+ago)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_SECRET = re.compile(r"token|secret|passw|signature|credential|api_?key|^key$|^sig$|^auth", re.IGNORECASE)


def scope(text: str) -> Scope:
    """MODEL/PLATFORM/POOL or MODEL/PLATFORM/POOL/REGION; each a name or a glob, `*` for any; `*` alone is everything.

    >>> scope("mid/api/*") == Scope("mid", "api")
    True
    """
    parts = ["*"] * 3 if text == "*" else text.split("/")
    if not 3 <= len(parts) <= 4 or not all(_PART.fullmatch(part) for part in parts):
        raise ValueError("is no scope: write MODEL/PLATFORM/POOL or MODEL/PLATFORM/POOL/REGION, with * for any")
    return Scope(*(None if part == "*" else part for part in parts))


def moment(text: str, now: datetime | None = None) -> datetime:
    """ISO 8601 with a zone; where `now` is given, also a day in UTC, "now", and "10m ago" or "10m" (s, m, h, d, w).

    >>> moment("10m ago", datetime(2025, 8, 29, 12, 0, tzinfo=UTC)).isoformat()
    '2025-08-29T11:50:00+00:00'
    """
    try:
        if now is not None and (ago := _ago(text)) is not None:
            return now - ago
        midnight = "T00:00Z" if now is not None and _DAY.fullmatch(text) else ""
        return _exact(text + midnight).astimezone(UTC)
    except OverflowError:
        raise ValueError("is beyond the calendar") from None


def _ago(text: str) -> timedelta | None:
    found = _AGO.fullmatch(text)
    if found is None:
        return timedelta(0) if text == "now" else None
    return float(found[1]) * _UNITS[found[2]]


def _exact(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no time: write it like 2025-08-29T12:00:00Z") from None
    if when.tzinfo is None:
        raise ValueError("says no zone: write it like 2025-08-29T12:00:00Z, or with an offset such as +02:00")
    return when


def link(text: str) -> str:
    """An http or https URL that holds no password or token: it is shown in notifications."""
    try:
        parts = urlsplit(text)
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname)
        secret = "@" in parts.netloc or any(_SECRET.search(key) for key, _ in parse_qsl(parts.query))
    except ValueError:
        raise ValueError("is no link: write https://host/path") from None
    if not whole or not text.isprintable() or " " in text or len(text) > MOST_LINK:
        raise ValueError(f"is no link: write https://host/path, of {MOST_LINK} characters at most")
    if secret:
        raise ValueError("holds a user, password or token: notifications show it, so write it without")
    return text


def one_line(text: str) -> str:
    """The first line that says something, without what could steer a terminal, cut to a length that fits a message."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in line).split())
    return plain if len(plain) <= MOST_TEXT else f"{plain[: MOST_TEXT - 1]}…"


def change_id(kind: ChangeKind, at: datetime, where: Scope, summary: str) -> str:
    """An id for a change that has none of its own: the same facts give the same."""
    facts = "\0".join((kind.value, at.astimezone(UTC).isoformat(), where.name, summary))
    return hashlib.blake2b(facts.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
