"""Three faults at once, the first of them small and growing: what the on-call engineer is told."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from canary.alert.gist import first_onset, last_worsening
from canary.alert.incident import Decision, Reason
from canary.pipeline.suspects import suspects
from canary.records import Incident, Interval, Symptom
from canary.store import MemoryStore
from tests.statistics.overlap import at, changes, incident, play, targets

FIRST, LARGE, WORSE, END, SLOTS = 30, 480, 561, 630, 630
SPOTS = {(target.name, "eu") for target in targets()}


@dataclass(frozen=True)
class Story:
    """What was decided, by slot, and what stood at the end."""

    store: MemoryStore
    decisions: list[tuple[int, Decision]]
    incidents: Mapping[Symptom, Incident]

    def suspected(self, symptom: Symptom, *, worsening: bool = False) -> str:
        with self.store.reading() as tx:
            found = suspects(tx, self.incidents[symptom], SPOTS)
        first = (found.worsening if worsening else found.onset)[0]
        return first.change.id if first.change else "no recorded change"

    def slots(self, reason: Reason) -> list[int]:
        return [slot for slot, (_, why) in self.decisions if why is reason]


@pytest.fixture(scope="module")
def story() -> Story:
    store = MemoryStore()
    faults, known = incident(FIRST, LARGE, WORSE, END), changes(FIRST, LARGE, WORSE)
    decisions = list(play(store, faults, SLOTS, seed=1, known=known))
    with store.reading() as tx:
        return Story(store, decisions, {one.findings[0].symptom: one for one in tx.incidents()})


def holds(interval: Interval, slot: int) -> bool:
    return interval.low <= at(slot) <= interval.high


def test_three_faults_are_three_incidents_and_no_fourth(story: Story) -> None:
    with story.store.reading() as tx:
        symptoms = [{finding.symptom for finding in one.findings} for one in tx.incidents()]
    assert sorted(symptoms) == sorted([{Symptom.DEVIATION}, {Symptom.CORRUPTION}, {Symptom.SELECTION}])


def test_each_is_said_to_be_in_the_smallest_part_of_the_fleet_that_explains_it(story: Story) -> None:
    assert {symptom: one.target for symptom, one in story.incidents.items()} == {
        Symptom.DEVIATION: "mid/api/*",
        Symptom.CORRUPTION: "*/api/*",
        Symptom.SELECTION: "small/api/*",
    }


@pytest.mark.parametrize(
    ("symptom", "began"), [(Symptom.DEVIATION, FIRST), (Symptom.CORRUPTION, LARGE), (Symptom.SELECTION, LARGE + 10)]
)
def test_the_true_onset_lies_in_the_interval(story: Story, symptom: Symptom, began: int) -> None:
    assert holds(first_onset(story.incidents[symptom]), began)


@pytest.mark.parametrize(
    ("symptom", "cause"),
    [(Symptom.DEVIATION, "misrouting"), (Symptom.CORRUPTION, "corruption"), (Symptom.SELECTION, "selection")],
)
def test_the_change_that_caused_it_is_the_first_suspect(story: Story, symptom: Symptom, cause: str) -> None:
    assert story.suspected(symptom) == cause


def test_growth_from_0_8_to_16_percent_is_told_once_as_a_worsening(story: Story) -> None:
    assert len(story.slots(Reason.WORSENED)) == 1


def test_the_worsening_is_told_within_fifty_slots_with_its_own_onset(story: Story) -> None:
    since = last_worsening(story.incidents[Symptom.DEVIATION])
    (told,) = story.slots(Reason.WORSENED)
    assert WORSE <= told <= WORSE + 50
    assert since is not None
    assert holds(since, WORSE)


def test_the_worsening_has_a_suspect_of_its_own(story: Story) -> None:
    assert story.suspected(Symptom.DEVIATION, worsening=True) == "worsening"


def test_the_size_is_that_since_the_worsening(story: Story) -> None:
    size = story.incidents[Symptom.DEVIATION].findings[0].size
    assert size.low <= 0.16 <= size.high


def test_nobody_is_told_of_a_recovery_before_there_is_one(story: Story) -> None:
    assert not story.slots(Reason.RESOLVED)
