"""The always-on canary: build, start, reload, drain, stop.

Everything runs in one event loop; scoring and the store run in worker threads, behind the writer. If one of the
long-lived tasks fails, all end and the error comes out of `run`: a canary that is half alive would be believed.
"""

import asyncio
import logging
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from random import SystemRandom
from typing import TextIO

from canary import __version__
from canary.alert.deliver import Outbox
from canary.alert.receivers import build as build_receiver
from canary.clock import Clock
from canary.config import Config, load
from canary.daemon import assembly
from canary.daemon.board import Board
from canary.daemon.purse import Purse
from canary.errors import CanaryError, ConfigError, StoreUnavailable
from canary.http import HttpClient
from canary.metrics import Metrics
from canary.pipeline.ledger import Committed, Fired, Ledger
from canary.pipeline.record import REVISION
from canary.pipeline.watch import Watch
from canary.pipeline.writer import Writer
from canary.probe.client import ProbeClient
from canary.records import Incident, Run
from canary.schedule.scheduler import MissReason, Scheduler
from canary.store import open_store
from canary.web.app import build as build_app
from canary.web.server import WebServer
from canary.web.status import Check

log = logging.getLogger(__name__)

HEARTBEAT = 2.0  # seconds between looks at the store for what others changed
HOUSEKEEPING = 3600.0
DRAIN = timedelta(seconds=20)
_ALIVE = "daemon.alive."


