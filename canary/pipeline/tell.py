"""Who is owed what: decisions become notifications, and what was left untold is made up for.

What was told is read from the outbox, in the transaction of the decision:

* A resolve and an acknowledgement go to whoever was told of the incident and has not heard its end; no silence and no
  change of the routes holds them up.
* An update is owed to whoever was told before only where it holds `canary.alert.news`. What waits in a group goes as
  things stand by then: a trigger stays one, and an update says what is new against what was told before it.
* A trigger or an update goes where the routes lead, and to whoever was told before, unless a silence or a maintenance
  window covers the incident. Who was never told hears a trigger.
* The rounds tell open incidents to those who should have been told and were not (a silence ended, a route changed),
  tell whoever was told what grew under a silence since, repeat what is open after its repeat interval, and remind of
  silences.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from canary.alert import incident as machine
from canary.alert.gist import evidence
from canary.alert.links import Links
from canary.alert.maintenance import Window
from canary.alert.message import Extras, describe_change, notification, with_news
from canary.alert.news import news
from canary.alert.quiet import held, holding, hushed
from canary.alert.routing import Hearer, Route, group_of, hearers
from canary.alert.silences import SCHEMA, describe, reminders, text
from canary.alert.specs import ReceiverSpec
from canary.alert.suspects import Spot, Suspects
from canary.pipeline.suspects import suspects
from canary.records import Change, Incident, IncidentState, Notification, NotificationKind
from canary.store.base import Telling, Transaction

ANSWER = 600
"""Characters of an answer that a private receiver is shown."""

_ENDS = (NotificationKind.RESOLVE, NotificationKind.ACKNOWLEDGE)
Standing = Mapping[str, Telling]
"""What each receiver was last told of an incident that has not ended for it."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Everybody who may be told, the way to them, and when not."""

    receivers: tuple[ReceiverSpec, ...] = ()
    route: Route = field(default_factory=Route)
    links: Links = field(default_factory=Links)
    windows: tuple[Window, ...] = ()


def tell(
    tx: Transaction,
    incident: Incident,
    reason: machine.Reason,
    now: datetime,
    audience: Audience,
    watched: Collection[Spot],
) -> None:
    """Owe what a decision makes due."""
    kind = machine.notification(reason, incident)
    if kind is None:
        return
    standing = _standing(tx, [incident]).get(incident.id, {})
    if kind in _ENDS:
        due = [(Hearer(name), kind) for name in standing]
    else:
        quiet = hushed(holding(tx.silences(since=now), audience.windows, now), incident)
        listening = () if quiet else _listening(audience.route, incident, standing)
        due = [(one, _as_heard(kind, incident, was_told=one.receiver in standing)) for one in listening]
    _owe(tx, incident, due, now, audience, watched)


def is_due(tx: Transaction, now: datetime, region: str, audience: Audience, watched: Collection[Spot]) -> bool:
    """Whether the rounds would find anything to do."""
    reminding = any(True for _ in reminders(tx.silences(since=now), now))
    return reminding or any(True for _ in untold(tx, now, region, audience, watched))


def make_rounds(tx: Transaction, now: datetime, region: str, audience: Audience, watched: Collection[Spot]) -> int:
    """Owe what was left untold, of the incidents that this region sees; returns how many notifications."""
    due = [*untold(tx, now, region, audience, watched)]
    for incident, telling in due:
        _owe(tx, incident, [telling], now, audience, watched)
    return len(due) + _remind(tx, now, audience)


def untold(
    tx: Transaction, now: datetime, region: str, audience: Audience, watched: Collection[Spot]
) -> Iterator[tuple[Incident, tuple[Hearer, NotificationKind]]]:
    """What the rounds would tell of incidents."""
    loud = [one for one in tx.incidents(open_only=True) if _is_loud(one, region)]
    standing, quiets = _standing(tx, loud), holding(tx.silences(since=now), audience.windows, now)
    for incident in loud:
        if hushed(quiets, incident):
            continue
        told = standing.get(incident.id, {})
        for hearer in _listening(audience.route, incident, told):
            kind = _overdue(tx, incident, hearer, told.get(hearer.receiver), now, audience, watched)
            if kind is not None:
                yield incident, (hearer, kind)


def _overdue(
    tx: Transaction,
    incident: Incident,
    hearer: Hearer,
    last: Telling | None,
    now: datetime,
    audience: Audience,
    watched: Collection[Spot],
) -> NotificationKind | None:
    """What a receiver should have been told and was not."""
    is_open = incident.state is IncidentState.OPEN
    if last is None:
        return NotificationKind.TRIGGER if is_open else None
    if _grew_unheard(tx, incident, last, now, audience, watched):
        return NotificationKind.UPDATE
    repeat = hearer.pace.repeat
    return NotificationKind.REPEAT if is_open and repeat is not None and now - last.at >= repeat else None


def _grew_unheard(
    tx: Transaction, incident: Incident, last: Telling, now: datetime, audience: Audience, watched: Collection[Spot]
) -> bool:
    """Whether news came since the receiver was told last, and a silence or window may have kept them from it."""
    receiver = next((one for one in audience.receivers if one.name == last.receiver), None)
    if receiver is None or incident.updated_at <= last.at:
        return False
    if hushed(held(tx.silences(since=last.at), audience.windows, last.at, now), incident) is None:
        return False
    ranked = suspects(tx, incident, watched)
    return _fresh(tx, composed(tx, incident, NotificationKind.UPDATE, receiver, now, audience.links, ranked)) != ()


