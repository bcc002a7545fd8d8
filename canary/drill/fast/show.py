"""A fast drill from its scenario to what came of it."""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from canary.alert import incident as machine
from canary.config import Config
from canary.daemon import assembly
from canary.daemon.audience import audience_of
from canary.drill.clock import VirtualClock
from canary.drill.fast.bank import Bank
from canary.drill.fast.columns import Columns
from canary.drill.fast.deal import Dealer, Track
from canary.drill.fast.engine import Engine
from canary.drill.fast.golden import deal_golden, learn
from canary.drill.fast.odds import Odds
from canary.drill.fast.slots import Dealt, deal, in_order, milliseconds
from canary.drill.fast.store import FastStore
from canary.drill.fast.tables import Line, Tables
from canary.drill.fast.units import Units
from canary.drill.golden import BEFORE
from canary.drill.progress import Progress
from canary.drill.scenario import Scenario
from canary.drill.setup import configured
from canary.drill.stage import Bursts, Delivery, Event, Played, batch_of, delivering
from canary.forecast import golden_answers
from canary.pipeline.advance import Advance
from canary.pipeline.attend import watching
from canary.pipeline.declared import keep_change
from canary.pipeline.ledger import Ledger
from canary.pipeline.record import REVISION, begin
from canary.pipeline.scopes import hears, place_of
from canary.records import Change, SeriesKey
from canary.schedule.plan import Key
from canary.store.base import ScoreRow

_TELL = timedelta(days=1)  # between two states that are kept
_UNITS = 2_000  # so many are heard at once while nothing happens


async def play_fast(
    scenario: Scenario, seed: int, store: FastStore, folder: Path, progress: Progress
) -> tuple[Played, int]:
    """As `canary.drill.stage.play`, from recorded score vectors; and how many there are. Raises: CanaryError."""
    config = configured(scenario, folder)
    columns, vectors = await _deal(scenario, seed, config, store, progress)
    store.columns = columns
    clock = VirtualClock(scenario.begin)
    ledger = Ledger(store, columns.tables.watch, audience_of(config), clock, breath=0.0)
    async with delivering(store, clock) as deliver:
        show = _Show(scenario, config, store, columns, clock, ledger)
        await show.run(deliver, progress)
    watch = columns.tables.watch  # the last one
    golden = sum(tokens for _, tokens in store.golden.values())
    told = tuple(deliver.receiver.taken)
    bursts = tuple(_bursts(columns))
    return Played(scenario, seed, config, watch, show.runs, tuple(show.events), told, golden, bursts), vectors


async def _deal(
    scenario: Scenario, seed: int, config: Config, store: FastStore, progress: Progress
) -> tuple[Columns, int]:
    """Target by target: fire what it can answer, record a golden baseline from that, and deal its slots."""
    spec, plan, before = scenario.spec(seed), assembly.plan_of(config), scenario.begin - BEFORE
    scorers, answers = assembly.scorers_of(config), scenario.file.probing.golden or golden_answers(config)
    tracks = [Track(entry, Odds(spec, *entry.target.name.rsplit("/", 2))) for entry in plan.entries]
    bank = Bank(spec, config.targets, config.region, before)
    dealer, units = Dealer(bank, np.random.default_rng(seed)), Units(bank)
    dealt: dict[Key, Dealt] = {}
    for done, target in enumerate(config.targets):
        progress("firing what there is to answer", done, len(config.targets))
        ours = [track for track in tracks if track.entry.target == target]
        golden = [await deal_golden(track, answers, dealer, before) for track in ours]
        dealt |= {track.entry.key: await deal(scenario, plan, track, dealer) for track in ours}
        recording = begin(store, target, config.region, answers, before)
        learn(store, recording, golden, bank, units, scorers)
        whole = sum(int(units.tokens(part).sum()) for one in golden for part in (one.part, one.calibration))
        store.golden[target.name] = before, whole
    watch = assembly.watch_of(config, store)
    slots = in_order([dealt[track.entry.key] for track in tracks])
    for vectors in slots.vectors:
        units.of(vectors)  # so that all have a number
    return Columns(slots, Tables(watch, tracks, config.region, units)), len(bank)


def _bursts(columns: Columns) -> Iterator[Bursts]:
    """Those of each size."""
    shelves = list(zip(columns.tables.tracks, columns.shelves, strict=True))
    for size in sorted({track.entry.burst for track, _ in shelves} - {1}):
        ours = [shelf for track, shelf in shelves if track.entry.burst == size]
        yield Bursts(size, sum(len(one.seq) for one in ours), sum(int(one.tokens.sum()) for one in ours))


def _heard(series: SeriesKey, places: Iterable[SeriesKey]) -> bool:
    return any(hears(place, series, place_of(place).replica) for place in places)


