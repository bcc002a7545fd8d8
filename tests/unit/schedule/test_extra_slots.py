"""The slots that escalation adds."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.schedule.plan import Key, Plan, Planned
from canary.schedule.rota import Rota
from tests.unit.schedule.builders import START, entry, plan, seconds

SPAN = seconds(20)
rhythms = st.tuples(st.integers(1_000, 30_000), st.floats(0, 0.999), st.booleans(), st.sampled_from([1, 8]))


@st.composite
def escalated(draw: st.DrawFn) -> tuple[Plan, frozenset[Key]]:
    """A plan, and some of its entries."""
    rows = draw(st.lists(rhythms, min_size=1, max_size=4))
    entries = [
        entry(f"pool-{i}", interval=interval / 1000, jitter=int(interval * share) / 1000, burst=burst)
        for i, (interval, share, _, burst) in enumerate(rows)
    ]
    chosen = frozenset(one.key for one, row in zip(entries, rows, strict=True) if row[2])
    return replace(plan(*entries), factor=draw(st.integers(1, 20))), chosen


def slots(due: tuple[Planned, ...], *, extra: bool) -> list[Planned]:
    return [planned for planned in due if planned.extra is extra]


@given(escalated())
def test_escalation_moves_no_regular_slot(given_: tuple[Plan, frozenset[Key]]):
    the_plan, chosen = given_
    found = slots(the_plan.due(START, START + SPAN, chosen), extra=False)
    assert tuple(found) == the_plan.due(START, START + SPAN)


@given(escalated())
def test_only_the_escalated_have_extra_slots(given_: tuple[Plan, frozenset[Key]]):
    the_plan, chosen = given_
    assert {p.key for p in slots(the_plan.due(START, START + SPAN, chosen), extra=True)} <= chosen


@settings(deadline=None, max_examples=40)
@given(escalated())
def test_no_slot_id_stands_twice(given_: tuple[Plan, frozenset[Key]]):
    the_plan, chosen = given_
    ids = [run.slot_id for planned in the_plan.due(START, START + SPAN, chosen) for run in planned.runs]
    assert len(set(ids)) == len(ids)


@settings(deadline=None, max_examples=40)
@given(escalated(), st.lists(st.integers(0, 20_000), max_size=4))
def test_splitting_an_interval_any_way_gives_the_same_extra_runs(given_, cuts: list[int]):
    the_plan, chosen = given_
    edges = [START + timedelta(milliseconds=cut) for cut in sorted([0, 20_000, *cuts])]
    pieces = [planned for a, b in itertools.pairwise(edges) for planned in the_plan.due(a, b, chosen)]
    assert tuple(pieces) == the_plan.due(edges[0], edges[-1], chosen)


@pytest.mark.parametrize("factor", [2, 5, 7])
def test_extra_slots_part_each_interval_evenly(factor: int):
    only = entry(jitter=0)
    due = replace(plan(only), factor=factor).due(START, START + seconds(600), {only.key})
    gaps = [b.run.slot_time - a.run.slot_time for a, b in itertools.pairwise(due)]
    assert len(due) == 10 * factor
    assert max(gaps) - min(gaps) <= timedelta(milliseconds=1)
    assert [planned.extra for planned in due].count(False) == 10


def test_an_extra_slot_is_jittered_by_its_part_of_the_jitter():
    only = entry(jitter=30)
    due = replace(plan(only), factor=5).due(START, START + seconds(6_000), {only.key})
    late = [planned.fire_at - planned.run.slot_time for planned in slots(due, extra=True)]
    assert max(late) <= seconds(6)
    assert max(late) > seconds(5)


def test_the_extra_slots_of_a_burst_are_bursts():
    only = entry(burst=8, jitter=0)
    due = replace(plan(only), factor=3).due(START, START + seconds(60), {only.key})
    assert [len(planned.runs) for planned in due] == [8, 8, 8]


def test_what_the_plan_does_not_know_has_no_extra_slots():
    assert replace(plan(entry()), factor=5).due(START, START + SPAN, {("gone/api/short", "prose")}) == plan(
        entry()
    ).due(START, START + SPAN)


def test_every_probe_of_a_group_gets_its_share_of_the_extra_slots():
    only = entry(names="abc", jitter=0)
    due = slots(replace(plan(only), factor=20).due(START, START + seconds(6_000), {only.key}), extra=True)
    shares = [sum(p.run.probe.id == f"prose-{name}" for p in due) / len(due) for name in "abc"]
    assert all(abs(share - 1 / 3) < 0.05 for share in shares)


@pytest.mark.parametrize("factor", [0, 21])
def test_a_factor_out_of_range_is_refused(factor: int):
    with pytest.raises(ValueError, match="an interval cannot hold"):
        replace(plan(entry()), factor=factor)


@given(st.integers(0, 300_000), st.floats(0, 59.9), st.floats(0, 59.9))
def test_no_extra_slot_is_fired_twice_over_a_switch_of_plans(at: int, old: float, new: float):
    before, after = (replace(plan(entry(jitter=jitter)), factor=5) for jitter in (old, new))
    moment, keys = START + timedelta(milliseconds=at), {entry().key}
    rota = Rota(before)
    fired = list(rota.due(START, moment, keys))
    rota, overdue = rota.switch(after, moment)
    fired += [*overdue, *rota.due(moment, START + seconds(600), keys)]
    ids = [planned.run.slot_id for planned in fired]
    assert len(set(ids)) == len(ids)
