"""Silences: what they cover, and how they are made and ended."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from canary.alert import silences
from canary.alert.routing import covers, must, place_of
from canary.alert.severity import Severity
from canary.alert.words import summary
from canary.desk.ground import Ground
from canary.errors import NotFound, ReportError
from canary.records import PLACE, Act, AuditEntry, Incident, Label, Matchers, Silence, Symptom
from canary.store.base import StateKind, Transaction

_NAMED = 5
_CLOCKS = timedelta(minutes=1)
"""By which clocks may differ."""


@dataclass(frozen=True, slots=True)
class Covered:
    """What matchers cover now: targets of the config by name, and open incidents.

    `doubts` are matchers that nothing known fits, with what is known: slips of the finger.
    """

    targets: Sequence[str]
    of: int
    incidents: Sequence[Incident]
    doubts: Sequence[str] = ()

    def facts(self) -> dict[str, object]:
        return {
            "targets": list(self.targets),
            "targets_total": self.of,
            "incidents": [incident.id for incident in self.incidents],
            "summaries": [summary(incident) for incident in self.incidents],
            "doubts": list(self.doubts),
        }


def covered(tx: Transaction, ground: Ground, matchers: Matchers) -> Covered:
    """Of targets only places count: one that is silenced by symptom is silenced in part."""
    incidents = [one for one in tx.incidents(open_only=True) if covers(matchers, one)]
    return Covered(_targets(ground, matchers), len(ground.targets), incidents, list(_doubts(tx, ground, matchers)))


def add(
    tx: Transaction, ground: Ground, silence: Silence, who: str, now: datetime, *, doubtful: bool = False
) -> Covered:
    """Keep it; the act is written down as that of `who`. One that nothing known fits is kept only if `doubtful`.

    Raises:
        NotFound: nothing known fits it: a slip of the finger would hush up nothing.
        ReportError: it is a maintenance window that began already: what was fed cannot be taken back.
    """
    if silence.freezes and silence.starts_at < now - _CLOCKS:
        raise ReportError("a maintenance window begins now or later: what its targets answered was judged already")
    matchers = silences.matchers_of(silence)
    doubts = list(_doubts(tx, ground, matchers))
    if doubts and not doubtful:
        raise NotFound("; ".join(doubts))
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


def _doubts(tx: Transaction, ground: Ground, matchers: Matchers) -> Iterator[str]:
    """What nothing known fits."""
    series = set(tx.states(StateKind.ALARM)) | set(() if ground.watch is None else ground.watch.signals)
    known: Mapping[Label, set[str]] = {
        Label.REGION: {ground.region, *(one.region for one in series)},
        Label.GROUP: {one.group for one in series} - {"*"},
        Label.SIGNAL: {one.signal for one in series},
        Label.SYMPTOM: set(Symptom),
        Label.SEVERITY: set(Severity),
    }
    for one in matchers:
        names = known.get(one.label)
        if names and not any(one.must({one.label: name}) for name in names):
            yield f"nothing known fits {one.text}: there is {', '.join(sorted(names)[:_NAMED])}"
    places = tuple(one for one in matchers if one.label in PLACE and one.label is not Label.REGION)
    if not _targets(ground, places):
        yield f"that covers no target: the config has {', '.join(ground.targets[:_NAMED])}"


def _targets(ground: Ground, matchers: Matchers) -> list[str]:
    asked = tuple(one for one in matchers if one.label in PLACE)
    return [name for name in ground.targets if must(asked, place_of(name, ground.region))]
