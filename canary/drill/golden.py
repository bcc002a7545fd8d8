"""The golden answers of a drill's fleet, recorded the day before it begins.

What a target answers depends on the scenario, the seed and the target alone, so that each is recorded by itself, in
processes side by side, and their number makes no difference. Of golden answers is kept what they taught.
"""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from canary.config import Config
from canary.daemon import assembly
from canary.drill.clock import VirtualClock
from canary.drill.progress import Progress
from canary.drill.recall import RecallingClient, recalled
from canary.drill.scenario import Scenario, load
from canary.drill.setup import configured
from canary.drill.wire import LabWire
from canary.forecast import golden_answers
from canary.lab.fleet import Fleet
from canary.pipeline.record import begin, promote_epoch, record
from canary.records import Baseline, Recording, Reference
from canary.store import MemoryStore
from canary.store.base import Store

BEFORE = timedelta(days=1)
"""When golden answers are recorded."""
_WORTH_A_PROCESS = 10_000  # answers; to begin one takes as long as some thousand of them


@dataclass(frozen=True, slots=True)
class Learnt:
    """What the golden answers of one target came to, and the tokens that they took."""

    recording: Recording
    baselines: Sequence[Baseline] = field(repr=False)
    references: Sequence[Reference] = field(repr=False)
    tokens: int


async def learn(scenario: Scenario, seed: int, config: Config, store: Store, workers: int, progress: Progress) -> int:
    """Put active baselines of all targets into the store; the tokens that their golden answers took.

    Raises: CanaryError.
    """
    tokens = 0
    names = [target.name for target in config.targets]
    answers = len(names) * (scenario.file.probing.golden or golden_answers(config))
    if workers == 1 or answers < _WORTH_A_PROCESS:
        for done, name in enumerate(names):
            progress("golden answers", done, len(names))
            tokens += _kept(await learnt(scenario, seed, config, name), config, store)
        return tokens
    for done, one in enumerate(_side_by_side(scenario.path, seed, names, workers)):
        tokens += _kept(one, config, store)
        progress("golden answers", done + 1, len(names))
    return tokens


async def learnt(scenario: Scenario, seed: int, config: Config, name: str) -> Learnt:
    """Record the golden answers of one target. Raises: CanaryError."""
    target = assembly.target_of(config, name)
    clock = VirtualClock(scenario.begin - BEFORE)
    store = MemoryStore()
    probes = assembly.probes_on(config, target)
    answers = scenario.file.probing.golden or golden_answers(config)
    client = RecallingClient(LabWire(Fleet(scenario.spec(seed)), lambda _: (), clock), clock)
    recording = begin(store, target, config.region, answers, clock.now())
    baselines = await record(
        store,
        client.fire_at_once,
        clock,
        recording,
        target,
        probes,
        lambda *_: None,
        lambda *_: None,
        recalled(assembly.scorers_of(config)),
    )
    with store.reading() as tx:
        (finished,) = tx.recordings(name)
        known = [
            tx.reference(name, recording.epoch, probe.digest, salt)
            for probe in {probe.digest: probe for members in probes.values() for probe in members}.values()
            for salt in range(max(1, len(probe.salts)))
        ]
        tokens = tx.tokens_spent(target=name, since=recording.started_at)
    return Learnt(finished, baselines, [one for one in known if one is not None], tokens)


def _side_by_side(path: Path, seed: int, names: Sequence[str], workers: int) -> Iterator[Learnt]:
    with ProcessPoolExecutor(min(workers, len(names)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(learnt_alone, path, seed), names)


def learnt_alone(path: Path, seed: int, name: str) -> Learnt:
    """The same in a process of its own. Raises: CanaryError."""
    scenario = load(path)
    with TemporaryDirectory(prefix="canary-drill-") as folder:
        return asyncio.run(learnt(scenario, seed, configured(scenario, Path(folder)), name))


def _kept(one: Learnt, config: Config, store: Store) -> int:
    recording = one.recording
    with store.transaction() as tx:
        tx.put_recording(recording)
        tx.put_references(recording.target, recording.epoch, one.references)
        for baseline in one.baselines:
            tx.put_baseline(baseline)
    promote_epoch(store, recording.target, recording.epoch, assembly.signals_of(config))
    return one.tokens
