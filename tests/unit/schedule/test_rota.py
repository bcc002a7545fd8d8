from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from canary.schedule.plan import Plan
from canary.schedule.rota import Rota
from tests.unit.schedule.builders import START, entry, plan, seconds

END = START + seconds(600)
offsets = st.integers(0, 300_000).map(lambda ms: START + timedelta(milliseconds=ms))
jitters = st.floats(0, 59.9)


def ids(planned) -> list[str]:
    return [p.run.slot_id for p in planned]


def fired_over_a_switch(old: Plan, new: Plan, at) -> list:
    rota = Rota(old)
    before = rota.due(START, at)
    after, overdue = rota.switch(new, at)
    return [*before, *overdue, *after.due(at, END)]


@given(offsets, jitters, jitters)
def test_a_switch_of_jitter_fires_every_slot_once(at, old, new):
    fired = fired_over_a_switch(plan(entry(jitter=old)), plan(entry(jitter=new)), at)
    slots = [p.run.slot_time for p in fired]
    first = slots[0]
    assert slots == [first + seconds(60 * k) for k in range(len(slots))]
    assert first <= START + seconds(60)
    assert END - slots[-1] < seconds(120)


@given(offsets, jitters)
def test_a_switch_to_the_same_plan_changes_nothing(at, jitter):
    same = plan(entry(jitter=jitter), entry("long", jitter=jitter))
    assert fired_over_a_switch(same, same, at) == list(same.due(START, END))


@given(offsets)
def test_another_entry_comes_and_goes_without_moving_the_rest(at):
    stays, goes, comes = entry(jitter=30), entry("long", jitter=30), entry("new", jitter=30)
    fired = fired_over_a_switch(plan(stays, goes), plan(stays, comes), at)
    assert ids(p for p in fired if p.key == stays.key) == ids(plan(stays).due(START, END))


@given(offsets)
def test_nothing_is_fired_at_a_target_that_is_gone(at):
    rota, overdue = Rota(plan(entry("long", jitter=30), entry())).switch(plan(entry()), at)
    assert {p.key for p in (*overdue, *rota.due(at, END))} == {entry().key}


@given(offsets, offsets)
def test_two_switches_in_a_row_lose_nothing(one, two):
    first, second = sorted((one, two))
    same = plan(entry(jitter=50))
    rota = Rota(same)
    fired = [*rota.due(START, first)]
    rota, overdue = rota.switch(plan(entry(jitter=10)), first)
    fired += [*overdue, *rota.due(first, second)]
    rota, overdue = rota.switch(same, second)
    fired += [*overdue, *rota.due(second, END)]
    slots = [p.run.slot_time for p in fired]
    assert slots == [slots[0] + seconds(60 * k) for k in range(len(slots))]


def test_a_walk_finds_what_due_finds():
    rota = Rota(plan(entry(interval=1, jitter=0.9), entry("long", interval=7)))
    assert tuple(rota.walk(START, START + seconds(3_000))) == rota.due(START, START + seconds(3_000))


def test_a_walk_over_a_century_starts_at_once():
    assert next(Rota(plan(entry())).walk(START, START + timedelta(days=36_500))).run.region == "local"


def test_a_walk_of_an_empty_plan_ends():
    assert list(Rota(plan()).walk(START, START + timedelta(days=36_500))) == []
