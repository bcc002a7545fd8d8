import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from canary.alert.suspects import Suspect
from canary.pipeline.suspects import suspects, watched
from canary.records import (
    Change,
    ChangeKind,
    Finding,
    Incident,
    IncidentState,
    Interval,
    Scope,
    SeriesKey,
    Size,
    Symptom,
)
from canary.store import MemoryStore
from canary.testing import FakeClock
from tests.unit.pipeline.stage import BROKEN, CLEAN, MINUTE, START, ledger, play, watch

SPOTS = {(f"mid/api/{pool}", "eu") for pool in ("short", "long", "gpu")}
WIDE = Change("wide", ChangeKind.DEPLOY, START - 5 * MINUTE, "engine", Scope("mid", "api"))


def incident(pool: str, *, onset: int = 0, resolved: int | None = None) -> Incident:
    """`onset` and `resolved` in minutes after START."""
    series, began = SeriesKey(f"mid/api/{pool}", "eu", "prose", "script"), START + onset * MINUTE
    around = Interval(began - MINUTE, began, began + MINUTE)
    found = Finding(series, Symptom.CORRUPTION, 1, around, Size(0.1, 0.2, 0.3, 0.95, 50), ("slot",))
    ended = None if resolved is None else START + resolved * MINUTE
    state = IncidentState.OPEN if ended is None else IncidentState.RESOLVED
    opened = began + 9 * MINUTE
    return Incident(f"id-{pool}", state, "mid", "api", pool, opened, ended or opened, (found,), resolved_at=ended)


def ranked(*incidents: Incident, change: Change = WIDE) -> tuple[Suspect, ...]:
    """For the first of them."""
    store = MemoryStore()
    with store.transaction() as tx:
        tx.add_change(change)
        for one in incidents:
            tx.put_incident(one)
        return suspects(tx, incidents[0], SPOTS).onset


def blamed(*incidents: Incident, change: Change = WIDE) -> float:
    return next(one.probability for one in ranked(*incidents, change=change) if one.change == change)


def test_the_change_before_the_onset_is_suspected() -> None:
    assert blamed(incident("short")) > 0.5


def test_a_neighbour_with_an_incident_of_its_own_does_not_speak_for_a_narrower_cause() -> None:
    assert blamed(incident("short"), incident("long"), incident("gpu")) > blamed(incident("short"))


def test_an_incident_that_was_over_before_leaves_its_spot_healthy() -> None:
    assert blamed(incident("short"), incident("long", onset=-90, resolved=-60)) == blamed(incident("short"))


def test_an_incident_that_began_after_the_end_leaves_its_spot_healthy() -> None:
    over = incident("short", resolved=30)
    assert blamed(over, incident("long", onset=60)) == blamed(over)


def test_a_target_that_is_watched_no_more_is_touched_all_the_same() -> None:
    assert blamed(incident("retired"), change=replace(WIDE, scope=Scope("mid", "api", "retired"))) > 0.5


def test_changes_after_the_onset_are_not_even_named() -> None:
    late = replace(WIDE, at=START + timedelta(hours=1))
    assert [one.change for one in ranked(incident("short"), change=late)] == [None]


def test_a_change_of_another_region_is_elsewhere() -> None:
    assert blamed(incident("short"), change=replace(WIDE, scope=Scope(region="us"))) == 0.0


def test_a_worsening_has_suspects_of_its_own() -> None:
    first = incident("short")
    later = START + 120 * MINUTE
    worse = replace(first.findings[0], worsened=Interval(later - MINUTE, later, later + MINUTE))
    balance = replace(WIDE, id="balance", at=later - 5 * MINUTE)
    store = MemoryStore()
    with store.transaction() as tx:
        for change in (WIDE, balance):
            tx.add_change(change)
        found = suspects(tx, replace(first, findings=(worse,)), SPOTS)
    assert (found.onset[0].change, found.worsening[0].change) == (WIDE, balance)


def faulty_pool(change: Change) -> tuple[MemoryStore, dict[str, Any]]:
    """A store in which a pool became faulty after the change, and the body of the trigger."""
    store, clock = MemoryStore(), FakeClock(START)
    with store.transaction() as tx:
        tx.add_change(change)
    answers = {"short": [CLEAN] * 180, "long": [CLEAN] * 60 + ([CLEAN] * 9 + [BROKEN]) * 12}
    for _ in play(ledger(store, clock, watch(["short", "long"])), clock, answers):
        pass
    with store.transaction() as tx:
        (owed, *_) = tx.claim(now=clock.now(), lease=MINUTE, limit=1)
    return store, json.loads(owed.body)


ROUTER = Change("router", ChangeKind.ROUTING, START + 58 * MINUTE, "weights", Scope("mid", "api", "long"))


def test_a_notification_shows_the_ranking_of_its_time() -> None:
    _, body = faulty_pool(ROUTER)
    assert body["suspects"][0]["change"]["id"] == "router"


def test_the_spots_that_a_detector_has_judged_are_known_afterwards() -> None:
    store, _ = faulty_pool(ROUTER)
    with store.reading() as tx:
        assert watched(tx, {"mid/api/long", "elsewhere"}) == {("mid/api/long", "eu")}
