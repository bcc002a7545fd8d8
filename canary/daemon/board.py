"""What the daemon knows of itself at this moment: the source of the page, of the health checks and of the metrics."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from canary import __version__
from canary.alert.maintenance import Window
from canary.alert.quiet import Quiet, holding, hushed, over
from canary.alert.severity import severity
from canary.clock import Clock
from canary.config import Config
from canary.daemon.audience import windows_of
from canary.metrics import Metrics, OpenIncident
from canary.pipeline.feedback import NAME as FEEDBACK
from canary.pipeline.ledger import Committed
from canary.pipeline.scopes import scopes_of
from canary.pipeline.watch import ANSWER, Watch
from canary.records import Incident, IncidentState, Observation, Purpose, Silence, Symptom, Target
from canary.web.status import Check, Snapshot, TargetState, TargetStatus

Checks = tuple[Check, ...]


class Board:
    """Lives in the event loop. `checks` says at any moment what makes the daemon live, and what makes it ready."""

    def __init__(self, metrics: Metrics, clock: Clock, checks: Callable[[], tuple[Checks, Checks]]) -> None:
        self._checks = checks
        self._metrics = metrics
        self._clock = clock
        self._region = ""
        self._targets: tuple[Target, ...] = ()
        self._since: dict[str, datetime] = {}
        self._intervals: dict[str, timedelta] = {}
        self._last: dict[str, datetime] = {}
        self._armed: Counter[str] = Counter()
        self._series: Counter[str] = Counter()
        self._incidents: dict[str, Incident] = {}
        self._silences: Sequence[Silence] = ()
        self._windows: Sequence[Window] = ()
        self._escalated: dict[str, tuple[str, ...]] = {}

    @property
    def unresolved(self) -> Collection[Incident]:
        return self._incidents.values()

    def configure(self, config: Config, watch: Watch) -> None:
        """Another config, or other baselines."""
        now = self._clock.now()
        self._region = config.region
        self._targets = config.targets
        self._windows = windows_of(config)
        self._since = {target.name: self._since.get(target.name, now) for target in config.targets}
        self._last = {name: at for name, at in self._last.items() if name in self._since}
        self._intervals = {}
        for one in config.assignments():
            known = self._intervals.get(one.target.name, one.interval)
            self._intervals[one.target.name] = min(known, one.interval)
        self._armed = Counter(series.target for series in watch.armed)
        self._series = Counter(series.target for series in watch.signals)
        scopes = scopes_of(watch.hierarchy, watch.armed)
        self._metrics.declare(config.targets, watch.signals, scopes, region=config.region)
        self._tell_arming(watch)

    def committed(self, batch: Committed) -> None:
        """A batch is in the store."""
        now = self._clock.now()
        for seen in (one.observation for one in batch.step.fresh):
            ended = seen.started_at + seen.duration
            if seen.purpose is Purpose.SCHEDULED:  # what is handed in may be old
                self._metrics.observed(seen)
                self._metrics.kept(now - ended)
            if seen.target in self._since and _shows_life(seen):  # else it was removed while it answered
                self._last[seen.target] = max(self._last.get(seen.target, ended), ended)
        for row in batch.step.rows:
            self._metrics.scored(row.series, row.score, slot_id=row.slot_id, at=row.slot_time, event=bool(row.event))
        for state in batch.step.states:
            self._metrics.evidence(state.series, state.evidence)
        for alarm in batch.step.alarms:
            self._metrics.alarmed(alarm.series)
        self.incidents(incident for incident, _ in batch.decisions)

    def incidents(self, changed: Iterable[Incident]) -> None:
        """These incidents are as given now."""
        for incident in changed:
            if incident.state is IncidentState.RESOLVED:
                self._incidents.pop(incident.id, None)
            else:
                self._incidents[incident.id] = incident
        self._metrics.incidents(Counter(incident.state for incident in self._incidents.values()))
        quiets, standing = self._quiets(self._clock.now()), self._incidents.values()
        counted = Counter(place for one in standing for place in places(one, silenced=bool(hushed(quiets, one))))
        self._metrics.open_incidents(counted)

    def refresh(self, unresolved: Sequence[Incident], silences: Sequence[Silence] = ()) -> None:
        """The store's unresolved incidents, and its silences: people change them beside the daemon."""
        self._silences = silences
        self._incidents = {}
        self.incidents(unresolved)

    def escalated(self, keys: Collection[tuple[str, str]], *, left: float) -> None:
        """These are probed faster; `left` of the week's tokens for it."""
        self._metrics.escalated(keys, left=left)
        self._escalated = by_target(keys)

    def tell_states(self) -> None:
        """Of the targets, to the metrics."""
        seen = self.snapshot()
        self._metrics.stale({target.name for target in seen.targets if target.stale(seen.at)})
        whole = {target.name for target in seen.targets if target.silenced is not None and target.silenced.whole}
        self._metrics.silenced(whole)
        self._metrics.states({target.name: target.state for target in seen.targets})

    def snapshot(self) -> Snapshot:
        now = self._clock.now()
        live, ready = self._checks()
        quiets = self._quiets(now)
        incidents = tuple(sorted(self._incidents.values(), key=lambda incident: incident.opened_at))
        return Snapshot(
            at=now,
            version=__version__,
            region=self._region,
            live=live,
            ready=ready,
            targets=tuple(
                self._status(target, quiets, now) for target in self._targets if target.name in self._intervals
            ),
            incidents=incidents,
            silenced={one.id: quiet for one in incidents if (quiet := hushed(quiets, one)) is not None},
        )

    def _quiets(self, now: datetime) -> Sequence[Quiet]:
        return holding(self._silences, self._windows, now)

    def _status(self, target: Target, quiets: Sequence[Quiet], now: datetime) -> TargetStatus:
        name = target.name
        status = TargetStatus(
            model=target.model,
            platform=target.platform,
            pool=target.pool,
            state=TargetState.HEALTHY,
            interval=self._intervals[name],
            expected_since=self._since[name],
            last_result_at=self._last.get(name),
            armed=self._armed[name],
            series=self._series[name],
            escalated=self._escalated.get(name, ()),
            silenced=over(quiets, name, self._region),
        )
        ours = [incident for incident in self._incidents.values() if incident.touches(name, self._region)]
        return replace(status, state=state_of(status, ours, now))

    def _tell_arming(self, watch: Watch) -> None:
        for series, watched in watch.armed.items():
            self._metrics.armed(series, n=watched.n, healthy=watched.detector.healthy_event_rate(ANSWER))
            self._metrics.baseline(series.target, watched.since)
        for series, learning in watch.learning.items():
            self._metrics.learning(series, n=learning.n, needed=learning.needed)


