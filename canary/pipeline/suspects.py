"""The changes that may have caused an incident, ranked by what the store knows now."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from canary.alert.gist import first_onset, last_worsening
from canary.alert.suspects import LOOK_BACK, Spot, Suspect, Suspects, rank
from canary.records import Incident, Interval, Scope
from canary.store.base import StateKind, Transaction


def suspects(tx: Transaction, incident: Incident, watched: Collection[Spot]) -> Suspects:
    """Rank them. Of the `watched`, those that another incident of the time touches do not count as healthy."""
    scope, worse = _scope(incident), last_worsening(incident)
    touched = _covered(incident, watched) or {(incident.target, scope.region or "")}
    ill = {spot for other in _others(tx, incident) for spot in _covered(other, watched)}
    spots = (set(watched) - ill) | touched
    began = _ranked(tx, first_onset(incident), scope, spots)
    return Suspects(began, _ranked(tx, worse, scope, spots) if worse is not None else ())


def watched(tx: Transaction, targets: Collection[str]) -> set[Spot]:
    """Those of these targets that a detector has judged."""
    return {(key.target, key.region) for key in tx.states(StateKind.ALARM) if key.target in targets}


def _ranked(tx: Transaction, onset: Interval, scope: Scope, spots: Collection[Spot]) -> tuple[Suspect, ...]:
    return rank(onset, scope, tx.changes(since=onset.low - LOOK_BACK, until=onset.high), spots)


def _others(tx: Transaction, incident: Incident) -> Iterator[Incident]:
    """Incidents that overlap with it in time."""
    began = first_onset(incident).low
    for other in (*tx.incidents(since=began), *tx.incidents(open_only=True)):
        lasted = other.resolved_at is None or other.resolved_at > began
        begun = incident.resolved_at is None or first_onset(other).low < incident.resolved_at
        if other.id != incident.id and lasted and begun:
            yield other


def _covered(incident: Incident, spots: Collection[Spot]) -> set[Spot]:
    scope = _scope(incident)
    return {spot for spot in spots if scope.covers(*spot)}


def _scope(incident: Incident) -> Scope:
    regions = {finding.series.region for finding in incident.findings}
    return replace(incident.scope, region=regions.pop() if len(regions) == 1 else None)
