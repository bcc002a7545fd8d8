"""Faults of several widths in a fleet of 2 models x 2 platforms x 3 pools: where they are said to be."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from canary.alert.incident import Reason
from canary.pipeline.advance import alarms_again
from canary.pipeline.blame import Past
from canary.pipeline.inquiry import investigate
from canary.pipeline.ledger import Fired
from canary.pipeline.watch import Rhythm, Watch, muster
from canary.records import Finish, Incident, IncidentState, Observation, Response, Run, SeriesKey, Target
from canary.store import MemoryStore
from canary.store.base import ScoreRow, Transaction
from canary.testing import FakeClock
from tests.unit.pipeline.stage import BROKEN, CLEAN, MINUTE, PROBE, START, TERMS, baseline, ledger, target


def fleet(*models: str) -> list[Target]:
    return [
        replace(target(pool), model=model, platform=platform)
        for model in models
        for platform in ("api", "cloud")
        for pool in ("a", "b", "c")
    ]


TARGETS = fleet("mid", "opus")


def watch(targets: Sequence[Target] = TARGETS) -> Watch:
    rhythms = [Rhythm(one.name, "prose", (PROBE,), MINUTE, replicas=True) for one in targets]
    golden = [
        baseline(SeriesKey(r.target, "eu", "prose", name)) for r in rhythms for name in ("script", "availability")
    ]
    return muster(rhythms, golden, TERMS, "eu")


def answer(on: Target, minute: int, text: str, replica: str) -> Fired:
    run = Run(PROBE, on, "eu", START + minute * MINUTE)
    seen = Observation(
        slot_id=run.slot_id,
        probe_id=PROBE.id,
        probe_digest=PROBE.digest,
        group="prose",
        target=on.name,
        region="eu",
        slot_time=run.slot_time,
        started_at=run.slot_time,
        duration=MINUTE / 60,
        replica=replica,
        response=Response(text, Finish.STOP),
    )
    return Fired(PROBE, (seen,))


def play(
    store: MemoryStore, share: float, touched: str, minutes: int, seed: int = 1
) -> Iterator[tuple[Incident, Reason]]:
    """A share of the answers of the targets (or of the replica) whose name has `touched` in it is broken."""
    rng, clock = np.random.default_rng(seed), FakeClock(START)
    book = ledger(store, clock, watch())
    for minute in range(minutes):
        clock.advance(MINUTE)
        batch = []
        for one in TARGETS:
            replica = f"r{rng.integers(4)}"
            bad = minute >= 60 and touched in f"{one.name}/{replica}" and rng.random() < share
            batch.append(answer(one, minute, BROKEN if bad else CLEAN, replica))
        yield from book.commit(batch).decisions


def first(share: float, touched: str, minutes: int = 500) -> Incident:
    return next(play(MemoryStore(), share, touched, minutes))[0]


@pytest.mark.parametrize(
    ("share", "touched", "where"),
    [
        (0.2, "mid/api/b", "mid/api/b"),
        (0.1, "mid/api", "mid/api/*"),
        (0.1, "/cloud/", "*/cloud/*"),
        (0.1, "opus/", "opus/*/*"),
        (0.2, "api/b", "*/api/b"),
        (0.05, "", "*/*/*"),
    ],
)
def test_an_incident_names_the_smallest_part_of_the_fleet_that_explains_it(
    share: float, touched: str, where: str
) -> None:
    *_, (incident, _) = play(MemoryStore(), share, touched, 200)
    assert incident.target == where


def test_a_single_bad_replica_is_named() -> None:
    blame = first(0.5, "mid/api/b/r2").findings[0].blame
    assert blame is not None
    assert blame.place.name == "mid/api/b, replica r2"


def test_servers_of_elsewhere_that_answer_now_and_then_are_no_bad_replicas() -> None:
    """Each of them is bad in every answer that it gives here, and there are some of them, on two pools."""
    rng, clock, store = np.random.default_rng(1), FakeClock(START), MemoryStore()
    book = ledger(store, clock, watch())
    for minute in range(400):
        clock.advance(MINUTE)
        batch = []
        for one in TARGETS:
            strayed = minute >= 60 and one.name in {"mid/api/a", "mid/api/b"} and rng.random() < 0.05
            replica = f"far-{rng.integers(3)}" if strayed else f"{one.pool}-{rng.integers(4)}"
            batch.append(answer(one, minute, BROKEN if strayed else CLEAN, replica))
        book.commit(batch)
    with store.reading() as tx:
        (incident,) = tx.incidents()
    assert incident.target == "mid/api/*"
    assert {finding.blame.place.replica for finding in incident.findings if finding.blame} == {""}


def test_the_runner_up_explains_it_worse() -> None:
    blame = first(0.2, "mid/api/b").findings[0].blame
    assert blame is not None
    assert blame.runner_up is not None
    assert blame.margin > 1.0


def test_the_target_to_replay_is_one_that_shows_the_fault() -> None:
    blame = first(0.1, "/cloud/").findings[0].blame
    assert blame is not None
    assert "/cloud/" in blame.target


def test_a_fault_in_all_pools_is_one_incident_and_one_trigger() -> None:
    store = MemoryStore()
    reasons = [reason for _, reason in play(store, 0.1, "", 160)]
    with store.reading() as tx:
        assert len(tx.incidents()) == 1
    assert reasons.count(Reason.OPENED) == 1


def test_a_weak_fault_in_all_pools_is_found_before_any_pool_could_tell() -> None:
    """At 2 % of answers of 12 pools, one answer a minute: the whole has seen twelve times as much as a pool."""
    store = MemoryStore()
    (incident, _) = next(play(store, 0.02, "", 2_000, seed=3))
    assert incident.findings[0].series.target == "*/*/*"


def test_scopes_alarm_again_from_the_store_to_the_bit() -> None:
    store = MemoryStore()
    for _ in play(store, 0.1, "/cloud/", 160):
        pass
    with store.reading() as tx:
        live = list(tx.alarms())
        assert any(alarm.series.group == "*" for alarm in live)
        assert sorted(alarms_again(tx), key=lambda alarm: alarm.id) == sorted(live, key=lambda alarm: alarm.id)


def test_a_fault_is_over_though_another_of_its_kind_goes_on_elsewhere() -> None:
    """Scopes that hear both cannot keep the first incident open: a finding recovers by the answers of its place."""
    store, rng, clock = MemoryStore(), np.random.default_rng(4), FakeClock(START)
    book = ledger(store, clock, watch())
    for minute in range(420):
        clock.advance(MINUTE)
        bad = {one.name for one in TARGETS if _suffers(one, minute) and rng.random() < 0.3}
        book.commit([answer(one, minute, BROKEN if one.name in bad else CLEAN, "r1") for one in TARGETS])
    with store.reading() as tx:
        assert [(one.target, one.state) for one in tx.incidents()] == [
            ("mid/api/*", IncidentState.RESOLVED),
            ("opus/cloud/*", IncidentState.OPEN),
        ]


def _suffers(one: Target, minute: int) -> bool:
    return (one.model == "mid" and one.platform == "api" and 60 <= minute < 200) or (
        one.model == "opus" and one.platform == "cloud" and minute >= 130
    )


def test_a_fault_of_a_pool_in_all_models_is_not_taken_for_an_older_one_of_a_model() -> None:
    """They cross in one target, and show the same symptom."""
    store, rng, clock, targets = (
        MemoryStore(),
        np.random.default_rng(5),
        FakeClock(START),
        fleet("mid", "opus", "small"),
    )
    book = ledger(store, clock, watch(targets))
    for minute in range(600):
        clock.advance(MINUTE)
        old = {one.name for one in targets if minute >= 60 and "mid/api/" in one.name and rng.random() < 0.05}
        new = {one.name for one in targets if minute >= 500 and "/api/b" in one.name and rng.random() < 0.5}
        book.commit([answer(one, minute, BROKEN if one.name in old | new else CLEAN, "r1") for one in targets])
    with store.reading() as tx:
        assert [one.target for one in tx.incidents()] == ["mid/api/*", "*/api/b"]


class Counted:
    """A transaction that counts the series that are read."""

    def __init__(self, tx: Transaction) -> None:
        self.reads: list[SeriesKey] = []
        self._tx = tx

    def scores(self, series: SeriesKey, **how: Any) -> Sequence[ScoreRow]:
        self.reads.append(series)
        return self._tx.scores(series, **how)


def test_a_batch_reads_each_series_once_however_often_it_is_looked_at() -> None:
    store = MemoryStore()
    for _ in play(store, 0.0, "", 5):
        pass
    on = watch()
    script = sorted(key for key in on.armed if key.signal == "script")
    with store.reading() as tx:
        counted = Counted(tx)
        past = Past(cast("Transaction", counted), on)
        first = past.history(script, 5_000)
        assert past.history(script, 5_000, START) == first
        assert past.history(past.members(SeriesKey("mid/api/*", "eu", "*", "script")), 60)
    assert len(first) == 5 * len(TARGETS)
    assert sorted(counted.reads) == script


def test_in_a_storm_of_alarms_the_fleet_has_one_incident_and_few_findings() -> None:
    store = MemoryStore()
    reasons = [reason for _, reason in play(store, 1.0, "", 75)]
    with store.reading() as tx:
        (incident,) = tx.incidents()
        alarms = len(tx.alarms())
    assert (incident.target, reasons.count(Reason.OPENED)) == ("*/*/*", 1)
    assert sum(finding.alarms for finding in incident.findings) == alarms > 100


def test_what_may_have_hidden_behind_an_ended_fault_may_be_as_old_as_that() -> None:
    """It is there in the very first answers after the other's end, so nothing says that it was not before."""
    store, on, end = MemoryStore(), watch(), START + 120 * MINUTE
    for _ in play(store, 0.3, "mid/api/b", 200):
        pass
    with store.reading() as tx:
        (incident,) = tx.incidents()
        alarm = max((one for one in tx.alarms() if one.series.target == "mid/api/b"), key=lambda one: one.at)
        ended = replace(next(one for one in incident.findings if one.series == alarm.series), recovered_at=end)
        found, _ = investigate(Past(tx, on), alarm, on, [ended], [])
    assert found.onset.low == ended.onset.low < end <= found.onset.best
