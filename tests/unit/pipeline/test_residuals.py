"""Two probes of one group, a quiet and a loud one, from their recording to the alarm and back again."""

import asyncio
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from canary.detect import DistanceDetector, Rule, Verdict
from canary.hindsight.backtest import Judge, Rerun, Setting, aliases, rerun
from canary.hindsight.explain import Case, explain
from canary.hindsight.golden import Nursery
from canary.pipeline.advance import alarms_again
from canary.pipeline.ledger import Fired
from canary.pipeline.record import begin, promote_epoch, record
from canary.pipeline.watch import Rhythm, Terms, Watch, muster
from canary.records import (
    Alarm,
    Baseline,
    BaselineStatus,
    Finish,
    Interval,
    Observation,
    Probe,
    Purpose,
    Response,
    Run,
    Score,
    SeriesKey,
)
from canary.score import SCORERS
from canary.store import MemoryStore, Store
from canary.testing import FakeClock
from canary.verdict import again, replay
from tests.unit.pipeline.stage import MINUTE, PROBE, START, ledger, target

TARGET = target("long")
QUIET, LOUD = (replace(PROBE, id=f"prose-{name}", scorers=("length",), why=name) for name in ("quiet", "loud"))
NOISE = {QUIET.id: 0.01, LOUD.id: 0.3}
SERIES = SeriesKey(TARGET.name, "eu", "prose", "length")
TERMS = Terms(false_alarms_per_week=0.25, delta=0.05, smallest_share=0.1)
RHYTHM = Rhythm(TARGET.name, "prose", (QUIET, LOUD), MINUTE)
MIX = (QUIET, LOUD) * 20
SHIFT = 0.2
"""Far beyond the noise of the quiet probe, and well within that of the loud one."""


def observed(run: Run, rng: np.random.Generator, shift: float = 0.0) -> Observation:
    tokens = 1_000 * math.exp(rng.normal(shift, NOISE[run.probe.id]))
    return Observation(
        slot_id=run.slot_id,
        probe_id=run.probe.id,
        probe_digest=run.probe.digest,
        group=run.group,
        target=TARGET.name,
        region="eu",
        slot_time=run.slot_time,
        started_at=run.slot_time,
        duration=timedelta(seconds=1),
        ordinal=run.ordinal,
        purpose=run.purpose,
        response=Response("well", Finish.STOP, completion_tokens=round(tokens)),
    )


def recorded(store: Store, *probes: Probe) -> None:
    rng, clock = np.random.default_rng(1), FakeClock(START - timedelta(days=1))

    async def fire(volley: Sequence[Run]) -> list[Observation]:
        return [observed(run, rng) for run in volley]

    async def whole() -> None:
        recording = begin(store, TARGET, "eu", 400, clock.now())
        await record(store, fire, clock, recording, TARGET, {"prose": probes}, _untold, _untold)
        promote_epoch(store, TARGET.name, recording.epoch)

    asyncio.run(whole())


def _untold(_: int, __: object) -> None:
    pass


def raw(store: Store) -> None:
    """Make the baselines what they were before there were scales."""
    with store.transaction() as tx:
        for one in tx.baselines(status=BaselineStatus.ACTIVE):
            parts = tuple(replace(part, scale=1.0) for part in one.parts)
            tx.put_baseline(replace(one, parts=parts, calibration=one.golden))


def baseline(store: Store) -> Baseline:
    with store.reading() as tx:
        return next(one for one in tx.baselines(status=BaselineStatus.ACTIVE) if one.series == SERIES)


def watch(store: Store) -> Watch:
    with store.reading() as tx:
        return muster([RHYTHM], tx.baselines(status=BaselineStatus.ACTIVE), TERMS, "eu")


def live(store: Store, minutes: int = 120, fault: Probe = QUIET) -> Watch:
    """Answers of both probes in random order; from the 60th minute on those of `fault` are longer than they were."""
    rng, clock, on = np.random.default_rng(2), FakeClock(START), watch(store)
    book = ledger(store, clock, on)
    for batch in _batches(rng, minutes, fault):
        clock.advance(7 * MINUTE)
        book.commit(batch)
    return on


def _batches(rng: np.random.Generator, minutes: int, fault: Probe) -> Iterator[list[Fired]]:
    for first in range(0, minutes, 7):
        drawn = [(at, (QUIET, LOUD)[rng.integers(2)]) for at in range(first, min(first + 7, minutes))]
        runs = [Run(probe, TARGET, "eu", START + at * MINUTE) for at, probe in drawn]
        shifts = [SHIFT * (at >= 60 and run.probe is fault) for run, (at, _) in zip(runs, drawn, strict=True)]
        yield [Fired(run.probe, (observed(run, rng, shift),)) for run, shift in zip(runs, shifts, strict=True)]


def alarms(store: Store) -> list[Alarm]:
    with store.reading() as tx:
        return list(tx.alarms())


@pytest.fixture(scope="module")
def lived() -> MemoryStore:
    store = MemoryStore()
    recorded(store, QUIET, LOUD)
    live(store)
    return store


@pytest.fixture(scope="module")
def unscaled() -> MemoryStore:
    store = MemoryStore()
    recorded(store, QUIET, LOUD)
    raw(store)
    live(store)
    return store


def test_a_recording_gives_each_probe_a_scale_by_its_own_noise(lived: MemoryStore) -> None:
    scale = {part.probe_digest: part.scale for part in baseline(lived).parts}
    assert 8.0 < scale[LOUD.digest] / scale[QUIET.digest] < 60.0


