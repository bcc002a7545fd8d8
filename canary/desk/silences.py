"""Silences: what they cover, and how they are made and ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from canary.alert import silences
from canary.alert.message import summary
from canary.alert.routing import covers, must, place_of
from canary.desk.ground import Ground
from canary.errors import NotFound, ReportError
from canary.records import PLACE, Act, AuditEntry, Incident, Label, Matchers, Silence
from canary.store.base import Transaction

_NAMED = 5
_CLOCKS = timedelta(minutes=1)
"""By which clocks may differ."""


@dataclass(frozen=True, slots=True)
class Covered:
    """What matchers cover now: targets of the config by name, and open incidents."""

    targets: Sequence[str]
    of: int
    incidents: Sequence[Incident]

    def facts(self) -> dict[str, object]:
        return {
            "targets": list(self.targets),
            "targets_total": self.of,
            "incidents": [incident.id for incident in self.incidents],
            "summaries": [summary(incident) for incident in self.incidents],
        }


def covered(tx: Transaction, ground: Ground, matchers: Matchers) -> Covered:
    """Of targets only places count: one that is silenced by symptom is silenced in part."""
    incidents = [one for one in tx.incidents(open_only=True) if covers(matchers, one)]
    return Covered(_targets(ground, matchers), len(ground.targets), incidents)


def add(tx: Transaction, ground: Ground, silence: Silence, who: str, now: datetime) -> Covered:
    """Keep it; the act is written down as that of `who`.

    Raises:
        NotFound: it covers no target of this region.
        ReportError: it is a maintenance window that began already: what was fed cannot be taken back.
    """
    if silence.freezes and silence.starts_at < now - _CLOCKS:
        raise ReportError("a maintenance window begins now or later: what its targets answered was judged already")
    matchers = silences.matchers_of(silence)
    elsewhere = any(one.label is Label.REGION for one in matchers)
    if not elsewhere and not _targets(ground, matchers):
        raise NotFound(f"that covers no target: the config has {', '.join(ground.targets[:_NAMED])}")
    tx.put_silence(silence)
    tx.note(AuditEntry(now, who, Act.SILENCE, silence.id, f"{' '.join(silence.matchers)}: {silence.reason}"))
    return covered(tx, ground, matchers)


def expire(tx: Transaction, silence_id: str, person: str, now: datetime, who: str = "") -> Silence:
    """End it; one that had ended stays as it was. The act is that of `who`, else of the person. Raises: NotFound."""
    before = tx.silence(silence_id)
    after = silences.expired(before, person, now)
    if after != before:
        tx.put_silence(after)
        tx.note(AuditEntry(now, who or person, Act.EXPIRE, after.id, person if who else ""))
    return after


def _targets(ground: Ground, matchers: Matchers) -> list[str]:
    asked = tuple(one for one in matchers if one.label in PLACE)
    return [name for name in ground.targets if must(asked, place_of(name, ground.region))]
