"""What is silenced, by whom and until when; and when people are reminded of it. Pure."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from canary.records import Matchers, Silence, matcher

BEFORE_END = timedelta(hours=1)
EVERY = timedelta(days=7)
SCHEMA = "canary.silence/1"


def made(
    matchers: Matchers,
    author: str,
    reason: str,
    starts_at: datetime,
    ends_at: datetime,
    *,
    freezes: bool = False,
) -> Silence:
    """A new silence. The same words give the same one."""
    written = tuple(one.text for one in matchers)
    facts = "\0".join((*written, author, reason, starts_at.isoformat(), ends_at.isoformat(), str(freezes)))
    name = hashlib.blake2b(facts.encode(), digest_size=6).hexdigest()
    return Silence(name, written, author, reason, starts_at, ends_at, freezes)


def expired(silence: Silence, who: str, now: datetime) -> Silence:
    """Ended now by a person; one that ended before stays as it is."""
    if silence.ends_at <= now:
        return silence
    return replace(silence, starts_at=min(silence.starts_at, now), ends_at=now, expired_by=who)


def matchers_of(silence: Silence) -> Matchers:
    """Raises: ValueError, when another Canary wrote what this one cannot read."""
    return tuple(map(matcher, silence.matchers))


@dataclass(frozen=True, slots=True)
class Reminder:
    """Something that people are to know of a silence; `id` is the same whenever it is worked out."""

    id: str
    silence: Silence
    words: str


def reminders(silences: Iterable[Silence], now: datetime) -> Iterator[Reminder]:
    """Due now: before the end of one that lasts more than twice that, and each week of a long one."""
    for silence in silences:
        if not silence.holds(now):
            continue
        lasts, left, weeks = (
            silence.ends_at - silence.starts_at,
            silence.ends_at - now,
            (now - silence.starts_at) // EVERY,
        )
        if lasts > 2 * BEFORE_END and left <= BEFORE_END:
            yield Reminder(_identity(silence, "ends"), silence, f"ends in {left // timedelta(minutes=1)} min")
        elif weeks:
            yield Reminder(_identity(silence, f"week {weeks}"), silence, f"has lasted {weeks * 7} days")


def describe(silence: Silence) -> dict[str, object]:
    """As JSON."""
    return {
        "id": silence.id,
        "matchers": list(silence.matchers),
        "author": silence.author,
        "reason": silence.reason,
        "starts_at": silence.starts_at.isoformat(timespec="seconds"),
        "ends_at": silence.ends_at.isoformat(timespec="seconds"),
        "maintenance": silence.freezes,
        "expired_by": silence.expired_by,
    }


def text(reminder: Reminder) -> list[str]:
    """In plain lines for a person; the first sums up."""
    silence = reminder.silence
    what = "maintenance window" if silence.freezes else "silence"
    return [
        f"the {what} {silence.id} {reminder.words}",
        f"matches  {', '.join(silence.matchers)}",
        f"author   {silence.author}",
        f"reason   {silence.reason}",
        f"until    {silence.ends_at:%Y-%m-%d %H:%M} UTC",
        f"end it   canary silence expire {silence.id}",
    ]


def _identity(silence: Silence, what: str) -> str:
    facts = "\0".join((silence.id, what, silence.ends_at.isoformat()))
    return hashlib.blake2b(facts.encode(), digest_size=10).hexdigest()
