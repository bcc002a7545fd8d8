import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect import EventDetector, RecoveryTest, evidence, from_bytes, size, to_bytes

TEST = RecoveryTest(healthy=0.002, persisting=0.1)


def feed(test: RecoveryTest, events: list[bool]):
    state = test.start()
    for event in events:
        state = test.step(state, event=event)
    return state


@given(st.floats(0.0001, 0.4), st.floats(1.1, 2.0), st.floats(0.0, 1.0))
def test_the_mean_of_e_is_at_most_one_for_every_persisting_rate(healthy, contrast, part):
    test = RecoveryTest(healthy, healthy * contrast)
    rate = test.persisting + part * (1.0 - test.persisting)
    one = math.exp(float(evidence(feed(test, [True]))) - float(evidence(_entered(test))))
    none = math.exp(float(evidence(feed(test, [False]))) - float(evidence(_entered(test))))
    assert rate * one + (1.0 - rate) * none <= 1.0 + 1e-9


def _entered(test: RecoveryTest):
    """The first weight alone: what one answer multiplies."""
    neutral = RecoveryTest(test.healthy, test.persisting)
    state = neutral.step(neutral.start(), event=False)
    gain = math.log1p(-test.healthy) - math.log1p(-test.persisting)
    return type(state)(state.log_r - gain, state.n)


def test_all_restarts_together_never_weigh_more_than_one():
    nearly_blind = RecoveryTest(healthy=0.5, persisting=0.5 + 1e-15)
    state = nearly_blind.start()
    for _ in range(2000):
        state = nearly_blind.step(state, event=False)
    assert math.exp(float(evidence(state))) == pytest.approx(1.0 - 1.0 / math.log(2000 + math.e), rel=1e-6)


def test_quiet_answers_prove_recovery_once_there_are_enough_of_them():
    assert not TEST.recovered(feed(TEST, [False] * 40))
    assert TEST.recovered(feed(TEST, [False] * 80))


def test_an_event_sets_recovery_back():
    assert not TEST.recovered(feed(TEST, [False] * 50 + [True] + [False] * 30))


def test_a_fault_that_lasted_long_is_still_seen_to_end():
    lasted = [at % 5 == 0 for at in range(5000)]
    assert TEST.recovered(feed(TEST, lasted + [False] * 250))


def test_the_persisting_rate_is_the_lower_end_of_the_size_above_healthy():
    detector = EventDetector(1e-3)
    found = size(detector, [True] * 20 + [False] * 80, [1.0] * 100)
    test = RecoveryTest.for_(detector, found, 1.0)
    assert test.healthy == detector.healthy_event_rate(1.0)
    assert test.persisting == pytest.approx(test.healthy + found.low * (1 - test.healthy))


def test_a_fault_of_unsure_size_is_held_against_twice_the_healthy_rate():
    detector = EventDetector(1e-2)
    found = size(detector, [True] + [False] * 99, [1.0] * 100)
    assert RecoveryTest.for_(detector, found, 1.0).persisting == pytest.approx(2 * detector.healthy_event_rate(1.0))


@pytest.mark.parametrize("rate", [1e-6, 0.1, 5.0])
@pytest.mark.parametrize("events", [1, 50, 100])
def test_every_detector_and_size_has_a_test(rate, events):
    detector = EventDetector(rate)
    found = size(detector, [True] * events + [False] * (100 - events), [1.0] * 100)
    assert 0.0 < RecoveryTest.for_(detector, found, 1.0).persisting < 1.0


def test_a_restart_in_the_middle_changes_nothing():
    state = from_bytes(to_bytes(feed(TEST, [False, True, False])))
    assert to_bytes(TEST.step(state, event=False)) == to_bytes(feed(TEST, [False, True, False, False]))


def test_parameters_round_trip_to_the_same_bits_and_digest():
    test = RecoveryTest(0.1 / 3, 0.2 / 3, 0.05)
    again = RecoveryTest.from_json(test.to_json())
    assert (again, again.digest) == (test, test.digest)


def test_the_parameters_of_a_detector_are_not_those_of_a_recovery_test():
    with pytest.raises(ValueError, match="recovery"):
        RecoveryTest.from_json(EventDetector(0.1).to_json())


@pytest.mark.parametrize("change", [{"healthy": 0.2}, {"persisting": 1.0}, {"healthy": 0.0}, {"alpha": 0.0}])
def test_parameters_out_of_range_are_refused(change):
    facts = json.loads(TEST.to_json()) | change
    with pytest.raises(ValueError, match="need 0 < healthy"):
        RecoveryTest.from_json(json.dumps(facts))


@given(st.floats(1e-4, 0.05), st.floats(2.0, 15.0), st.lists(st.booleans(), max_size=80))
def test_many_answers_at_once_give_the_bits_of_one_by_one(healthy, contrast, events):
    test = RecoveryTest(healthy, min(0.9, contrast * healthy))
    one_by_one = test.start()
    for event in events:
        one_by_one = test.step(one_by_one, event=event)
        if test.recovered(one_by_one):
            break
    assert to_bytes(test.steps(test.start(), events)) == to_bytes(one_by_one)
