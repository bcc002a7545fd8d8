"""Notifications for tests."""

import json
from datetime import datetime

from canary.records import Notification, NotificationKind
from tests.unit.alert.findings import START


def owe(
    ident: str = "n1",
    *,
    incident: str = "i1",
    receiver: str = "oncall",
    kind: NotificationKind = NotificationKind.TRIGGER,
    at: datetime = START,
    lines: tuple[str, ...] = ("corruption on a/b/c", "state    open"),
) -> Notification:
    body = json.dumps({"text": lines})
    return Notification(
        id=ident, incident_id=incident, kind=kind, receiver=receiver, body=body, created_at=at, not_before=at
    )
