"""Which alarms are one event, and what became of it.

Theory of operation
===================

An incident belongs to a part of the fleet. It holds one finding per series or scope that alarmed. Everything that
happens to it is one function here: it takes the incident, the facts and `now`, and returns the incident as it is
afterwards with the `Reason` why. `notification` says which reasons people are told of. Nothing here reads a clock,
stores or sends.

    absorb      a series alarmed        none     -> OPEN          OPENED
                                        open     -> same state    JOINED, CONFIRMED, RELOCATED, WORSENED,
                                                                  RELAPSED or REPEATED; RELEASED, when
                                                                  nothing inhibits it any more
                                        RESOLVED -> OPEN          REOPENED, or FLAPPING when that came too often
    recover     a series proved that    open     -> same state    PARTLY_RECOVERED
                it is back at baseline  open     -> RESOLVED      RESOLVED, when it was the last and nothing flaps
    settle      time passed             open     -> RESOLVED      RESOLVED, when a flapping incident stayed recovered
    acknowledge a person took it        OPEN     -> ACKNOWLEDGED  ACKNOWLEDGED
    resolve     a person closed it      open     -> RESOLVED      RESOLVED
    reconcile   the target's pool       open     -> same state    SUPPRESSED
                became unreachable

("open" stands for OPEN or ACKNOWLEDGED. Whatever changes nothing returns the very same incident and UNCHANGED.)

1. *Home.* A finding belongs to the incident that `canary.alert.home` says, if any. The incident spans all its findings;
   the latest finding of a signal says where all are that it overlaps, and that hear answers from there. Availability
   and quality never share an incident: the first inhibits the second instead.
2. *Recovery.* Quiet is not recovery. Without a person an incident resolves only when every finding has recovered by
   its own sequential test, which runs elsewhere.
3. *Worsening.* A series got worse when its finding says so, or the interval of its new size lies wholly above the
   size that was told last for the same place. The told size stays until then or comes down, so that slow growth adds
   up. A worsening has an onset of its own, and the first onset stays, where the two are apart. What several series say
   of one worsening is told once.
4. *Flapping.* An incident that is reopened `flap_limit` times, each time within the reopen window, flaps. From then on
   it resolves only after it has stayed recovered for a whole reopen window: one trigger and one resolve, not fifty.
5. *Inhibition.* Where a pool cannot be reached, quality incidents that lie there are suppressed: they go on as ever,
   but nobody is told, until they alarm when the pool is reachable again: what was wrong meanwhile may have ended with
   the outage. Quality never inhibits anything. A resolve always passes, for one that gets lost leaves somebody waiting.
6. *Balance.* A trigger is followed by another trigger only after a resolve or a suppression, and the end of an incident
   is a resolve.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from canary.records import (
    Finding,
    Incident,
    IncidentState,
    Interval,
    NotificationKind,
    Scope,
    SeriesKey,
    Symptom,
    burst_size,
)

EVIDENCE_KEPT = 20
_ANY = "*"


class Reason(StrEnum):
    """What happened to an incident."""

    OPENED = "opened"
    JOINED = "joined"  # a signal that had not alarmed before
    CONFIRMED = "confirmed"  # a series that had not alarmed before, of a signal that had, in the same part of the fleet
    RELOCATED = "relocated"  # it is in another part of the fleet than was told
    WORSENED = "worsened"
    RELAPSED = "relapsed"  # a series that had recovered, while others had not
    REPEATED = "repeated"  # a known series alarmed again and is no worse
    PARTLY_RECOVERED = "partly_recovered"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    FLAPPING = "flapping"  # reopened once too often
    ACKNOWLEDGED = "acknowledged"
    SUPPRESSED = "suppressed"
    RELEASED = "released"
    UNCHANGED = "unchanged"


Decision = tuple[Incident, Reason]


@dataclass(frozen=True, slots=True)
class Policy:
    """How alarms become incidents. `unreachable` is the least share of failures that inhibits quality incidents.

    A share of bursts, in each of which one run failed or all, is no share of failures.
    """

    merge_window: timedelta = timedelta(minutes=15)
    reopen_window: timedelta = timedelta(hours=1)
    flap_limit: int = 3
    unreachable: float = 0.5


def absorb(
    incident: Incident | None, finding: Finding, now: datetime, policy: Policy, *, suppressed_by: str | None = None
) -> Decision:
    """A series alarmed: the finding opens an incident, or becomes part of its `home`.

    `suppressed_by` (see `inhibitor`) counts when the incident opens or reopens; and what was suppressed is released by
    an alarm that nothing inhibits.
    """
    if incident is None:
        return _opened(finding, now, suppressed_by), Reason.OPENED
    known = finding_of(incident, finding.series)
    findings = _located(_with(incident, finding if known is None else _merged(known, finding)), finding)
    grown = _spanning(replace(_touched(incident, now), findings=findings))
    if incident.state is IncidentState.RESOLVED:
        return _reopened(grown, policy, suppressed_by)
    if incident.suppressed_by is not None and suppressed_by is None:
        return replace(grown, suppressed_by=None), Reason.RELEASED
    return grown, _kind_of_alarm(incident, grown, known, finding, policy)


def recover(incident: Incident, series: SeriesKey, now: datetime) -> Decision:
    """A series proved that it is back at its baseline."""
    known = finding_of(incident, series)
    if known is None or known.recovered_at is not None or incident.state is IncidentState.RESOLVED:
        return incident, Reason.UNCHANGED
    changed = replace(_touched(incident, now), findings=_with(incident, replace(known, recovered_at=now)))
    if incident.flapping or unrecovered(changed):
        return changed, Reason.PARTLY_RECOVERED
    return _closed(changed, by=None), Reason.RESOLVED


def settle(incident: Incident, now: datetime, policy: Policy) -> Decision:
    """Time passed: a flapping incident that stayed recovered for the reopen window is over."""
    if incident.state is IncidentState.RESOLVED or not incident.flapping or unrecovered(incident):
        return incident, Reason.UNCHANGED
    quiet_since = max(finding.recovered_at or now for finding in incident.findings)
    if now - quiet_since < policy.reopen_window:
        return incident, Reason.UNCHANGED
    return _closed(_touched(incident, now), by=None), Reason.RESOLVED


def acknowledge(incident: Incident, who: str, now: datetime) -> Decision:
    """A person takes it; the acknowledgement ends with the incident."""
    if incident.state is not IncidentState.OPEN:
        return incident, Reason.UNCHANGED
    taken = replace(_touched(incident, now), state=IncidentState.ACKNOWLEDGED, acknowledged_by=who)
    return taken, Reason.ACKNOWLEDGED


def resolve(incident: Incident, who: str, now: datetime) -> Decision:
    """A person closes it, whatever the series say. An alarm within the reopen window opens it again."""
    if incident.state is IncidentState.RESOLVED:
        return incident, Reason.UNCHANGED
    return _closed(_touched(incident, now), by=who), Reason.RESOLVED


def inhibitor(incidents: Iterable[Incident], finding: Finding, policy: Policy) -> str | None:
    """The id of the incident that keeps a quality finding quiet: nothing can be reached where it is."""
    if speaks_of_availability(finding):
        return None
    return next((i.id for i in incidents if _unreachable(i, finding.scope, policy)), None)


def reconcile(incidents: Sequence[Incident], now: datetime, policy: Policy) -> Iterator[Decision]:
    """Suppress the open ones that are wholly where nothing can be reached; yields only what changed."""
    for incident in incidents:
        by = [inhibitor(incidents, finding, policy) for finding in incident.findings]
        if by[0] is None or None in by:
            continue
        changed, reason = suppress(incident, by[0], now)
        if reason is not Reason.UNCHANGED:
            yield changed, reason


def suppress(incident: Incident, by: str, now: datetime) -> Decision:
    """Nobody is told of it while the incident `by` lasts."""
    if incident.state is IncidentState.RESOLVED or incident.suppressed_by is not None:
        return incident, Reason.UNCHANGED
    return replace(_touched(incident, now), suppressed_by=by), Reason.SUPPRESSED


def notification(reason: Reason, incident: Incident) -> NotificationKind | None:
    """What people are told of a decision, if anything."""
    match reason:
        case Reason.RESOLVED:
            return NotificationKind.RESOLVE
        case Reason.ACKNOWLEDGED:
            return NotificationKind.ACKNOWLEDGE
        case Reason.OPENED | Reason.REOPENED | Reason.FLAPPING:
            return None if incident.suppressed_by else NotificationKind.TRIGGER
        case Reason.JOINED | Reason.RELOCATED | Reason.WORSENED:
            return None if incident.suppressed_by else NotificationKind.UPDATE
        case Reason.RELEASED:
            return NotificationKind.TRIGGER if incident.state is IncidentState.OPEN else NotificationKind.UPDATE
        case (
            Reason.CONFIRMED
            | Reason.RELAPSED
            | Reason.REPEATED
            | Reason.PARTLY_RECOVERED
            | Reason.SUPPRESSED
            | Reason.UNCHANGED
        ):
            return None
        case _:
            assert_never(reason)


def relocated(before: Incident | None, after: Incident) -> tuple[SeriesKey, ...]:
    """The series of standing findings that are said to be in another place than before."""
    known = {finding.series: finding for finding in before.findings} if before else {}
    standing = (finding for finding in unrecovered(after) if finding.series in known)
    return tuple(finding.series for finding in standing if _moved(known[finding.series], finding))


def unrecovered(incident: Incident) -> tuple[Finding, ...]:
    """The findings that still stand."""
    return tuple(finding for finding in incident.findings if finding.recovered_at is None)


def overlap(one: Interval, other: Interval, window: timedelta) -> bool:
    """Whether the intervals meet, once widened by the window."""
    return one.low - window <= other.high and other.low - window <= one.high


def is_availability(incident: Incident) -> bool:
    """Whether it speaks of availability; else of quality."""
    return speaks_of_availability(incident.findings[0])


def speaks_of_availability(finding: Finding) -> bool:
    """Whether it does; else of quality."""
    return finding.symptom is Symptom.AVAILABILITY


def _unreachable(incident: Incident, scope: Scope, policy: Policy) -> bool:
    """Whether the incident says that all of `scope` is."""
    if incident.state is IncidentState.RESOLVED or not is_availability(incident):
        return False
    lone = (finding for finding in unrecovered(incident) if burst_size(finding.series.group) == 1)
    return any(finding.size.low >= policy.unreachable and finding.scope.includes(scope) for finding in lone)


def _opened(finding: Finding, now: datetime, suppressed_by: str | None) -> Incident:
    incident = Incident(
        id=_identity(finding, now),
        state=IncidentState.OPEN,
        model=_ANY,
        platform=_ANY,
        pool=_ANY,
        opened_at=now,
        updated_at=now,
        findings=(finding,),
        suppressed_by=suppressed_by,
    )
    return _spanning(incident)


def _located(findings: tuple[Finding, ...], latest: Finding) -> tuple[Finding, ...]:
    """The latest finding of a signal knows best where it is and how large: it has seen the most answers."""
    return tuple(_as_seen(finding, latest) if _spoken_for(finding, latest) else finding for finding in findings)


def _spoken_for(finding: Finding, latest: Finding) -> bool:
    """Whether the latest says also where this one is: never where its own series has no answer from."""
    alike = finding.series.signal == latest.series.signal and finding.scope.overlaps(latest.scope)
    return alike and latest.blame is not None and Scope.of(finding.series.target).overlaps(latest.scope)


def _as_seen(known: Finding, latest: Finding) -> Finding:
    """The size is that in its place; in the same place it is never told larger without a worsening."""
    told = _moved(known, latest) or known.size.high >= latest.size.high or _worse(known, latest)
    size = latest.size if told else known.size
    return replace(known, blame=latest.blame, size=size, worsened=latest.worsened or known.worsened)


def _moved(known: Finding, latest: Finding) -> bool:
    """Whether they speak of different places."""
    return (known.blame and known.blame.place) != (latest.blame and latest.blame.place)


def _spanning(incident: Incident) -> Incident:
    """The incident, said to be in the smallest part of the fleet that all its findings lie in."""
    parts = zip(*(finding.scope.parts[:3] for finding in incident.findings), strict=True)
    model, platform, pool = (names[0] or _ANY if len(set(names)) == 1 else _ANY for names in parts)
    return replace(incident, model=model, platform=platform, pool=pool)


def _identity(finding: Finding, now: datetime) -> str:
    series = finding.series
    facts = (series.target, series.region, series.group, series.signal, finding.onset.best.isoformat(), now.isoformat())
    return hashlib.blake2b("\0".join(facts).encode(), digest_size=8).hexdigest()


def _reopened(incident: Incident, policy: Policy, suppressed_by: str | None) -> Decision:
    reopened = incident.reopened + 1
    flapping = reopened >= policy.flap_limit
    changed = replace(
        incident,
        state=IncidentState.OPEN,
        acknowledged_by=None,
        resolved_at=None,
        resolved_by=None,
        reopened=reopened,
        flapping=flapping,
        suppressed_by=suppressed_by,
    )
    return changed, Reason.FLAPPING if flapping else Reason.REOPENED


def _closed(touched: Incident, *, by: str | None) -> Incident:
    state = IncidentState.RESOLVED
    return replace(touched, state=state, resolved_at=touched.updated_at, resolved_by=by, suppressed_by=None)


def _kind_of_alarm(before: Incident, after: Incident, known: Finding | None, new: Finding, policy: Policy) -> Reason:
    if known is not None and known.recovered_at is not None:
        return Reason.RELAPSED
    if _worse(known, new) and not _told(before, new, policy):
        return Reason.WORSENED
    if before.scope != after.scope:
        return Reason.RELOCATED
    if known is None:
        heard = any(finding.series.signal == new.series.signal for finding in before.findings)
        return Reason.CONFIRMED if heard else Reason.JOINED
    return Reason.REPEATED


def _worse(known: Finding | None, new: Finding) -> bool:
    if known is None:
        return new.worsened is not None
    grown = new.size.low > known.size.high and not _moved(known, new)
    return grown or new.worsened not in (None, known.worsened)


def _told(incident: Incident, new: Finding, policy: Policy) -> bool:
    """Whether another finding said already that it got worse then."""
    since = new.worsened or new.onset
    worse = (known.worsened for known in incident.findings if known.series != new.series)
    return any(one is not None and overlap(one, since, policy.merge_window) for one in worse)


def _merged(known: Finding, new: Finding) -> Finding:
    alarms = known.alarms + new.alarms
    evidence = tuple(dict.fromkeys(new.evidence + known.evidence))[:EVIDENCE_KEPT]
    if known.recovered_at is None and not _worse(known, new):
        return replace(known, alarms=alarms, evidence=evidence)
    merged = replace(new, alarms=alarms, evidence=evidence, recovered_at=None)
    since = new.worsened or new.onset
    if known.recovered_at is not None or since.best <= known.onset.high:
        return merged
    return replace(merged, onset=known.onset, worsened=replace(since, low=max(since.low, known.onset.high)))


def finding_of(incident: Incident, series: SeriesKey) -> Finding | None:
    """What the series shows in the incident."""
    return next((finding for finding in incident.findings if finding.series == series), None)


def _with(incident: Incident, finding: Finding) -> tuple[Finding, ...]:
    if finding_of(incident, finding.series) is None:
        return (*incident.findings, finding)
    return tuple(finding if known.series == finding.series else known for known in incident.findings)


def _touched(incident: Incident, now: datetime) -> Incident:
    return replace(incident, version=incident.version + 1, updated_at=now)
