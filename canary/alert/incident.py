"""Which alarms are one event, and what became of it.

Theory of operation
===================

An incident belongs to one target. It holds one finding per series that alarmed. Everything that happens to it is one
function here: it takes the incident, the facts and `now`, and returns the incident as it is afterwards with the
`Reason` why. `notification` says which reasons people are told of. Nothing here reads a clock, stores or sends.

    absorb      a series alarmed        none     -> OPEN          OPENED
                                        open     -> same state    JOINED, WORSENED, RELAPSED or REPEATED
                                        RESOLVED -> OPEN          REOPENED, or FLAPPING when that came too often
    recover     a series proved that    open     -> same state    PARTLY_RECOVERED
                it is back at baseline  open     -> RESOLVED      RESOLVED, when it was the last and nothing flaps
    settle      time passed             open     -> RESOLVED      RESOLVED, when a flapping incident stayed recovered
    acknowledge a person took it        OPEN     -> ACKNOWLEDGED  ACKNOWLEDGED
    resolve     a person closed it      open     -> RESOLVED      RESOLVED
    reconcile   the target's pool       open     -> same state    SUPPRESSED, RELEASED
                became unreachable, or reachable again

("open" stands for OPEN or ACKNOWLEDGED. Whatever changes nothing returns the very same incident and UNCHANGED.)

1. *Home.* An alarm belongs to an incident of the same target that is open, or was resolved within the reopen window,
   and shows the same symptom or began in the same time (onset intervals, widened by the merge window, overlap). So one
   fault seen by several signals is one incident, and bugs that overlap with other symptoms and onsets stay apart.
   Availability and quality never share an incident: the first inhibits the second instead.
2. *Recovery.* Quiet is not recovery. Without a person an incident resolves only when every finding has recovered by
   its own sequential test, which runs elsewhere.
3. *Worsening.* A series got worse when the interval of its new size lies wholly above the size that was told last.
   The told size stays until then, so that slow growth adds up. A worsening has an onset of its own, and the first onset
   stays, where the two are apart.
4. *Flapping.* An incident that is reopened `flap_limit` times, each time within the reopen window, flaps. From then on
   it resolves only after it has stayed recovered for a whole reopen window: one trigger and one resolve, not fifty.
5. *Inhibition.* An incident of an unreachable pool suppresses the quality incidents of that same target: they go on as
   ever, but nobody is told. Quality never inhibits anything. A resolve always passes, for one that gets lost leaves
   somebody waiting.
6. *Balance.* A trigger is followed by another trigger only after a resolve or a suppression, and the end of an incident
   is a resolve.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from canary.records import Finding, Incident, IncidentState, Interval, NotificationKind, SeriesKey, Symptom

EVIDENCE_KEPT = 20


class Reason(StrEnum):
    """What happened to an incident."""

    OPENED = "opened"
    JOINED = "joined"  # a series that had not alarmed before
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
    """How alarms become incidents. `unreachable` is the least share of failures that inhibits quality incidents."""

    merge_window: timedelta = timedelta(minutes=15)
    reopen_window: timedelta = timedelta(hours=1)
    flap_limit: int = 3
    unreachable: float = 0.5


def home(incidents: Iterable[Incident], finding: Finding, now: datetime, policy: Policy) -> Incident | None:
    """The incident that the finding belongs to.

    Of several, the one that holds its series; else an open one; else one with its symptom; else the newest.
    """
    fitting = (i for i in incidents if _may_take(i, now, policy) and _related(i, finding, policy))
    return max(fitting, key=lambda incident: _nearness(incident, finding), default=None)


def absorb(
    incident: Incident | None, finding: Finding, now: datetime, policy: Policy, *, suppressed_by: str | None = None
) -> Decision:
    """A series alarmed: the finding opens an incident, or becomes part of its `home`.

    `suppressed_by` (see `inhibitor`) counts when the incident opens or reopens.
    """
    if incident is None:
        return _opened(finding, now, suppressed_by), Reason.OPENED
    known = _finding_of(incident, finding.series)
    findings = _with(incident, finding if known is None else _merged(known, finding))
    if incident.state is IncidentState.RESOLVED:
        return _reopened(incident, findings, now, policy, suppressed_by)
    return replace(_touched(incident, now), findings=findings), _kind_of_alarm(known, finding)


def recover(incident: Incident, series: SeriesKey, now: datetime) -> Decision:
    """A series proved that it is back at its baseline."""
    known = _finding_of(incident, series)
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


def inhibitor(incidents: Iterable[Incident], target: str, symptom: Symptom, policy: Policy) -> str | None:
    """The id of the incident that keeps quality incidents of `target` quiet: its pool cannot be reached."""
    if symptom is Symptom.AVAILABILITY:
        return None
    return next((i.id for i in incidents if i.target == target and _unreachable(i, policy)), None)


def reconcile(incidents: Sequence[Incident], now: datetime, policy: Policy) -> Iterator[Decision]:
    """Suppress and release the open ones as their inhibitors come and go; yields only what changed."""
    for incident in incidents:
        if incident.state is IncidentState.RESOLVED:
            continue
        by = inhibitor(incidents, incident.target, incident.findings[0].symptom, policy)
        changed, reason = release(incident, now) if by is None else suppress(incident, by, now)
        if reason is not Reason.UNCHANGED:
            yield changed, reason


def suppress(incident: Incident, by: str, now: datetime) -> Decision:
    """Nobody is told of it while the incident `by` lasts."""
    if incident.state is IncidentState.RESOLVED or incident.suppressed_by is not None:
        return incident, Reason.UNCHANGED
    return replace(_touched(incident, now), suppressed_by=by), Reason.SUPPRESSED


def release(incident: Incident, now: datetime) -> Decision:
    """What suppressed it is over."""
    if incident.state is IncidentState.RESOLVED or incident.suppressed_by is None:
        return incident, Reason.UNCHANGED
    return replace(_touched(incident, now), suppressed_by=None), Reason.RELEASED


def notification(reason: Reason, incident: Incident) -> NotificationKind | None:
    """What people are told of a decision, if anything."""
    match reason:
        case Reason.RESOLVED:
            return NotificationKind.RESOLVE
        case Reason.ACKNOWLEDGED:
            return NotificationKind.ACKNOWLEDGE
        case Reason.OPENED | Reason.REOPENED | Reason.FLAPPING:
            return None if incident.suppressed_by else NotificationKind.TRIGGER
        case Reason.JOINED | Reason.WORSENED:
            return None if incident.suppressed_by else NotificationKind.UPDATE
        case Reason.RELEASED:
            return NotificationKind.TRIGGER if incident.state is IncidentState.OPEN else NotificationKind.UPDATE
        case Reason.RELAPSED | Reason.REPEATED | Reason.PARTLY_RECOVERED | Reason.SUPPRESSED | Reason.UNCHANGED:
            return None
        case _:
            assert_never(reason)


def unrecovered(incident: Incident) -> tuple[Finding, ...]:
    """The findings that still stand."""
    return tuple(finding for finding in incident.findings if finding.recovered_at is None)


def _may_take(incident: Incident, now: datetime, policy: Policy) -> bool:
    return incident.resolved_at is None or now - incident.resolved_at <= policy.reopen_window


def _related(incident: Incident, finding: Finding, policy: Policy) -> bool:
    if incident.target != finding.series.target or _is_availability(incident) != _speaks_of_availability(finding):
        return False
    return any(
        known.symptom is finding.symptom or _overlap(known.worsened or known.onset, finding.onset, policy.merge_window)
        for known in incident.findings
    )


def _overlap(one: Interval, other: Interval, window: timedelta) -> bool:
    return one.low - window <= other.high and other.low - window <= one.high


def _nearness(incident: Incident, finding: Finding) -> tuple[bool, bool, bool, datetime]:
    return (
        _finding_of(incident, finding.series) is not None,
        incident.state is not IncidentState.RESOLVED,
        any(known.symptom is finding.symptom for known in incident.findings),
        incident.opened_at,
    )


def _is_availability(incident: Incident) -> bool:
    return _speaks_of_availability(incident.findings[0])


def _speaks_of_availability(finding: Finding) -> bool:
    return finding.symptom is Symptom.AVAILABILITY


def _unreachable(incident: Incident, policy: Policy) -> bool:
    if incident.state is IncidentState.RESOLVED or not _is_availability(incident):
        return False
    return any(finding.size.low >= policy.unreachable for finding in unrecovered(incident))


def _opened(finding: Finding, now: datetime, suppressed_by: str | None) -> Incident:
    model, platform, pool = finding.series.target.rsplit("/", 2)
    return Incident(
        id=_identity(finding, now),
        state=IncidentState.OPEN,
        model=model,
        platform=platform,
        pool=pool,
        opened_at=now,
        updated_at=now,
        findings=(finding,),
        suppressed_by=suppressed_by,
    )


def _identity(finding: Finding, now: datetime) -> str:
    series = finding.series
    facts = (series.target, series.region, series.group, series.signal, finding.onset.best.isoformat(), now.isoformat())
    return hashlib.blake2b("\0".join(facts).encode(), digest_size=8).hexdigest()


def _reopened(
    incident: Incident, findings: tuple[Finding, ...], now: datetime, policy: Policy, suppressed_by: str | None
) -> Decision:
    reopened = incident.reopened + 1
    flapping = reopened >= policy.flap_limit
    changed = replace(
        _touched(incident, now),
        state=IncidentState.OPEN,
        findings=findings,
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


def _kind_of_alarm(known: Finding | None, new: Finding) -> Reason:
    if known is None:
        return Reason.JOINED
    if known.recovered_at is not None:
        return Reason.RELAPSED
    return Reason.WORSENED if _worse(known, new) else Reason.REPEATED


def _worse(known: Finding, new: Finding) -> bool:
    return new.size.low > known.size.high


def _merged(known: Finding, new: Finding) -> Finding:
    alarms = known.alarms + new.alarms
    evidence = tuple(dict.fromkeys(new.evidence + known.evidence))[:EVIDENCE_KEPT]
    if known.recovered_at is None and not _worse(known, new):
        return replace(known, alarms=alarms, evidence=evidence)
    merged = replace(new, alarms=alarms, evidence=evidence, recovered_at=None)
    if known.recovered_at is not None or new.onset.best <= known.onset.high:
        return merged
    since = replace(new.onset, low=max(new.onset.low, known.onset.high))
    return replace(merged, onset=known.onset, worsened=since)


def _finding_of(incident: Incident, series: SeriesKey) -> Finding | None:
    return next((finding for finding in incident.findings if finding.series == series), None)


def _with(incident: Incident, finding: Finding) -> tuple[Finding, ...]:
    if _finding_of(incident, finding.series) is None:
        return (*incident.findings, finding)
    return tuple(finding if known.series == finding.series else known for known in incident.findings)


def _touched(incident: Incident, now: datetime) -> Incident:
    return replace(incident, version=incident.version + 1, updated_at=now)
