"""Score, store, detect, alert: what becomes of a batch of observations."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import sleep

from canary.alert.incident import Decision, Policy, Reason
from canary.alert.maintenance import frozen, windows_of
from canary.clock import Clock
from canary.pipeline.advance import Advance, Judged, advance
from canary.pipeline.attend import attend
from canary.pipeline.references import ROOM, References
from canary.pipeline.tell import Audience, tell
from canary.pipeline.watch import Watch
from canary.records import Incident, Observation, Probe, Reference, Unscored, UnscoredReason
from canary.score import score
from canary.store.base import Store, Transaction

log = logging.getLogger(__name__)

_BREATH = 1e-4
"""Seconds before each answer in which the interpreter's lock is free: the event loop would wait 5 ms for it at each of
its turns, and measure that wait as the target's latency."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A probe that was fired, and what came of it: one observation, or those of a burst, which are kept together."""

    probe: Probe
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Committed:
    """A batch that is kept, and what it led to."""

    step: Advance
    decisions: tuple[Decision, ...]


class Ledger:
    """Judges batches and keeps them. `watch` and `audience` may be replaced between batches.

    `breath` seconds before each answer are left to other threads; `room` is that of `References`.
    """

    def __init__(
        self,
        store: Store,
        watch: Watch,
        audience: Audience,
        clock: Clock,
        *,
        breath: float = _BREATH,
        room: int = ROOM,
    ) -> None:
        self.watch = watch
        self.audience = audience
        self._store = store
        self._clock = clock
        self._breath = breath
        self._references = References(room)
        self._policy = Policy()

    def commit(self, fired: Sequence[Fired]) -> Committed:
        """Score the batch, and keep it with all that follows from it in one transaction."""
        watch = self.watch
        judged = self._judge(fired, watch)
        with self._store.transaction() as tx:
            return self._keep(tx, judged, watch)

    def hand_in(self, judged: Sequence[Judged], also: Callable[[Transaction], None], *, feed: bool = True) -> Committed:
        """Keep what was judged elsewhere, and with `feed` all that follows; `also` is done in the same transaction."""
        watch = self.watch if feed else replace(self.watch, armed={})
        with self._store.transaction() as tx:
            committed = self._keep(tx, judged, watch)
            also(tx)
        return committed

    def _keep(self, tx: Transaction, judged: Sequence[Judged], watch: Watch) -> Committed:
        now = self._clock.now()
        since = min((min(one.observation.slot_time, one.observation.started_at) for one in judged), default=now)
        windows = (*self.audience.windows, *windows_of(tx.silences(since=since)))
        step = advance(tx, judged, watch, lambda seen: frozen(windows, seen))
        return self.conclude(tx, step, watch)

    def conclude(self, tx: Transaction, step: Advance, watch: Watch) -> Committed:
        """What follows from scores that were fed: incidents, and notifications that are owed."""
        decisions = attend(tx, step, watch, self._policy, self._tell, self._clock.now())
        return Committed(step, tuple(decisions))

    def _judge(self, fired: Sequence[Fired], watch: Watch) -> list[Judged]:
        with self._store.reading() as tx:
            return [
                self._judged(one.probe, seen, self._references.of(tx, watch, seen), watch)
                for one in fired
                for seen in one.observations
            ]

    def _judged(self, probe: Probe, seen: Observation, reference: Reference | None, watch: Watch) -> Judged:
        """The supervisor of a run: whatever a scorer does to one answer, the others go on."""
        if self._breath:
            sleep(self._breath)
        try:
            return Judged(seen, score(probe, seen, reference, watch.scorers))
        except Exception:  # the one place
            log.exception("scorer_crashed", extra={"slot": seen.slot_id})
            names = (*probe.scorers, "availability")
            return Judged(seen, tuple(Unscored(name, 0, UnscoredReason.CRASHED) for name in names))

    def _tell(self, tx: Transaction, incident: Incident, reason: Reason, now: datetime) -> None:
        tell(tx, incident, reason, now, self.audience, self.watch.spots)
