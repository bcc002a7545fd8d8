from dataclasses import replace
from typing import cast

import pytest

from canary.alert.incident import Reason
from canary.errors import NotFound
from canary.pipeline.advance import alarms_again
from canary.pipeline.watch import Rhythm, muster
from canary.records import (
    IncidentState,
    NotificationKind,
    Signal,
    SignalKind,
    Symptom,
    Unscored,
    UnscoredReason,
)
from canary.score import SCORERS, Measure, Scorer
from canary.store import MemoryStore
from canary.store.base import StateKind
from canary.testing import FakeClock
from tests.unit.pipeline.stage import BROKEN, CLEAN, MINUTE, PROBE, START, TERMS, baseline, fired, ledger, play, watch

HEALTHY, FAULTY = [CLEAN] * 60, ([CLEAN] * 9 + [BROKEN]) * 12


def run(store: MemoryStore, **answers: list[str | None]) -> list[Reason]:
    clock = FakeClock(START)
    book = ledger(store, clock, watch(list(answers)))
    return [reason for step in play(book, clock, answers) for _, reason in step.decisions]


def test_healthy_answers_open_no_incident() -> None:
    store = MemoryStore()
    assert run(store, short=[CLEAN] * 2_000) == []


def test_a_faulty_pool_opens_one_incident_that_names_it_and_no_other() -> None:
    store = MemoryStore()
    run(store, short=[CLEAN] * 120, long=FAULTY)
    with store.reading() as tx:
        assert [incident.target for incident in tx.incidents()] == ["mid/api/long"]


def test_an_incident_says_since_when_how_big_and_shows_evidence() -> None:
    store = MemoryStore()
    run(store, long=[*HEALTHY, *FAULTY])
    with store.reading() as tx:
        (finding,) = tx.incidents()[0].findings
    assert finding.symptom is Symptom.CORRUPTION
    assert finding.onset.low <= START + 69 * MINUTE <= finding.onset.high
    assert finding.size.low < 0.1 < finding.size.high
    assert set(finding.evidence) <= {
        fired("long", m, BROKEN).observations[0].slot_id for m in range(60, 180) if m % 10 == 9
    }


def test_the_size_is_told_of_the_answers_after_the_one_that_the_onset_was_placed_at() -> None:
    store = MemoryStore()
    run(store, long=[*HEALTHY, *FAULTY[:40]])
    with store.reading() as tx:
        (finding,) = tx.incidents()[0].findings
        first, *_ = tx.alarms()
    assert finding.alarms == 1
    assert finding.size.answers * MINUTE == first.at - finding.onset.best


def test_a_fault_that_took_long_to_find_is_traced_back_to_where_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    """It began more answers ago than an alarm is traced back through at first."""
    monkeypatch.setattr("canary.pipeline.inquiry.HISTORY", 50)
    store = MemoryStore()
    run(store, long=[*[CLEAN] * 1_000, *([CLEAN] * 39 + [BROKEN]) * 12])
    with store.reading() as tx:
        (finding,) = tx.incidents()[0].findings
    assert finding.onset.low <= START + 1_039 * MINUTE <= finding.onset.high


def test_opening_an_incident_owes_one_trigger() -> None:
    store, clock = MemoryStore(), FakeClock(START)
    for _ in play(ledger(store, clock, watch(["long"])), clock, {"long": FAULTY[:80]}):
        pass
    with store.transaction() as tx:
        owed = tx.claim(now=clock.now(), lease=MINUTE, limit=10)
    assert [one.kind for one in owed] == [NotificationKind.TRIGGER]


def test_an_incident_resolves_once_recovery_is_proven() -> None:
    store = MemoryStore()
    reasons = run(store, long=[*FAULTY, *[CLEAN] * 600])
    assert reasons[0] is Reason.OPENED
    assert reasons[-1] is Reason.RESOLVED
    with store.reading() as tx:
        assert [incident.state for incident in tx.incidents()] == [IncidentState.RESOLVED]


def test_a_test_of_recovery_leaves_nothing_behind_once_it_is_passed() -> None:
    store, seen = MemoryStore(), set[str]()
    clock = FakeClock(START)
    for _ in play(ledger(store, clock, watch(["long"])), clock, {"long": [*FAULTY, *[CLEAN] * 600]}):
        with store.reading() as tx:
            seen |= {state.detector for state in tx.states(StateKind.RECOVERY).values()}
    assert seen
    for digest in seen:  # that of the first alarm, and of what it grew to
        with store.reading() as tx, pytest.raises(NotFound):
            tx.detector(digest)


