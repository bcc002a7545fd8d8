"""The past again, over every store: with the config and the baselines of then, exactly the alarms of then."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from canary.hindsight import reign
from canary.hindsight.backtest import Judge, Rerun, Setting, aliases, rerun
from canary.hindsight.verdicts import Side, lived
from canary.pipeline.scopes import is_scope
from canary.pipeline.watch import Rhythm, Terms, Watch, muster
from canary.records import Alarm, BaselineStatus, Probe, Purpose, Recording, Run, SeriesKey
from canary.score import SCORERS
from canary.store import MemoryStore, Store
from canary.store.base import Retention
from canary.testing import FakeClock
from tests.unit.pipeline.stage import BROKEN, CLEAN, MINUTE, PROBE, START, TERMS, baseline, fired, ledger, play, target

POOLS = ("long", "short")
FAULTY: Mapping[str, Sequence[str | None]] = {
    "short": [*[CLEAN] * 40, *([CLEAN] * 4 + [BROKEN]) * 12, *[CLEAN] * 100],
    "long": [*[CLEAN] * 150, *[None] * 12],
}
STRICT = Terms(false_alarms_per_week=1e-9, delta=0.05, smallest_share=0.05)


def rhythms(*probes: Probe) -> tuple[Rhythm, ...]:
    return tuple(Rhythm(target(pool).name, "prose", probes or (PROBE,), MINUTE) for pool in POOLS)


def setting(terms: Terms = TERMS, *probes: Probe, **changes: object) -> Setting:
    made = Setting(rhythms(*probes), terms, "eu", SCORERS, {})
    return replace(made, **changes)  # type: ignore[arg-type]


def promote(store: Store, epoch: int, signals: Sequence[str] = ("script", "availability"), n: int = 3_000) -> Watch:
    """Make the baselines of this epoch the active ones; what they arm."""
    series = [SeriesKey(target(pool).name, "eu", "prose", signal) for pool in POOLS for signal in signals]
    active = [baseline(key, epoch=epoch, n=n) for key in series]
    with store.transaction() as tx:
        for old in tx.baselines(status=BaselineStatus.ACTIVE):
            tx.put_baseline(replace(old, status=BaselineStatus.RETIRED))
        for one in active:
            tx.put_baseline(one)
    return muster(rhythms(), active, TERMS, "eu")


def live(store: Store, watch: Watch, answers: Mapping[str, Sequence[str | None]] = FAULTY, first: int = 0) -> None:
    clock = FakeClock(START + first * MINUTE)
    for _ in play(ledger(store, clock, watch), clock, dict(answers), first=first, batch=7):
        pass


def again(store: Store, tried: Setting, judge: Judge = Judge.IN_FORCE, **span: datetime) -> Rerun:
    return rerun(store, MemoryStore(), tried, judge, **span)


def alarms(side: Side) -> list[Alarm]:
    return sorted(side.alarms, key=lambda alarm: alarm.id)


def raised(store: Store) -> list[Alarm]:
    return alarms(lived(store, "eu", None, None))


def test_the_unchanged_config_gives_exactly_the_alarms_that_were_raised(store: Store) -> None:
    live(store, promote(store, 1))
    assert len(raised(store)) >= 3
    assert alarms(again(store, setting()).would) == raised(store)


def test_incidents_are_as_they_were_but_for_the_batch_that_they_came_in(store: Store) -> None:
    live(store, promote(store, 1))
    with store.reading() as tx:
        then = [(i.target, {f.series for f in i.findings}, i.resolved_at is None) for i in tx.incidents()]
    now = [
        (i.target, {f.series for f in i.findings}, i.resolved_at is None)
        for i in again(store, setting()).would.incidents
    ]
    assert now == then


@pytest.mark.parametrize("page", [1, 7, 10_000])
def test_any_size_of_page_gives_the_same(store: Store, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reign, "PAGE", page)
    live(store, promote(store, 1), {pool: answers[:70] for pool, answers in FAULTY.items()})
    assert raised(store)
    assert alarms(again(store, setting()).would) == raised(store)


def test_each_answer_is_judged_by_the_epoch_that_judged_it_then(store: Store) -> None:
    live(store, promote(store, 1, n=5_000))
    live(store, promote(store, 2), {"short": [BROKEN] * 8, "long": [CLEAN] * 8}, first=200)
    assert len({alarm.detector for alarm in raised(store) if not is_scope(alarm.series)}) == 2
    assert alarms(again(store, setting()).would) == raised(store)


def test_answers_from_before_anything_was_armed_raise_nothing(store: Store) -> None:
    nothing = muster(rhythms(), [], TERMS, "eu")
    live(store, nothing, {"short": [BROKEN] * 50, "long": [CLEAN] * 50})
    live(store, promote(store, 1), first=60)
    run = again(store, setting())
    assert alarms(run.would) == raised(store)
    assert min(alarm.at for alarm in run.would.alarms) >= START + 60 * MINUTE


def test_the_current_baselines_judge_all_of_the_past_if_one_wants(store: Store) -> None:
    nothing = muster(rhythms(), [], TERMS, "eu")
    live(store, nothing, {"short": [BROKEN] * 50, "long": [CLEAN] * 50})
    promote(store, 1)
    assert raised(store) == []
    assert again(store, setting(), Judge.CURRENT).would.alarms


def test_what_nothing_judged_is_judged_by_the_active_baselines(store: Store) -> None:
    live(store, muster(rhythms(), [], TERMS, "eu"))
    promote(store, 1)
    in_force, current = (again(store, setting(), judge).would for judge in Judge)
    assert in_force == current
    assert in_force.alarms


def test_a_smaller_budget_alarms_later(store: Store) -> None:
    live(store, promote(store, 1))
    strict = [a for a in alarms(again(store, setting(STRICT)).would) if a.series.signal == "script"]
    loose = [a for a in raised(store) if a.series.signal == "script"]
    assert min(a.at for a in strict) > min(a.at for a in loose)


def test_a_share_that_golden_data_cannot_tell_from_healthy_leaves_the_series_learning(store: Store) -> None:
    live(store, promote(store, 1))
    run = again(store, setting(replace(TERMS, smallest_share=1e-6)))
    assert (len(run.watch.armed), run.fed, run.would.alarms) == (0, 0, ())


def test_a_span_holds_what_lies_in_it(store: Store) -> None:
    live(store, promote(store, 1))
    run = again(store, setting(), since=START + 30 * MINUTE, until=START + 60 * MINUTE)
    assert (run.answers, run.first, run.last) == (60, START + 30 * MINUTE, START + 59 * MINUTE)


def test_a_span_of_nothing_is_empty(store: Store) -> None:
    assert again(store, setting()) == replace(again(store, setting()), answers=0, first=None, fed=0)


def test_another_regions_answers_are_left_out(store: Store) -> None:
    live(store, promote(store, 1))
    assert again(store, setting(region="us")).fed == 0


def test_the_past_is_only_read(store: Store) -> None:
    live(store, promote(store, 1))
    with store.reading() as tx:
        before = (list(tx.feed()), tx.alarms(), tx.incidents(), tx.owed())
    again(store, setting(STRICT))
    with store.reading() as tx:
        assert (list(tx.feed()), tx.alarms(), tx.incidents(), tx.owed()) == before


def test_progress_ends_at_the_number_of_answers(store: Store) -> None:
    live(store, promote(store, 1))
    told: list[tuple[int, int]] = []
    rerun(store, MemoryStore(), setting(), Judge.IN_FORCE, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (sum(map(len, FAULTY.values())),) * 2


EDITED = replace(PROBE, scorers=("script", "loop"))


def test_a_signal_that_was_not_scored_is_scored_from_the_answers_that_are_kept(store: Store) -> None:
    live(store, promote(store, 1))
    promote_edited(store)
    known = aliases([PROBE], [EDITED])
    run = again(store, setting(TERMS, EDITED, aliases=known), Judge.CURRENT)
    assert {key.signal for key in run.watch.armed} == {"script", "loop", "availability"}
    assert (run.rescored, run.lost) == (run.answers, 0)


def test_answers_that_are_not_kept_any_more_are_counted(store: Store) -> None:
    live(store, promote(store, 1))
    promote_edited(store)
    with store.transaction() as tx:
        while tx.forget(Retention(healthy_bodies=timedelta(0)), START + timedelta(days=1)):
            pass
    run = again(store, setting(TERMS, EDITED, aliases=aliases([PROBE], [EDITED])), Judge.CURRENT)
    assert run.lost > 50
    assert run.rescored + run.lost == run.answers


def test_what_is_scored_again_would_have_alarmed(store: Store) -> None:
    looping = "and so on " * 60
    live(store, promote(store, 1), {"short": [*[CLEAN] * 30, *[looping] * 9], "long": [CLEAN] * 39})
    promote_edited(store)
    run = again(store, setting(TERMS, EDITED, aliases=aliases([PROBE], [EDITED])), Judge.CURRENT)
    assert "loop" in {alarm.series.signal for alarm in run.would.alarms}


def test_a_signal_without_a_baseline_is_judged_by_the_golden_answers_that_are_kept(store: Store) -> None:
    looping = "and so on " * 60
    record(store, 100)
    live(store, promote(store, 1), {"short": [*[CLEAN] * 30, *[looping] * 9], "long": [CLEAN] * 39})
    coarse = replace(TERMS, smallest_share=0.5)
    run = again(store, setting(coarse, EDITED, aliases=aliases([PROBE], [EDITED])))
    assert (run.grown, run.rescored) == (2, run.answers)
    assert {alarm.series.signal for alarm in run.would.alarms} == {"loop"}


def test_without_golden_answers_a_new_signal_learns(store: Store) -> None:
    live(store, promote(store, 1))
    run = again(store, setting(TERMS, EDITED, aliases=aliases([PROBE], [EDITED])))
    assert {key.signal for key in run.watch.learning} == {"loop"}
    assert (run.grown, run.rescored, run.lost) == (0, 0, 0)


def record(store: Store, n: int) -> None:
    """Golden answers of epoch 1, all well."""
    began = START - timedelta(days=1)
    with store.transaction() as tx:
        for pool in POOLS:
            name = target(pool).name
            tx.put_recording(Recording(pool, name, "eu", 1, n, began, began + MINUTE))
            runs = [Run(PROBE, target(pool), "eu", began, at, purpose=Purpose.GOLDEN) for at in range(n)]
            golden = fired(pool, 0, CLEAN).observations[0]
            tx.add_observations(
                [
                    replace(golden, slot_id=run.slot_id, slot_time=began, ordinal=run.ordinal, purpose=run.purpose)
                    for run in runs
                ]
            )


def test_a_probe_that_is_asked_otherwise_is_no_alias() -> None:
    other = replace(PROBE, sampling=replace(PROBE.sampling, max_tokens=5), scorers=("loop",))
    assert aliases([PROBE], [other]) == {}


def promote_edited(store: Store) -> None:
    """Baselines of the edited probe, recorded as epoch 2."""
    series = [
        SeriesKey(target(pool).name, "eu", "prose", signal)
        for pool in POOLS
        for signal in ("script", "loop", "availability")
    ]
    with store.transaction() as tx:
        for old in tx.baselines(status=BaselineStatus.ACTIVE):
            tx.put_baseline(replace(old, status=BaselineStatus.RETIRED))
        for key in series:
            one = baseline(key, epoch=2)
            parts = tuple(replace(part, probe_digest=EDITED.digest) for part in one.parts)
            tx.put_baseline(replace(one, parts=parts))
