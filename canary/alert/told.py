"""What a notification tells, read back from its body: what all receivers make their messages of. Pure.

A body may have been written by an older Canary, so whatever came later has a default.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from canary.records import Notification, NotificationKind

_STATUS = {
    NotificationKind.UPDATE: "update",
    NotificationKind.ACKNOWLEDGE: "acknowledged",
    NotificationKind.RESOLVE: "resolved",
    NotificationKind.REPEAT: "still open",
    NotificationKind.REMINDER: "reminder",
    NotificationKind.CHANGE: "change",
}


@dataclass(frozen=True, slots=True)
class Told:
    """Moments are as in the body, ISO 8601; `answers` are there only for private receivers."""

    notification: Notification
    body: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, notification: Notification) -> "Told":
        return cls(notification, json.loads(notification.body))

    @property
    def kind(self) -> NotificationKind:
        return self.notification.kind

    @property
    def id(self) -> str:
        return self.notification.incident_id

    @property
    def lines(self) -> list[str]:
        """The message in plain lines, the first of which sums up."""
        return list(self.body["text"])

    @property
    def summary(self) -> str:
        return str(self.body.get("summary") or self.lines[0])

    @property
    def severity(self) -> str:
        return str(self.body.get("severity", "page"))

    @property
    def status(self) -> str:
        """A word or two for a head line."""
        word = _STATUS.get(self.kind, self.severity)
        return f"TEST, {word}" if self.body.get("test") else word

    @property
    def links(self) -> Mapping[str, str]:
        return dict(self.body.get("links", {}))

    @property
    def words(self) -> Mapping[str, str]:
        """Where, since when and how big, in words."""
        return dict(self.body.get("words", {}))

    @property
    def suspects(self) -> list[str]:
        return [str(one["words"]) for one in self.body.get("suspects", ()) if "words" in one]

    @property
    def evidence(self) -> list[str]:
        return list(self.body.get("evidence", ()))

    @property
    def answers(self) -> list[Mapping[str, str]]:
        return list(self.body.get("answers", ()))

    @property
    def labels(self) -> Mapping[str, str]:
        """That stay the same for as long as the incident lives."""
        return dict(self.body.get("labels", {}))

    @property
    def began(self) -> datetime:
        """The best estimate of the first onset."""
        return datetime.fromisoformat(self.body["since"]["best"])

    @property
    def ended(self) -> datetime | None:
        when = self.body["incident"]["resolved_at"]
        return None if when is None else datetime.fromisoformat(when)

    @property
    def facts(self) -> dict[str, str]:
        """For templates: exactly `template.MESSAGE`."""
        incident, target = self.body.get("incident", {}), self.body.get("target", {})
        facts = {
            "at": str(self.body.get("at", "")),
            "by": str(incident.get("resolved_by") or incident.get("acknowledged_by") or ""),
            "evidence": ", ".join(self.evidence),
            "id": self.id,
            "kind": self.kind.value,
            "replay": str(self.body.get("replay", "")),
            "severity": self.severity,
            "state": str(incident.get("state", "")),
            "status": self.status,
            "summary": self.summary,
            "suspects": "\n".join(self.suspects),
            "symptoms": ", ".join(self.body.get("symptoms", ())),
            "text": "\n".join(self.lines),
        }
        facts |= {name: str(target.get(name, "")) for name in ("model", "platform", "pool")}
        facts |= {name: str(self.links.get(name, "")) for name in ("dashboard", "runbook")}
        return facts | {name: str(self.words.get(name, "")) for name in ("since", "size")}
