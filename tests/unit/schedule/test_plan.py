import itertools
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.schedule.plan import Plan, PlanEntry, Planned
from tests.unit.schedule.builders import START, entry, plan, probe, seconds, target

rhythms = st.tuples(st.integers(1_000, 90_000), st.floats(0, 0.999))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    rows = draw(st.lists(rhythms, min_size=1, max_size=5))
    return plan(
        *(
            entry(f"pool-{i}", interval=interval / 1000, jitter=int(interval * share) / 1000, salts=i)
            for i, (interval, share) in enumerate(rows)
        )
    )


def slot_times(due: tuple[Planned, ...]) -> list[datetime]:
    return [planned.run.slot_time for planned in due]


@given(plans(), st.lists(st.integers(0, 300_000), max_size=6))
def test_splitting_an_interval_any_way_gives_the_same_runs(the_plan: Plan, cuts: list[int]):
    edges = [START + timedelta(milliseconds=cut) for cut in sorted([0, 300_000, *cuts])]
    pieces = [planned for a, b in itertools.pairwise(edges) for planned in the_plan.due(a, b)]
    assert tuple(pieces) == the_plan.due(edges[0], edges[-1])


@given(plans())
def test_due_runs_are_sorted_by_the_moment_they_fire(the_plan: Plan):
    moments = [planned.fire_at for planned in the_plan.due(START, START + seconds(300))]
    assert moments == sorted(moments)


@given(plans())
def test_a_run_fires_within_the_jitter_of_its_slot(the_plan: Plan):
    jitter = {entry.key: entry.jitter for entry in the_plan.entries}
    for planned in the_plan.due(START, START + seconds(300)):
        assert timedelta(0) <= planned.fire_at - planned.run.slot_time <= jitter[planned.key]


@given(plans())
def test_the_slots_of_an_entry_are_exactly_one_interval_apart(the_plan: Plan):
    for only in the_plan.entries:
        times = slot_times(replace(the_plan, entries=(only,)).due(START, START + only.interval * 20))
        gaps = {b - a for a, b in itertools.pairwise(times)}
        assert gaps == {only.interval}
        assert len(times) in (19, 20, 21)


def test_without_jitter_an_interval_holds_one_slot_of_an_entry():
    the_plan = plan(entry(jitter=0))
    for k in range(50):
        assert len(the_plan.due(START + seconds(60 * k), START + seconds(60 * (k + 1)))) == 1


@settings(max_examples=30)
@given(plans())
def test_the_bounds_are_open_below_and_closed_above(the_plan: Plan):
    for planned in the_plan.due(START, START + seconds(90)):
        moment = planned.fire_at
        assert planned in the_plan.due(moment - timedelta(microseconds=1), moment)
        assert planned not in the_plan.due(moment, moment + seconds(1))
        assert planned not in the_plan.due(moment - seconds(1), moment - timedelta(microseconds=1))


def test_another_entry_moves_no_slot():
    alone = plan(entry("short"))
    together = plan(entry("long", interval=30), entry("short"), entry("short", "code"))
    mine = [p for p in together.due(START, START + seconds(600)) if p.key == entry("short").key]
    assert tuple(mine) == alone.due(START, START + seconds(600))


