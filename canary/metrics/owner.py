"""What the program counts of itself, and of what it probes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from math import nan

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from canary.metrics.exposition import EOF, Exemplar
from canary.metrics.parts import (
    OfGroup,
    OfScope,
    OfSeries,
    OfTarget,
    OpenIncident,
    Parts,
    labels_of,
    of_group,
    of_target,
)
from canary.metrics.program import Program
from canary.records import IncidentState, NotificationKind, Observation, Score, SeriesKey, Target, Unscored

_LINES_IN_A_CHUNK = 1_000
_openmetrics: Callable[[CollectorRegistry], bytes] = generate_openmetrics


class Metrics:
    """Facts of a target or series that is not declared are dropped. `states` are the words of a target's state."""

    def __init__(self, *, version: str, states: Collection[str] = ()) -> None:
        self._registry = CollectorRegistry()
        self._program = Program(self._registry, version)
        self._states = tuple(states)
        self._targets: dict[str, OfTarget] = {}
        self._series: dict[SeriesKey, OfSeries] = {}
        self._scopes: dict[SeriesKey, OfScope] = {}
        self._groups: dict[tuple[str, str], OfGroup] = {}
        self._open: Mapping[OpenIncident, int] = {}
        self._detected: float | None = None
        self.incidents({})

    def declare(
        self, targets: Iterable[Target], series: Iterable[SeriesKey], scopes: Iterable[SeriesKey] = (), *, region: str
    ) -> None:
        """All that is probed, seen from `region`, and the parts of it that are heard as a whole ("*" in their labels).

        What was declared before keeps its counts; the rest is forgotten.
        """
        known = {target.name: target for target in targets}
        self._targets = {name: self._targets.get(name) or of_target(target, region) for name, target in known.items()}
        self._series = {key: self._series.get(key) or OfSeries(labels_of(key)) for key in series}
        self._scopes = {key: self._scopes.get(key) or OfScope(labels_of(key)) for key in scopes}
        groups = {(key.target, key.group) for key in self._series if key.target in known}
        self._groups = {
            (name, group): self._groups.get((name, group)) or of_group(group, known[name], region)
            for name, group in sorted(groups)
        }
        for target in known.values():
            self._program.run.labels(target.platform)

    def text(self, *, openmetrics: bool = False) -> bytes:
        """The exposition as a whole, of type CONTENT_TYPE, or of OPENMETRICS_TYPE."""
        return b"".join(self.chunks(openmetrics=openmetrics))

    def chunks(self, *, openmetrics: bool = False) -> Iterator[bytes]:
        """The exposition in parts: a large fleet's weighs tens of megabytes. Take them in a worker thread."""
        parts = Parts(
            targets=list(self._targets.values()),
            groups=list(self._groups.values()),
            series=list(self._series.values()),
            scopes=list(self._scopes.values()),
            incidents=self._open,
            states=self._states,
            detected=self._detected,
        )
        if openmetrics:
            yield _openmetrics(self._registry).removesuffix(EOF)
        else:
            yield generate_latest(self._registry)
        lines = parts.lines(openmetrics=openmetrics)
        while part := "".join(islice(lines, _LINES_IN_A_CHUNK)):
            yield part.encode()
        if openmetrics:
            yield EOF

    # -- probing

    def observed(self, observation: Observation) -> None:
        of = self._targets.get(observation.target)
        if of is None:
            return
        ended = (observation.started_at + observation.duration).timestamp()
        took = observation.duration.total_seconds()
        result = "response" if observation.failure is None else observation.failure.kind.value
        of.results[result] += 1
        of.last[result] = Exemplar(observation.slot_id, took, ended)
        of.last_result = ended
        if observation.response is not None:
            of.prompt_tokens += observation.response.prompt_tokens or 0
            of.completion_tokens += observation.response.completion_tokens or 0
        self._program.run.labels(of.platform).observe(took, {"slot_id": observation.slot_id})

    def late(self, lateness: timedelta) -> None:
        self._program.late.observe(max(0.0, lateness.total_seconds()))

    def missed(self, reason: str, n: int = 1) -> None:
        self._program.missed.labels(reason).inc(n)

    def extra(self) -> None:
        """An extra slot is fired."""
        self._program.extra.inc()

    def escalated(self, keys: Collection[tuple[str, str]], *, left: float) -> None:
        """These probe groups of targets are escalated, and no others; `left` of the extra tokens of the week."""
        self._program.extra_left.set(left)
        for key, of in self._groups.items():
            of.escalated = key in keys

    def in_flight(self, n: int) -> None:
        self._program.in_flight.set(n)

    def stale(self, targets: Collection[str]) -> None:
        """These targets are stale, and no others."""
        for name, of in self._targets.items():
            of.stale = name in targets

    def silenced(self, targets: Collection[str]) -> None:
        """These targets are, as a whole, and no others."""
        for name, of in self._targets.items():
            of.silenced = name in targets

    def states(self, states: Mapping[str, str]) -> None:
        """The state of each target."""
        for name, of in self._targets.items():
            of.state = states.get(name, "")

    # -- judging

    def scored(
        self, series: SeriesKey, score: Score | Unscored, *, slot_id: str, at: datetime, event: bool = False
    ) -> None:
        of = self._series.get(series)
        if of is None:
            return
        if isinstance(score, Unscored):
            of.unscored[score.reason] = of.unscored.get(score.reason, 0) + 1
            return
        of.scored += 1
        if event:
            of.events += 1
            of.last_event = Exemplar(slot_id, score.value, at.timestamp())

    def evidence(self, series: SeriesKey, log_r: float) -> None:
        of = self._series.get(series) or self._scopes.get(series)
        if of is not None:
            of.evidence = log_r

    def armed(self, series: SeriesKey, *, n: int, healthy: float) -> None:
        """By `n` golden answers; a `healthy` answer is an event at most this often."""
        if of := self._series.get(series):
            of.learned, of.needed, of.armed, of.healthy = n, n, True, healthy

    def learning(self, series: SeriesKey, *, n: int, needed: int) -> None:
        """It has `n` golden answers of those that are `needed`."""
        if of := self._series.get(series):
            of.learned, of.needed, of.armed, of.healthy = n, needed, False, nan

    def alarmed(self, series: SeriesKey) -> None:
        of = self._series.get(series) or self._scopes.get(series)
        if of is not None:
            of.alarms += 1

    def baseline(self, target: str, recorded_at: datetime) -> None:
        if of := self._targets.get(target):
            of.baseline = recorded_at.timestamp()

    # -- keeping and telling

    def queued(self, n: int, *, age: timedelta) -> None:
        """Observations that wait for their commit, and how long the first one has."""
        self._program.queued.set(n)
        self._program.queue_age.set(age.total_seconds())

    def committed(self, duration: timedelta) -> None:
        self._program.commit.observe(duration.total_seconds())

    def kept(self, lag: timedelta) -> None:
        """An answer is in the store, so long after it came."""
        self._program.lag.observe(max(0.0, lag.total_seconds()))

    def incidents(self, unresolved: Mapping[IncidentState, int]) -> None:
        for state in (IncidentState.OPEN, IncidentState.ACKNOWLEDGED):
            self._program.incidents.labels(state).set(unresolved.get(state, 0))

    def open_incidents(self, unresolved: Mapping[OpenIncident, int]) -> None:
        """These are all."""
        self._open = dict(unresolved)

    def owed(self, n: int) -> None:
        self._program.owed.set(n)

    def owed_for(self, age: timedelta) -> None:
        """So long the notification that has waited longest is owed."""
        self._program.outbox_age.set(age.total_seconds())

    def notified(self, *, receiver: str, kind: NotificationKind, outcome: str) -> None:
        self._program.notified.labels(receiver, kind, outcome).inc()

    def reloaded(self, *, successfully: bool, at: datetime) -> None:
        self._program.reload_ok.set(successfully)
        if successfully:
            self._program.reloaded_at.set(at.timestamp())

    def alive(self, at: datetime, *, ahead: timedelta) -> None:
        """The daemon looked around; its schedule runs `ahead` of a wall clock that was set back."""
        self._program.alive.set(at.timestamp())
        self._program.ahead.set(ahead.total_seconds())

    # -- the heartbeat

    def detected(self, at: datetime | None) -> None:
        """When the injected fault last was, or since when it is looked for; None when there is no heartbeat."""
        self._detected = None if at is None else at.timestamp()

    def heartbeat(self, result: str) -> None:
        """One was sent, failed or withheld."""
        self._program.heartbeats.labels(result).inc()
