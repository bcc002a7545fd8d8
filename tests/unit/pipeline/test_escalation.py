"""Whom the evidence of committed batches asks to probe faster."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from canary.detect import esr, hierarchy
from canary.detect.escalation import Levels
from canary.pipeline.escalation import Escalation, Key
from canary.pipeline.scopes import Level, scope_of
from canary.pipeline.watch import Watch
from canary.records import SeriesKey
from canary.store import MemoryStore
from canary.store.base import StateKind, StoredState
from canary.testing import FakeClock
from tests.unit.pipeline.stage import BROKEN, CLEAN, MINUTE, START, ledger, play, target, watch

WATCH = watch(["a", "b", "c"], groups=["prose", "code"])
LEVELS = Levels(-6.0)
NOW = START


def series(pool: str, group: str = "prose", signal: str = "script") -> SeriesKey:
    return SeriesKey(target(pool).name, "eu", group, signal)


def key(pool: str, group: str = "prose") -> Key:
    return target(pool).name, group


def state(of: SeriesKey, evidence: float, *, detector: str = "", ago: timedelta = MINUTE) -> StoredState:
    known = WATCH.armed[of].digest if of in WATCH.armed else WATCH.hierarchy.digest
    blob = esr.to_bytes(hierarchy.start())
    return StoredState(of, StateKind.ALARM, detector or known, 1, blob, evidence, 9, NOW - ago)


def escalation(*states: StoredState, on: Watch = WATCH) -> Escalation:
    found = Escalation(on, LEVELS)
    found.heed(states)
    return found


def test_a_series_past_its_warning_wants_its_probe_group_on_its_target() -> None:
    found = escalation(state(series("a"), -5.0), state(series("b"), -6.1), state(series("c", "code"), -13.0))
    assert found.wanted(NOW) == (key("a"),)


def test_the_most_evidence_comes_first() -> None:
    found = escalation(state(series("a"), -5.0), state(series("b", "code"), -1.0), state(series("c"), -3.0))
    assert found.wanted(NOW) == (key("b", "code"), key("c"), key("a"))


def test_it_falls_back_below_the_lower_level_only() -> None:
    found, told = escalation(), []
    for evidence in (-6.5, -5.9, -6.9, -7.1, -6.5):
        found.heed([state(series("a"), evidence)])
        told.append(bool(found.wanted(NOW)))
    assert told == [False, True, True, False, False]


def test_a_scope_past_its_warning_wants_its_members_those_with_the_most_evidence_first() -> None:
    region = scope_of(Level.REGION, series("a"))
    found = escalation(state(series("b"), -8.0), state(series("a", "code"), -9.0), state(region, -4.0))
    wanted = found.wanted(NOW)
    assert wanted[:2] == (key("b"), key("a", "code"))
    assert set(wanted) == {key(pool, group) for pool in "abc" for group in ("prose", "code")}


def test_a_pools_scope_wants_that_pool_alone() -> None:
    found = escalation(state(scope_of(Level.POOL, series("b")), -4.0))
    assert set(found.wanted(NOW)) == {key("b"), key("b", "code")}


def test_a_series_of_its_own_goes_before_the_members_of_a_weaker_scope() -> None:
    found = escalation(state(scope_of(Level.POOL, series("b")), -4.0), state(series("c"), -2.0))
    assert found.wanted(NOW)[0] == key("c")


def test_what_an_incident_reports_already_wants_nothing_more() -> None:
    found = escalation(state(series("a"), -2.0), state(series("b"), -5.0))
    assert found.wanted(NOW, {series("a")}) == (key("b"),)


def test_evidence_that_nothing_renews_counts_for_ten_intervals() -> None:
    found = escalation(state(series("a"), -2.0, ago=10 * MINUTE))
    assert found.wanted(NOW) == (key("a"),)
    assert found.wanted(NOW + MINUTE) == ()


@pytest.mark.parametrize("of", [series("a"), scope_of(Level.REGION, series("a"))])
def test_states_of_an_older_epoch_or_another_hierarchy_count_for_nothing(of: SeriesKey) -> None:
    assert escalation(state(of, -2.0, detector="older")).wanted(NOW) == ()


def test_states_of_what_is_no_longer_armed_count_for_nothing() -> None:
    assert escalation(state(replace(series("a"), target="gone/api/a"), -2.0)).wanted(NOW) == ()


def judged(texts: Sequence[str], store: MemoryStore) -> Iterable[Sequence[StoredState]]:
    clock, on = FakeClock(START), watch(["a", "b"])
    for committed in play(ledger(store, clock, on), clock, {"a": texts, "b": [CLEAN] * len(texts)}, batch=1):
        yield committed.step.states


def test_a_fault_escalates_and_a_restart_sees_the_same_from_the_store() -> None:
    store, on, told = MemoryStore(), watch(["a", "b"]), []
    followed = Escalation(on, LEVELS)
    for minute, states in enumerate(judged([CLEAN, BROKEN, BROKEN, CLEAN, CLEAN], store)):
        followed.heed(states)
        now = START + minute * MINUTE
        with store.reading() as tx:
            restarted = Escalation(on, LEVELS, tx.states(StateKind.ALARM).values())
        assert restarted.wanted(now) == followed.wanted(now)
        told.append(key("a") in followed.wanted(now))
    assert told[0] is False
    assert told[2] is True


def test_it_falls_back_when_the_evidence_decays() -> None:
    followed = Escalation(watch(["a", "b"]), LEVELS)
    minutes = [BROKEN, BROKEN, *[CLEAN] * 400]
    told = []
    for minute, states in enumerate(judged(minutes, MemoryStore())):
        followed.heed(states)
        told.append(key("a") in followed.wanted(START + minute * MINUTE))
    assert told[2]
    assert not told[-1]


def test_parts_of_the_fleet_that_hold_what_an_incident_tells_of_buy_no_probes_of_healthy_pools() -> None:
    wide = scope_of(Level.REGION, series("a"))
    found = escalation(state(wide, -1.0), state(series("b", signal="availability"), -2.0))
    assert {name for name, _ in found.wanted(NOW)} >= {target("c").name}
    assert found.wanted(NOW, [series("a")]) == (key("b"),)