def test_an_unreachable_pool_is_an_availability_incident() -> None:
    store = MemoryStore()
    run(store, long=[*HEALTHY, *[None] * 30])
    with store.reading() as tx:
        assert {finding.symptom for i in tx.incidents() for finding in i.findings} == {Symptom.AVAILABILITY}


def test_replay_of_the_store_gives_exactly_the_live_alarms() -> None:
    store = MemoryStore()
    run(store, short=FAULTY, long=[*HEALTHY, *FAULTY, *[None] * 9])
    with store.reading() as tx:
        live, again = {a.id: a for a in tx.alarms()}, {a.id: a for a in alarms_again(tx)}
    assert len(live) > 2
    assert again == live


@pytest.mark.parametrize("batch", [1, 7, 200])
def test_any_batching_gives_the_same_alarms_and_states(batch: int) -> None:
    outcomes = []
    for size in (5, batch):
        store, clock = MemoryStore(), FakeClock(START)
        for _ in play(ledger(store, clock, watch(["long"])), clock, {"long": FAULTY}, batch=size):
            pass
        with store.reading() as tx:
            outcomes.append((tx.alarms(), {k: s.blob for k, s in tx.states(StateKind.ALARM).items()}))
    assert outcomes[0] == outcomes[1]


def test_an_answer_that_comes_twice_is_counted_once() -> None:
    outcomes = []
    for times in (1, 3):
        store, clock = MemoryStore(), FakeClock(START)
        book = ledger(store, clock, watch(["long"]))
        for minute, text in enumerate(FAULTY[:30]):
            for _ in range(times):
                book.commit([fired("long", minute, text)] * times)
        with store.reading() as tx:
            outcomes.append({k: (s.n, s.blob) for k, s in tx.states(StateKind.ALARM).items()})
    assert outcomes[0] == outcomes[1]


def test_a_restart_in_the_middle_changes_no_alarm() -> None:
    outcomes = []
    for restarts in (False, True):
        store, clock = MemoryStore(), FakeClock(START)
        book = ledger(store, clock, watch(["long"]))
        for minute, text in enumerate(FAULTY):
            book = ledger(store, clock, watch(["long"])) if restarts else book
            book.commit([fired("long", minute, text)])
        with store.reading() as tx:
            outcomes.append(tx.alarms())
    assert outcomes[0] == outcomes[1]


def test_adding_a_target_resets_nobody() -> None:
    store, clock = MemoryStore(), FakeClock(START)
    book = ledger(store, clock, watch(["long"]))
    for minute in range(5):
        book.commit([fired("long", minute, BROKEN if minute == 4 else CLEAN)])
    with store.reading() as tx:
        before = {key: state.n for key, state in tx.states(StateKind.ALARM).items()}
    book.watch = watch(["long", "short"])
    book.commit([fired("long", 5, CLEAN)])
    with store.reading() as tx:
        after = {key: state.n for key, state in tx.states(StateKind.ALARM).items()}
    assert {key: after[key] for key in before} == {key: n + 1 for key, n in before.items()}


def test_a_new_baseline_epoch_starts_afresh() -> None:
    store, clock = MemoryStore(), FakeClock(START)
    book = ledger(store, clock, watch(["long"]))
    book.commit([fired("long", minute, CLEAN) for minute in range(5)])
    book.watch = watch(["long"], epoch=2)
    book.commit([fired("long", 5, CLEAN)])
    with store.reading() as tx:
        assert {state.n for state in tx.states(StateKind.ALARM).values()} == {1}
        assert list(alarms_again(tx)) == list(tx.alarms())


def test_a_new_baseline_epoch_of_a_series_starts_its_scopes_afresh_too() -> None:
    store, clock = MemoryStore(), FakeClock(START)
    book = ledger(store, clock, watch(["long", "short"]))
    for minute in range(20):
        book.commit([fired("long", minute, BROKEN if minute == 10 else CLEAN), fired("short", minute, CLEAN)])
    book.watch = watch(["long", "short"], epoch=2)
    book.commit([fired("long", 20, CLEAN)])
    with store.reading() as tx:
        states = tx.states(StateKind.ALARM)
        assert {key.target: state.n for key, state in states.items()} == {
            "mid/api/long": 1,
            "mid/api/*": 1,
            "mid/api/short": 20,
        }
        assert sorted(alarms_again(tx), key=lambda one: one.id) == sorted(tx.alarms(), key=lambda one: one.id)


