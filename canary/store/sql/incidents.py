"""Incidents, and the notifications owed."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, exists, func, or_, select, tuple_, update

from canary.errors import NotFound
from canary.records import Incident, IncidentState, Notification, NotificationKind
from canary.store.base import AMENDABLE, GroupTimes, Telling
from canary.store.codec import dumps, loads, micros, moment
from canary.store.sql.session import Session
from canary.store.sql.statements import chunks, insert_new, upsert
from canary.store.sql.tables import incidents, outbox

_OWED = outbox.c.delivered_at.is_(None)
_earlier = outbox.alias("earlier")
_BEHIND = exists().where(
    _earlier.c.delivered_at.is_(None),
    _earlier.c.incident_id == outbox.c.incident_id,
    _earlier.c.receiver == outbox.c.receiver,
    tuple_(_earlier.c.created_at, _earlier.c.n) < tuple_(outbox.c.created_at, outbox.c.n),
)


class IncidentPart(Session):
    def put_incident(self, incident: Incident) -> None:
        i = incident
        row = (i.id, i.state.value, i.model, i.platform, i.pool, micros(i.opened_at), micros(i.updated_at), dumps(i))
        upsert(self._writer, incidents, [row])

    def incident(self, incident_id: str) -> Incident:
        prefix = func.substr(incidents.c.id, 1, len(incident_id))
        query = select(incidents.c.id, incidents.c.document).where(prefix == incident_id)
        query = query.order_by(incidents.c.id).limit(2 if incident_id else 0)
        found = {row.id: row.document for row in self._connection.execute(query)}
        if incident_id in found:
            return loads(found[incident_id], Incident)
        if len(found) != 1:
            raise NotFound(f"{'more than one' if found else 'no'} incident {incident_id}")
        return loads(found.popitem()[1], Incident)

    def incidents(self, *, open_only: bool = False, since: datetime | None = None) -> Sequence[Incident]:
        query = select(incidents.c.document).order_by(incidents.c.opened_at, incidents.c.id)
        if open_only:
            query = query.where(incidents.c.state != IncidentState.RESOLVED.value)
        if since is not None:
            query = query.where(incidents.c.updated_at >= micros(since))
        return [loads(document, Incident) for document in self._connection.scalars(query)]

    def enqueue(self, notifications: Sequence[Notification]) -> None:
        insert_new(self._writer, outbox, [_row(notification) for notification in notifications])

    def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Notification]:
        at = micros(now)
        free = or_(outbox.c.leased_until.is_(None), outbox.c.leased_until <= at)
        query = select(outbox).where(_OWED, outbox.c.not_before <= at, free, ~_BEHIND)
        query = query.order_by(outbox.c.created_at, outbox.c.n).limit(limit).with_for_update(skip_locked=True)
        found = self._writer.execute(query).all()
        leased = update(outbox).where(outbox.c.n.in_([row.n for row in found]))
        self._writer.execute(leased.values(leased_until=micros(now + lease)))
        return [_notification(row) for row in found]

    def delivered(self, notification_id: str, at: datetime) -> None:
        self._writer.execute(
            update(outbox).where(outbox.c.id == notification_id, _OWED).values(delivered_at=micros(at))
        )

    def retry(self, notification_id: str, *, not_before: datetime, reason: str) -> None:
        self._writer.execute(
            update(outbox)
            .where(outbox.c.id == notification_id, _OWED)
            .values(attempts=outbox.c.attempts + 1, leased_until=None, not_before=micros(not_before), reason=reason)
        )

    def owed(self) -> int:
        return int(self._connection.execute(select(func.count()).select_from(outbox).where(_OWED)).scalar_one())

    def oldest_owed(self) -> datetime | None:
        first = self._connection.scalar(select(func.min(outbox.c.created_at)).where(_OWED))
        return None if first is None else moment(first)

    def waiting(self, incident_id: str, receiver: str) -> Notification | None:
        row = self._connection.execute(_last(incident_id, receiver)).first()
        if row is None or row.delivered_at is not None or row.leased_until is not None or row.attempts:
            return None
        found = _notification(row)
        return found if found.kind in AMENDABLE else None

    def amend(self, notification: Notification) -> bool:
        found = self.waiting(notification.incident_id, notification.receiver)
        if found is None:
            return False
        self._writer.execute(update(outbox).where(outbox.c.id == found.id).values(body=notification.body))
        return True

    def told(self, incident_ids: Collection[str]) -> Sequence[Telling]:
        o = outbox.c
        last: dict[tuple[str, str], Telling] = {}
        for chunk in chunks(sorted(incident_ids)):
            query = select(o.incident_id, o.receiver, o.kind, o.created_at).where(o.incident_id.in_(chunk))
            for row in self._connection.execute(query.order_by(o.created_at, o.n)):
                kind, at = NotificationKind(row.kind), moment(row.created_at)
                last[row.incident_id, row.receiver] = Telling(row.incident_id, row.receiver, kind, at)
        return [last[line] for line in sorted(last)]

    def last_told(self, incident_id: str, receiver: str, *, but: str = "") -> Notification | None:
        row = self._connection.execute(_last(incident_id, receiver).where(outbox.c.id != but)).first()
        return None if row is None else _notification(row)

    def standing(self, receiver: str, *, since: datetime) -> Sequence[Notification]:
        live = or_(incidents.c.state != IncidentState.RESOLVED.value, incidents.c.updated_at >= micros(since))
        query = select(outbox).where(outbox.c.receiver == receiver, outbox.c.delivered_at.is_not(None))
        query = query.where(outbox.c.incident_id.in_(select(incidents.c.id).where(live)))
        rows = self._connection.execute(query.order_by(outbox.c.created_at, outbox.c.n))
        last = {row.incident_id: row for row in rows}
        return [_notification(last[name]) for name in sorted(last)]

    def group_times(self, receiver: str, group: str) -> GroupTimes:
        ours = (outbox.c.receiver == receiver, outbox.c.group_key == group)
        waiting = self._connection.scalar(select(func.min(outbox.c.not_before)).where(*ours, _OWED))
        told = self._connection.scalar(select(func.max(outbox.c.delivered_at)).where(*ours))
        return GroupTimes(*(None if at is None else moment(at) for at in (waiting, told)))


def _last(incident_id: str, receiver: str) -> Select[Any]:
    """The last one owed of the incident to the receiver."""
    ours = select(outbox).where(outbox.c.incident_id == incident_id, outbox.c.receiver == receiver)
    return ours.order_by(outbox.c.created_at.desc(), outbox.c.n.desc()).limit(1)


def _row(notification: Notification) -> tuple[object, ...]:
    n = notification
    moments = (micros(n.created_at), micros(n.not_before))
    return (
        n.id,
        n.incident_id,
        n.kind.value,
        n.receiver,
        n.body,
        *moments,
        n.attempts,
        None,
        None,
        None,
        n.group or None,
    )


def _notification(row: Row[Any]) -> Notification:
    return Notification(
        id=row.id,
        incident_id=row.incident_id,
        kind=NotificationKind(row.kind),
        receiver=row.receiver,
        body=row.body,
        created_at=moment(row.created_at),
        not_before=moment(row.not_before),
        attempts=row.attempts,
        group=row.group_key or "",
    )
