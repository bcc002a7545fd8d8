"""What happened to an incident, from a store in which it really happened."""

import pytest

from canary.alert.suspects import Suspects
from canary.desk.story import timeline, traced, trend
from canary.pipeline.scopes import is_scope
from canary.records import Change, ChangeKind, Incident, Scope
from canary.store import MemoryStore
from canary.testing import FakeClock
from tests.unit.hindsight.test_explain import ANSWERS
from tests.unit.pipeline.stage import MINUTE, START, ledger, play, watch

NEAR = Change("near", ChangeKind.DEPLOY, START + 93 * MINUTE, "sampler", Scope("mid", "api", "short"))
ELSEWHERE = Change("elsewhere", ChangeKind.DEPLOY, START + 93 * MINUTE, "cache", Scope("large"))
LONG_AGO = Change("old", ChangeKind.DEPLOY, START - 1_000 * MINUTE, "engine")


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    made, clock = MemoryStore(), FakeClock(START)
    for _ in play(ledger(made, clock, watch(["short"])), clock, {"short": ANSWERS}):
        pass
    with made.transaction() as tx:
        for change in (NEAR, ELSEWHERE, LONG_AGO):
            tx.add_change(change)
    return made


def told(store: MemoryStore) -> tuple[Incident, list[tuple[str, str]]]:
    with store.reading() as tx:
        incident = tx.incidents()[0]
        return incident, [(one.kind, one.text) for one in timeline(tx, incident, Suspects())]


def test_a_story_goes_from_the_change_by_the_onset_and_the_alarm_to_the_incident(store: MemoryStore) -> None:
    _, moments = told(store)
    kinds = [kind for kind, _ in moments]
    assert [kind for kind in kinds if kind in ("change", "onset", "opened")][:3] == ["change", "onset", "opened"]
    assert "alarm" in kinds


def test_only_changes_near_the_onset_and_in_the_place_belong_to_it(store: MemoryStore) -> None:
    _, moments = told(store)
    assert [text for kind, text in moments if kind == "change"] == ["deploy mid/api/short sampler"]


def test_the_first_alarm_is_told_with_its_evidence(store: MemoryStore) -> None:
    _, moments = told(store)
    assert next(text for kind, text in moments if kind == "alarm").startswith("the first: ")


def test_the_trend_of_what_is_traced_rises_to_the_alarm(store: MemoryStore) -> None:
    incident, _ = told(store)
    finding = traced(incident)
    assert finding is not None
    assert not is_scope(finding.series)
    with store.reading() as tx:
        line = trend(tx, finding)
    assert max(line) >= 0.0 > line[0]
