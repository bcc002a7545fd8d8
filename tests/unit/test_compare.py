"""Two targets side by side, over a memory store, with targets that behave as they are told."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from canary.detect import Judgement, Verdict
from canary.detect.twosample import PairRule
from canary.pipeline.watch import Rhythm, Terms, Watch, muster
from canary.records import (
    Failure,
    FailureKind,
    Finish,
    Limits,
    Observation,
    Probe,
    Purpose,
    Response,
    Run,
    Target,
)
from canary.store import MemoryStore
from canary.store.base import StateKind
from canary.verdict import Comparison, Fire, Turn, compare, plan_pairs
from tests.unit.test_verdict import ENGLISH, NOW, PROBES, TARGET, THAI

pytestmark = pytest.mark.anyio

OTHER = replace(TARGET, pool="long", limits=Limits(concurrency=4))
GROUPS = {"prose": PROBES}
RULE = PairRule(share=0.1)
Choose = Callable[[Run], Response | Failure]


def watching(groups: dict[str, tuple[Probe, ...]]) -> Watch:
    rhythms = [
        Rhythm(target.name, group, probes, timedelta(minutes=1))
        for target in (TARGET, OTHER)
        for group, probes in groups.items()
    ]
    return muster(rhythms, (), Terms(0.25, 0.05, 0.05), "lab")


def english(_: Run) -> Response:
    return Response(ENGLISH, Finish.STOP)


def thai_in_a_third(run: Run) -> Response:
    return Response(THAI if run.ordinal % 3 == 0 else ENGLISH, Finish.STOP)


def silent(_: Run) -> Failure:
    return Failure(FailureKind.UNREACHABLE, "no connection")


def answering(short: Choose, long: Choose) -> Fire:
    async def one(run: Run) -> Observation:
        await asyncio.sleep(0)
        chosen = (short if run.target.pool == "short" else long)(run)
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
            salt=run.salt,
            purpose=run.purpose,
            response=chosen if isinstance(chosen, Response) else None,
            failure=chosen if isinstance(chosen, Failure) else None,
        )

    async def fire(volley: Sequence[Run]) -> Sequence[Observation]:
        return await asyncio.gather(*map(one, volley))

    return fire


async def compared(
    short: Choose,
    long: Choose,
    n: int = 200,
    *,
    judged: Target = OTHER,
    groups: dict[str, tuple[Probe, ...]] = GROUPS,
    store: MemoryStore | None = None,
    stop: asyncio.Event | None = None,
) -> Comparison:
    """`judged` against the other one."""
    other = TARGET if judged is OTHER else OTHER
    turns = plan_pairs((other, judged), groups, "lab", n, NOW)
    names = (judged.name, other.name)
    fire = answering(short, long)
    return await compare(store or MemoryStore(), fire, watching(groups), names, turns, RULE, lambda _, __: None, stop)


async def test_targets_that_are_alike_pass() -> None:
    assert (await compared(english, english)).verdict is Verdict.PASS


async def test_a_target_with_foreign_characters_that_the_other_has_not_fails() -> None:
    found = await compared(english, thai_in_a_third)
    assert (found.verdict, found.judgement.signal) == (Verdict.FAIL, "prose/script")


async def test_swapped_roles_say_that_the_other_one_is_worse() -> None:
    found = await compared(english, thai_in_a_third, judged=TARGET)
    assert (found.verdict, found.against, found.against_is_worse) == (Verdict.PASS, OTHER.name, True)


async def test_targets_with_the_same_fault_are_not_told_apart() -> None:
    found = await compared(thai_in_a_third, thai_in_a_third)
    assert (found.verdict, found.against_is_worse) == (Verdict.PASS, False)


async def test_few_pairs_are_inconclusive_and_say_which_share_they_would_have_shown() -> None:
    few, more = [await compared(english, english, n) for n in (20, 40)]
    assert (few.verdict, more.verdict) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)
    assert RULE.share < more.judgement.visible < few.judgement.visible < 1.0


async def test_a_target_that_never_answers_fails_by_its_availability() -> None:
    found = await compared(english, silent)
    assert (found.verdict, found.judgement.signal) == (Verdict.FAIL, "prose/availability")


async def test_two_targets_that_never_answer_are_inconclusive() -> None:
    found = await compared(silent, silent)
    assert (found.verdict, found.failures) == (Verdict.INCONCLUSIVE, (200, 200))


async def test_answers_that_only_one_target_gives_never_pass_it() -> None:
    found = await compared(english, lambda _: Response("\n", Finish.STOP))
    assert found.verdict is Verdict.INCONCLUSIVE


def probed_for(*scorers: str) -> dict[str, tuple[Probe, ...]]:
    return {"prose": tuple(replace(probe, scorers=scorers) for probe in PROBES)}


async def test_signals_that_need_a_baseline_are_named_and_keep_no_pass_back() -> None:
    found = await compared(english, english, groups=probed_for("script", "novelty"))
    left_out = [(series.signal, reason) for series, reason in found.left_out]
    assert (found.verdict, left_out) == (Verdict.PASS, [("novelty", "no_reference")])


async def test_a_signal_that_has_no_worse_side_is_left_out() -> None:
    found = await compared(english, english, groups=probed_for("script", "balance"))
    assert (found.verdict, [series.signal for series, _ in found.left_out]) == (Verdict.PASS, ["balance"])


async def test_without_logprobs_what_needs_them_is_left_out() -> None:
    found = await compared(english, english, groups=probed_for("script", "greedy"))
    assert (found.verdict, [reason for _, reason in found.left_out]) == (Verdict.PASS, ["no_logprobs"])


async def test_the_worst_pairs_name_the_runs_of_the_target_under_judgement() -> None:
    store = MemoryStore()
    found = await compared(english, thai_in_a_third, store=store)
    script = next(one for one in found.compared if one.series.signal == "script")
    with store.reading() as tx:
        seen = [one for slot in script.slots if (one := tx.observation(slot)) is not None]
    assert len(seen) == script.worse
    assert {(one.target, one.ordinal % 3) for one in seen} == {(OTHER.name, 0)}


async def test_it_feeds_no_detector_and_no_baseline() -> None:
    store = MemoryStore()
    await compared(english, thai_in_a_third, store=store)
    with store.reading() as tx:
        assert (list(tx.feed()), tx.states(StateKind.ALARM), tx.alarms(), tx.baselines()) == ([], {}, [], [])


async def test_a_burst_counts_as_one_answer_its_worst() -> None:
    def late_in_the_burst(run: Run) -> Response:
        return Response(THAI if run.ordinal % 4 == 3 else ENGLISH, Finish.STOP)

    found = await compared(english, late_in_the_burst, groups={"prose@4": PROBES})
    script = next(one for one in found.compared if one.series.signal == "script")
    assert found.verdict is Verdict.FAIL
    assert script.worse == script.pairs == found.fired // 8


async def test_when_it_is_stopped_it_gives_the_verdict_so_far() -> None:
    stop, told = asyncio.Event(), list[int]()

    def progress(fired: int, _: Judgement) -> None:
        told.append(fired)
        stop.set()

    turns = plan_pairs((TARGET, OTHER), GROUPS, "lab", 200, NOW)
    found = await compare(
        MemoryStore(),
        answering(english, english),
        watching(GROUPS),
        (OTHER.name, TARGET.name),
        turns,
        RULE,
        progress,
        stop,
    )
    assert (found.verdict, found.fired, told) == (Verdict.INCONCLUSIVE, 8, [8])


async def test_a_wave_that_hangs_when_it_is_stopped_does_not_count() -> None:
    stop = asyncio.Event()

    async def hanging(volley: Sequence[Run]) -> Sequence[Observation]:
        stop.set()
        await asyncio.Event().wait()
        return []

    turns = plan_pairs((TARGET, OTHER), GROUPS, "lab", 200, NOW)
    store = MemoryStore()
    found = await compare(
        store, hanging, watching(GROUPS), (OTHER.name, TARGET.name), turns, RULE, lambda _, __: None, stop
    )
    with store.reading() as tx:
        assert (found.fired, list(tx.observations(purpose=Purpose.COMPARE))) == (0, [])


def pairs(n: int = 200) -> tuple[Turn, ...]:
    return plan_pairs((TARGET, OTHER), GROUPS, "lab", n, NOW)


def test_both_targets_of_a_pair_get_the_same_probe_and_salt_at_the_same_slot() -> None:
    for first, second in pairs():
        (one,), (two,) = first, second
        assert {one.target.name, two.target.name} == {TARGET.name, OTHER.name}
        assert replace(one, target=two.target) == two


def test_which_target_comes_first_is_drawn_evenly() -> None:
    firsts = Counter(turn[0][0].target.name for turn in pairs(1000))
    assert all(400 < count < 600 for count in firsts.values())


def test_the_same_moment_draws_the_same_pairs() -> None:
    assert pairs() == pairs()


async def test_no_target_bears_more_than_the_weaker_one_may() -> None:
    under_way: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def fire(volley: Sequence[Run]) -> Sequence[Observation]:
        name = volley[0].target.name
        under_way[name] += 1
        most[name] = max(most[name], under_way[name])
        seen = await answering(english, english)(volley)
        under_way[name] -= 1
        return seen

    await compare(MemoryStore(), fire, watching(GROUPS), (OTHER.name, TARGET.name), pairs(), RULE, lambda _, __: None)
    assert max(most.values()) <= OTHER.limits.concurrency
