"""Three scenarios that were made at random, and that nobody chose for what comes of them."""

import pytest

from canary.drill.honesty import attempt

pytestmark = pytest.mark.slow

PLAIN = 0.1


@pytest.fixture(scope="module")
def played():
    return [attempt(seed, fast=True) for seed in (1, 2, 3)]


def test_faults_that_touch_a_tenth_of_requests_are_found(played):
    trials = [trial for one in played for trial in one.trials if trial.share >= PLAIN]
    assert len(trials) >= 3
    assert all(trial.found for trial in trials)


def test_nobody_is_paged_for_nothing(played):
    assert [one.false for one in played] == [0, 0, 0]