def test_entries_of_one_rhythm_are_spread_over_the_interval():
    the_plan = plan(*(entry(f"pool-{i}", jitter=0) for i in range(600)))
    per_tenth = Counter(int(p.fire_at.timestamp()) // 6 for p in the_plan.due(START, START + seconds(60)))
    assert sum(per_tenth.values()) == 600
    assert max(per_tenth.values()) < 100


def test_two_regions_do_not_fire_at_the_same_moment():
    here, there = (slot_times(plan(entry(), region=r).due(START, START + seconds(60))) for r in ("eu", "us"))
    assert here != there


def test_every_probe_of_a_group_gets_its_share_of_the_slots():
    drawn = Counter(p.run.probe.id for p in plan(entry(names="abcd")).due(START, START + seconds(60 * 4_000)))
    assert set(drawn) == {"prose-a", "prose-b", "prose-c", "prose-d"}
    assert all(880 < count < 1_120 for count in drawn.values())  # 4.4 standard deviations


def test_a_new_probe_takes_its_own_share_and_moves_no_other_slot():
    before = plan(entry(names="abc")).due(START, START + seconds(60 * 400))
    after = plan(entry(names="abcd")).due(START, START + seconds(60 * 400))
    moved = [b for a, b in zip(before, after, strict=True) if a != b]
    assert {p.run.probe.id for p in moved} == {"prose-d"}
    assert 60 < len(moved) < 140


def test_salts_are_drawn_evenly():
    drawn = Counter(p.run.salt for p in plan(entry(names="a", salts=4)).due(START, START + seconds(60 * 4_000)))
    assert set(drawn) == {0, 1, 2, 3}
    assert all(880 < count < 1_120 for count in drawn.values())


def test_a_probe_without_salts_has_salt_zero():
    assert {p.run.salt for p in plan(entry()).due(START, START + seconds(6_000))} == {0}


def test_another_seed_draws_other_probes_for_the_same_slots():
    mine, other = (plan(entry(), seed=s).due(START, START + seconds(6_000)) for s in ("x", "y"))
    assert slot_times(mine) == slot_times(other)
    assert [p.run.probe.id for p in mine] != [p.run.probe.id for p in other]


def test_slot_ids_never_repeat():
    due = plan(entry(interval=1, jitter=0.5), entry("long", interval=1, jitter=0)).due(START, START + seconds(2_000))
    assert len({p.run.slot_id for p in due}) == len(due) > 3_990


def test_the_rate_counts_slots_per_second():
    assert plan(entry(interval=2, jitter=0), entry("long", interval=4, jitter=0)).rate == pytest.approx(0.75)


def test_an_empty_plan_owes_nothing():
    assert plan().due(START, START + timedelta(days=999)) == ()


def test_one_group_on_one_target_has_one_rhythm():
    with pytest.raises(ValueError, match="two entries"):
        plan(entry(interval=10), entry(interval=20))


@pytest.mark.parametrize(("interval", "jitter"), [(5, 5), (5, 6), (5, -1), (0, 0)])
def test_a_jitter_stays_below_the_interval(interval: float, jitter: float):
    with pytest.raises(ValueError, match="jitter"):
        entry(interval=interval, jitter=jitter)


def test_an_entry_without_probes_is_refused():
    with pytest.raises(ValueError, match="probes"):
        PlanEntry("main", target(), "prose", (), seconds(60))


def test_a_planned_run_carries_region_and_target():
    (planned,) = plan(entry(jitter=0), region="eu").due(START, START + seconds(60))
    assert (planned.run.region, planned.run.target, planned.run.ordinal) == ("eu", target(), 0)
    assert planned.run.probe in {probe("prose-a"), probe("prose-b"), probe("prose-c")}


def test_a_burst_is_one_slot_with_ordinals_from_zero():
    (planned,) = plan(entry(burst=8, jitter=0, salts=3)).due(START, START + seconds(60))
    assert [run.ordinal for run in planned.runs] == list(range(8))
    assert len({(run.probe.id, run.salt, run.slot_time, run.burst) for run in planned.runs}) == 1
    assert len({run.slot_id for run in planned.runs}) == 8


def test_each_burst_size_is_a_group_with_its_own_rhythm():
    the_plan = plan(entry(jitter=0), entry(jitter=0, burst=8))
    due = the_plan.due(START, START + seconds(60))
    assert {planned.key[1]: planned.run.burst for planned in due} == {"prose": 1, "prose@8": 8}
    assert len({planned.run.slot_time for planned in due}) == 2


def test_a_lone_probe_is_one_run():
    (planned,) = plan(entry(jitter=0)).due(START, START + seconds(60))
    assert planned.runs == (planned.run,)


def test_a_lone_probe_and_a_burst_at_the_same_moment_have_different_slot_ids():
    (planned,) = plan(entry(jitter=0)).due(START, START + seconds(60))
    assert planned.run.slot_id not in {run.slot_id for run in replace(planned, run=replace(planned.run, burst=8)).runs}


def test_an_entry_without_a_run_is_refused():
    with pytest.raises(ValueError, match="burst >= 1"):
        entry(burst=0)
