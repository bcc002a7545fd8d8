"""A burst is one unit: what it comes to, and that its e-values keep their promise."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect import Detector, DistanceDetector, EventDetector
from canary.records import Observation, Score, Unscored, UnscoredReason
from canary.score.burst import Member, bursts, worst

AT = datetime(2025, 8, 25, tzinfo=UTC)
SIZE = 4

Pattern = tuple[float | None, ...]
"""The values of the answers of a burst; None was not scored."""


def member(value: float | None, ordinal: int = 0, *, group: str = f"onetoken@{SIZE}", minute: int = 0) -> Member:
    at = AT + timedelta(minutes=minute)
    seen = Observation(
        f"{group} {minute} {ordinal}", "p", "d", group, "m/p/p", "eu", at, at, timedelta(0), ordinal=ordinal
    )
    return seen, (Unscored("script", 1, UnscoredReason.FAILED) if value is None else Score("script", 1, value),)


def burst(*values: float | None, minute: int = 0) -> list[Member]:
    return [member(value, ordinal, minute=minute) for ordinal, value in enumerate(values)]


def worst_of(values: Pattern) -> float | None:
    (found,) = bursts(burst(*values))
    return next((score.value for _, score in worst(found)), None)


def test_a_burst_is_as_bad_as_its_worst_answer_which_it_names():
    ((seen, score),) = worst(burst(0.0, 3.0, 1.0, 0.0))
    assert (seen.ordinal, score.value) == (1, 3.0)


def test_of_equally_bad_answers_the_first_is_named():
    ((seen, _),) = worst(burst(0.0, 2.0, 2.0, 0.0))
    assert seen.ordinal == 1


def test_an_answer_that_was_not_scored_says_nothing():
    assert worst_of((None, 0.5, None, 0.0)) == 0.5


def test_a_burst_of_which_no_answer_was_scored_is_not_scored():
    assert worst_of((None,) * SIZE) is None


def test_each_signal_has_its_own_worst_answer():
    both = [(seen, (*scores, Score("greedy", 1, float(seen.ordinal == 2)))) for seen, scores in burst(0, 3, 0, 0)]
    assert {score.signal: seen.ordinal for seen, score in worst(both)} == {"script": 1, "greedy": 2}


def test_a_lone_run_is_a_burst_of_one():
    lone = [member(1.0, group="onetoken", minute=minute) for minute in range(3)]
    assert list(bursts(lone)) == [[one] for one in lone]


def test_bursts_are_told_apart_in_whatever_order_their_answers_come():
    first, second = burst(1, 0, 0, 0), burst(0, 0, 0, 2, minute=1)
    mixed = [one for pair in zip(second, first, strict=True) for one in pair]
    assert sorted(bursts(mixed), key=lambda found: found[0][0].slot_time) == [first, second]


def test_golden_bursts_of_one_moment_are_told_apart_by_their_ordinals():
    golden = [member(0.0, ordinal) for ordinal in range(8, 8 + 2 * SIZE)]
    assert list(bursts(golden)) == [golden[:SIZE], golden[SIZE:]]


def test_a_burst_that_is_not_whole_says_nothing():
    assert list(bursts(burst(1.0, 1.0, 1.0, 1.0)[1:])) == []


# The law of a healthy burst: any law of its answers at all, so they may depend on each other in any way.
values = st.sampled_from([None, 0.0, 0.25, 1.0, 7.0])
laws = st.lists(st.tuples(st.integers(1, 50), st.tuples(*[values] * SIZE)), min_size=1, max_size=6)


def mean_e(detector: Detector, law: Sequence[tuple[int, Pattern]]) -> float:
    """The largest over alternatives of the mean of e; a burst that is not scored has e = 1."""
    total = sum(weight for weight, _ in law)
    means = np.zeros(detector.alternatives)
    for weight, pattern in law:
        value = worst_of(pattern)
        e = np.ones(detector.alternatives) if value is None else np.exp(detector.log_e(value, 1.0, 0.0))
        means += weight / total * e
    return float(means.max())


def event_rate(law: Sequence[tuple[int, Pattern]]) -> float:
    """The chance of an event in a scored burst: what golden bursts estimate."""
    scored = [(weight, value) for weight, pattern in law if (value := worst_of(pattern)) is not None]
    total = sum(weight for weight, _ in scored)
    return float(Fraction(sum(weight for weight, value in scored if value > 0), total)) if total else 0.0


@given(laws)
def test_the_mean_e_value_of_a_healthy_burst_is_at_most_1_however_its_answers_depend_on_each_other(
    law: list[tuple[int, Pattern]],
):
    bound = min(event_rate(law), 1 - 1e-12)
    detector = EventDetector(max(-np.log1p(-bound), 1e-6))
    assert mean_e(detector, law) <= 1 + 1e-9


@given(laws)
def test_the_mean_e_value_of_a_distance_is_at_most_1_against_golden_bursts_of_the_same_law(
    law: list[tuple[int, Pattern]],
):
    golden = [value for weight, pattern in law if (value := worst_of(pattern)) is not None for _ in range(weight)]
    if golden:
        assert mean_e(DistanceDetector.from_golden(golden, 0.01), law) <= 1 + 1e-9


@given(laws, st.sets(st.integers(0, SIZE - 1), max_size=SIZE - 1))
def test_runs_that_fail_make_no_burst_worse(law: list[tuple[int, Pattern]], failing: set[int]):
    for _, pattern in law:
        left = worst_of(tuple(None if n in failing else value for n, value in enumerate(pattern)))
        assert left is None or left <= (worst_of(pattern) or 0.0)


def test_answers_of_a_burst_that_were_fed_one_by_one_would_break_the_promise():
    """Why a burst is one unit: all answers of one burst in a hundred show an event, of the others none does."""
    detector = EventDetector(-np.log1p(-0.01))
    none, event = detector.typical(1.0)
    one_by_one = 0.99 * np.exp(SIZE * none) + 0.01 * np.exp(SIZE * event)
    assert one_by_one.max() > 1e3
    assert mean_e(detector, [(99, (0.0,) * SIZE), (1, (1.0,) * SIZE)]) == pytest.approx(1.0)


def test_the_burst_of_an_observation_follows_from_its_group():
    seen, _ = member(0.0, 5)
    assert (seen.burst, seen.leads, replace(seen, group="onetoken").burst) == (4, False, 1)
