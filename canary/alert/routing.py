"""Who is told of an incident."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

from canary.records import Incident, Scope


class ReceiverKind(StrEnum):
    """What a receiver is."""

    WEBHOOK = "webhook"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class Match:
    """Globs over an incident's labels; all must match. An incident matches `symptom` when any of its findings does.

    One that spans several models, platforms or pools matches when a finding of it may lie in what the globs name.
    """

    model: str = "*"
    platform: str = "*"
    pool: str = "*"
    symptom: str = "*"

    def covers(self, incident: Incident) -> bool:
        part = Scope(self.model, self.platform, self.pool)
        return any(
            fnmatchcase(finding.symptom, self.symptom) and part.overlaps(finding.scope) for finding in incident.findings
        )


@dataclass(frozen=True, slots=True)
class ReceiverSpec:
    """A receiver: told of every incident that one of `match` covers."""

    name: str
    kind: ReceiverKind
    url: str = field(default="", repr=False)  # may hold a token
    secret: str | None = field(default=None, repr=False)
    match: tuple[Match, ...] = (Match(),)


def route(receivers: Iterable[ReceiverSpec], incident: Incident) -> tuple[ReceiverSpec, ...]:
    """The receivers that are told of the incident, in the order given."""
    return tuple(receiver for receiver in receivers if any(match.covers(incident) for match in receiver.match))
