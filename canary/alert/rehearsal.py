"""A notification that is marked as a test: a trigger and its resolve, of an incident that never was. Pure."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from canary.alert.incident import Policy, absorb, resolve
from canary.alert.links import Links
from canary.alert.message import Extras, notification
from canary.records import Finding, Incident, Interval, Notification, NotificationKind, SeriesKey, Size, Symptom

_SAID = "TEST of this receiver: nothing is wrong"


def rehearsal(receiver: str, target: str, region: str, links: Links, now: datetime) -> tuple[Notification, ...]:
    """What is sent, in order."""
    began = Interval(now - timedelta(minutes=5), now - timedelta(minutes=4), now - timedelta(minutes=3))
    series = SeriesKey(target, region, "test", "test")
    finding = Finding(series, Symptom.AVAILABILITY, 1, began, Size(0.0, 0.0, 1.0, 0.95, 1), ())
    opened, _ = absorb(None, finding, now, Policy())
    closed, _ = resolve(opened, "canary notify test", now)
    acts = ((opened, NotificationKind.TRIGGER), (closed, NotificationKind.RESOLVE))
    return tuple(_marked(incident, kind, receiver, links, now) for incident, kind in acts)


def _marked(incident: Incident, kind: NotificationKind, receiver: str, links: Links, now: datetime) -> Notification:
    made = notification(incident, kind, receiver, now, Extras(links=links))
    body = json.loads(made.body)
    body |= {"test": True, "summary": _SAID, "text": [_SAID, *body["text"][1:]]}
    return replace(made, body=json.dumps(body, separators=(",", ":")))
