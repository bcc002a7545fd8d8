"""What would have been raised against what was raised, and both against the recorded changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from canary.alert.incident import Policy
from canary.hindsight.scope import concerns
from canary.records import Alarm, Change, Finding, Incident
from canary.store.base import Store

_WEEK = timedelta(weeks=1)
_SLACK = Policy().merge_window


@dataclass(frozen=True, slots=True)
class Side:
    """Alarms and incidents, in the order of their times."""

    alarms: tuple[Alarm, ...]
    incidents: tuple[Incident, ...]

    def of(self, incident: Incident) -> tuple[Alarm, ...]:
        """The incident's alarms."""
        return tuple(alarm for alarm in self.alarms if any(_tells(f, alarm, incident) for f in incident.findings))


@dataclass(frozen=True, slots=True)
class Found:
    """A change, and how long after it each side alarmed on what began with it (None: it did not)."""

    change: Change
    would: timedelta | None
    live: timedelta | None


@dataclass(frozen=True, slots=True)
class Pair:
    """An incident as it would have been and as it was: the same target and a series in common."""

    would: Incident | None
    live: Incident | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides. `unexplained` are alarms that began with no recorded change; `budget` is what the span may hold."""

    would: Side
    live: Side
    pairs: tuple[Pair, ...]
    found: tuple[Found, ...]
    unexplained_would: int
    unexplained_live: int
    budget: float

    @property
    def same(self) -> bool:
        """Whether exactly the same alarms were raised."""
        return sorted(self.would.alarms, key=_identity) == sorted(self.live.alarms, key=_identity)


def lived(store: Store, region: str, since: datetime | None, until: datetime | None) -> Side:
    """What was really raised in the span."""
    with store.reading() as tx:
        alarms = [one for one in tx.alarms(since=since) if until is None or one.at < until]
        incidents = [one for one in tx.incidents(since=since) if until is None or one.opened_at < until]
    return Side(
        tuple(alarm for alarm in alarms if alarm.series.region == region),
        tuple(one for one in incidents if any(finding.series.region == region for finding in one.findings)),
    )


def compare(
    would: Side, live: Side, changes: Sequence[Change], *, per_week: float, lasted: timedelta, policy: Policy
) -> Comparison:
    """Set the two sides side by side, over a span that lasted so long."""
    return Comparison(
        would=would,
        live=live,
        pairs=tuple(_pairs(would.incidents, live.incidents)),
        found=tuple(Found(c, _delay(would, c, policy), _delay(live, c, policy)) for c in changes),
        unexplained_would=len(would.alarms) - _explained(would, changes, policy),
        unexplained_live=len(live.alarms) - _explained(live, changes, policy),
        budget=per_week * (lasted / _WEEK),
    )


def _identity(alarm: Alarm) -> str:
    return alarm.id


def _tells(finding: Finding, alarm: Alarm, incident: Incident) -> bool:
    """A finding that got worse has a later onset than the alarm that opened its incident."""
    over = incident.resolved_at is not None and alarm.at > incident.resolved_at
    began = min(finding.onset.low, incident.opened_at - _SLACK)
    return finding.series == alarm.series and began <= alarm.at and not over


def _pairs(would: Iterable[Incident], live: Iterable[Incident]) -> list[Pair]:
    left = list(live)
    pairs = []
    for one in would:
        twin = next((other for other in left if _alike(one, other)), None)
        if twin is not None:
            left.remove(twin)
        pairs.append(Pair(one, twin))
    return [*pairs, *(Pair(None, other) for other in left)]


def _alike(one: Incident, other: Incident) -> bool:
    common = {finding.series for finding in one.findings} & {finding.series for finding in other.findings}
    return one.target == other.target and bool(common) and _together(one, other) and _together(other, one)


def _together(one: Incident, other: Incident) -> bool:
    began = min(finding.onset.low for finding in one.findings)
    return other.resolved_at is None or began <= other.resolved_at


def _delay(side: Side, change: Change, policy: Policy) -> timedelta | None:
    moments = [
        alarm.at
        for incident in side.incidents
        if _began_with(incident, change, policy)
        for alarm in side.of(incident)
        if alarm.at >= change.at
    ]
    return min(moments) - change.at if moments else None


def _began_with(incident: Incident, change: Change, policy: Policy) -> bool:
    """Whether the change concerns it and lies in the interval of an onset, widened as for findings of one incident."""
    window = policy.merge_window
    return any(
        concerns(change, incident.target, finding.series.region)
        and finding.onset.low - window <= change.at <= finding.onset.high + window
        for finding in incident.findings
    )


def _explained(side: Side, changes: Sequence[Change], policy: Policy) -> int:
    known = [one for one in side.incidents if any(_began_with(one, change, policy) for change in changes)]
    return len({alarm.id for incident in known for alarm in side.of(incident)})
