"""What came of a scenario, against what is true and what was expected."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from canary.alert.gist import first_onset
from canary.alert.suspects import Suspect
from canary.drill.scenario import Scenario, Truth
from canary.drill.shape import Expected
from canary.drill.stage import Event, Played
from canary.pipeline.suspects import suspects, watched
from canary.records import Incident, NotificationKind, Purpose, Symptom
from canary.store.base import Store, Transaction

_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A suspected change ("": none that was recorded) and its probability."""

    change: str
    probability: float


@dataclass(frozen=True, slots=True)
class Told:
    """An incident that people were told of. `causes` are the faults that may be behind it: none, a false alarm."""

    id: str
    where: str
    replica: str  # "" where none is named
    opened_at: datetime
    resolved_at: datetime | None
    onset: datetime
    symptoms: tuple[Symptom, ...]  # that which opened it first
    signals: tuple[str, ...]
    causes: tuple[str, ...]
    suspects: tuple[Ranked, ...]
    worsening: tuple[Ranked, ...]


@dataclass(frozen=True, slots=True)
class Delay:
    """From a fault's start to its incident: time, and what was fired at its targets meanwhile. A burst is one probe."""

    time: timedelta
    probes: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was expected, whether it is so, and how it is."""

    what: str
    held: bool
    found: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one expected incident. `noticed` is when people noticed the real one, if there was one."""

    expected: Expected
    incidents: tuple[Told, ...]
    delay: Delay | None
    checks: tuple[Check, ...]
    noticed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of the whole drill. `budget` is what the promise allows in false alarms over its time."""

    outcomes: tuple[Outcome, ...]
    unexpected: tuple[Told, ...]
    false: tuple[Told, ...]
    budget: float
    checks: tuple[Check, ...]

    @property
    def held(self) -> bool:
        """Whether every expectation is met."""
        return all(check.held for check in self.checks) and all(
            check.held for outcome in self.outcomes for check in outcome.checks
        )


def judge(played: Played, store: Store) -> Judgement:
    """Compare."""
    scenario, wanted = played.scenario, played.scenario.file.expect
    with store.reading() as tx:
        told = list(_told(tx, played))
        homes = [_home(one, wanted.incidents, scenario.truths) for one in told]
        outcomes = tuple(
            _outcome(tx, scenario, expected, [one for one, home in zip(told, homes, strict=True) if home == at])
            for at, expected in enumerate(wanted.incidents)
        )
    lost = [one for one, home in zip(told, homes, strict=True) if home is None]
    unexpected = tuple(one for one in lost if one.causes)
    false = tuple(one for one in lost if not one.causes)
    checks = (
        Check("no other incident of a fault", not unexpected, _listed(unexpected)),
        Check(f"at most {wanted.false_alarms} false alarms", len(false) <= wanted.false_alarms, _listed(false)),
    )
    budget = scenario.file.probing.budget.false_alarms_per_week * (scenario.file.lasts / _WEEK)
    return Judgement(outcomes, unexpected, false, budget, checks)


def _told(tx: Transaction, played: Played) -> Iterator[Told]:
    """Whatever was suppressed from its beginning to its end woke nobody."""
    triggers = (one for one in played.notifications if one.kind is NotificationKind.TRIGGER)
    heard = {one.incident_id for one in triggers}
    spots = watched(tx, played.scenario.targets)
    opened: dict[str, Event] = {}
    for event in played.events:
        opened.setdefault(event.incident.id, event)
    for incident in tx.incidents():
        if incident.id in heard:
            yield _one(tx, played.scenario, incident, opened[incident.id], spots)


def _one(
    tx: Transaction, scenario: Scenario, incident: Incident, opened: Event, spots: Collection[tuple[str, str]]
) -> Told:
    ranking = suspects(tx, incident, spots)
    onset = first_onset(incident)
    covered = scenario.covered(incident.target)
    opened_at = _alarmed(tx, opened)
    real = (truth for truth in scenario.truths if not truth.plan.benign)
    causes = dict.fromkeys(truth.name for truth in real if _explains(truth, covered, onset.low, opened_at))
    findings = (*opened.incident.findings, *incident.findings)
    return Told(
        id=incident.id,
        where=incident.target,
        replica=_replica(incident),
        opened_at=opened_at,
        resolved_at=incident.resolved_at,
        onset=onset.best,
        symptoms=tuple(dict.fromkeys(finding.symptom for finding in findings)),
        signals=tuple(dict.fromkeys(f"{finding.series.group}/{finding.series.signal}" for finding in findings)),
        causes=tuple(causes),
        suspects=tuple(_ranked(ranking.onset)),
        worsening=tuple(_ranked(ranking.worsening)),
    )


def _replica(incident: Incident) -> str:
    """The one that all findings name."""
    named = {finding.blame.place.replica if finding.blame else "" for finding in incident.findings}
    return named.pop() if len(named) == 1 else ""


def _alarmed(tx: Transaction, opened: Event) -> datetime:
    """When the series alarmed: a drill keeps answers some minutes later than a daemon does, which opens it at once."""
    ours = {finding.series for finding in opened.incident.findings}
    low = min(finding.onset.low for finding in opened.incident.findings)
    moments = [alarm.at for alarm in tx.alarms(since=low) if alarm.series in ours and alarm.at <= opened.at]
    return max(moments, default=opened.at)


def _ranked(ranking: Sequence[Suspect]) -> Iterator[Ranked]:
    for one in ranking:
        yield Ranked(one.change.id if one.change else "", one.probability)


def _explains(truth: Truth, covered: frozenset[str], low: datetime, opened_at: datetime) -> bool:
    return bool(truth.targets & covered) and truth.began <= opened_at and low <= truth.ended


def _home(one: Told, wanted: Sequence[Expected], truths: Collection[Truth]) -> int | None:
    """The expectation that an incident answers: by its first symptom, or else by any; of some, what began with it."""
    fitting = [
        (closeness, -min(abs(one.onset - truth.began) for truth in truths if truth.name == expected.fault), -at)
        for at, expected in enumerate(wanted)
        if expected.fault in one.causes and (closeness := _closeness(one, expected))
    ]
    return -max(fitting)[-1] if fitting else None


def _closeness(one: Told, expected: Expected) -> int:
    if not expected.symptoms:
        return 1
    return 2 * (one.symptoms[0] in expected.symptoms) + any(symptom in expected.symptoms for symptom in one.symptoms)


def _outcome(tx: Transaction, scenario: Scenario, expected: Expected, found: Sequence[Told]) -> Outcome:
    parts = [truth for truth in scenario.truths if truth.name == expected.fault]
    count = Check(f"{expected.count} of {expected.fault}", len(found) == expected.count, _listed(found))
    notes = (scenario.moment(note.at) for note in scenario.file.history if note.fault == expected.fault)
    noticed = min(notes, default=None)
    if not found:
        return Outcome(expected, (), None, (count,), noticed)
    delay = _delay(tx, parts, found[0])
    checks = [count, *_checks(scenario, parts, expected, found[0], delay)] if expected.count else [count]
    return Outcome(expected, tuple(found), delay, tuple(checks), noticed)


def _checks(scenario: Scenario, parts: Sequence[Truth], expected: Expected, one: Told, delay: Delay) -> Iterator[Check]:
    where = expected.where or tuple(part.plan.where for part in parts)
    yield Check(f"in {', '.join(where)}", scenario.covered(one.where) == scenario.covered(*where), f"in {one.where}")
    if expected.replica is not None:
        named = one.replica == expected.replica
        yield Check(f"on replica {expected.replica}", named, f"on {one.replica or 'no replica in particular'}")
    if expected.within is not None:
        yield Check(
            f"within {expected.within}",
            delay.time <= expected.within,
            f"after {timedelta(seconds=round(delay.time.total_seconds()))}",
        )
    if expected.suspect is not None:
        ranking = one.worsening if expected.worsening else one.suspects
        first = ranking[0] if ranking else Ranked("", 0.0)
        held = first.change == expected.suspect and first.probability >= expected.probability
        told = f"{first.change or 'no recorded change'} with {first.probability:.0%}"
        yield Check(f"{expected.suspect} suspected first, by {expected.probability:.0%} or more", held, told)


def _delay(tx: Transaction, parts: Sequence[Truth], one: Told) -> Delay:
    probes = tokens = 0
    for part in parts:
        for target in part.targets if part.began < one.opened_at else ():
            span = tx.observations(target=target, purpose=Purpose.SCHEDULED, since=part.began, until=one.opened_at)
            probes += sum(seen.leads for seen in span)
            later = tx.tokens_spent(target=target, since=one.opened_at)
            tokens += tx.tokens_spent(target=target, since=part.began) - later
    return Delay(one.opened_at - min(part.began for part in parts), probes, tokens)


def _listed(incidents: Sequence[Told]) -> str:
    return "; ".join(f"{one.where} at {one.opened_at:%Y-%m-%d %H:%M}Z" for one in incidents) or "none"
