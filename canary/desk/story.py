"""What happened to an incident, moment by moment, and how its evidence came to be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from canary.alert.suspects import Suspects
from canary.pipeline.advance import own_steps
from canary.pipeline.scopes import is_scope, place_of
from canary.records import Change, Finding, Incident, SeriesKey
from canary.store.base import Transaction

_NEAR = timedelta(hours=1)  # before an onset, in which changes belong to the story
_CHANGES = 6
_NAMED = 3  # of what happened in one second
_TREND = 400  # answers


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """Something that happened; `kind` is one word for it."""

    at: datetime
    kind: str
    text: str

    def facts(self) -> dict[str, str]:
        return {"at": self.at.isoformat(), "kind": self.kind, "text": self.text}


def timeline(tx: Transaction, incident: Incident, suspected: Suspects) -> list[Moment]:
    """In the order of time; what happened in the same second stands in one line."""
    every = (*_findings(incident), *_alarms(tx, incident), *_states(incident), *_changes(tx, incident, suspected))
    seconds: dict[tuple[datetime, str], dict[str, None]] = {}
    for one in sorted(every):
        seconds.setdefault((one.at.replace(microsecond=0), one.kind), {})[one.text] = None
    return [Moment(at, kind, _together(list(texts))) for (at, kind), texts in seconds.items()]


def _together(texts: Sequence[str]) -> str:
    """The first few.

    >>> _together(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + more


def watching(series: SeriesKey, within: str) -> str:
    """A series for a person, or the part of the fleet that is watched; its target goes without saying in `within`."""
    if is_scope(series):
        return f"{place_of(series).name} {series.signal}"
    return f"{'' if series.target == within else f'{series.target} '}{series.group}/{series.signal}"


def traced(incident: Incident) -> Finding | None:
    """The finding of a single series that touches most."""
    own = [finding for finding in incident.findings if not is_scope(finding.series)]
    return max(own, key=lambda finding: finding.size.best, default=None)


def trend(tx: Transaction, finding: Finding | None) -> tuple[float, ...]:
    """The evidence of the finding's series (ln R) from before its onset on."""
    if finding is None:
        return ()
    before = max(_NEAR, 2 * (finding.onset.high - finding.onset.low))
    rows = tx.scores(finding.series, since=finding.onset.low - before)
    return tuple(step.evidence for step in islice(own_steps(tx, rows), _TREND))


def _findings(incident: Incident) -> Iterator[Moment]:
    for finding in incident.findings:
        what = watching(finding.series, incident.target)
        yield Moment(finding.onset.best, "onset", what)
        if finding.worsened is not None:
            yield Moment(finding.worsened.best, "worsened", f"{what}: {finding.size.best:.1%} of answers since then")
        if finding.recovered_at is not None:
            yield Moment(finding.recovered_at, "recovered", what)


def _alarms(tx: Transaction, incident: Incident) -> Iterator[Moment]:
    """The first of all, and in a line how many series and parts of the fleet joined it."""
    onsets = {finding.series: finding.onset.low for finding in incident.findings}
    ours = [one for one in tx.alarms() if one.series in onsets and one.at >= onsets[one.series]]
    if not ours:
        return
    first = ours[0]
    yield Moment(
        first.at, "alarm", f"the first: {watching(first.series, incident.target)} with evidence {first.evidence:+.1f}"
    )
    firsts = {one.series: one.at for one in reversed(ours)}
    if len(firsts) > 1:
        last, joined = max(firsts.values()), len(firsts) - 1
        yield Moment(last, "alarm", f"the last of {joined} more that joined it; {len(ours)} alarms in all")


def _states(incident: Incident) -> Iterator[Moment]:
    yield Moment(incident.opened_at, "opened", incident.id)
    if incident.resolved_at is not None:
        yield Moment(incident.resolved_at, "resolved", f"by {incident.resolved_by or 'recovery'}")


def _changes(tx: Transaction, incident: Incident, suspected: Suspects) -> Iterator[Moment]:
    """Those near an onset in the incident's part of the fleet, the suspected ones with their probability."""
    chances = {one.change.id: one.probability for one in suspected.onset if one.change is not None}
    first = min(finding.onset.low for finding in incident.findings)
    last = max((finding.worsened or finding.onset).high for finding in incident.findings)
    near = [one for one in tx.changes(since=first - _NEAR, until=last + _NEAR) if one.scope.overlaps(incident.scope)]
    near.sort(key=lambda one: -chances.get(one.id, 0.0))
    yield from (_change(one, chances.get(one.id)) for one in near[:_CHANGES])


def _change(change: Change, chance: float | None) -> Moment:
    suspect = "" if chance is None else f", suspected with {chance:.0%}"
    return Moment(change.at, "change", f"{change.kind.value} {change.scope.name} {change.summary}{suspect}")