class Daemon:
    """One process of the canary. `console` is where a console receiver writes."""

    def __init__(self, path: Path, environ: Mapping[str, str], clock: Clock, console: TextIO) -> None:
        self._path, self._environ, self._clock, self._console = path, environ, clock, console
        self._config = load(path, environ)
        self._store = open_store(assembly.store_url(self._config), create=True)
        self._http = HttpClient()
        self._client = ProbeClient(self._http, clock)
        self._metrics = Metrics(version=__version__)
        self._board = Board(self._metrics, clock)
        self._purse = Purse()
        watch = assembly.watch_of(self._config, self._store)
        self._ledger = Ledger(self._store, watch, assembly.receivers_of(self._config), clock)
        self._writer = Writer(self._commit, clock)
        self._scheduler = Scheduler(
            assembly.plan_of(self._config), clock, self._fire, missed=self._missed, lateness=self._late
        )
        self._outbox = self._new_outbox()
        self._delivering: asyncio.Task[None] | None = None
        self._revision: str | None = None
        self._reloading = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._last_alive: datetime | None = None
        self._reload_task: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Drain and end `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Probe until `stop` is called, or SIGTERM or SIGINT comes. Raises: CanaryError."""
        self._loop = asyncio.get_running_loop()
        web = WebServer(build_app(self._board, self._metrics), self._config.web.host, self._config.web.port)
        await self._recall()
        await web.start()
        log.info("started", extra={"version": __version__, "config": self._config.digest, "port": web.port})
        try:
            async with asyncio.TaskGroup() as tasks:
                background = [
                    tasks.create_task(work)
                    for work in (self._writer.run(), self._deliver(), self._watch_over(), self._keep_house())
                ]
                self._listen()
                self._scheduler.start(since=self._last_alive)
                await self._stopping.wait()
                await self._drain()
                for task in background:
                    task.cancel()
        finally:
            self._deafen()
            await web.stop()
            await self._http.aclose()
            self._store.close()
            log.info("stopped")

    async def reload(self) -> None:
        """Take the config file anew. A bad one is refused, and the old one kept."""
        async with self._reloading:
            try:
                config = await asyncio.to_thread(load, self._path, self._environ)
                _same_ground(self._config, config)
                watch = await asyncio.to_thread(assembly.watch_of, config, self._store)
                await asyncio.to_thread(self._purse.recall, self._store, config.targets, self._clock.now())
            except CanaryError as error:
                log.error("reload_refused", extra={"reason": str(error)})  # noqa: TRY400  the reason is all there is to it
                self._metrics.reloaded(successfully=False, at=self._clock.now())
                return
            self._take(config, watch)
            log.info("reloaded", extra={"config": config.digest})

    # -- one run

    async def _fire(self, run: Run) -> None:
        if not self._purse.allows(run.target, self._clock.now()):
            self._metrics.missed("token_budget")
            return
        observation = await self._client.fire(run)
        self._purse.spent(observation)
        await self._writer.put(Fired(run.probe, observation))

    def _missed(self, run: Run, reason: MissReason) -> None:
        self._metrics.missed(reason.value)
        log.warning("slot_missed", extra={"slot": run.slot_id, "target": run.target.name, "reason": reason.value})

    def _late(self, _run: Run, lateness: timedelta) -> None:
        self._metrics.late(lateness)

    def _commit(self, batch: Sequence[Fired]) -> None:
        """In the writer's thread."""
        began = self._clock.monotonic()
        committed = self._ledger.commit(batch)
        took = timedelta(seconds=self._clock.monotonic() - began)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._committed, committed, took)

    def _committed(self, committed: Committed, took: timedelta) -> None:
        self._metrics.committed(took)
        self._board.committed(committed)
        for incident, reason in committed.decisions:
            facts = {"incident": incident.id, "target": incident.target, "reason": reason.value}
            log.warning("incident", extra=facts)
        if committed.decisions:
            self._outbox.wake()

    # -- long-lived tasks

    async def _deliver(self) -> None:
        """Run the outbox; a reload puts another in its place."""
        while True:
            outbox = self._outbox
            self._delivering = asyncio.create_task(outbox.run())
            with suppress(asyncio.CancelledError):
                await self._delivering
            if outbox is self._outbox:
                return

    async def _watch_over(self) -> None:
        """Follow what others change in the store, and say that we are alive."""
        while True:
            with suppress(StoreUnavailable):
                revision, unresolved = await asyncio.to_thread(self._look)
                self._board.refresh(unresolved)
                if revision != self._revision:
                    self._revision = revision
                    watch = await asyncio.to_thread(assembly.watch_of, self._config, self._store)
                    self._ledger.watch = watch
                    self._board.configure(self._config, watch)
            self._examine()
            await asyncio.sleep(HEARTBEAT)

    def _look(self) -> tuple[str | None, Sequence[Incident]]:
        with self._store.transaction() as tx:
            tx.put_fact(_ALIVE + self._config.region, self._clock.now().isoformat())
            return tx.fact(REVISION), tx.incidents(open_only=True)

    def _examine(self) -> None:
        """Renew the gauges and the health checks."""
        self._metrics.in_flight(self._scheduler.in_flight)
        self._metrics.queued(self._writer.depth)
        self._board.live = (Check("event loop", ok=True), Check("writer", ok=True))
        self._board.ready = (
            Check("config", ok=True, detail=self._config.digest),
            Check("store", ok=self._writer.healthy, detail="" if self._writer.healthy else "batches wait for it"),
            Check("schedule", ok=not self._stopping.is_set(), detail="stopping" if self._stopping.is_set() else ""),
        )

    async def _keep_house(self) -> None:
        """Forget what is past its time, a little at a time."""
        while True:
            with suppress(StoreUnavailable):
                await asyncio.to_thread(self._forget)
            await asyncio.sleep(HOUSEKEEPING)

    def _forget(self) -> None:
        left = True
        while left:
            with self._store.transaction() as tx:
                left = tx.forget(assembly.retention_of(self._config), self._clock.now()) > 0

    # -- beginning, changing, ending

    async def _recall(self) -> None:
        """Take up from the store where the last daemon stopped."""
        with self._store.reading() as tx:
            alive = tx.fact(_ALIVE + self._config.region)
            self._revision = tx.fact(REVISION)
            unresolved = tx.incidents(open_only=True)
        self._last_alive = None if alive is None else datetime.fromisoformat(alive)
        self._purse.recall(self._store, self._config.targets, self._clock.now())
        self._board.configure(self._config, self._ledger.watch)
        self._board.refresh(unresolved)
        self._metrics.reloaded(successfully=True, at=self._clock.now())
        self._examine()

    def _take(self, config: Config, watch: Watch) -> None:
        self._config = config
        self._ledger.watch = watch
        self._ledger.receivers = assembly.receivers_of(config)
        self._scheduler.replace(assembly.plan_of(config))
        self._board.configure(config, watch)
        self._metrics.reloaded(successfully=True, at=self._clock.now())
        self._outbox = self._new_outbox()
        if self._delivering is not None:
            self._delivering.cancel()

    async def _drain(self) -> None:
        """No new runs; those in flight end, what they brought is committed."""
        log.info("draining", extra={"in_flight": self._scheduler.in_flight})
        cancelled = await self._scheduler.drain(DRAIN)
        try:
            async with asyncio.timeout(DRAIN.total_seconds()):
                await self._writer.drained()
        except TimeoutError:
            log.error("not_committed", extra={"observations": self._writer.depth})  # noqa: TRY400  a count, not a crash
        log.info("drained", extra={"cancelled": cancelled})

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def _hang_up(self) -> None:
        self._reload_task = asyncio.get_running_loop().create_task(self.reload())

    def _deafen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)

    def _new_outbox(self) -> Outbox:
        receivers = {
            spec.name: build_receiver(spec, http=self._http, clock=self._clock, stream=self._console)
            for spec in assembly.receivers_of(self._config)
        }
        return Outbox(self._store, receivers, self._clock, telemetry=self._metrics, rng=SystemRandom())


def _same_ground(old: Config, new: Config) -> None:
    """Raises: ConfigError when the new config would need a restart."""
    moved = [
        name
        for name, before, after in (
            ("store.url", assembly.store_url(old), assembly.store_url(new)),
            ("region", old.region, new.region),
            ("web", old.web, new.web),
        )
        if before != after
    ]
    if moved:
        raise ConfigError(f"{new.path}: {', '.join(moved)} cannot change while the daemon runs: restart it")
