"""The incident of August and September 2025, in small: overlapping bugs through the whole product."""

from pathlib import Path

import pytest

from canary.drill.perform import perform
from canary.drill.scenario import load

pytestmark = pytest.mark.slow

SCENARIO = Path(__file__).parent / "scenarios" / "overlap-small.yaml"


@pytest.fixture(scope="module")
def judgement():
    return perform(load(SCENARIO), 1, lambda *_: None).judgement


@pytest.fixture(scope="module")
def found(judgement):
    return {outcome.expected.fault: outcome for outcome in judgement.outcomes}


def test_three_bugs_are_three_incidents_and_no_fourth(judgement, found):
    assert [len(outcome.incidents) for outcome in found.values()] == [1, 1, 1]
    assert (judgement.unexpected, judgement.false) == ((), ())


def test_the_share_on_another_platform_joins_the_misrouting(found):
    (incident,) = found["misrouting"].incidents
    assert incident.where == "mid/*/*"


@pytest.mark.parametrize("fault", ["misrouting", "corruption", "topk"])
def test_each_bug_is_found_in_time_and_place_with_its_change(found, fault):
    assert [check.what for check in found[fault].checks if not check.held] == []


def test_what_made_the_misrouting_worse_is_told_from_what_began_it(found):
    (incident,) = found["misrouting"].incidents
    first = incident.suspects[0].change, incident.worsening[0].change
    assert first == ("routing-rules", "load-balancing")
