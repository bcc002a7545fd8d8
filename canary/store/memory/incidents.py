"""Incidents, and the notifications owed."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from canary.errors import NotFound
from canary.records import Incident, IncidentState, Notification
from canary.store.base import AMENDABLE, GroupTimes, Telling
from canary.store.memory.tables import Owed, Session, between


class IncidentPart(Session):
    def put_incident(self, incident: Incident) -> None:
        self._draft.incidents[incident.id] = incident

    def incident(self, incident_id: str) -> Incident:
        table = self._tables.incidents
        if incident_id in table:
            return table[incident_id]
        found = [name for name in table if incident_id and name.startswith(incident_id)]
        if len(found) != 1:
            raise NotFound(f"{'more than one' if found else 'no'} incident {incident_id}")
        return table[found[0]]

    def incidents(self, *, open_only: bool = False, since: datetime | None = None) -> Sequence[Incident]:
        found = (
            i
            for i in self._tables.incidents.values()
            if not (open_only and i.state == IncidentState.RESOLVED) and between(i.updated_at, since, None)
        )
        return sorted(found, key=lambda i: (i.opened_at, i.id))

    def enqueue(self, notifications: Sequence[Notification]) -> None:
        for notification in notifications:
            self._draft.outbox.setdefault(notification.id, Owed(notification))

    def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Notification]:
        table = self._draft.outbox
        unsent = (owed for owed in table.values() if owed.delivered_at is None)
        first: dict[tuple[str, str], Owed] = {}
        for owed in sorted(unsent, key=lambda owed: owed.notification.created_at):
            first.setdefault((owed.notification.incident_id, owed.notification.receiver), owed)
        due = [owed.notification for owed in first.values() if _due(owed, now)][:limit]
        for notification in due:
            table[notification.id] = replace(table[notification.id], leased_until=now + lease)
        return due

    def delivered(self, notification_id: str, at: datetime) -> None:
        owed = self._draft.outbox.get(notification_id)
        if owed is not None and owed.delivered_at is None:
            self._draft.outbox[notification_id] = replace(owed, delivered_at=at)

    def retry(self, notification_id: str, *, not_before: datetime, reason: str) -> None:  # noqa: ARG002  nobody asks memory why
        owed = self._draft.outbox.get(notification_id)
        if owed is not None and owed.delivered_at is None:
            again = replace(owed.notification, not_before=not_before, attempts=owed.notification.attempts + 1)
            self._draft.outbox[notification_id] = Owed(again)

    def owed(self) -> int:
        return sum(owed.delivered_at is None for owed in self._tables.outbox.values())

    def oldest_owed(self) -> datetime | None:
        waiting = (owed.notification for owed in self._tables.outbox.values() if owed.delivered_at is None)
        return min((notification.created_at for notification in waiting), default=None)

    def waiting(self, incident_id: str, receiver: str) -> Notification | None:
        last = next(iter(self._line_of(incident_id, receiver)), None)
        if last is None or last.delivered_at is not None or last.leased_until is not None or last.notification.attempts:
            return None
        return last.notification if last.notification.kind in AMENDABLE else None

    def amend(self, notification: Notification) -> bool:
        found = self.waiting(*_line(notification))
        if found is None:
            return False
        self._draft.outbox[found.id] = Owed(replace(found, body=notification.body))
        return True

    def told(self, incident_ids: Collection[str]) -> Sequence[Telling]:
        last: dict[tuple[str, str], Telling] = {}
        for owed in sorted(self._tables.outbox.values(), key=_created):
            n = owed.notification
            if n.incident_id in incident_ids:
                last[_line(n)] = Telling(n.incident_id, n.receiver, n.kind, n.created_at)
        return [last[line] for line in sorted(last)]

    def last_told(self, incident_id: str, receiver: str, *, but: str = "") -> Notification | None:
        owed = (one.notification for one in self._line_of(incident_id, receiver))
        return next((one for one in owed if one.id != but), None)

    def _line_of(self, incident_id: str, receiver: str) -> Sequence[Owed]:
        """What was owed of the incident to the receiver, the last one first."""
        ours = (o for o in self._tables.outbox.values() if _line(o.notification) == (incident_id, receiver))
        return sorted(ours, key=_created)[::-1]

    def standing(self, receiver: str, *, since: datetime) -> Sequence[Notification]:
        live = {i.id for i in self._tables.incidents.values() if i.resolved_at is None or i.updated_at >= since}
        last: dict[str, Notification] = {}
        for owed in sorted(self._tables.outbox.values(), key=_created):
            n = owed.notification
            if n.receiver == receiver and n.incident_id in live and owed.delivered_at is not None:
                last[n.incident_id] = n
        return [last[name] for name in sorted(last)]

    def group_times(self, receiver: str, group: str) -> GroupTimes:
        ours = [
            owed
            for owed in self._tables.outbox.values()
            if (owed.notification.receiver, owed.notification.group) == (receiver, group)
        ]
        waiting = (owed.notification.not_before for owed in ours if owed.delivered_at is None)
        told = (owed.delivered_at for owed in ours if owed.delivered_at is not None)
        return GroupTimes(min(waiting, default=None), max(told, default=None))


def _line(notification: Notification) -> tuple[str, str]:
    return notification.incident_id, notification.receiver


def _created(owed: Owed) -> datetime:
    return owed.notification.created_at


def _due(owed: Owed, now: datetime) -> bool:
    return owed.notification.not_before <= now and (owed.leased_until is None or owed.leased_until <= now)
