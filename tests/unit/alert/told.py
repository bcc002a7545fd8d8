"""Notifications as the product makes them."""

from datetime import datetime, timedelta

from canary.alert.incident import Decision, Policy, absorb, acknowledge, resolve
from canary.alert.links import Links
from canary.alert.message import Extras, notification
from canary.alert.suspects import Suspect, Suspects
from canary.records import Change, ChangeKind, Finding, Incident, Notification, NotificationKind, Scope
from tests.unit.alert.findings import START, finding, minutes

LINKS = Links("https://grafana.example.com/d/canary?var-pool={pool}", "https://wiki.example.com/{symptom}")
CHANGE = Change("c1", ChangeKind.DEPLOY, START - minutes(33), "engine <2.4> & co", Scope("opus", "api"), "", "ann")
SUSPECTS = Suspects((Suspect(CHANGE, 0.8, "began 3 min after"), Suspect(None, 0.2, "something else")))
ANSWERS = ({"slot": "slot-a", "probe": "prose-1", "text": "the <b>answer</b>"},)


def opened(one: Finding | None = None) -> Incident:
    return absorb(None, one or finding(), START, Policy())[0]


def told(
    kind: NotificationKind = NotificationKind.TRIGGER,
    *,
    incident: Incident | None = None,
    receiver: str = "oncall",
    answers: bool = False,
    at: datetime = START,
) -> Notification:
    """Of an incident that is as the kind says."""
    extras = Extras(SUSPECTS, LINKS, ANSWERS if answers else ())
    return notification(incident or _as_told(kind), kind, receiver, at, extras)


def _as_told(kind: NotificationKind) -> Incident:
    incident, later = opened(), START + timedelta(minutes=20)
    acts: dict[NotificationKind, Decision] = {
        NotificationKind.ACKNOWLEDGE: acknowledge(incident, "ann", later),
        NotificationKind.RESOLVE: resolve(incident, "ann", later),
    }
    return acts[kind][0] if kind in acts else incident
