"""A fault escalates its target, a restart keeps it so, and it falls back when the fault is gone."""

import time
from datetime import timedelta
from itertools import pairwise

import pytest

from tests.acceptance.stage import SHORT, Daemon, Hook, Place, config, switch, until

pytestmark = pytest.mark.slow

FAULT = {"kind": "corruption", "model": "mid", "platform": "api", "pool": "short", "share": 0.3, "rate": 0.1}
INTERVAL = timedelta(milliseconds=500)
PATIENCE = 90.0


def faster(daemon: Daemon, pool: str = "short") -> bool:
    return daemon.metric("canary_escalated", platform="api", pool=pool) == 1.0


def closest(place: Place, target: str) -> timedelta:
    slots = sorted(one.slot_time for one in place.observations(target))
    return min(later - earlier for earlier, later in pairwise(slots))


def spared(place: Place, lab: str, hook_url: str, **escalation: float) -> None:
    """So that it escalates early and can afford it."""
    terms = {"factor": 5, "warning": -9, "extra_share": 1, **escalation}
    place.write(config(lab, hook=hook_url, detect={"smallest_share": 0.02, "escalation": terms}, interval="500ms"))


def test_a_fault_escalates_its_target_until_it_is_gone(place: Place, lab: str, webhook: Hook) -> None:
    spared(place, lab, webhook.url)
    with place.daemon() as daemon:
        until(lambda: daemon.answers() > 20, 30)
        switch(lab, FAULT)
        until(lambda: faster(daemon), PATIENCE)
        switch(lab)
        until(lambda: not faster(daemon), PATIENCE)
        extra = daemon.metric("canary_extra_slots_total")
        told = daemon.events("escalation")
    print(f"\n{extra:.0f} extra slots")
    assert extra > 0
    assert closest(place, SHORT) < INTERVAL
    assert f"{SHORT} brief" in told[0]["faster"]
    assert f"{SHORT} brief" in told[-1]["fell_back"]


def test_a_restarted_daemon_goes_on_escalating_and_fires_no_slot_twice(place: Place, lab: str, webhook: Hook) -> None:
    spared(place, lab, webhook.url)
    daemon = place.start()
    until(lambda: daemon.answers() > 20, 30)
    switch(lab, FAULT)
    until(lambda: faster(daemon), PATIENCE)
    switch(lab)
    daemon.kill()
    before = len(place.observations(SHORT))
    with place.daemon("again.log") as again:
        until(lambda: again.event("escalation"), 10)
        first = again.event("escalation")
        until(lambda: not faster(again), PATIENCE)
    kept = place.observations(SHORT)
    assert first is not None
    assert f"{SHORT} brief" in first["faster"]
    assert len({one.slot_id for one in kept}) == len(kept) > before


def test_status_and_page_say_what_is_escalated(place: Place, lab: str, webhook: Hook) -> None:
    spared(place, lab, webhook.url)
    with place.daemon() as daemon:
        until(lambda: daemon.answers() > 20, 30)
        switch(lab, FAULT)
        until(lambda: '"escalated":["brief"]' in daemon.get("/api/v1/status")[1], PATIENCE)
        switch(lab)
        page = daemon.get("/")[1]
        time.sleep(2.5)  # a heartbeat
        said = place.canary("status", "--json")
    assert "escalated: brief" in page
    assert '"escalated"' in said


def test_without_an_extra_share_nothing_is_probed_faster(place: Place, lab: str, webhook: Hook) -> None:
    spared(place, lab, webhook.url, extra_share=0)
    with place.daemon() as daemon:
        until(lambda: daemon.answers() > 20, 30)
        switch(lab, FAULT)
        until(lambda: webhook.bodies, PATIENCE)
        assert daemon.metric("canary_extra_slots_total") == 0.0
