"""The verdict on demand, over a memory store, with targets that behave as they are told."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from canary.detect import Judgement, Rule, Verdict
from canary.errors import BaselineError
from canary.pipeline.watch import Rhythm, Terms, Watch, muster
from canary.records import (
    Baseline,
    BaselinePart,
    BaselineStatus,
    Dialect,
    Endpoint,
    Failure,
    FailureKind,
    Finish,
    Limits,
    Message,
    Observation,
    Probe,
    Purpose,
    Response,
    Run,
    Sampling,
    SeriesKey,
    Target,
)
from canary.store import MemoryStore
from canary.store.base import StateKind
from canary.verdict import Fire, Report, plan, replay

pytestmark = pytest.mark.anyio

NOW = datetime(2025, 8, 25, 12, tzinfo=UTC)
ENGLISH = "The tide rises twice a day, since the earth turns under two bulges of water that the moon holds up. "
THAI = ENGLISH + "สวัสดี"
TARGET = Target("mid", "api", "short", Endpoint(Dialect.OPENAI_CHAT, "http://mid/v1", "mid"), Limits(concurrency=8))
RULE = Rule(share=0.05)


def a_probe(identity: str, family: str = "prose") -> Probe:
    message = Message("user", f"Explain {identity}.")
    return Probe(identity, family, (message,), Sampling(100), ("script",), "test", scripts=("Latn",))


PROBES = (a_probe("tides"), a_probe("glass"))
GROUPS = {"prose": PROBES}


def a_baseline(signal: str, *, probes: Sequence[Probe] = PROBES, version: int = 1, n: int = 4000) -> Baseline:
    exposure = float(n * len(ENGLISH)) if signal == "script" else float(n)
    parts = tuple(BaselinePart(probe.digest, n // len(probes)) for probe in probes)
    series = SeriesKey(TARGET.name, "lab", probes[0].group, signal)
    return Baseline(f"{signal}-1", series, 1, BaselineStatus.ACTIVE, version, NOW, n, exposure, 0, parts)


def a_watch(*baselines: Baseline, probes: Sequence[Probe] = PROBES) -> Watch:
    rhythm = Rhythm(TARGET.name, probes[0].group, tuple(probes), timedelta(minutes=1))
    return muster([rhythm], baselines, Terms(0.25, 0.05, 0.05), "lab")


ARMED = a_watch(a_baseline("script"), a_baseline("availability"))


def answering(choose: Callable[[int], str | Failure], pause: Callable[[int], float] = lambda _: 0.0) -> Fire:
    """A target that gives its n-th run what `choose` says."""

    async def one(run: Run) -> Observation:
        await asyncio.sleep(pause(run.ordinal))
        chosen = choose(run.ordinal)
        return Observation(
            slot_id=run.slot_id,
            probe_id=run.probe.id,
            probe_digest=run.probe.digest,
            group=run.group,
            target=run.target.name,
            region=run.region,
            slot_time=run.slot_time,
            started_at=run.slot_time,
            duration=timedelta(milliseconds=20),
            ordinal=run.ordinal,
            purpose=run.purpose,
            response=Response(chosen, Finish.STOP) if isinstance(chosen, str) else None,
            failure=chosen if isinstance(chosen, Failure) else None,
        )

    async def fire(volley: Sequence[Run]) -> Sequence[Observation]:
        return await asyncio.gather(*map(one, volley))

    return fire


def silent(_: int) -> Failure:
    return Failure(FailureKind.UNREACHABLE, "no connection")


def healthy(_: int) -> str:
    return ENGLISH


def broken(ordinal: int) -> str:
    return THAI if ordinal % 3 == 0 else ENGLISH


async def verdict_on(
    fire: Fire, n: int = 200, *, watch: Watch = ARMED, store: MemoryStore | None = None, rule: Rule = RULE
) -> Report:
    runs = plan(TARGET, GROUPS, "lab", n, NOW)
    return await replay(store or MemoryStore(), fire, watch, runs, rule, lambda _, __: None)


async def test_a_healthy_target_passes() -> None:
    assert (await verdict_on(answering(healthy))).verdict is Verdict.PASS


async def test_a_target_with_foreign_characters_in_a_third_of_its_answers_fails() -> None:
    report = await verdict_on(answering(broken))
    assert (report.verdict, report.judgement.signal) == (Verdict.FAIL, "prose/script")


async def test_few_runs_of_a_healthy_target_are_inconclusive() -> None:
    assert (await verdict_on(answering(healthy), 16)).verdict is Verdict.INCONCLUSIVE


async def test_an_inconclusive_verdict_says_which_share_it_would_have_seen() -> None:
    few, more = await verdict_on(answering(healthy), 16), await verdict_on(answering(healthy), 40)
    assert 0.05 < more.judgement.visible < few.judgement.visible < 1.0


async def test_a_target_that_never_answers_fails_by_its_availability() -> None:
    report = await verdict_on(answering(silent))
    assert (report.verdict, report.judgement.signal) == (Verdict.FAIL, "prose/availability")


async def test_a_target_that_never_answers_is_inconclusive_where_availability_still_learns() -> None:
    report = await verdict_on(answering(silent), watch=a_watch(a_baseline("script")))
    assert (report.verdict, report.failures) == (Verdict.INCONCLUSIVE, 200)


async def test_a_series_without_golden_data_is_named_as_not_judged() -> None:
    report = await verdict_on(answering(healthy), watch=a_watch(a_baseline("script")))
    assert [series.signal for series in report.learning] == ["availability"]


async def test_answers_that_cannot_be_scored_never_pass() -> None:
    assert (await verdict_on(answering(lambda _: "\n"))).verdict is Verdict.INCONCLUSIVE


async def test_without_any_armed_series_it_is_refused() -> None:
    with pytest.raises(BaselineError, match="record a baseline first"):
        await verdict_on(answering(healthy), watch=a_watch())


async def test_it_stops_at_the_wave_in_which_it_is_sure() -> None:
    fired = Counter[str]()

    async def fire(volley: Sequence[Run]) -> Sequence[Observation]:
        fired.update(run.slot_id for run in volley)
        return await answering(broken)(volley)

    report = await verdict_on(fire)
    assert len(fired) == report.fired < report.planned
    assert report.fired % TARGET.limits.concurrency == 0


async def test_never_more_runs_are_under_way_than_the_target_may_bear() -> None:
    under_way = most = 0

    async def fire(volley: Sequence[Run]) -> Sequence[Observation]:
        nonlocal under_way, most
        under_way += len(volley)
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= len(volley)
        return await answering(healthy)(volley)

    await verdict_on(fire)
    assert most == TARGET.limits.concurrency


async def test_the_order_in_which_answers_come_back_changes_nothing() -> None:
    in_order = await verdict_on(answering(broken))
    reversed_waves = await verdict_on(answering(broken, pause=lambda ordinal: (8 - ordinal % 8) * 1e-4))
    assert reversed_waves == in_order


async def test_the_kept_answers_give_the_same_verdict_again() -> None:
    store = MemoryStore()
    first = await verdict_on(answering(broken), store=store)
    with store.reading() as tx:
        kept = {seen.slot_id: seen for seen in tx.observations(purpose=Purpose.REPLAY, bodies=True)}

    async def fire(volley: Sequence[Run]) -> Sequence[Observation]:
        return [kept[run.slot_id] for run in volley]

    assert await verdict_on(fire) == first


async def test_it_feeds_no_detector() -> None:
    store = MemoryStore()
    await verdict_on(answering(broken), store=store)
    with store.reading() as tx:
        assert (list(tx.feed()), tx.states(StateKind.ALARM), tx.alarms()) == ([], {}, [])


async def test_it_feeds_no_baseline() -> None:
    store = MemoryStore()
    await verdict_on(answering(healthy), store=store)
    with store.reading() as tx:
        assert (tx.baselines(), tx.recordings(), list(tx.observations(purpose=Purpose.GOLDEN))) == ([], [], [])


async def test_every_answer_and_its_scores_are_kept() -> None:
    store = MemoryStore()
    report = await verdict_on(answering(healthy), store=store)
    with store.reading() as tx:
        scores = tx.scores(SeriesKey(TARGET.name, "lab", "prose", "script"), fed=False)
    assert len(scores) == report.fired


async def test_scores_of_another_version_of_the_scorer_are_not_judged_by_this_baseline() -> None:
    watch = a_watch(a_baseline("script", version=99), a_baseline("availability"))
    report = await verdict_on(answering(broken), watch=watch)
    assert [shown.series.signal for shown in report.shown] == ["availability"]


async def test_a_probe_that_was_edited_since_the_recording_is_not_judged_by_it() -> None:
    watch = a_watch(a_baseline("script", probes=PROBES[:1]), a_baseline("availability", probes=PROBES[:1]))
    report = await verdict_on(answering(healthy), 40, watch=watch)
    assert all(shown.answers < report.fired for shown in report.shown)


async def test_what_is_shown_names_the_slots_that_show_it() -> None:
    report = await verdict_on(answering(broken))
    (script,) = (shown for shown in report.shown if shown.series.signal == "script")
    touched = {run.slot_id for (run,) in plan(TARGET, GROUPS, "lab", 200, NOW) if run.ordinal % 3 == 0}
    assert len(script.evidence) == script.events
    assert set(script.evidence) <= touched


async def test_progress_is_told_after_each_wave() -> None:
    told: list[tuple[int, Verdict]] = []

    def progress(fired: int, judgement: Judgement) -> None:
        told.append((fired, judgement.verdict))

    runs = plan(TARGET, GROUPS, "lab", 20, NOW)
    await replay(MemoryStore(), answering(healthy), ARMED, runs, RULE, progress)
    assert told == [(8, Verdict.INCONCLUSIVE), (16, Verdict.INCONCLUSIVE), (20, Verdict.INCONCLUSIVE)]


def test_the_same_moment_draws_the_same_runs() -> None:
    assert plan(TARGET, GROUPS, "lab", 50, NOW) == plan(TARGET, GROUPS, "lab", 50, NOW)


def test_another_moment_draws_other_runs() -> None:
    later = plan(TARGET, GROUPS, "lab", 50, NOW + timedelta(seconds=1))
    assert [run.probe.id for (run,) in later] != [run.probe.id for (run,) in plan(TARGET, GROUPS, "lab", 50, NOW)]


def test_groups_take_turns_however_many_probes_they_have() -> None:
    lone = a_probe("sum", "code")
    groups = Counter(run.probe.group for (run,) in plan(TARGET, {**GROUPS, "code": (lone,)}, "lab", 50, NOW))
    assert groups == {"code": 25, "prose": 25}


def test_salts_are_drawn_from_those_that_the_probe_has() -> None:
    salted = replace(PROBES[0], salts=("One.", "Two.", "Three."))
    assert {run.salt for (run,) in plan(TARGET, {"prose": (salted,)}, "lab", 100, NOW)} == {0, 1, 2}


def test_a_plan_without_a_probe_is_refused() -> None:
    with pytest.raises(ValueError, match="one probe"):
        plan(TARGET, {"prose": ()}, "lab", 5, NOW)


BURSTS = {"prose@8": PROBES}


def watching_bursts(size: int = 8) -> Watch:
    group = f"prose@{size}"
    golden = [a_baseline(signal) for signal in ("script", "availability")]
    moved = [replace(one, series=replace(one.series, group=group)) for one in golden]
    return muster([Rhythm(TARGET.name, group, PROBES, timedelta(minutes=1))], moved, Terms(0.25, 0.05, 0.05), "lab")


async def verdict_on_bursts(fire: Fire, n: int = 200, store: MemoryStore | None = None) -> Report:
    volleys = plan(TARGET, BURSTS, "lab", n, NOW)
    return await replay(store or MemoryStore(), fire, watching_bursts(), volleys, RULE, lambda _, __: None)


def test_bursts_are_planned_whole_each_run_in_a_slot_of_its_own() -> None:
    volleys = plan(TARGET, {**BURSTS, **GROUPS}, "lab", 50, NOW)
    assert Counter(map(len, volleys)) == {1: 25, 8: 25}
    assert all(volley == volley[0].volley for volley in volleys)
    assert len({run.slot_id for volley in volleys for run in volley}) == 25 * 9


async def test_a_burst_is_fired_by_itself() -> None:
    sizes = []
    under_way = 0

    async def fire(volley: Sequence[Run]) -> Sequence[Observation]:
        nonlocal under_way
        under_way += 1
        await asyncio.sleep(0)
        sizes.append((len(volley), under_way))
        under_way -= 1
        return await answering(healthy)(volley)

    await verdict_on_bursts(fire, 10)
    assert sizes == [(8, 1)] * 10


async def test_healthy_bursts_pass_and_count_as_one_answer_each() -> None:
    report = await verdict_on_bursts(answering(healthy))
    assert report.verdict is Verdict.PASS
    assert {(shown.series.group, shown.answers) for shown in report.shown} == {("prose@8", report.fired // 8)}


async def test_bursts_in_which_one_answer_is_touched_fail_and_the_answer_is_named() -> None:
    store = MemoryStore()
    report = await verdict_on_bursts(answering(lambda ordinal: THAI if ordinal % 8 == 5 else ENGLISH), store=store)
    worst = next(shown for shown in report.shown if shown.series.signal == "script")
    with store.reading() as tx:
        ordinals = {seen.ordinal % 8 for slot_id in worst.evidence if (seen := tx.observation(slot_id)) is not None}
    assert (report.verdict, report.judgement.signal, ordinals) == (Verdict.FAIL, "prose@8/script", {5})
    assert worst.events == worst.answers


async def test_bursts_are_not_judged_by_the_baseline_of_the_lone_probe() -> None:
    with pytest.raises(BaselineError, match="record a baseline first"):
        await replay(
            MemoryStore(), answering(healthy), ARMED, plan(TARGET, BURSTS, "lab", 9, NOW), RULE, lambda _, __: None
        )
