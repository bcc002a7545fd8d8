"""What happened to an incident, moment by moment, and how its evidence came to be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from canary.alert.suspects import Suspects
    from canary.records import Alarm, Change, Finding, Incident
    from canary.store.base import Transaction

_NEAR = timedelta(hours=1)  # before an onset, in which changes belong to the story
_CHANGES = 6
_TREND = 400  # answers


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """Something that happened; `kind` is one word for it."""

    at: datetime
    kind: str
    text: str

    def facts(self) -> dict[str, str]:
        return {"at": self.at.isoformat(), "kind": self.kind, "text": self.text}


def timeline(tx: "Transaction", incident: "Incident", suspected: "Suspects") -> list[Moment]:
    """In the order of time."""
    alarms = [one for one in tx.alarms() if any(one.series == finding.series for finding in incident.findings)]
    return sorted(
        (*_findings(incident), *_alarms(incident, alarms), *_states(incident), *_changes(tx, incident, suspected))
    )


def trend(tx: "Transaction", finding: "Finding") -> tuple[float, ...]:
    """The evidence of the finding's series (ln R) from before its onset on; nothing for a part of the fleet."""
    from canary.pipeline.advance import own_steps
    from canary.pipeline.scopes import is_scope

    if is_scope(finding.series):
        return ()
    before = max(_NEAR, 2 * (finding.onset.high - finding.onset.low))
    rows = tx.scores(finding.series, since=finding.onset.low - before)
    return tuple(step.evidence for step in islice(own_steps(tx, rows), _TREND))


def _findings(incident: "Incident") -> Iterator[Moment]:
    for finding in incident.findings:
        what = f"{finding.series.group}/{finding.series.signal}"
        onset = finding.onset
        between = f" (between {onset.low:%H:%M:%S} and {onset.high:%H:%M:%S})" if onset.low != onset.high else ""
        yield Moment(onset.best, "onset", f"{what}{between}")
        if finding.worsened is not None:
            yield Moment(finding.worsened.best, "worsened", f"{what}: {finding.size.best:.1%} of answers since then")
        if finding.recovered_at is not None:
            yield Moment(finding.recovered_at, "recovered", what)


def _alarms(incident: "Incident", alarms: "Sequence[Alarm]") -> Iterator[Moment]:
    """The first of each finding."""
    for finding in incident.findings:
        ours = [one for one in alarms if one.series == finding.series and one.at >= finding.onset.low]
        if ours:
            first, more = ours[0], f", {finding.alarms - 1} more since" if finding.alarms > 1 else ""
            what = f"{first.series.group}/{first.series.signal}"
            yield Moment(first.at, "alarm", f"{what} with evidence {first.evidence:+.1f}{more}")


def _states(incident: "Incident") -> Iterator[Moment]:
    yield Moment(incident.opened_at, "opened", incident.id)
    if incident.resolved_at is not None:
        yield Moment(incident.resolved_at, "resolved", f"by {incident.resolved_by or 'recovery'}")


def _changes(tx: "Transaction", incident: "Incident", suspected: "Suspects") -> Iterator[Moment]:
    """Those near an onset in the incident's part of the fleet, the suspected ones with their probability."""
    chances = {one.change.id: one.probability for one in suspected.onset if one.change is not None}
    first = min(finding.onset.low for finding in incident.findings)
    last = max((finding.worsened or finding.onset).high for finding in incident.findings)
    near = [one for one in tx.changes(since=first - _NEAR, until=last + _NEAR) if one.scope.overlaps(incident.scope)]
    near.sort(key=lambda one: -chances.get(one.id, 0.0))
    yield from (_change(one, chances.get(one.id)) for one in near[:_CHANGES])


def _change(change: "Change", chance: float | None) -> Moment:
    suspect = "" if chance is None else f", suspected with {chance:.0%}"
    return Moment(change.at, "change", f"{change.kind.value} {change.scope.name} {change.summary}{suspect}")