def places(incident: Incident, *, silenced: bool) -> set[OpenIncident]:
    """What an incident is counted by: once for each symptom and region that it shows."""
    shown = {(finding.series.region, finding.symptom.value) for finding in incident.findings}
    where = incident.model, incident.platform, incident.pool
    loud = severity(incident).value, str(silenced).lower()
    return {OpenIncident(*where, region, symptom, *loud) for region, symptom in shown}


def _shows_life(seen: Observation) -> bool:
    """Whether its target answered a probe; what users complain of says nothing of that."""
    return seen.purpose in (Purpose.SCHEDULED, Purpose.REPORTED) and seen.probe_id != FEEDBACK


def by_target(keys: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The probe groups of each target."""
    groups: dict[str, tuple[str, ...]] = {}
    for target, group in sorted(keys):
        groups[target] = (*groups.get(target, ()), group)
    return groups


def state_of(status: TargetStatus, incidents: Sequence[Incident], now: datetime) -> TargetState:
    """The worst that is true of a target."""
    loud = [incident for incident in incidents if incident.suppressed_by is None]
    unacknowledged = [incident for incident in loud if incident.state is IncidentState.OPEN]
    if any(finding.symptom is Symptom.AVAILABILITY for incident in unacknowledged for finding in incident.findings):
        return TargetState.UNREACHABLE
    if unacknowledged:
        return TargetState.INCIDENT
    if status.stale(now):
        return TargetState.STALE
    if loud:
        return TargetState.ACKNOWLEDGED
    if incidents:
        return TargetState.SUPPRESSED
    return TargetState.HEALTHY if status.armed == status.series else TargetState.LEARNING
