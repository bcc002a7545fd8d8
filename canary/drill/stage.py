"""The whole product on a stage: the real plan, wire, scorers, store, detectors, incidents and outbox, in virtual time.

One run, or burst, ends before the next begins, and what a minute brought is kept at its end (of a large fleet, what a
few minutes brought). So the clock alone differs from production, and the same seed gives the same observations.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from canary.alert.deliver import Outbox, Outcome
from canary.alert.incident import Reason
from canary.config import Config
from canary.daemon import assembly
from canary.daemon.audience import audience_of
from canary.drill.clock import VirtualClock
from canary.drill.golden import learn
from canary.drill.progress import Progress
from canary.drill.recall import REFERENCES, ROOM, RecallingClient, recalled
from canary.drill.scenario import Scenario
from canary.drill.setup import RECEIVER, configured
from canary.drill.wire import LabWire
from canary.lab.fleet import Fleet
from canary.pipeline.declared import keep_change
from canary.pipeline.ledger import Committed, Fired, Ledger
from canary.pipeline.record import REVISION
from canary.pipeline.watch import Watch
from canary.records import Change, Incident, Notification, NotificationKind, Observation
from canary.schedule.plan import Plan
from canary.store import Store
from canary.store.base import Retention
from canary.testing import RecordingReceiver

_MINUTE = timedelta(minutes=1)
_MOST_MINUTES, _RUNS_A_MINUTE = 5, 6  # so many runs a minute are kept each minute, five times as many every five
_HOUSEKEEPING = timedelta(hours=1)
_BODIES = timedelta(hours=2)  # that is how long an incident may want to quote an answer
_TURN = 0.002


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to an incident."""

    at: datetime
    incident: Incident
    reason: Reason


@dataclass(frozen=True, slots=True)
class Bursts:
    """Those of one size: how many there were, each of them one slot of the plan, and the tokens of all their runs."""

    size: int
    slots: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Played:
    """A scenario that was played. What was observed is in the store."""

    scenario: Scenario
    seed: int
    config: Config
    watch: Watch
    runs: int
    events: tuple[Event, ...]
    notifications: tuple[Notification, ...]
    golden_tokens: int = 0
    bursts: tuple[Bursts, ...] = ()


async def play(
    scenario: Scenario, seed: int, store: Store, folder: Path, progress: Progress, workers: int = 1
) -> Played:
    """Record golden baselines before the scenario begins, then go through it.

    `workers` processes record at a time; it makes no other difference.

    Raises: CanaryError.
    """
    config = configured(scenario, folder)
    golden_tokens = await learn(scenario, seed, config, store, workers, progress)
    fleet = Fleet(scenario.spec(seed), room=ROOM)
    clock = VirtualClock(scenario.begin)
    watch = assembly.watch_of(config, store)
    scorers = recalled(watch.scorers)
    ledger = Ledger(store, replace(watch, scorers=scorers), audience_of(config), clock, breath=0.0, room=REFERENCES)
    client = RecallingClient(LabWire(fleet, scenario.faults, clock), clock)
    async with delivering(store, clock) as deliver:
        show = _Show(scenario, config, store, clock, client, ledger)
        await show.run(deliver, progress)
    return Played(
        scenario,
        seed,
        config,
        ledger.watch,
        show.runs,
        tuple(show.events),
        tuple(deliver.receiver.taken),
        golden_tokens,
        show.bursts,
    )


