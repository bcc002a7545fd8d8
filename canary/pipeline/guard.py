"""What speaks against golden data: a fault or a change in it would be what "healthy" means from then on.

An open incident of the target and a change that takes effect meanwhile speak against recording it. Against promoting it
speak those of the time of the recording, a change of the model that nobody declared, and golden answers that differ
from those of the active baselines. A new model version is meant to answer differently: where one is declared, neither
incidents nor differences speak against it, only changes in the middle of it do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from canary.alert.gist import first_onset
from canary.baseline import Difference, striking
from canary.pipeline.drift import differences
from canary.records import Baseline, BaselineStatus, Change, ChangeKind, Incident, Probe, Recording
from canary.score import Scorer
from canary.store.base import Store, Transaction

ROLLING = timedelta(days=7)
"""How far back a change may have begun that still takes effect."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why golden data of a target is not to be trusted, and what to do about it."""

    target: str
    reason: str
    remedy: str


def against_recording(tx: Transaction, target: str, region: str, now: datetime, version: str) -> tuple[Objection, ...]:
    """Before the first golden run is fired. `version` is the declared one."""
    active = tx.baselines(target=target, status=BaselineStatus.ACTIVE)
    incidents = () if _declared(active, version) else _during(tx, target, region, now, now)
    return (
        *(_of_incident(target, one, "is unresolved") for one in incidents),
        *(_of_change(target, one) for one in changes_under(tx, target, region, now, now)),
    )


def against_promoting(
    store: Store,
    recording: Recording,
    probes: Mapping[str, Probe],
    scorers: Mapping[str, Scorer],
    judged: Callable[[], None] = lambda: None,
) -> tuple[Objection, ...]:
    """Of a finished recording, beside the active baselines of its target; `probes` by digest."""
    target, began = recording.target, recording.started_at
    with store.reading() as tx:
        ended = recording.finished_at or began
        proposed = tx.baselines(target=target, epoch=recording.epoch)
        active = _replaced(tx, proposed)
        declared = _declared(active, proposed[0].version if proposed else "")
        found = [_of_change(target, one) for one in changes_under(tx, target, recording.region, began, ended)]
        if declared:
            return tuple(found)
        found += [
            _of_incident(target, one, "was unresolved while it was recorded")
            for one in _during(tx, target, recording.region, began, ended)
        ]
        since = max((one.created_at for one in active), default=began)
        changes = [one for one in tx.changes(since=since, until=began) if _touches(one, target, recording.region)]
        found += [_of_model(target, one) for one in changes if one.kind is ChangeKind.MODEL]
    strange = striking(differences(store, active, recording, probes, scorers, judged)) if active else ()
    return (*found, *([_of_differences(target, strange, changes)] if strange else []))


def changes_under(tx: Transaction, target: str, region: str, began: datetime, ended: datetime) -> Iterator[Change]:
    """The changes of the target that took effect, or were doing so, after `began` and not after `ended`."""
    for change in tx.changes(since=began - ROLLING, until=ended + timedelta(microseconds=1)):
        if (change.finished_at or change.at) > began and _touches(change, target, region):
            yield change


def in_words(found: Difference) -> str:
    """A difference for a person.

    >>> from canary.records import SeriesKey
    >>> series = SeriesKey("mid/api/main", "eu", "prose", "script")
    >>> in_words(Difference(series, "", 2000, 2000, 0.001, 0.018, 2e-9))
    'prose/script: rate 0.1% -> 1.8% (p = 2e-09)'
    """
    rate = "rate" if found.above is None else f"answers {beyond(found)}"
    name = f"{found.series.group}/{found.series.signal}"
    return f"{name}: {rate} {100 * found.before:.2g}% -> {100 * found.now:.2g}% (p = {found.p:.1g})"


def beyond(found: Difference) -> str:
    """The cut of a distance for a person; nothing of other signals.

    >>> from canary.records import SeriesKey
    >>> beyond(Difference(SeriesKey("mid/api/main", "eu", "prose", "kl"), "", 9, 9, 0.1, 0.2, 0.5, 0.03, True))
    'beyond 0.03 (standardised)'
    """
    if found.above is None:
        return ""
    return f"beyond {found.above:.3g}" + " (standardised)" * found.standardised


def _touches(change: Change, target: str, region: str) -> bool:
    """A gate changes nothing."""
    return change.kind is not ChangeKind.GATE and change.scope.covers(target, region)


def _replaced(tx: Transaction, proposed: Sequence[Baseline]) -> Sequence[Baseline]:
    """The active baselines of the groups that these are to judge."""
    groups = {(one.series.region, one.series.group) for one in proposed}
    active = tx.baselines(target=proposed[0].series.target, status=BaselineStatus.ACTIVE) if proposed else ()
    return [one for one in active if (one.series.region, one.series.group) in groups]


def _declared(active: Sequence[Baseline], version: str) -> bool:
    return bool(version) and version not in {one.version for one in active}


def _during(tx: Transaction, target: str, region: str, began: datetime, ended: datetime) -> Iterator[Incident]:
    for incident in {one.id: one for one in (*tx.incidents(since=began), *tx.incidents(open_only=True))}.values():
        lasted = incident.resolved_at is None or incident.resolved_at > began
        if lasted and first_onset(incident).best <= ended and incident.touches(target, region):
            yield incident


def _of_incident(target: str, incident: Incident, when: str) -> Objection:
    remedy = f"see `canary incident show {incident.id}`; record when it is resolved, or declare a new model (--version)"
    return Objection(target, f"incident {incident.id} {when}", remedy)


def _of_change(target: str, change: Change) -> Objection:
    reason = f"{change.kind.value} {change.summary!r} of {change.at:%Y-%m-%d %H:%M}Z took effect in the middle of it"
    return Objection(target, reason, "record again now that it is done")


def _of_model(target: str, change: Change) -> Objection:
    reason = (
        f"the model changed ({change.summary!r}, {change.at:%Y-%m-%d %H:%M}Z) since the active baseline was recorded"
    )
    return Objection(target, reason, "record again with --version, which says that this is meant")


def _of_differences(target: str, strange: Sequence[Difference], changes: Sequence[Change]) -> Objection:
    shown = "; ".join(map(in_words, strange[:3]))
    more = f" and {len(strange) - 3} more" if len(strange) > 3 else ""
    since = f"; changed since: {', '.join(repr(one.summary) for one in changes[-3:])}" if changes else ""
    remedy = "find out why; if it is meant to be so, promote with --accept-drift, or record a new model with --version"
    return Objection(target, f"this golden differs from the active one: {shown}{more}{since}", remedy)
