"""Why an alarm was raised, from the store alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from canary.errors import NotFound
from canary.hindsight.explain import Account, cases, explain
from canary.hindsight.scope import concerns
from canary.hindsight.window import chart, lettered, window
from canary.pipeline.advance import own_steps
from canary.records import Alarm, Change, ChangeKind, Scope
from canary.store import MemoryStore
from canary.store.base import StateKind, Store
from canary.testing import FakeClock
from tests.unit.pipeline.stage import BROKEN, CLEAN, MINUTE, START, fired, ledger, play, watch

ANSWERS = [*[CLEAN] * 90, *([CLEAN] * 4 + [BROKEN]) * 30, *[CLEAN] * 7]
SCRIPT = ("mid/api/short", "script")
BEGAN = START + 94 * MINUTE  # the first broken answer


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    return played()


def played() -> MemoryStore:
    store, clock = MemoryStore(), FakeClock(START)
    for _ in play(ledger(store, clock, watch(["short"])), clock, {"short": ANSWERS}):
        pass
    return store


def first_alarm(store: Store) -> Alarm:
    with store.reading() as tx:
        return tx.alarms()[0]


def accounts(store: Store, what: str | None = None) -> list[Account]:
    with store.reading() as tx:
        _, found = cases(tx, what or tx.incidents()[0].id)
        return [explain(tx, case) for case in found]


def test_the_evidence_comes_again_bit_for_bit(store: MemoryStore) -> None:
    (account,) = accounts(store)
    with store.reading() as tx:
        assert account.differences == ()
        assert list(account.alarms) == list(tx.alarms())
        assert account.points[-1].evidence == tx.states(StateKind.ALARM)[account.case.series].evidence


def test_the_steps_of_a_series_alone_from_its_beginning_are_those_that_were_made(store: MemoryStore) -> None:
    (account,) = accounts(store)
    with store.reading() as tx:
        alone = [step.evidence for step in own_steps(tx, tx.scores(account.case.series))]
    assert alone == [point.evidence for point in account.points]


def test_the_steps_of_the_latest_scores_alone_come_to_nearly_the_same() -> None:
    """R forgets what it began with, while all is well."""
    store, clock = MemoryStore(), FakeClock(START)
    for _ in play(ledger(store, clock, watch(["short"])), clock, {"short": [CLEAN] * 400}):
        pass
    with store.reading() as tx:
        states = tx.states(StateKind.ALARM)
        series, state = next((key, one) for key, one in states.items() if (key.target, key.signal) == SCRIPT)
        *_, last = own_steps(tx, tx.scores(series, limit=240))
    assert last.evidence == pytest.approx(state.evidence, abs=0.7)


def test_the_evidence_of_a_part_of_the_fleet_comes_again_bit_for_bit() -> None:
    store, clock = MemoryStore(), FakeClock(START)
    for _ in play(ledger(store, clock, watch(["short", "long"])), clock, {"short": ANSWERS, "long": ANSWERS}):
        pass
    explained = {account.case.series.target: account for account in accounts(store)}
    with store.reading() as tx:
        alarms = [alarm for alarm in tx.alarms() if alarm.series.target == "mid/api/*"]
    assert list(explained["mid/api/*"].alarms) == alarms
    assert {account.differences for account in explained.values()} == {()}
    assert len(explained["mid/api/*"].points) == 2 * len(explained["mid/api/short"].points)


def test_steps_of_a_store_that_did_not_save_the_overshoot_of_scopes_come_again_as_they_were() -> None:
    store, clock, now = MemoryStore(), FakeClock(START), watch(["short", "long"])
    then = replace(now.hierarchy, saves=False)
    before = replace(
        now,
        hierarchy=then,
        armed={key: replace(one, hierarchy=then, digest=f"old {key}") for key, one in now.armed.items()},
    )
    for nth, on in enumerate((before, now)):
        answers = {"short": ANSWERS, "long": ANSWERS}
        for _ in play(ledger(store, clock, on), clock, answers, first=nth * len(ANSWERS)):
            pass
    assert {account.differences for account in accounts(store)} == {()}
    with store.reading() as tx:
        scopes = [alarm for alarm in tx.alarms() if alarm.series.target == "mid/api/*"]
        assert len({alarm.detector for alarm in scopes}) == 2


@pytest.mark.parametrize(("after", "over"), [(10, False), (400, True)])
def test_a_fault_that_passed_is_told_from_one_that_stays(after: int, over: bool) -> None:
    store, clock = MemoryStore(), FakeClock(START)
    answers = [*[CLEAN] * 90, *([CLEAN] * 4 + [BROKEN]) * 12, *[CLEAN] * after]
    for _ in play(ledger(store, clock, watch(["short"])), clock, {"short": answers}):
        pass
    lasted = accounts(store)[0].lasted
    assert lasted is not None
    assert (lasted.first, lasted.last, lasted.over) == (BEGAN, START + 149 * MINUTE, over)


def test_an_alarm_is_explained_as_its_incident_is(store: MemoryStore) -> None:
    assert accounts(store, first_alarm(store).id) == accounts(store)


def test_the_beginning_of_an_id_is_enough(store: MemoryStore) -> None:
    assert accounts(store, first_alarm(store).id[:10]) == accounts(store)


@pytest.mark.parametrize("what", ["", "nothing", "ffffffffffffffff"])
def test_what_is_neither_incident_nor_alarm_is_told(store: MemoryStore, what: str) -> None:
    with store.reading() as tx, pytest.raises(NotFound):
        cases(tx, what)


def test_a_score_that_was_edited_is_found_out() -> None:
    store = played()
    with store.transaction() as tx:
        row = next(row for row in tx.scores(first_alarm(store).series) if row.event)
        tx.add_scores([row])  # the same event once more
    assert any("not in the store" in said or "evidence" in said for said in accounts(store)[0].differences)


def test_an_alarm_that_was_edited_is_found_out() -> None:
    store, alarm = played(), first_alarm(played())
    with store.transaction() as tx:
        tx.add_alarms([replace(alarm, id="f" * 16)])
    assert accounts(store)[0].differences == (
        f"the alarm {'f' * 16} of {alarm.at:%Y-%m-%d %H:%M:%S}Z is in the store, but does not come again",
    )


def test_a_state_that_was_edited_is_found_out() -> None:
    store = played()
    with store.transaction() as tx:
        (state,) = tx.states(StateKind.ALARM, [first_alarm(store).series]).values()
        tx.put_states([replace(state, blob=state.blob[:-1] + b"\x00")])
    (said,) = accounts(store)[0].differences
    assert said.startswith("the state")


def test_a_series_whose_scores_are_forgotten_is_told() -> None:
    store = played()
    alarm = first_alarm(store)
    emptied = MemoryStore()
    with emptied.transaction() as tx:
        tx.add_alarms([alarm])
    assert accounts(emptied, alarm.id)[0].differences == ("the store keeps no score of this series any more",)


def test_the_answers_that_weigh_most_are_the_broken_ones(store: MemoryStore) -> None:
    (account,) = accounts(store)
    broken = {fired("short", minute, BROKEN).observations[0].slot_id for minute in range(94, 240, 5)}
    assert account.strength is not None
    assert {one.slot_id for one in account.strength.heaviest} <= broken


def test_the_answers_since_the_onset_outweigh_what_the_budget_asks_for(store: MemoryStore) -> None:
    (account,) = accounts(store)
    assert account.strength is not None
    assert account.case.onset.best == BEGAN
    assert account.strength.events == len([1 for p in account.points if p.event and p.at <= account.case.alarm.at])
    assert account.strength.nats > account.case.alarm.evidence
    assert 0.0 < account.strength.spent < account.spent


def test_the_window_holds_the_onset_and_the_alarm(store: MemoryStore) -> None:
    begin, end = window(accounts(store))
    assert begin < BEGAN < first_alarm(store).at < end


def test_an_alarm_breaks_the_curve(store: MemoryStore) -> None:
    (account,) = accounts(store)
    shown = (START, START + 300 * MINUTE)
    drawn = chart(account, shown, lettered([account], shown))
    assert [curve[-1] for curve in drawn.curves[: len(drawn.alarms)]] == list(drawn.alarms)
    assert sum(map(len, drawn.curves)) == len(ANSWERS)


def test_changes_of_this_place_are_marked_and_no_others() -> None:
    store = played()
    here = Change("c1", ChangeKind.DEPLOY, BEGAN, "kernel 7", Scope(platform="api"))
    elsewhere = Change("c2", ChangeKind.DEPLOY, BEGAN, "kernel 7", Scope(platform="cloud"))
    long_ago = Change("c3", ChangeKind.DEPLOY, BEGAN - timedelta(days=9), "kernel 6")
    with store.transaction() as tx:
        for change in (here, elsewhere, long_ago):
            tx.add_change(change)
    found = accounts(store)
    assert lettered(found, window(found)) == {"c1": ("a", here)}


@pytest.mark.parametrize(
    ("scope", "holds"),
    [
        ({}, True),
        ({"model": "mid"}, True),
        ({"model": "mid", "pool": "long"}, False),
        ({"region": "us"}, False),
        ({"region": "eu", "pool": "short"}, True),
    ],
)
def test_a_change_concerns_the_targets_in_its_scope(scope: dict[str, str], holds: bool) -> None:
    assert concerns(Change("c", ChangeKind.FLAG, START, "x", Scope(**scope)), "mid/api/short", "eu") is holds
