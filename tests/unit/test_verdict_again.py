"""A kept verdict said again from the store."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canary.draw import lines
from canary.errors import StoreError
from canary.records import KeptVerdict, Purpose, Run
from canary.store import MemoryStore
from canary.verdict import again, charts, plan, replay
from canary.verdict.turns import waves
from tests.unit.test_compare import compared, english, thai_in_a_third
from tests.unit.test_verdict import ARMED, GROUPS, NOW, RULE, TARGET, THAI, answering, healthy, verdict_on

pytestmark = pytest.mark.anyio


def kept_in(store: MemoryStore) -> KeptVerdict:
    with store.reading() as tx:
        (kept,) = tx.verdicts()
    return kept


async def test_a_replay_is_kept_and_comes_again_bit_for_bit() -> None:
    store = MemoryStore()
    report = await verdict_on(answering(lambda ordinal: THAI if ordinal % 5 == 0 else "Tides rise."), store=store)
    with store.reading() as tx:
        made = again(tx, tx.verdict(report.id))
    assert (made.differences, made.judgement, made.shown) == ((), report.judgement, report.shown)


async def test_a_comparison_is_kept_and_comes_again_bit_for_bit() -> None:
    store = MemoryStore()
    found = await compared(english, thai_in_a_third, store=store)
    with store.reading() as tx:
        made = again(tx, tx.verdict(found.id))
    assert (made.differences, made.judgement, made.shown) == ((), found.judgement, found.compared)


async def test_bursts_in_pairs_come_again_bit_for_bit() -> None:
    store = MemoryStore()
    probes = GROUPS["prose"]
    found = await compared(english, thai_in_a_third, store=store, groups={"prose@4": probes, "prose": probes})
    with store.reading() as tx:
        made = again(tx, tx.verdict(found.id))
    assert (made.differences, made.shown) == ((), found.compared)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bad=st.lists(st.booleans(), min_size=40, max_size=40))
async def test_whatever_was_answered_comes_again_bit_for_bit(bad: list[bool]) -> None:
    store = MemoryStore()
    await verdict_on(answering(lambda ordinal: THAI if bad[ordinal % 40] else "Tides rise."), 60, store=store)
    with store.reading() as tx:
        assert again(tx, kept_in(store)).differences == ()


async def test_the_last_point_is_the_verdict_and_no_earlier_one_was_sure() -> None:
    store = MemoryStore()
    await verdict_on(answering(lambda ordinal: THAI if ordinal % 3 == 0 else "Tides rise."), store=store)
    with store.reading() as tx:
        made = again(tx, kept_in(store))
    sure = [point.evidence >= 4.6051702 or point.soundness >= 2.9957323 for point in made.points]
    assert sure == [False] * (len(sure) - 1) + [True]
    assert made.points[-1].evidence == made.kept.evidence


async def test_the_width_of_a_wave_has_no_say_in_the_verdict() -> None:
    wide, narrow = MemoryStore(), MemoryStore()
    fire = answering(lambda ordinal: THAI if ordinal % 3 == 0 else "Tides rise.")
    for store, concurrency in ((wide, 32), (narrow, 1)):
        target = replace(TARGET, limits=replace(TARGET.limits, concurrency=concurrency))
        volleys = plan(target, GROUPS, "lab", 200, NOW)
        await replay(store, fire, ARMED, volleys, RULE, lambda _, __: None)
    assert kept_in(wide) == kept_in(narrow)


async def test_a_verdict_whose_evidence_was_tampered_with_differs() -> None:
    store = MemoryStore()
    await verdict_on(answering(healthy), store=store)
    kept = kept_in(store)
    with store.reading() as tx:
        made = again(tx, replace(kept, evidence=kept.evidence + 1e-15, verdict="fail"))
    assert [one.split(":")[0] for one in made.differences] == ["verdict", "evidence"]


async def test_a_verdict_whose_answers_are_forgotten_differs_and_says_so() -> None:
    store = MemoryStore()
    await verdict_on(answering(healthy), store=store)
    kept = kept_in(store)
    with MemoryStore().transaction() as tx:
        for one in kept.yardsticks:
            with store.reading() as old:
                tx.put_detector(one.detector, old.detector(one.detector))
        made = again(tx, kept)
    assert made.points == ()
    assert made.differences[0] == f"{len(kept.slots)} of its {len(kept.slots)} answers are not in the store any more"


async def test_without_its_detectors_a_verdict_cannot_be_said_again() -> None:
    store = MemoryStore()
    await verdict_on(answering(healthy), store=store)
    with MemoryStore().reading() as tx, pytest.raises(StoreError, match="cannot be said again"):
        again(tx, kept_in(store))


async def test_a_verdict_is_drawn_answer_after_answer_up_to_where_it_was_sure() -> None:
    store = MemoryStore()
    await verdict_on(answering(lambda ordinal: THAI if ordinal % 3 == 0 else "Tides rise."), store=store)
    with store.reading() as tx:
        made = again(tx, kept_in(store))
    fail, sound = charts(made)
    assert (len(fail.curves[0]), len(fail.alarms), len(sound.alarms)) == (len(made.points), 1, 0)
    assert "fail 0" in "".join(text for line in lines(fail, 80) for text, _ in line)


async def test_a_verdict_on_nothing_is_drawn_too() -> None:
    store = MemoryStore()
    await verdict_on(answering(healthy), store=store)
    with store.reading() as tx:
        made = again(tx, replace(kept_in(store), slots=()))
    assert all(lines(chart, 80) for chart in charts(made))


def test_a_gate_fires_in_slots_of_its_own() -> None:
    def slots(purpose: Purpose) -> set[str]:
        return {run.slot_id for (run,) in plan(TARGET, GROUPS, "lab", 20, NOW, purpose)}

    assert not slots(Purpose.GATE) & slots(Purpose.REPLAY)


def test_all_turns_are_in_a_wave_in_their_order() -> None:
    turns = [(volley,) for volley in plan(TARGET, {**GROUPS, "prose@4": GROUPS["prose"]}, "lab", 30, NOW)]
    flat: list[tuple[tuple[Run, ...], ...]] = [turn for wave in waves(turns) for turn in wave]
    assert flat == turns
