"""The headline: a minute and a half of health, then a stray foreign token in one answer of fifty of one pool."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from canary.detect import lower_share, upper_share
from canary.records import Observation
from tests.acceptance.stage import SHORT, Daemon, Hook, Place, config, hook, switch, until

pytestmark = pytest.mark.slow

WARM_UP, HEALTHY = 30.0, 60.0  # seconds
PATIENCE = 150.0
GROWTH = 10_000_000  # bytes
RATE = 0.15
"""Of the fault, per token: of 24 tokens at least one is touched in 98 % of the answers that the fault is in."""
FAULT = {"kind": "corruption", "model": "mid", "platform": "api", "pool": "short", "share": 0.02, "rate": RATE}


@dataclass
class Watched:
    place: Place
    daemon: Daemon
    webhook: Hook
    lab: str
    rss: tuple[int, int]
    """Resident bytes after the warm-up, and a minute later."""
    healthy_runs: int


@pytest.fixture(scope="module")
def watched(lab_url: str, golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A daemon that has watched the healthy fleet for a minute and a half, at ten runs a second and target."""
    switch(lab_url)
    place = Place(tmp_path_factory.mktemp("watched"))
    place.take_golden(golden)
    with hook() as webhook:
        place.write(config(lab_url, hook=webhook.url))
        with place.daemon() as daemon:
            time.sleep(WARM_UP)
            warm = daemon.rss()
            time.sleep(HEALTHY)
            yield Watched(place, daemon, webhook, lab_url, (warm, daemon.rss()), int(daemon.answers()))
    switch(lab_url)


def test_a_healthy_fleet_opens_no_incident(watched: Watched) -> None:
    print(f"\n{watched.healthy_runs} healthy runs")
    assert watched.healthy_runs > 1_000
    assert watched.place.incidents() == []
    assert watched.webhook.bodies == []


def test_memory_is_flat(watched: Watched) -> None:
    warm, later = watched.rss
    print(f"\nresident: {warm / 1e6:.1f} MB after {WARM_UP:.0f} s, {later / 1e6:.1f} MB {HEALTHY:.0f} s later")
    assert later - warm < GROWTH


def test_a_stray_foreign_token_in_one_answer_of_fifty_is_found_in_its_pool_and_in_no_other(watched: Watched) -> None:
    before = len(watched.place.observations(SHORT))
    switch(watched.lab, FAULT)
    seconds = until(lambda: watched.webhook.bodies, PATIENCE)
    time.sleep(10)  # would it name another pool, or open a second incident?
    trigger, *_ = watched.webhook.bodies
    runs = watched.place.observations(SHORT)
    print(
        f"\n{len(runs_until(runs, trigger)) - before} runs ({seconds:.0f} s) to the webhook, "
        f"{len(runs) - before} runs since the fault began; size told: {trigger['size']}"
    )
    assert [incident.target for incident in watched.place.incidents()] == [SHORT]
    assert trigger["kind"] == "trigger"
    assert trigger["target"] == {"model": "mid", "platform": "api", "pool": "short"}
    assert set(trigger["signals"]) <= {"script", "logprob"}
    told, answers = trigger["size"]["share"], trigger["size"]["answers"]
    events = round(told * answers)  # of which 2 % are so many, but for one time in ten thousand:
    assert lower_share(events, answers, 1e-4) <= 0.02 <= upper_share(events, answers, 1e-4)
    assert watched.webhook.refused == 0


def runs_until(runs: list[Observation], trigger: dict[str, object]) -> list[Observation]:
    """Those whose slot came before the alarm was told."""
    return [run for run in runs if run.started_at.isoformat(timespec="seconds") <= str(trigger["at"])]
