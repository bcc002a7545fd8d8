"""What people are told: never a prompt or a secret, and an answer only where the receiver is private.

The JSON body is a contract with receivers. Fields may be added under `canary.incident/1`; a field that goes or changes
its meaning makes it `/2`.
"""

import hashlib
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import zip_longest

from canary.alert.incident import unrecovered
from canary.alert.links import Links
from canary.alert.severity import severity
from canary.alert.suspects import Suspect, Suspects
from canary.records import (
    Blame,
    Change,
    Finding,
    Incident,
    IncidentState,
    Interval,
    Notification,
    NotificationKind,
    Size,
    Symptom,
    burst_size,
)

SCHEMA = "canary.incident/1"
EVIDENCE_SHOWN = 3
FINDINGS_SHOWN = 20
SUSPECTS_SHOWN = 3
BLAMES_SHOWN = 3
UNRANKED = Suspects()
FAINT = 0.01
"""A change that is less probable is not worth a line."""

REPLAY_PROBES = 200
_SURE = math.log(1e6)

_IN_WORDS: Mapping[Symptom, str] = {
    Symptom.CORRUPTION: "output corruption: text that should not be there",
    Symptom.DEVIATION: "deviation: token probabilities are not those of the baseline",
    Symptom.SELECTION: "token selection: the most probable token is dropped",
    Symptom.SHAPE: "shape: answers are empty, cut, looping or otherwise not of the expected form",
    Symptom.AVAILABILITY: "availability: no usable answer",
}


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
    shown = {"links": links, "text": [*text(incident, extras.suspects), *_links_in_words(links)]}
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
        "since": _interval(first_onset(incident)),
        "size": _size(headline(incident).size),
        "size_of": place_of(headline(incident)),
        "findings": [_finding(finding) for finding in incident.findings[:FINDINGS_SHOWN]],
        "findings_total": len(incident.findings),
        "evidence": list(evidence(incident)),
        "suspects": [_suspect(suspect) for suspect in foremost(suspects.onset)],
        "worsened": _worsening(incident, suspects),
        "replay": replay_command(incident),
        "words": {"since": _when(first_onset(incident)), "size": _size_in_words(incident)},
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


def text(incident: Incident, suspects: Suspects = UNRANKED) -> list[str]:
    """The incident in plain lines for a person."""
    since = first_onset(incident)
    return [
        summary(incident),
        f"state    {_state(incident)}",
        *(f"what     {line}" for line in _symptoms(incident)),
        f"where    {_where(incident)}",
        *(f"         {line}" for line in _blames(incident)),
        f"since    {_when(since)}{_first(incident)}",
        f"size     {_size_in_words(incident)}",
        f"evidence {', '.join(evidence(incident)) or 'none kept'}",
        *(f"suspect  {_suspect_in_words(suspect)}" for suspect in foremost(suspects.onset)),
        *_worsening_in_words(incident, suspects),
        f"replay   {replay_command(incident)}",
    ]


def summary(incident: Incident) -> str:
    """One line: what, where, how big."""
    symptoms = " and ".join(sorted({finding.symptom.value for finding in incident.findings}))
    size, of = headline(incident).size, _answers(incident)
    return f"{symptoms} on {incident.target}: {_share(size.best)} of {of} ({_share(size.low)} to {_share(size.high)})"


def answers(group: str) -> str:
    """What shares in this probe group are shares of.

    >>> answers("onetoken@8")
    'bursts of 8 answers'
    """
    if group.startswith("feedback:"):
        return "windows of feedback"
    burst = burst_size(group)
    return "answers" if burst == 1 else f"bursts of {burst} answers"


def replay_command(incident: Incident) -> str:
    """The command that fires the incident's probes again."""
    words = ("canary", "replay", incident.id, "--target", largest(incident).target, "-n", str(REPLAY_PROBES))
    return shlex.join(words)


def evidence(incident: Incident) -> tuple[str, ...]:
    """A few slot ids: the strongest of each finding first."""
    ranks = zip_longest(*(finding.evidence for finding in incident.findings))
    found = dict.fromkeys(slot_id for rank in ranks for slot_id in rank if slot_id is not None)
    return tuple(found)[:EVIDENCE_SHOWN]


def foremost(suspects: Sequence[Suspect]) -> tuple[Suspect, ...]:
    """Of a ranking: the three most probable changes, without the faint ones, and "no recorded change" in its place."""
    changes = [suspect for suspect in suspects if suspect.change is not None and suspect.probability >= FAINT]
    shown = changes[:SUSPECTS_SHOWN]
    return tuple(suspect for suspect in suspects if suspect.change is None or suspect in shown)


def first_onset(incident: Incident) -> Interval:
    """When the earliest of the findings began."""
    return min((finding.onset for finding in incident.findings), key=lambda onset: onset.best)


def last_worsening(incident: Incident) -> Interval | None:
    """When it last got worse."""
    found = (finding.worsened for finding in incident.findings if finding.worsened is not None)
    return max(found, key=lambda onset: onset.best, default=None)


def largest(incident: Incident) -> Finding:
    """The finding that shows the largest share of answers."""
    return max(incident.findings, key=lambda finding: finding.size.best)


def headline(incident: Incident) -> Finding:
    """The finding whose size is that of the incident.

    Of those that still stand, and speak of all of its part of the fleet where some do, the one of the largest share.
    """
    standing = unrecovered(incident) or incident.findings
    whole = [finding for finding in standing if place_of(finding) == incident.target]
    wide = [finding for finding in standing if finding.scope.includes(incident.scope)]
    return max(whole or wide or standing, key=lambda finding: finding.size.best)


def place_of(finding: Finding) -> str:
    """What its share is a share of: the answers from there."""
    return finding.blame.place.name if finding.blame else finding.series.target


