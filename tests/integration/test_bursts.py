"""A fault of large batches, end to end but for the daemon: config, lab, golden bursts, detectors, replay."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from canary.clock import SystemClock
from canary.config import Config, load
from canary.daemon import assembly
from canary.detect import Rule, Verdict
from canary.http import HttpClient
from canary.lab.run import in_process
from canary.lab.spec import FleetSpec, Platform, Pool
from canary.pipeline.advance import alarms_again
from canary.pipeline.ledger import Fired, Ledger
from canary.pipeline.record import begin, promote_epoch, record
from canary.pipeline.scopes import is_scope
from canary.pipeline.tell import Audience
from canary.probe.client import ProbeClient
from canary.records import Alarm
from canary.schedule.plan import Planned
from canary.store import Store, open_store
from canary.verdict import Report, plan, replay

pytestmark = pytest.mark.anyio

SPEC = FleetSpec(("mid",), (Platform("api", (Pool("short", latency=0.0, replicas=1),)),))
TARGET = "mid/api/short"
GOLDEN = 120
CONFIG = """\
version: 1
models: [mid]
platforms: [api]
pools: [short]
detect: {{smallest_share: 0.5}}
endpoints:
  - base_url: {url}/api/short/v1
    model: mid
    affinity_header: x-session-id
    limits: {{concurrency: 16, rate_per_second: 1000}}
suites:
  - {{name: main, interval: 1m, probes: [onetoken-capital, onetoken-sequence], burst: [1, 8]}}
"""
LARGE_BATCHES = {"kind": "swap", "rate": 1.0, "batch": 8}
"""A kernel that goes wrong at batch sizes of 8 and more."""


@pytest.fixture(scope="module")
def lab() -> Iterator[str]:
    with in_process(SPEC) as url:
        yield url


@pytest.fixture
def config(tmp_path: Path, lab: str) -> Iterator[Config]:
    path = tmp_path / "canary.yaml"
    path.write_text(CONFIG.format(url=lab))
    yield load(path, {})
    switch(lab)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'canary.db'}", create=True)
    yield opened
    opened.close()


def switch(lab: str, *faults: dict[str, object]) -> None:
    httpx.put(f"{lab}/lab/faults", json=faults, timeout=10, trust_env=False).raise_for_status()


async def record_golden(config: Config, store: Store, client: ProbeClient) -> None:
    clock, target = SystemClock(), config.targets[0]
    recording = begin(store, target, config.region, GOLDEN, clock.now())
    groups, scorers = assembly.probes_on(config, target), assembly.scorers_of(config)
    await record(
        store, client.fire_at_once, clock, recording, target, groups, lambda *_: None, lambda *_: None, scorers
    )
    promote_epoch(store, target.name, recording.epoch)


async def live_through(
    config: Config, store: Store, client: ProbeClient, begin: datetime, end: datetime
) -> list[Planned]:
    """Fire and judge what the plan says of this time, one slot after the other, without the waits."""
    clock = SystemClock()
    ledger = Ledger(store, assembly.watch_of(config, store), Audience(), clock)
    due = assembly.plan_of(config).due(begin, end)
    for planned in due:
        seen = await client.fire_at_once(planned.runs)
        await asyncio.to_thread(ledger.commit, [Fired(planned.run.probe, seen)])
    return list(due)


async def verdict_on(config: Config, store: Store, client: ProbeClient, group: str) -> Report:
    target = config.targets[0]
    groups = {group: assembly.probes_on(config, target)[group]}
    volleys = plan(target, groups, config.region, 60, SystemClock().now())
    watch = assembly.watch_of_groups(config, store, target, groups)
    return await replay(store, client.fire_at_once, watch, volleys, Rule(0.5), lambda *_: None)


def by_id(alarms: list[Alarm]) -> list[Alarm]:
    return sorted(alarms, key=lambda alarm: alarm.id)


async def test_a_fault_of_batches_of_8_is_found_by_the_bursts_of_8_and_not_by_the_lone_probe(
    config: Config, store: Store, lab: str
) -> None:
    http = HttpClient()
    client = ProbeClient(http, SystemClock())
    try:
        await record_golden(config, store, client)
        start, turn = SystemClock().now(), SystemClock().now() + timedelta(minutes=18)
        healthy = await live_through(config, store, client, start, turn)
        with store.reading() as tx:
            assert tx.alarms() == []
        switch(lab, LARGE_BATCHES)
        faulty = await live_through(config, store, client, turn, turn + timedelta(minutes=30))
        again_there = await verdict_on(config, store, client, "onetoken@8")
    finally:
        await http.aclose()
    with store.reading() as tx:
        live, again = list(tx.alarms()), list(alarms_again(tx))
        kept = list(tx.observations())
        (incident,) = tx.incidents()
        shown = [tx.observation(slot_id) for finding in incident.findings for slot_id in finding.evidence]
    assert {alarm.series.group for alarm in live if not is_scope(alarm.series)} == {"onetoken@8"}
    assert by_id(live) == by_id(again)
    assert len(kept) == sum(planned.run.burst for planned in (*healthy, *faulty))
    assert {seen.group for seen in shown if seen is not None} == {"onetoken@8"}
    assert again_there.verdict is Verdict.FAIL
