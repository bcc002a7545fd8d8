"""Bursts in the real daemon: killed in the middle of one, and a fault that is there in large batches only."""

import random
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from canary.pipeline.advance import alarms_again
from canary.records import Observation
from tests.acceptance.stage import SHORT, Hook, Place, config, counting_lab, switch, until

pytestmark = pytest.mark.slow

KILLS = 4
SIZE = 8
AT_ONCE = {"name": "at-once", "interval": "400ms", "jitter": "10ms", "burst": [1, SIZE]}
SMALL = {"models": ["mid"], "platforms": ["api"], "pools": ["short"], "exclude": []}
LARGE_BATCHES = {"kind": "swap", "rate": 0.5, "batch": SIZE}


def by_unit(kept: list[Observation]) -> dict[tuple[object, ...], list[Observation]]:
    found = defaultdict(list)
    for one in kept:
        found[one.unit].append(one)
    return found


def test_a_daemon_killed_in_the_middle_of_bursts_fires_no_slot_twice_and_keeps_whole_bursts_alone(
    tmp_path: Path, webhook: Hook
) -> None:
    place, rng = Place(tmp_path), random.Random(5)
    with counting_lab() as lab:
        place.write(config(lab.url, hook=webhook.url, suites=[AT_ONCE], **SMALL))
        switch(lab.url, {"kind": "slow", "seconds": 0.25})
        for _ in range(KILLS):
            daemon = place.start()
            until(lambda running=daemon: running.answers() > 40, 30)  # type: ignore[misc]
            time.sleep(rng.uniform(0.0, 0.4))
            daemon.kill()
        with place.daemon() as daemon:
            until(lambda: daemon.answers() > 40, 30)
    kept = place.observations()
    units = by_unit(kept)
    asked = Counter(lab.sessions.values())
    cut_short = len(lab.sessions) - len(units)
    print(
        f"\n{KILLS} kills: {len(units)} runs and bursts kept, {cut_short} cut short; requests by session {dict(asked)}"
    )
    assert len({one.slot_id for one in kept}) == len(kept)
    assert {(members[0].burst, len(members)) for members in units.values()} == {(1, 1), (SIZE, SIZE)}
    assert all(lab.sessions[members[0].affinity] == members[0].burst for members in units.values())
    assert max(asked) == SIZE
    assert cut_short > 0


def test_a_fault_of_batches_of_8_is_told_by_the_bursts_and_by_nothing_else(
    tmp_path: Path, lab: str, webhook: Hook
) -> None:
    place = Place(tmp_path)
    place.write(config(lab, hook=webhook.url, suites=[AT_ONCE], detect={"smallest_share": 0.2}, **SMALL))
    place.canary("baseline", "record", "-n", "250", "--promote")
    with place.daemon() as daemon:
        until(lambda: daemon.answers() > 60, 60)
        assert place.incidents() == []
        switch(lab, LARGE_BATCHES)
        seconds = until(lambda: webhook.bodies, 90)
    with place.store() as store, store.reading() as tx:
        live, again = list(tx.alarms()), list(alarms_again(tx))
    (incident,) = place.incidents()
    print(f"\nfound {seconds:.0f} s after it was there: {webhook.bodies[0]['summary']}")
    assert incident.target == SHORT
    assert {finding.group for finding in incident.findings} == {f"brief@{SIZE}"}
    assert sorted(again, key=lambda alarm: alarm.id) == sorted(live, key=lambda alarm: alarm.id)
    assert f"bursts of {SIZE} answers" in webhook.bodies[0]["summary"]
    assert "from api-short" in place.canary("incident", "show", incident.id)