def tell_change(tx: Transaction, change: Change, now: datetime, audience: Audience) -> None:
    """Owe a recorded change to those who want to hear of changes."""
    facts = describe_change(change)
    body = {
        **facts,
        "text": [f'{change.kind.value} "{change.summary}" on {change.scope.name}'],
        "where": change.scope.name,
    }
    for receiver in audience.receivers:
        if receiver.hears_changes:
            name = f"change:{change.id}"
            _enqueue(tx, f"{receiver.name}:{name}", name, NotificationKind.CHANGE, receiver.name, body, now)


def _remind(tx: Transaction, now: datetime, audience: Audience) -> int:
    owed = 0
    for reminder in reminders(tx.silences(since=now), now):
        lines = text(reminder)
        facts = {"schema": SCHEMA, "kind": "reminder", "summary": lines[0], "text": lines}
        body = {**facts, "silence": describe(reminder.silence)}
        for receiver in audience.receivers:
            if receiver.hears_reminders:
                name = f"silence:{reminder.silence.id}"
                ident = f"{receiver.name}:{reminder.id}"
                _enqueue(tx, ident, name, NotificationKind.REMINDER, receiver.name, body, now)
                owed += 1
    return owed


def _enqueue(
    tx: Transaction,
    ident: str,
    about: str,
    kind: NotificationKind,
    receiver: str,
    body: Mapping[str, object],
    now: datetime,
) -> None:
    tx.enqueue([Notification(ident, about, kind, receiver, json.dumps(body, separators=(",", ":")), now, now)])


def _owe(
    tx: Transaction,
    incident: Incident,
    due: Sequence[tuple[Hearer, NotificationKind]],
    now: datetime,
    audience: Audience,
    watched: Collection[Spot],
) -> None:
    receivers = {receiver.name: receiver for receiver in audience.receivers}
    due = [(hearer, kind) for hearer, kind in due if hearer.receiver in receivers]
    if not due:
        return
    ranked = suspects(tx, incident, watched)
    for hearer, kind in due:
        group = group_of(hearer.pace, incident)
        waiting = tx.waiting(incident.id, hearer.receiver) if group and kind is NotificationKind.UPDATE else None
        goes = kind if waiting is None else waiting.kind
        made = composed(tx, incident, goes, receivers[hearer.receiver], now, audience.links, ranked)
        if goes is NotificationKind.UPDATE:
            fresh = _fresh(tx, made, waiting)
            if fresh == () and waiting is None:
                continue
            made = with_news(made, fresh) if fresh else made
        if waiting is None:
            tx.enqueue([_paced(tx, made, hearer, group, now) if group else made])
        else:
            tx.amend(made)


def _fresh(tx: Transaction, made: Notification, waiting: Notification | None = None) -> tuple[str, ...] | None:
    """What is new in it against what its receiver was told before what waits; None where it was told of nothing."""
    last = tx.last_told(made.incident_id, made.receiver, but="" if waiting is None else waiting.id)
    if last is None or last.kind is NotificationKind.RESOLVE:
        return None
    return news(json.loads(last.body), json.loads(made.body))


def composed(
    tx: Transaction,
    incident: Incident,
    kind: NotificationKind,
    receiver: ReceiverSpec,
    now: datetime,
    links: Links,
    ranked: Suspects,
) -> Notification:
    """What the receiver is told of the incident; answers only where it is private."""
    answers = _answers(tx, incident) if receiver.private else ()
    return notification(incident, kind, receiver.name, now, Extras(ranked, links, answers))


def _paced(tx: Transaction, made: Notification, hearer: Hearer, group: str, now: datetime) -> Notification:
    """With the others of its group: when they go, if some wait; else not too soon after the last ones."""
    times, pace = tx.group_times(hearer.receiver, group), hearer.pace
    due = now + pace.group_wait if times.told is None else times.told + pace.group_interval
    if times.waiting is not None:
        due = times.waiting
    return replace(made, group=group, not_before=max(now, due))


def _standing(tx: Transaction, incidents: Sequence[Incident]) -> Mapping[str, Standing]:
    found: dict[str, dict[str, Telling]] = {}
    for one in tx.told([incident.id for incident in incidents]):
        if one.kind is not NotificationKind.RESOLVE:
            found.setdefault(one.incident_id, {})[one.receiver] = one
    return found


def _listening(route: Route, incident: Incident, standing: Standing) -> tuple[Hearer, ...]:
    """Where the routes lead now, and whoever was told when they led elsewhere."""
    routed = hearers(route, incident)
    names = {one.receiver for one in routed}
    return (*routed, *(Hearer(name) for name in standing if name not in names))


def _as_heard(kind: NotificationKind, incident: Incident, *, was_told: bool) -> NotificationKind:
    """An update of what somebody was never told is a trigger."""
    return kind if was_told or incident.state is not IncidentState.OPEN else NotificationKind.TRIGGER


def _is_loud(incident: Incident, region: str) -> bool:
    seen = any(finding.series.region == region for finding in incident.findings)
    return seen and incident.suppressed_by is None


def _answers(tx: Transaction, incident: Incident) -> tuple[Mapping[str, str], ...]:
    found = (tx.observation(slot_id) for slot_id in evidence(incident))
    return tuple(
        {"slot": seen.slot_id, "probe": seen.probe_id, "text": _sayable(seen.response.text)}
        for seen in found
        if seen is not None and seen.response is not None
    )


def _sayable(text: str) -> str:
    """The beginning of an answer; lone surrogates, which no JSON carries, spelt out."""
    return text[:ANSWER].encode("utf-8", "backslashreplace").decode()
