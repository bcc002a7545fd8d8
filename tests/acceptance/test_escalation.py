"""A fault escalates its target, a restart keeps it so, and it falls back when the fault is gone."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from canary.detect.escalation import Levels
from canary.pipeline.advance import steps_again
from canary.pipeline.scopes import members
from tests.acceptance.stage import CLOUD, LONG, SHORT, Daemon, Hook, Place, config, switch, until

pytestmark = pytest.mark.slow

FAULT = {"kind": "corruption", "model": "mid", "platform": "api", "pool": "short", "share": 0.3, "rate": 0.1}
INTERVAL, FACTOR = timedelta(milliseconds=500), 5
WARNING = -9.0
PATIENCE = 90.0
BRIEF = f"{SHORT} brief"


def faster(daemon: Daemon, pool: str = "short") -> bool:
    return daemon.metric("canary_escalated", platform="api", pool=pool) == 1.0


def gaps(place: Place, target: str, since: datetime | None = None) -> set[timedelta]:
    """Between one slot of a target and the next."""
    slots = sorted(one.slot_time for one in place.observations(target) if since is None or one.slot_time >= since)
    return {later - earlier for earlier, later in pairwise(slots)}


def asked_for(place: Place, level: float = WARNING) -> set[str]:
    """Whom the evidence asks for: of every series or scope that ever passed the level, all that it hears."""
    with place.store() as store, store.reading() as tx:
        feed = list(tx.feed())
        past = {step.series for step in steps_again(tx, feed) if step.evidence >= level}
    armed = {row.series for row in feed}
    return {f"{member.target} {member.group}" for one in past for member in members(one, armed)}


def spared(place: Place, lab: str, hook_url: str, **escalation: float) -> None:
    """So that it escalates early and can afford it."""
    terms = {"factor": FACTOR, "warning": WARNING, "extra_share": 1, **escalation}
    place.write(config(lab, hook=hook_url, detect={"smallest_share": 0.02, "escalation": terms}, interval="500ms"))


def test_a_fault_escalates_whom_its_evidence_asks_for_and_no_other_until_it_is_gone(
    place: Place, lab: str, webhook: Hook
) -> None:
    spared(place, lab, webhook.url)
    with place.daemon() as daemon:
        until(lambda: daemon.answers() > 20, 30)
        switch(lab, FAULT)
        until(lambda: faster(daemon), PATIENCE)
        switch(lab)
        until(lambda: daemon.metric("canary_escalated") == 0.0, PATIENCE)
        extra = daemon.metric("canary_extra_slots_total")
        told = daemon.events("escalation")
        missed = daemon.metric("canary_missed_slots_total")
    named = {name for fact in told for name in fact["faster"]}
    print(f"\n{extra:.0f} extra slots, {sorted(named)}")
    assert min(gaps(place, SHORT)) == INTERVAL / FACTOR
    assert missed <= 0
    assert BRIEF in told[0]["faster"]
    assert named <= asked_for(place)
    for target in {SHORT, LONG, CLOUD} - {name.split()[0] for name in named}:
        assert gaps(place, target) == {INTERVAL}


def test_of_what_an_incident_tells_nobody_is_probed_faster_any_more(place: Place, lab: str, webhook: Hook) -> None:
    spared(place, lab, webhook.url)
    with place.daemon() as daemon:
        until(lambda: daemon.answers() > 20, 30)
        switch(lab, FAULT)
        until(lambda: webhook.bodies, PATIENCE)
        until(lambda: daemon.metric("canary_escalated") == 0.0, 10)
        calm = datetime.now(UTC)  # noqa: TID251  slots bear the time of this machine
        told = daemon.events("escalation")
        time.sleep(5)  # the fault goes on
        assert daemon.events("escalation") == told
    for target in (SHORT, LONG, CLOUD):
        assert gaps(place, target, calm) == {INTERVAL}


def test_a_restarted_daemon_goes_on_escalating_and_fires_no_slot_twice(place: Place, lab: str, webhook: Hook) -> None:
    spared(place, lab, webhook.url)
    daemon = place.start()
    until(lambda: daemon.answers() > 20, 30)
    switch(lab, FAULT)
    until(lambda: faster(daemon), PATIENCE)
    switch(lab)
    daemon.kill()
    before, asked = len(place.observations(SHORT)), asked_for(place, Levels(WARNING).fallback)
    with place.daemon("again.log") as again:
        until(lambda: again.event("escalation"), 10)
        first = again.event("escalation")
        until(lambda: not faster(again), PATIENCE)
    kept = place.observations(SHORT)
    assert first is not None
    assert BRIEF in first["faster"]
    assert set(first["faster"]) <= asked
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
