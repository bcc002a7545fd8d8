"""The fleet as JSON."""

from canary.alert.message import describe
from canary.records import Incident
from canary.web.status import Snapshot, TargetStatus

SCHEMA = "canary.status/1"


def fleet(snapshot: Snapshot) -> dict[str, object]:
    """The program at one moment."""
    return {
        "schema": SCHEMA,
        "at": snapshot.at.isoformat(timespec="seconds"),
        "version": snapshot.version,
        "region": snapshot.region,
        "targets": [target(one, snapshot) for one in snapshot.targets],
        "incidents": [_incident(one, snapshot) for one in snapshot.incidents],
    }


def target(one: TargetStatus, snapshot: Snapshot) -> dict[str, object]:
    """A cell of the fleet matrix."""
    last = one.last_result_at
    return {
        "model": one.model,
        "platform": one.platform,
        "pool": one.pool,
        "state": one.state.value,
        "stale": one.stale(snapshot.at),
        "last_result_at": None if last is None else last.isoformat(timespec="seconds"),
        "interval_seconds": one.interval.total_seconds(),
        "series": one.series,
        "armed": one.armed,
        "escalated": list(one.escalated),
        "silenced": None if one.silenced is None else one.silenced.facts(),
    }


def _incident(incident: Incident, snapshot: Snapshot) -> dict[str, object]:
    quiet = snapshot.silenced.get(incident.id)
    return {**describe(incident), "silenced": None if quiet is None else quiet.facts()}