def _labels(incident: Incident) -> dict[str, str]:
    """Of its first finding, where it was first seen: they stay the same for as long as the incident lives."""
    first = incident.findings[0]
    model, platform, pool = first.series.target.rsplit("/", 2)
    where = {"model": model, "platform": platform, "pool": pool, "region": first.series.region}
    return {**where, "symptom": first.symptom.value, "signal": first.series.signal}


def _links_in_words(links: Mapping[str, str]) -> list[str]:
    return [f"{'see' if name == 'dashboard' else name:<8} {link}" for name, link in links.items()]


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
    words = _suspect_in_words(suspect)
    return {"probability": round(suspect.probability, 4), "reason": suspect.reason, "change": change, "words": words}


def _worsening(incident: Incident, suspects: Suspects) -> dict[str, object] | None:
    since = last_worsening(incident)
    if since is None:
        return None
    return {"since": _interval(since), "suspects": [_suspect(suspect) for suspect in foremost(suspects.worsening)]}


def _worsening_in_words(incident: Incident, suspects: Suspects) -> list[str]:
    since = last_worsening(incident)
    if since is None:
        return []
    named = (f"suspect  {_suspect_in_words(suspect)}" for suspect in foremost(suspects.worsening))
    return [f"worse    since {_when(since)}", *named]


def _suspect_in_words(suspect: Suspect) -> str:
    change, chance = suspect.change, _chance(suspect.probability)
    if change is None:
        return f"{chance} no recorded change ({suspect.reason})"
    link = f" {change.link}" if change.link else ""
    author = f" by {change.author}" if change.author else ""
    what = f'{change.kind.value} "{change.summary}" on {change.scope.name}{author}, {_second(change.at)} UTC'
    return f"{chance} {what} ({suspect.reason}){link}"


def _chance(probability: float) -> str:
    if probability < FAINT:
        return f"under {FAINT:.0%}"
    return f"over {1.0 - FAINT:.0%}" if 1.0 - FAINT < probability < 1.0 else f"{probability:.0%}"


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


def _symptoms(incident: Incident) -> list[str]:
    lines = []
    for symptom in Symptom:
        signals = sorted({finding.series.signal for finding in incident.findings if finding.symptom is symptom})
        if signals:
            lines.append(f"{_IN_WORDS[symptom]} ({', '.join(signal.replace('_', ' ') for signal in signals)})")
    return lines


def _where(incident: Incident) -> str:
    parts = (("model", incident.model), ("platform", incident.platform), ("pool", incident.pool))
    return ", ".join(f"any {what}" if name == "*" else f"{what} {name}" for what, name in parts)


def _answers(incident: Incident) -> str:
    """What the size is a share of; the place where it is not that of the incident as a whole."""
    found = headline(incident)
    place = place_of(found)
    return answers(found.group) if place == incident.target else f"{answers(found.group)} of {place}"


def _first(incident: Incident) -> str:
    """In what, where not everything began at once: suspects are of that."""
    since = first_onset(incident)
    together = {one.series.signal for one in incident.findings if one.onset.low <= since.high}
    if len(together) == len({one.series.signal for one in incident.findings}):
        return ""
    return f", first in {', '.join(sorted(signal.replace('_', ' ') for signal in together))}"


def _blames(incident: Incident) -> list[str]:
    """Why there, in words; of which signals, where not all speak of the same place."""
    places: dict[str, list[Finding]] = {}
    for finding in unrecovered(incident) or incident.findings:
        if finding.blame is not None:
            places.setdefault(place_of(finding), []).append(finding)
    foremost = sorted(places.values(), key=lambda found: -max(one.size.best for one in found))[:BLAMES_SHOWN]
    return [line for found in foremost for line in _blame(found, alone=len(places) == 1)]


def _blame(found: Sequence[Finding], *, alone: bool) -> list[str]:
    blame = max(found, key=lambda one: one.size.best).blame
    if blame is None or blame.runner_up is None:
        return []
    signals = ", ".join(sorted({one.series.signal.replace("_", " ") for one in found}))
    what = "it" if alone else signals
    return [
        f"smallest part that explains {what}: {blame.place.name}; next {blame.runner_up.name}, {_odds(blame.margin)}"
    ]


def _odds(margin: float) -> str:
    if margin > _SURE:
        return "more than 10^6 times less likely"
    times = float(f"{math.exp(margin):.2g}")
    return f"{times:,.{0 if times >= 10.0 else 1}f} times less likely"


def _state(incident: Incident) -> str:
    person = incident.resolved_by if incident.state is IncidentState.RESOLVED else incident.acknowledged_by
    words = [f"{incident.state.value} by {person}" if person else incident.state.value]
    if incident.flapping:
        words.append(f"flapping, reopened {incident.reopened} times")
    if incident.suppressed_by:
        words.append(f"suppressed by {incident.suppressed_by}")
    return ", ".join(words)


def _size_in_words(incident: Incident) -> str:
    found = headline(incident)
    size = found.size
    return (
        f"{_share(size.best)} of {_answers(incident)}, {size.confidence:.0%} confidence interval "
        f"{_share(size.low)} to {_share(size.high)}, {size.answers} {answers(found.group)} seen"
    )


def _share(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def _when(interval: Interval) -> str:
    return f"{_second(interval.best)} UTC (between {_second(interval.low)} and {_second(interval.high)})"


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def _identity(incident: Incident, kind: NotificationKind, receiver: str, now: datetime) -> str:
    when = now.isoformat() if kind is NotificationKind.REPEAT else ""
    facts = "\0".join((incident.id, str(incident.version), kind.value, receiver, *filter(None, [when])))
    return hashlib.blake2b(facts.encode(), digest_size=12).hexdigest()