def test_a_series_without_golden_data_enough_is_learning_and_raises_nothing() -> None:
    store, clock = MemoryStore(), FakeClock(START)
    on = watch(["long"], n=50)
    assert not on.armed
    assert {status.n for status in on.learning.values()} == {50}
    steps = list(play(ledger(store, clock, on), clock, {"long": [BROKEN] * 30}))
    assert not any(step.decisions for step in steps)


def test_the_shares_of_the_armed_series_and_of_their_scopes_sum_to_one() -> None:
    armed = watch(["a", "b", "c"]).armed.values()
    assert sum(one.share * (1 + len(one.hierarchy.levels) * one.hierarchy.weight) for one in armed) == pytest.approx(
        1.0
    )


def test_a_stalled_hour_spends_ten_intervals_of_budget_at_most() -> None:
    store, clock = MemoryStore(), FakeClock(START)
    book = ledger(store, clock, watch(["long"]))
    book.commit([fired("long", 0, CLEAN), fired("long", 60, CLEAN)])
    with store.reading() as tx:
        first, second = (row for row in tx.feed() if row.series.signal == "script")
    assert first.log_budget is not None
    assert second.log_budget == pytest.approx(first.log_budget + 2.302585092994046)  # ln 10
    assert TERMS.false_alarms_per_week == 0.25


def test_a_scorer_of_the_users_own_judges_what_is_committed() -> None:
    signal = Signal("taste", 1, SignalKind.EVENT, Symptom.SHAPE, "points", "answers")
    own = {**SCORERS, "taste": Scorer(signal, lambda _: Measure(1.0, 1.0))}
    on = replace(watch(["long"]), scorers=own)
    clock, store = FakeClock(START), MemoryStore()
    one = fired("long", 0, CLEAN)
    tasting = replace(one, probe=replace(one.probe, scorers=("taste",)))
    committed = ledger(store, clock, on).commit([tasting])
    assert [score.signal for judged in committed.step.fresh for score in judged.scores] == ["taste", "availability"]


def test_a_scorer_that_raises_on_one_answer_does_not_stop_the_batch() -> None:
    store, clock = MemoryStore(), FakeClock(START)
    book = ledger(store, clock, watch(["long"]))
    mined = fired("long", 1, CLEAN)
    mined = replace(mined, probe=replace(mined.probe, scripts=cast("tuple[str, ...]", None)))
    step = book.commit([fired("long", 0, CLEAN), mined, fired("long", 2, CLEAN)]).step
    reasons = [{s.reason for s in one.scores if isinstance(s, Unscored)} for one in step.fresh]
    assert reasons == [set(), {UnscoredReason.CRASHED}, set()]
    with store.reading() as tx:
        assert len(list(tx.observations())) == 3
        assert {state.n for state in tx.states(StateKind.ALARM).values()} == {2}


def test_another_regions_baselines_arm_nothing_here_and_lend_no_references() -> None:
    here = watch(["long"])
    key = next(iter(here.armed))
    theirs = replace(baseline(key, epoch=2), series=replace(key, region="us"))
    rhythm = Rhythm(key.target, key.group, (PROBE,), MINUTE)
    on = muster([rhythm], [baseline(key), theirs], TERMS, "eu")
    assert set(on.armed) == {key}
    assert on.epochs == {(key.target, key.group): 1}


def test_an_alarm_before_its_baseline_was_made_is_told_all_the_same() -> None:
    """A clock that was an hour ahead while the baseline was recorded, and set right since."""
    store, clock = MemoryStore(), FakeClock(START)
    book = ledger(store, clock, watch(["long"], at=START + 60 * MINUTE))
    reasons = [reason for step in play(book, clock, {"long": FAULTY}) for _, reason in step.decisions]
    assert reasons[0] is Reason.OPENED


def test_a_pause_of_weeks_alone_raises_nothing() -> None:
    store, clock = MemoryStore(), FakeClock(START)
    book = ledger(store, clock, watch(["long"]))
    book.commit([fired("long", minute, CLEAN) for minute in (0, 1, 10 * 7 * 24 * 60)])
    with store.reading() as tx:
        assert not tx.alarms()
