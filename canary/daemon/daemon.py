"""The always-on canary: build, start, reload, drain, stop.

Everything runs in one event loop; scoring and the store run in worker threads, behind the writer. If one of the
long-lived tasks fails, all end, and so does the process: a canary that is half alive would be believed.
"""

import asyncio
import logging
import signal
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import SystemRandom
from typing import TextIO

from canary import __version__
from canary.alert.courier import Courier
from canary.alert.incident import Reason, notification
from canary.alert.receivers import build as build_receiver
from canary.clock import Clock
from canary.config import Config, load
from canary.daemon import assembly
from canary.daemon.audience import audience_of
from canary.daemon.board import Board, Checks
from canary.daemon.desk import FrontDesk
from canary.daemon.escalator import Escalator, alarm_states, kept
from canary.daemon.firing import Firing
from canary.daemon.fund import Fund
from canary.daemon.health import Health
from canary.daemon.heartbeat import Heart
from canary.daemon.purse import Purse, spent_today
from canary.daemon.rounds import go_round
from canary.errors import CanaryError, StoreUnavailable
from canary.http import HttpClient
from canary.metrics import Metrics
from canary.pipeline.ledger import Committed, Fired, Ledger
from canary.pipeline.record import REVISION
from canary.pipeline.watch import Watch
from canary.pipeline.writer import Writer, weight
from canary.probe.client import ProbeClient
from canary.records import Incident, Silence
from canary.schedule.scheduler import Scheduler
from canary.store import Store, open_store
from canary.web.app import build as build_app
from canary.web.server import WebServer
from canary.web.status import TargetState

log = logging.getLogger(__name__)

BREATH = 0.1  # seconds that housekeeping leaves to others between two transactions
_MOST_NAMED = 20
HEARTBEAT = 2.0  # seconds between looks at the store for what others changed
HOUSEKEEPING = 3600.0
FLIGHTS_END, WRITER_ENDS = timedelta(seconds=15), timedelta(seconds=8)  # within the 30 s that supervisors grant
_ALIVE = "daemon.alive."


