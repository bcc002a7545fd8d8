"""The changes that may have caused an incident, ranked by what the store knows now."""

from collections.abc import Collection, Iterable, Iterator

from canary.alert.message import first_onset
from canary.alert.suspects import LOOK_BACK, Place, Suspect, rank
from canary.records import Incident, Interval, Scope
from canary.store.base import StateKind, Transaction


def suspects(tx: Transaction, incident: Incident, watched: Iterable[Place]) -> tuple[Suspect, ...]:
    """Rank them. Of the places `watched`, those of other incidents at the same time do not count as healthy."""
    onset = first_onset(incident)
    changes = tx.changes(since=onset.low - LOOK_BACK, until=onset.high)
    ill = {place for other in _others(tx, incident, onset) for place in _places(other)}
    return rank(onset, _scope(incident), changes, (set(watched) - ill) | _places(incident))


def watched(tx: Transaction, targets: Collection[str]) -> set[Place]:
    """The places of these targets that a detector has judged."""
    series = tx.states(StateKind.ALARM)
    return {(key.target, key.region) for key in series if key.target in targets}


def _others(tx: Transaction, incident: Incident, onset: Interval) -> Iterator[Incident]:
    """Incidents that overlap with it in time."""
    for other in (*tx.incidents(since=onset.low), *tx.incidents(open_only=True)):
        lasted = other.resolved_at is None or other.resolved_at > onset.low
        begun = incident.resolved_at is None or first_onset(other).low < incident.resolved_at
        if other.id != incident.id and lasted and begun:
            yield other


def _places(incident: Incident) -> set[Place]:
    return {(finding.series.target, finding.series.region) for finding in incident.findings}


def _scope(incident: Incident) -> Scope:
    regions = {finding.series.region for finding in incident.findings}
    return Scope(incident.model, incident.platform, incident.pool, regions.pop() if len(regions) == 1 else None)
