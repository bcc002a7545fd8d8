"""Three faults that overlap, as in the postmortem, played through the ledger: what it makes of them.

A simulated fleet answers with numbers in the place of texts: what each scorer would have found. All that follows is the
product's: detectors from golden sets, the hierarchy, incidents, suspects.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np

from canary.alert.incident import Decision
from canary.pipeline.ledger import Fired, Ledger
from canary.pipeline.tell import Audience
from canary.pipeline.watch import Rhythm, Terms, Watch, muster
from canary.records import (
    Baseline,
    BaselinePart,
    BaselineStatus,
    Change,
    ChangeKind,
    Dialect,
    Endpoint,
    Finish,
    Message,
    Observation,
    Probe,
    Response,
    Run,
    Sampling,
    Scope,
    SeriesKey,
    SignalKind,
    Target,
)
from canary.score import SIGNALS, Case, Measure, Scorer
from canary.store.base import Store
from canary.testing import FakeClock

START = datetime(2025, 8, 1, tzinfo=UTC)
INTERVAL = timedelta(minutes=10)
BATCH = 3
"""Slots that are kept together."""
REGION = "eu"
GOLDEN = 20_000
TERMS = Terms(false_alarms_per_week=0.25, delta=0.05, smallest_share=0.02)
PLATFORMS = {"api": ("short", "long"), "cloud": ("main",), "edge": ("main",)}
MODELS = ("mid", "large", "old", "small")
HEALTHY = {"script": 5e-5, "syntax": 5e-5, "greedy": 5e-5}
"""Rates of events while all is well; distances are exponential then, and 12 more with the fault."""
_SHIFT = 12.0


@dataclass(frozen=True, slots=True)
class Fault:
    """From slot `begins` to slot `ends` it touches a share of the answers of a scope, as these signals see them."""

    scope: Scope
    signals: tuple[str, ...]
    share: float
    begins: int
    ends: int


def probe(name: str, *scorers: str) -> Probe:
    return Probe(name, name, (Message("user", name),), Sampling(100), scorers, "to simulate")


PROBES = (probe("prose", "script", "logprob", "greedy"), probe("code", "syntax"))


def targets() -> list[Target]:
    here = Endpoint(Dialect.OPENAI_CHAT, "http://127.0.0.1:1/v1", "simulated")
    return [Target(m, platform, pool, here) for m in MODELS for platform, pools in PLATFORMS.items() for pool in pools]


def watch(fleet: Sequence[Target], terms: Terms = TERMS) -> Watch:
    """All of the fleet, armed by golden answers."""
    rng = np.random.default_rng(0)
    rhythms = [Rhythm(target.name, each.group, (each,), INTERVAL) for target in fleet for each in PROBES]
    distances = tuple(sorted(rng.exponential(size=GOLDEN).tolist()))
    golden = [
        _baseline(SeriesKey(rhythm.target, REGION, rhythm.group, signal.name), rhythm.probes[0], distances, rng)
        for rhythm in rhythms
        for signal in rhythm.signals
    ]
    scorers = {name: Scorer(SIGNALS[name], partial(_read, name)) for one in PROBES for name in one.scorers}
    return muster(rhythms, golden, terms, REGION, scorers)


def _baseline(series: SeriesKey, of: Probe, distances: tuple[float, ...], rng: np.random.Generator) -> Baseline:
    signal = SIGNALS.get(series.signal)
    distance = signal is not None and signal.kind is SignalKind.DISTANCE
    events = int(rng.binomial(GOLDEN, HEALTHY.get(series.signal, 0.0)))
    return Baseline(
        id="/".join((series.target, series.group, series.signal)),
        series=series,
        epoch=1,
        status=BaselineStatus.ACTIVE,
        scorer_version=1 if signal is None else signal.version,
        created_at=START - INTERVAL,
        n=GOLDEN,
        exposure=float(GOLDEN),
        events=events,
        parts=(BaselinePart(of.digest, GOLDEN, events=events),),
        calibration=distances if distance else (),
    )


def _read(name: str, case: Case) -> Measure:
    found = dict(part.split("=") for part in case.response.text.split())
    return Measure(float(found[name]), 1.0)


def answers(fleet: Sequence[Target], faults: Sequence[Fault], slot: int, rng: np.random.Generator) -> Iterator[Fired]:
    """One answer of each probe on each target."""
    for target in fleet:
        for asked in PROBES:
            bad = {
                name
                for fault in faults
                if fault.begins <= slot < fault.ends and fault.scope.covers(target.name, REGION)
                if rng.random() < fault.share
                for name in fault.signals
            }
            found = (f"{name}={_value(name, name in bad, rng):.6g}" for name in asked.scorers)
            yield _fired(Run(asked, target, REGION, START + slot * INTERVAL), " ".join(found))


def _value(name: str, bad: bool, rng: np.random.Generator) -> float:
    if name in HEALTHY:
        return float(bad or rng.random() < HEALTHY[name])
    return rng.exponential() + _SHIFT * bad


def _fired(run: Run, text: str) -> Fired:
    seen = Observation(
        slot_id=run.slot_id,
        probe_id=run.probe.id,
        probe_digest=run.probe.digest,
        group=run.group,
        target=run.target.name,
        region=run.region,
        slot_time=run.slot_time,
        started_at=run.slot_time,
        duration=timedelta(seconds=1),
        response=Response(text, Finish.STOP),
    )
    return Fired(run.probe, (seen,))


def incident(first: int, large: int, worse: int, end: int) -> list[Fault]:
    """Misrouting from slot `first` on, much more of it from `worse` on; corruption and selection from `large` on."""
    return [
        Fault(Scope("mid", "api"), ("logprob",), 0.008, first, worse),
        Fault(Scope("mid", "api"), ("logprob",), 0.16, worse, end),
        Fault(Scope("mid", "cloud"), ("logprob",), 0.0018, first, end),
        Fault(Scope("mid", "edge"), ("logprob",), 0.000004, first, end),
        Fault(Scope("large", "api"), ("script", "syntax"), 0.05, large, end),
        Fault(Scope("old", "api"), ("script", "syntax"), 0.05, large, end),
        Fault(Scope("small", "api"), ("greedy",), 0.05, large + 10, end),
    ]


def changes(first: int, large: int, worse: int) -> list[Change]:
    """What caused them, each a minute before its first slot, and what did not."""
    causes = (
        ("misrouting", ChangeKind.ROUTING, first, Scope("mid", "api")),
        ("corruption", ChangeKind.CONFIG, large, Scope(None, "api")),
        ("selection", ChangeKind.DEPLOY, large + 10, Scope("small", "api")),
        ("worsening", ChangeKind.ROUTING, worse, Scope("mid", "api")),
    )
    decoys = (
        ("other-platform", ChangeKind.DEPLOY, large - 1, Scope(None, "cloud")),
        ("other-model", ChangeKind.MODEL, worse - 1, Scope("large")),
        ("long-before", ChangeKind.FLAG, first // 2, Scope("small", "api")),
        ("everywhere", ChangeKind.OTHER, worse - 5, Scope()),
        ("more-servers", ChangeKind.SCALE, large - 20, Scope("old", "api")),
        ("one-pool", ChangeKind.CONFIG, (first + large) // 2, Scope("mid", "api", "long")),
    )
    minute = timedelta(minutes=1)
    return [Change(name, kind, at(slot) - minute, name, scope) for name, kind, slot, scope in (*causes, *decoys)]


def at(slot: int) -> datetime:
    return START + slot * INTERVAL


def play(
    store: Store, faults: Sequence[Fault], slots: int, seed: int, known: Sequence[Change] = ()
) -> Iterator[tuple[int, Decision]]:
    """Answers of that many slots; every decision, with the slot in which it was made."""
    fleet, rng, clock = targets(), np.random.default_rng(seed), FakeClock(START)
    ledger = Ledger(store, watch(fleet), Audience(), clock)
    with store.transaction() as tx:
        for change in known:
            tx.add_change(change)
    for slot in range(0, slots, BATCH):
        clock.advance(BATCH * INTERVAL)
        batch = [one for nth in range(BATCH) for one in answers(fleet, faults, slot + nth, rng)]
        for decision in ledger.commit(batch).decisions:
            yield slot, decision