class Daemon:
    """One process of the canary. `console` is where a console receiver writes."""

    _loop: asyncio.AbstractEventLoop  # that of `run`

    def __init__(self, path: Path, environ: Mapping[str, str], clock: Clock, console: TextIO) -> None:
        self._path, self._environ, self._clock, self._console = path, environ, clock, console
        self._config = load(path, environ)
        self._store = open_store(assembly.store_url(self._config), create=True)
        self._http = HttpClient()
        self._metrics = Metrics(version=__version__, states=[state.value for state in TargetState])
        self._health = Health(clock)
        self._board = Board(self._metrics, clock, self._checks)
        self._purse = Purse()
        self._revision = _revision(self._store)  # before the watch: what is promoted meanwhile is seen by the heartbeat
        watch = assembly.watch_of(self._config, self._store)
        self._ledger = Ledger(self._store, watch, audience_of(self._config), clock)
        self._writer = Writer(self._commit, clock, weigh=lambda fired: weight(fired.observations))
        fund = Fund(kept(self._store, self._config.region).hours)
        self._escalator = Escalator(self._config, watch, self._purse, alarm_states(self._store), fund)
        self._firing = Firing(
            ProbeClient(self._http, clock),
            self._purse,
            self._writer,
            self._metrics,
            clock,
            lambda volley: self._escalator.pays(volley, clock.now()),
        )
        self._scheduler = Scheduler(
            assembly.plan_of(self._config),
            clock,
            self._firing.fire,
            missed=self._firing.missed,
            lateness=self._firing.late,
            fire_extra=self._firing.fire_extra,
        )
        self._courier = self._new_courier()
        self._heart = Heart(clock, self._http, self._metrics, lambda: sum(self._checks(), ()))
        sources = clock, self._store, self._board, self._ledger, lambda: self._config
        self._desk = FrontDesk(path, environ, *sources, self._took_note, self._decided)
        self._changing = asyncio.Lock()  # config and baselines change one at a time
        self._renewed, self._hung_up, self._stopping = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._last_alive: datetime | None = None

    def stop(self) -> None:
        """Drain and end `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Probe until `stop` is called, or SIGTERM or SIGINT comes. Raises: CanaryError."""
        self._loop = asyncio.get_running_loop()
        web = WebServer(build_app(self._desk.api, self._metrics), self._config.web.host, self._config.web.port)
        await self._recall()
        await web.start()
        log.info("started", extra={"version": __version__, "config": self._config.digest, "port": web.port})
        try:
            await self._work()
        except ExceptionGroup as errors:
            log.critical("background_task_failed", exc_info=errors)
            raise CanaryError(f"the daemon ended, for a background task failed: {_told(errors)}") from None
        finally:
            self._deafen()
            await web.stop()
            await self._desk.stop()
            await self._http.aclose()
            self._store.close()
            log.info("stopped")

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            background = [
                tasks.create_task(work)
                for work in (
                    self._writer.run(),
                    self._deliver(),
                    self._watch_over(),
                    self._keep_house(),
                    self._heart.run(),
                    go_round(self._store, self._ledger, self._config.region, self._clock, self._wake),
                    self._heed_hang_ups(),
                )
            ]
            self._listen()
            self._scheduler.start(since=self._last_alive)
            await self._stopping.wait()
            await self._drain()
            for task in background:
                task.cancel()

    # -- batches

    def _commit(self, batch: Sequence[Fired]) -> None:
        """In the writer's thread, which waits for the event loop to take note."""
        began = self._clock.monotonic()
        self._health.committing()
        try:
            committed = self._ledger.commit(batch)
        finally:
            self._health.committed()
        took = timedelta(seconds=self._clock.monotonic() - began)
        asyncio.run_coroutine_threadsafe(self._committed(committed, took), self._loop).result()

    async def _committed(self, committed: Committed, took: timedelta) -> None:
        self._metrics.committed(took)
        self._took_note(committed)

    def _took_note(self, committed: Committed) -> None:
        self._board.committed(committed)
        for incident, reason in committed.decisions:
            facts = {"incident": incident.id, "target": incident.target, "reason": reason.value}
            log.log(loudness(reason, incident), "incident", extra=facts)
        if committed.decisions:
            self._wake()
        self._escalator.heed(committed.step.states)
        self._escalate()

    def _escalate(self) -> None:
        """Probe faster what is past its warning, and nothing else."""
        now, before = self._clock.now(), self._escalator.keys
        if self._escalator.choose(now, self._board.unresolved):
            keys = self._escalator.keys
            self._scheduler.escalate(keys)
            self._board.escalated(keys, left=self._escalator.left(now))
            log.info("escalation", extra={"faster": _names(keys - before), "fell_back": _names(before - keys)})

    # -- long-lived tasks

    async def _deliver(self) -> None:
        """Run the courier; a reload puts another in its place."""
        while True:
            self._renewed.clear()
            async with asyncio.TaskGroup() as tasks:
                delivering = tasks.create_task(self._courier.run())
                await self._renewed.wait()
                delivering.cancel()

    def _wake(self) -> None:
        self._courier.wake()

    async def _watch_over(self) -> None:
        """Follow what others change in the store, say that we are alive, and examine ourselves."""
        lag = 0.0
        while True:
            try:
                await self._follow()
            except StoreUnavailable as error:
                log.warning("store_unavailable", extra={"reason": str(error)})
                self._health.store("it cannot be reached")
            else:
                self._health.store("" if self._writer.healthy else "batches cannot be written")
            self._health.beat(lag=lag)
            self._examine()
            slept = self._clock.monotonic()
            await asyncio.sleep(HEARTBEAT)
            lag = self._clock.monotonic() - slept - HEARTBEAT

    async def _follow(self) -> None:
        """Raises: StoreUnavailable."""
        now = self._clock.now()
        revision, unresolved, silences, owed_since = await asyncio.to_thread(self._look, self._escalator.fact(now), now)
        self._board.refresh(unresolved, silences)
        self._metrics.owed_for(now - (owed_since or now))
        self._escalate()
        if revision == self._revision:
            return
        async with self._changing:
            watch = await asyncio.to_thread(assembly.watch_of, self._config, self._store)
            states = await asyncio.to_thread(alarm_states, self._store)
            self._ledger.watch = watch
            self._board.configure(self._config, watch)
            self._escalator.configure(self._config, watch, states)
            self._revision = revision
        log.info("baselines_taken", extra={"revision": revision, "armed": len(watch.armed)})

    def _look(
        self, escalation: tuple[str, str], now: datetime
    ) -> tuple[str | None, Sequence[Incident], Sequence[Silence], datetime | None]:
        with self._store.transaction() as tx:
            tx.put_fact(_ALIVE + self._config.region, now.isoformat())
            tx.put_fact(*escalation)
            return tx.fact(REVISION), tx.incidents(open_only=True), tx.silences(since=now), tx.oldest_owed()

    def _examine(self) -> None:
        """Renew the gauges, and log what was missed meanwhile."""
        self._metrics.in_flight(self._scheduler.in_flight)
        self._metrics.queued(self._writer.depth, age=self._writer.age)
        self._metrics.alive(self._clock.now(), ahead=self._scheduler.ahead)
        self._board.tell_states()
        self._board.escalated(self._escalator.keys, left=self._escalator.left(self._clock.now()))
        self._firing.tell_missed()

    def _checks(self) -> tuple[Checks, Checks]:
        return self._health.live(), self._health.ready(config=self._config.digest, waiting=self._writer.depth)

    async def _keep_house(self) -> None:
        """Forget what is past its time, a little at a time."""
        while True:
            forgotten = 0
            try:
                forgotten = await asyncio.to_thread(self._forget)
            except StoreUnavailable as error:
                log.warning("housekeeping_put_off", extra={"reason": str(error)})
            await asyncio.sleep(BREATH if forgotten else HOUSEKEEPING)

    def _forget(self) -> int:
        with self._store.transaction() as tx:
            return tx.forget(assembly.retention_of(self._config), self._clock.now())

    async def _heed_hang_ups(self) -> None:
        while True:
            await self._hung_up.wait()
            self._hung_up.clear()
            await self.reload()

    # -- beginning, changing, ending

    async def _recall(self) -> None:
        """Take up from the store where the last daemon stopped."""
        with self._store.reading() as tx:
            alive = tx.fact(_ALIVE + self._config.region)
            unresolved, silences = tx.incidents(open_only=True), tx.silences(since=self._clock.now())
        self._last_alive = None if alive is None else datetime.fromisoformat(alive)
        now = self._clock.now()
        self._purse.recall(spent_today(self._store, self._config.targets, now), now)
        self._board.configure(self._config, self._ledger.watch)
        self._heart.configure(self._config)
        self._board.refresh(unresolved, silences)
        self._escalate()
        self._metrics.reloaded(successfully=True, at=now)

    async def reload(self) -> None:
        """Take the config file anew. A bad one is refused, and the old one kept."""
        async with self._changing:
            now = self._clock.now()
            try:
                config = await asyncio.to_thread(load, self._path, self._environ)
                assembly.require_same_ground(self._config, config)
                watch = await asyncio.to_thread(assembly.watch_of, config, self._store)
                spent = await asyncio.to_thread(spent_today, self._store, config.targets, now)
                states = await asyncio.to_thread(alarm_states, self._store)
                await asyncio.to_thread(self._desk.note_reload, config)
            except CanaryError as error:
                log.error("reload_refused", extra={"reason": str(error)})  # noqa: TRY400  the reason is all there is to it
                self._metrics.reloaded(successfully=False, at=now)
                return
            self._take(config, watch)
            self._escalator.configure(config, watch, states)
            self._escalate()
            self._purse.recall(spent, now)
            self._metrics.reloaded(successfully=True, at=now)
            log.info("reloaded", extra={"config": config.digest})

    def _take(self, config: Config, watch: Watch) -> None:
        audience = audience_of(config)
        moved = audience.receivers != self._ledger.audience.receivers
        self._config = config
        self._ledger.watch = watch
        self._ledger.audience = audience
        self._scheduler.replace(assembly.plan_of(config))
        self._board.configure(config, watch)
        self._heart.configure(config)
        if moved:
            self._courier = self._new_courier()
            self._renewed.set()

    async def _drain(self) -> None:
        """No new runs; those in flight end, what they brought is committed."""
        self._health.draining = True
        log.info("draining", extra={"in_flight": self._scheduler.in_flight})
        cancelled = await self._scheduler.drain(FLIGHTS_END)
        try:
            async with asyncio.timeout(WRITER_ENDS.total_seconds()):
                await self._writer.drained()
        except TimeoutError:
            log.error("not_committed", extra={"queued": self._writer.depth})  # noqa: TRY400  a count, not a crash
        log.info("drained", extra={"cancelled": cancelled})

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up.set)

    def _deafen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)

    def _decided(self, incidents: Iterable[Incident]) -> None:
        """Somebody acknowledged or resolved them."""
        self._board.incidents(incidents)
        self._wake()

    def _new_courier(self) -> Courier:
        receivers = {
            spec.name: build_receiver(spec, http=self._http, clock=self._clock, stream=self._console)
            for spec in self._ledger.audience.receivers
        }
        return Courier(self._store, receivers, self._clock, telemetry=self._metrics, rng=SystemRandom())


def loudness(reason: Reason, incident: Incident) -> int:
    """A level for the log: a warning of what people are told of; the same alarm again is for whoever looks for it."""
    if reason is Reason.REPEATED:
        return logging.DEBUG
    return logging.INFO if notification(reason, incident) is None else logging.WARNING


def _revision(store: Store) -> str | None:
    with store.reading() as tx:
        return tx.fact(REVISION)


def _names(keys: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{target} {group}" for target, group in sorted(keys)[:_MOST_NAMED]]


def _told(errors: ExceptionGroup[Exception]) -> str:
    """What may be said of them: the first of our own errors."""
    ours: BaseException | None = errors.subgroup(CanaryError)
    while isinstance(ours, BaseExceptionGroup):
        ours = ours.exceptions[0]
    return "see the log" if ours is None else str(ours)
