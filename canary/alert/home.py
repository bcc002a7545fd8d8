"""Which incident a finding belongs to.

Every finding names the smallest part of the fleet that explains it. Its home is an incident that is open, or was
resolved within the reopen window, and in which its series stands, or a finding that it is one fault with:

* Findings of the same symptom are one fault where the newer lies in the place of the older; or overlaps with it, or
  lies beside it, on the same model or platform, and both began in the same time (onset intervals, widened by the merge
  window, overlap). What reaches beyond a place and began later is another fault.
* Findings of different symptoms are one fault where they began in the same time in exactly the same part of the fleet,
  or may have: the part that explains one of them next best counts while it is not ruled out, and so does the part
  whose own detector raised it.

So one fault seen by several signals or on several pools is one incident, and bugs that overlap with other symptoms,
places or onsets stay apart. Availability and quality never share an incident.
"""

from collections.abc import Iterable
from datetime import datetime

from canary.alert.incident import Policy, finding_of, is_availability, overlap, speaks_of_availability
from canary.records import Finding, Incident, IncidentState, Interval, Scope

DOUBT = 3.0
"""Nats by which the place of a fault has to be likelier than the next best one before that is ruled out."""


def home(incidents: Iterable[Incident], finding: Finding, now: datetime, policy: Policy) -> Incident | None:
    """The incident that the finding belongs to.

    Of several, the one that holds its series; else an open one; else one with its symptom; else the newest.
    """
    fitting = (i for i in incidents if _may_take(i, now, policy) and _related(i, finding, policy))
    return max(fitting, key=lambda incident: _nearness(incident, finding), default=None)


def _may_take(incident: Incident, now: datetime, policy: Policy) -> bool:
    return incident.resolved_at is None or now - incident.resolved_at <= policy.reopen_window


def _related(incident: Incident, finding: Finding, policy: Policy) -> bool:
    if is_availability(incident) != speaks_of_availability(finding):
        return False
    holder = finding_of(incident, finding.series)
    held = holder is not None and holder.recovered_at is None
    return held or any(_one_fault(known, finding, policy) for known in incident.findings)


def _one_fault(known: Finding, finding: Finding, policy: Policy) -> bool:
    together = any(
        overlap(one, other, policy.merge_window) for one in _beginnings(known) for other in _beginnings(finding)
    )
    if known.symptom is not finding.symptom:
        return together and (_may_be_at(known, finding.scope) or _may_be_at(finding, known.scope))
    if known.scope.includes(finding.scope):
        return True
    return together and (known.scope.overlaps(finding.scope) or _beside(known.scope, finding.scope))


def _beginnings(finding: Finding) -> tuple[Interval, ...]:
    return (finding.onset,) if finding.worsened is None else (finding.onset, finding.worsened)


def _may_be_at(finding: Finding, scope: Scope) -> bool:
    """Whether it is in exactly this part of the fleet, as far as it is known, or alarmed there by itself."""
    doubted = finding.blame.runner_up if finding.blame and finding.blame.margin < DOUBT else None
    return scope in (finding.scope, doubted.scope if doubted else None, Scope.of(finding.series.target))


def _beside(one: Scope, other: Scope) -> bool:
    """Whether two parts of the fleet that do not overlap are of one model or one platform."""
    same_model = one.model is not None and one.model == other.model
    return same_model or (one.platform is not None and one.platform == other.platform)


def _nearness(incident: Incident, finding: Finding) -> tuple[bool, bool, bool, bool, datetime]:
    return (
        finding_of(incident, finding.series) is not None,
        incident.state is not IncidentState.RESOLVED,
        any(known.symptom is finding.symptom for known in incident.findings),
        incident.scope.overlaps(finding.scope),
        incident.opened_at,
    )
