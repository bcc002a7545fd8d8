"""Scores of the lab with and without a wrong pool, through the real plan, wire, scorers and calibration."""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from canary.config import Config, load
from canary.daemon import assembly
from canary.detect import DistanceDetector, evidence, start, step
from canary.drill.clock import VirtualClock
from canary.drill.recall import RecallingClient
from canary.drill.wire import LabWire
from canary.lab.faults import Fault, FaultKind
from canary.lab.fleet import Fleet
from canary.lab.spec import config_text, default_spec
from canary.pipeline.record import begin, record
from canary.records import Baseline, Observation, Probe, Run, Score, Target
from canary.score import score
from canary.store import MemoryStore

GOLDEN, ANSWERS = 1_500, 400
DELTA = 1e-4
FAMILY, SIGNAL = "translation", "kl"
MORNING = datetime(2025, 8, 5, 9, tzinfo=UTC)
Values = Mapping[str, NDArray[np.float64]]
"""By probe digest."""


@dataclass(frozen=True, slots=True)
class Misrouted:
    """What answers of each probe score, healthy and with the fault; and the detectors, raw and standardised."""

    share: float
    healthy: Values
    faulty: Values
    detectors: tuple[DistanceDetector, DistanceDetector]

    def delays(
        self, detector: DistanceDetector, log_b: float, series: int, horizon: int, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Probes to the first alarm of each series, on streams drawn from the scores; inf beyond the horizon."""
        state, times = start(detector.alternatives, (series,)), np.full(series, np.inf)
        probes = sorted(self.healthy)
        for slot in range(horizon):
            drawn = [probes[at] for at in rng.integers(len(probes), size=series)]
            touched = rng.random(series) < self.share
            chosen = [(self.faulty if bad else self.healthy)[probe] for bad, probe in zip(touched, drawn, strict=True)]
            values = [
                detector.standardised(float(rng.choice(some)), one) for some, one in zip(chosen, drawn, strict=True)
            ]
            state = step(state, np.stack([detector.log_e(value, 1.0, 0.0) for value in values]), np.full(series, log_b))
            times[(evidence(state) >= 0.0) & np.isinf(times)] = slot + 1
            if np.isfinite(times).all():
                break
        return times


def misrouted(share: float) -> Misrouted:
    """Record the baseline of a pool for short contexts, then send requests to the one for long contexts."""
    fleet, store, config = Fleet(default_spec(latency=0.0)), MemoryStore(), _config()
    target = config.targets[0]
    golden = asyncio.run(_recorded(fleet, store, config, target))
    raw = replace(golden, parts=tuple(replace(part, scale=1.0) for part in golden.parts), calibration=golden.golden)
    stage = _Stage(fleet, store, config, target, golden.epoch)
    healthy = asyncio.run(stage.scored(MORNING + timedelta(days=1)))
    fleet.switch([Fault(FaultKind.MISROUTING, to_pool="long")])
    faulty = asyncio.run(stage.scored(MORNING + timedelta(days=2)))
    return Misrouted(share, healthy, faulty, (_detector(raw), _detector(golden)))


def _config() -> Config:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "canary.yaml"
        path.write_text(config_text(default_spec(latency=0.0), "http://lab", choice=f"families: [{FAMILY}]"))
        return load(path, {})


async def _recorded(fleet: Fleet, store: MemoryStore, config: Config, target: Target) -> Baseline:
    clock = VirtualClock(MORNING)
    client = RecallingClient(LabWire(fleet, lambda _: (), clock), clock)
    recording = begin(store, target, config.region, GOLDEN, clock.now())
    groups = assembly.probes_on(config, target)
    scorers = assembly.scorers_of(config)
    made = await record(store, client.fire_at_once, clock, recording, target, groups, _untold, _untold, scorers)
    return next(one for one in made if one.series.signal == SIGNAL)


@dataclass(frozen=True, slots=True)
class _Stage:
    fleet: Fleet
    store: MemoryStore
    config: Config
    target: Target
    epoch: int

    async def scored(self, at: datetime) -> Values:
        """Of answers to probes and salts in turn, as many of each."""
        clock = VirtualClock(at)
        client = RecallingClient(LabWire(self.fleet, lambda _: self.fleet.faults, clock), clock)
        (probes,) = assembly.probes_on(self.config, self.target).values()
        found: dict[str, list[float]] = {probe.digest: [] for probe in probes}
        for nth in range(ANSWERS):
            probe = probes[nth % len(probes)]
            salt = nth // len(probes) % max(1, len(probe.salts))
            run = Run(probe, self.target, self.config.region, at + nth * timedelta(minutes=1), salt=salt)
            for seen in await client.fire_at_once(run.volley):
                found[probe.digest] += self._values(probe, seen)
        return {digest: np.array(values) for digest, values in found.items()}

    def _values(self, probe: Probe, seen: Observation) -> Sequence[float]:
        with self.store.reading() as tx:
            reference = tx.reference(self.target.name, self.epoch, probe.digest, seen.salt)
        scores = score(probe, seen, reference)
        return [one.value for one in scores if isinstance(one, Score) and one.signal == SIGNAL]


def _detector(golden: Baseline) -> DistanceDetector:
    scales = {part.probe_digest: part.scale for part in golden.parts}
    return DistanceDetector.from_golden(golden.calibration, DELTA, scales)


def _untold(_: int, __: int) -> None:
    pass