def test_golden_values_are_kept_in_their_unit_and_pooled_standardised(lived: MemoryStore) -> None:
    one = baseline(lived)
    assert max(one.golden) > 0.5  # of the loud probe, in nats
    assert one.calibration == tuple(sorted(v / part.scale for part in one.parts for v in part.calibration))


def test_a_shift_of_the_quiet_probe_is_found_which_drowns_in_the_raw_pool(
    lived: MemoryStore, unscaled: MemoryStore
) -> None:
    assert SERIES in {alarm.series for alarm in alarms(lived)}
    assert min(alarm.at for alarm in alarms(lived)) >= START + 60 * MINUTE
    assert alarms(unscaled) == []


def test_the_same_shift_of_the_loud_probe_is_noise() -> None:
    store = MemoryStore()
    recorded(store, QUIET, LOUD)
    live(store, fault=LOUD)
    assert alarms(store) == []


def test_scores_are_kept_in_their_unit(lived: MemoryStore) -> None:
    with lived.reading() as tx:
        judged = [row.score for row in tx.feed(SERIES.__eq__) if row.probe_digest == QUIET.digest]
    values = [score.value for score in judged if isinstance(score, Score)]
    assert len(values) == len(judged)
    assert np.median(values[-20:]) == pytest.approx(SHIFT, rel=0.1)


@pytest.mark.parametrize("which", ["lived", "unscaled"])
def test_replay_from_the_store_is_live_bit_for_bit(which: str, request: pytest.FixtureRequest) -> None:
    store = request.getfixturevalue(which)
    with store.reading() as tx:
        assert sorted(alarms_again(tx), key=_by_id) == sorted(tx.alarms(), key=_by_id)


@pytest.mark.parametrize("which", ["lived", "unscaled"])
def test_explain_makes_every_step_again_bit_for_bit(which: str, request: pytest.FixtureRequest) -> None:
    store = request.getfixturevalue(which)
    now = Interval(START, START, START)
    with store.reading() as tx:
        account = explain(tx, Case(SERIES, Alarm("", SERIES, "", START, 0.0, ""), now))
    assert len(account.points) == 120
    assert account.differences == ()


@pytest.mark.parametrize("which", ["lived", "unscaled"])
def test_a_backtest_of_the_same_config_raises_the_same_alarms(which: str, request: pytest.FixtureRequest) -> None:
    store = request.getfixturevalue(which)
    run = _again(store, RHYTHM)
    assert sorted(run.would.alarms, key=_by_id) == sorted(alarms(store), key=_by_id)


@pytest.mark.parametrize(("which", "verdict"), [("lived", Verdict.FAIL), ("unscaled", Verdict.PASS)])
def test_a_verdict_hears_the_shift_too_and_comes_again_bit_for_bit(
    which: str, verdict: Verdict, request: pytest.FixtureRequest
) -> None:
    store, rng = request.getfixturevalue(which), np.random.default_rng(3)
    later = START + timedelta(days=1)
    volleys = [(Run(probe, TARGET, "eu", later, nth, purpose=Purpose.REPLAY),) for nth, probe in enumerate(MIX)]

    async def fire(volley: Sequence[Run]) -> list[Observation]:
        return [observed(run, rng, SHIFT * (run.probe is QUIET)) for run in volley]

    report = asyncio.run(replay(store, fire, watch(store), volleys, Rule(0.3), _untold))
    with store.reading() as tx:
        made = again(tx, tx.verdict(report.id))
    assert report.verdict is verdict
    assert (made.differences, made.judgement, made.shown) == ((), report.judgement, report.shown)


def test_explain_knows_the_scales_by_the_stored_parameters_alone() -> None:
    store = MemoryStore()
    recorded(store, QUIET, LOUD)
    live(store)
    raw(store)  # whatever became of the baselines since
    with store.reading() as tx:
        assert sorted(alarms_again(tx), key=_by_id) == sorted(tx.alarms(), key=_by_id) != []


def test_parameters_without_scales_are_spelled_as_they_were(unscaled: MemoryStore) -> None:
    detector = watch(unscaled).armed[SERIES].detector
    assert isinstance(detector, DistanceDetector)
    assert json.loads(detector.to_json()).keys() == {"kind", "version", "n", "edges", "tails"}


def test_golden_answers_that_are_scored_in_hindsight_give_the_baseline_that_a_recording_would_have_given(
    lived: MemoryStore,
) -> None:
    """The signal is new to the config: its baseline is grown from golden answers that are kept."""
    store = MemoryStore()
    before = tuple(replace(probe, scorers=("empty",)) for probe in (QUIET, LOUD))
    recorded(store, *before)
    grown = Nursery(store, "eu", SCORERS, aliases(before, [QUIET, LOUD])).grow(RHYTHM, 1, {"availability"})
    ((scales, pooled),) = [({part.scale for part in one.parts}, one.calibration) for one in grown]
    assert max(scales) / min(scales) > 8.0
    assert len(pooled) == baseline(lived).n


def _again(store: Store, rhythm: Rhythm) -> Rerun:
    return rerun(store, MemoryStore(), Setting((rhythm,), TERMS, "eu", SCORERS, {}), Judge.IN_FORCE)


def _by_id(alarm: Alarm) -> str:
    return alarm.id