class _Show:
    def __init__(
        self,
        scenario: Scenario,
        config: Config,
        store: FastStore,
        columns: Columns,
        clock: VirtualClock,
        ledger: Ledger,
    ) -> None:
        self.runs = 0
        self.events: list[Event] = []
        self._scenario = scenario
        self._config = config
        self._store = store
        self._columns = columns
        self._clock = clock
        self._ledger = ledger
        plan = assembly.plan_of(config)
        self._batch = batch_of(plan)
        self._far = self._batch * max(1, int(_UNITS / (plan.rate * self._batch.total_seconds())))
        self._engine = Engine(columns)
        self._to_come: deque[Change] = deque(scenario.changes)
        self._heard_in: dict[frozenset[SeriesKey], list[Line]] = {}
        self._bursts = np.array([track.entry.burst for track in columns.tables.tracks])

    async def run(self, deliver: Delivery, progress: Progress) -> None:
        begin, end = self._scenario.begin, self._scenario.end
        now, told, dull = begin, begin, begin
        self._keep_detectors()
        while now < end:
            then = self._leap(now) if now >= dull else None
            if then is not None:
                now = then
            else:
                dull = now + self._far if now >= dull else dull  # something is to happen until then
                now = min(now + self._batch, end)
                self._clock.reach(now)
                while self._to_come and self._to_come[0].at <= now:
                    self._record(self._to_come.popleft())
                if self._hear(now):
                    await deliver()
            if now >= told or now == end:
                told = now + _TELL
                self._keep_states()
                progress("probing", int((now - begin).total_seconds()), int((end - begin).total_seconds()))

    def _leap(self, now: datetime) -> datetime | None:
        """Many batches at once, where nothing happens in any of them: no change, no alarm, nobody who waits."""
        then = now + self._far
        changes = self._to_come and self._to_come[0].at <= then
        if then > self._scenario.end or changes or self._waiting():
            return None
        low, high = self._until(then)
        mark = self._engine.marked()
        if high > low and self._engine.hear(low, high):
            self._engine.back_to(mark)
            return None
        self._count(low, high)
        self._clock.reach(then)
        return then

    def _waiting(self) -> bool:
        with self._store.reading() as tx:
            return bool(tx.incidents(open_only=True))

    def _until(self, now: datetime) -> tuple[int, int]:
        columns = self._columns
        return columns.seen, int(np.searchsorted(columns.fired, milliseconds(now), side="right"))

    def _count(self, low: int, high: int) -> None:
        self.runs += int(self._bursts[self._columns.track[low:high]].sum())
        self._columns.seen = high

    def _hear(self, now: datetime) -> bool:
        """Whether anything was decided."""
        low, high = self._until(now)
        if high == low:
            return False
        alarms = self._engine.hear(low, high)
        self._count(low, high)
        with self._store.transaction() as tx:
            tx.add_alarms(alarms)
            unsettled = tx.incidents(open_only=True)
            if not alarms and not unsettled:
                return False
            findings = [finding for one in unsettled for finding in machine.unrecovered(one)]
            rows = self._rows(low, high, frozenset(map(watching, findings)))
            committed = self._ledger.conclude(tx, Advance((), rows, tuple(alarms), ()), self._ledger.watch)
        self.events += [Event(now, incident, reason) for incident, reason in committed.decisions]
        return bool(committed.decisions)

    def _rows(self, low: int, high: int, places: frozenset[SeriesKey]) -> tuple[ScoreRow, ...]:
        """What was fed meanwhile to the series that somebody hopes will recover, in the order of feeding."""
        columns, found = self._columns, list[ScoreRow]()
        if places not in self._heard_in:
            self._heard_in[places] = [line for line in columns.lines if line.watched and _heard(line.series, places)]
        for line in self._heard_in[places]:
            seq, fed = columns.shelves[line.track].seq, columns.fed(line)
            begin, end = np.searchsorted(fed, np.searchsorted(seq, (low + 1, high + 1)))
            found += columns.rows(line, fed[begin:end].tolist())
        return tuple(sorted(found, key=lambda row: row.seq))

    def _keep_detectors(self) -> None:
        """So that steps can be made again."""
        with self._store.transaction() as tx:
            for watched in self._columns.tables.watch.armed.values():
                tx.put_detector(watched.digest, watched.parameters)
                tx.put_detector(watched.hierarchy.digest, watched.hierarchy.to_json())

    def _keep_states(self) -> None:
        """So that it is known who was judged, and how strong the evidence is."""
        with self._store.transaction() as tx:
            tx.put_states(list(self._engine.states()))

    def _record(self, change: Change) -> None:
        """What judges follows the baselines that are in force."""
        with self._store.transaction() as tx:
            before = tx.fact(REVISION)
            keep_change(tx, change)
            revised = tx.fact(REVISION) != before
        if revised:
            old = self._columns.tables
            watch = assembly.watch_of(self._config, self._store)
            self._columns.judge_by(Tables(watch, old.tracks, self._config.region, old.units))
            self._ledger.watch = watch
            engine = Engine(self._columns)
            engine.carry(self._engine)
            self._heard_in.clear()
            self._engine = engine
            self._keep_detectors()