class _Show:
    def __init__(
        self,
        scenario: Scenario,
        config: Config,
        store: Store,
        clock: VirtualClock,
        client: RecallingClient,
        ledger: Ledger,
    ) -> None:
        self.runs = 0
        self.events: list[Event] = []
        self._bursts: Counter[int] = Counter()
        self._burst_tokens: Counter[int] = Counter()
        self._end = scenario.end
        self._config = config
        self._plan = assembly.plan_of(config)
        self._store = store
        self._clock = clock
        self._client = client
        self._ledger = ledger
        self._to_come: deque[Change] = deque(scenario.changes)

    @property
    def bursts(self) -> tuple[Bursts, ...]:
        return tuple(Bursts(size, slots, self._burst_tokens[size]) for size, slots in sorted(self._bursts.items()))

    async def run(self, deliver: "Delivery", progress: Progress) -> None:
        begin = now = self._clock.now()
        batch = batch_of(self._plan)
        tidy = now + _HOUSEKEEPING
        while now < self._end:
            until = min(now + batch, self._end)
            fired = await self._fire(now, until)
            now = until
            while self._to_come and self._to_come[0].at <= now:
                self._record(self._to_come.popleft())
            if fired and self._commit(fired).decisions:
                await deliver()
            if now >= tidy:
                tidy = now + _HOUSEKEEPING
                self._keep_house(now)
            progress("probing", int((now - begin).total_seconds()), int((self._end - begin).total_seconds()))

    async def _fire(self, after: datetime, until: datetime) -> list[Fired]:
        fired = []
        for planned in self._plan.due(after, until):
            self._clock.reach(planned.fire_at)
            fired.append(Fired(planned.run.probe, await self._client.fire_at_once(planned.runs)))
            self._count(planned.run.burst, fired[-1])
        self._clock.reach(until)
        return fired

    def _count(self, size: int, fired: Fired) -> None:
        self.runs += size
        if size > 1:
            self._bursts[size] += 1
            self._burst_tokens[size] += sum(map(_tokens, fired.observations))

    def _commit(self, fired: Sequence[Fired]) -> Committed:
        committed = self._ledger.commit(fired)
        now = self._clock.now()
        self.events += [Event(now, incident, reason) for incident, reason in committed.decisions]
        return committed

    def _record(self, change: Change) -> None:
        """What judges follows the baselines that are in force. The scorers go on with what they remember."""
        with self._store.transaction() as tx:
            before = tx.fact(REVISION)
            keep_change(tx, change)
            revised = tx.fact(REVISION) != before
        if revised:
            watch = assembly.watch_of(self._config, self._store)
            self._ledger.watch = replace(watch, scorers=self._ledger.watch.scorers)

    def _keep_house(self, now: datetime) -> None:
        """Bodies weigh too much to be kept for weeks."""
        with self._store.transaction() as tx:
            while tx.forget(Retention(healthy_bodies=_BODIES, failure_bodies=_BODIES), now):
                pass


def _tokens(seen: Observation) -> int:
    answer = seen.response
    return (answer.prompt_tokens or 0) + (answer.completion_tokens or 0) if answer else 0


def batch_of(plan: Plan) -> timedelta:
    """How much time is kept at once."""
    per_minute = plan.rate * _MINUTE.total_seconds()
    return _MINUTE * max(1, min(_MOST_MINUTES, int(per_minute // _RUNS_A_MINUTE)))


class Delivery:
    """Waits until the outbox has delivered all that is owed."""

    def __init__(self, store: Store, clock: VirtualClock) -> None:
        self.receiver = RecordingReceiver()
        self._store = store
        receivers = {RECEIVER: self.receiver}
        self._outbox = Outbox(store, receivers, clock, telemetry=_Untold(), rng=Random(0))

    async def work(self) -> None:
        await self._outbox.run()

    async def __call__(self) -> None:
        self._outbox.wake()
        while self._owed():  # noqa: ASYNC110  it is the store that knows
            await asyncio.sleep(_TURN)

    def _owed(self) -> int:
        with self._store.reading() as tx:
            return tx.owed()


class _Untold:
    """Nobody counts."""

    def notified(self, *, receiver: str, kind: NotificationKind, outcome: Outcome) -> None: ...

    def owed(self, n: int) -> None: ...


@asynccontextmanager
async def delivering(store: Store, clock: VirtualClock) -> AsyncIterator[Delivery]:
    """While it lasts, the outbox works."""
    delivery = Delivery(store, clock)
    working = asyncio.create_task(delivery.work())
    try:
        yield delivery
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
