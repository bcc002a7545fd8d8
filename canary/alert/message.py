"""What people are told: never a prompt or a secret, and an answer only where the receiver is private.

The JSON body is a contract with receivers. Fields may be added under `canary.incident/1`; a field that goes or changes
its meaning makes it `/2`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from canary.alert.gist import (
    answers,
    evidence,
    first_onset,
    foremost,
    headline,
    last_worsening,
    peak,
    place_of,
    replay_command,
)
from canary.alert.links import Links
from canary.alert.severity import severity
from canary.alert.suspects import Suspect, Suspects
from canary.alert.words import UNRANKED, links_in_words, size_in_words, summary, suspect_in_words, text, when
from canary.records import Blame, Change, Finding, Incident, Interval, Notification, NotificationKind, Size

SCHEMA = "canary.incident/1"
FINDINGS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Extras:
    """What is told besides the incident: suspects, links, and for private receivers the answers that are evidence."""

    suspects: Suspects = UNRANKED
    links: Links = field(default_factory=Links)
    answers: tuple[Mapping[str, str], ...] = field(default=(), repr=False)


NOTHING_MORE = Extras()


def notification(
    incident: Incident, kind: NotificationKind, receiver: str, now: datetime, extras: Extras = NOTHING_MORE
) -> Notification:
    """What the receiver is owed. The same version of the incident always gives the same id, but for repeats."""
    body = json.dumps(render(incident, extras, kind=kind, now=now), separators=(",", ":"), allow_nan=False)
    return Notification(
        id=_identity(incident, kind, receiver, now),
        incident_id=incident.id,
        kind=kind,
        receiver=receiver,
        body=body,
        created_at=now,
        not_before=now,
    )


def with_news(made: Notification, news: Sequence[str]) -> Notification:
    """The update with what is new in it, below its first line."""
    body = json.loads(made.body)
    head, *lines = body["text"]
    body |= {"news": list(news), "text": [head, *(f"new      {line}" for line in news), *lines]}
    return replace(made, body=json.dumps(body, separators=(",", ":"), allow_nan=False))


def render(
    incident: Incident, extras: Extras = NOTHING_MORE, *, kind: NotificationKind, now: datetime
) -> dict[str, object]:
    """The JSON body of a notification."""
    facts = describe(incident, extras.suspects)
    links = extras.links.of(incident)
    shown = {"links": links, "text": [*text(incident, extras.suspects), *links_in_words(links)]}
    private = {"answers": list(extras.answers)} if extras.answers else {}
    return {"schema": SCHEMA, "kind": kind.value, "at": _stamp(now), **facts, **shown, **private}


def describe(incident: Incident, suspects: Suspects = UNRANKED) -> dict[str, object]:
    """The incident as JSON, with the foremost of the suspects (none where they were not ranked)."""
    return {
        "summary": summary(incident),
        "severity": severity(incident).value,
        "incident": _facts(incident),
        "target": {"model": incident.model, "platform": incident.platform, "pool": incident.pool},
        "labels": _labels(incident),
        "symptoms": sorted({finding.symptom.value for finding in incident.findings}),
        "signals": sorted({finding.series.signal for finding in incident.findings}),
        "regions": sorted({finding.series.region for finding in incident.findings}),
        "since": _interval(first_onset(incident)),
        "size": _size(headline(incident).size),
        "size_of": place_of(headline(incident)),
        "peak": _peak(peak(incident)),
        "findings": [_finding(finding) for finding in incident.findings[:FINDINGS_SHOWN]],
        "findings_total": len(incident.findings),
        "evidence": list(evidence(incident)),
        "suspects": [_suspect(suspect) for suspect in foremost(suspects.onset)],
        "worsened": _worsening(incident, suspects),
        "replay": replay_command(incident),
        "words": {"since": when(first_onset(incident)), "size": size_in_words(incident)},
        "text": text(incident, suspects),
    }


def describe_change(change: Change) -> dict[str, object]:
    """The change as JSON."""
    scope = change.scope
    return {
        "id": change.id,
        "kind": change.kind.value,
        "at": _stamp(change.at),
        "finished_at": _stamp(change.finished_at),
        "summary": change.summary,
        "scope": {"model": scope.model, "platform": scope.platform, "pool": scope.pool, "region": scope.region},
        "author": change.author,
        "link": change.link,
    }


def _labels(incident: Incident) -> dict[str, str]:
    """Of its first finding, where it was first seen: they stay the same for as long as the incident lives."""
    first = incident.findings[0]
    model, platform, pool = first.series.target.rsplit("/", 2)
    where = {"model": model, "platform": platform, "pool": pool, "region": first.series.region}
    return {**where, "symptom": first.symptom.value, "signal": first.series.signal}


def _facts(incident: Incident) -> dict[str, object]:
    return {
        "id": incident.id,
        "version": incident.version,
        "state": incident.state.value,
        "opened_at": _stamp(incident.opened_at),
        "updated_at": _stamp(incident.updated_at),
        "resolved_at": _stamp(incident.resolved_at),
        "acknowledged_by": incident.acknowledged_by,
        "resolved_by": incident.resolved_by,
        "reopened": incident.reopened,
        "flapping": incident.flapping,
        "suppressed_by": incident.suppressed_by,
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "signal": finding.series.signal,
        "symptom": finding.symptom.value,
        "group": finding.series.group,
        "region": finding.series.region,
        "alarms": finding.alarms,
        "onset": _interval(finding.onset),
        "worsened": None if finding.worsened is None else _interval(finding.worsened),
        "size": _size(finding.size),
        "recovered_at": _stamp(finding.recovered_at),
        "where": None if finding.blame is None else _place(finding.blame),
    }


def _place(blame: Blame) -> dict[str, object]:
    return {
        "place": blame.place.name,
        "scope": blame.place.scope.name,
        "group": blame.place.group or None,
        "replica": blame.place.replica or None,
        "target": blame.target,
        "runner_up": None if blame.runner_up is None else blame.runner_up.name,
        "margin_nats": round(blame.margin, 3),
    }


def _suspect(suspect: Suspect) -> dict[str, object]:
    change = None if suspect.change is None else describe_change(suspect.change)
    words = suspect_in_words(suspect)
    return {"probability": round(suspect.probability, 4), "reason": suspect.reason, "change": change, "words": words}


def _worsening(incident: Incident, suspects: Suspects) -> dict[str, object] | None:
    since = last_worsening(incident)
    if since is None:
        return None
    return {"since": _interval(since), "suspects": [_suspect(suspect) for suspect in foremost(suspects.worsening)]}


def _interval(interval: Interval) -> dict[str, object]:
    return {"low": _stamp(interval.low), "best": _stamp(interval.best), "high": _stamp(interval.high)}


def _size(size: Size) -> dict[str, object]:
    return {
        "share": size.best,
        "low": size.low,
        "high": size.high,
        "confidence": size.confidence,
        "answers": size.answers,
    }


def _peak(finding: Finding) -> dict[str, object]:
    return {"share": finding.size.best, "of": answers(finding.group), "place": place_of(finding)}


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def _identity(incident: Incident, kind: NotificationKind, receiver: str, now: datetime) -> str:
    when = now.isoformat() if kind is NotificationKind.REPEAT else ""
    facts = "\0".join((incident.id, str(incident.version), kind.value, receiver, *filter(None, [when])))
    return hashlib.blake2b(facts.encode(), digest_size=12).hexdigest()
