"""New golden answers beside those of the active baseline."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.baseline import Difference, compare, fisher, striking
from canary.records import Baseline, BaselinePart, BaselineStatus, SeriesKey, SignalKind

SERIES = SeriesKey("mid/api/main", "eu", "prose", "script")
NOON = datetime(2025, 8, 25, 12, tzinfo=UTC)
counts = st.integers(0, 60)


def golden(n: int, events: int = 0, calibration: Sequence[float] = (), probe: str = "a", at: float = 0.0) -> Baseline:
    values = tuple(sorted(calibration))
    part = BaselinePart(probe, n, at, events, values)
    return Baseline("b", SERIES, 1, BaselineStatus.ACTIVE, 1, NOON, n, float(n), events, (part,), values)


def of_events(baseline: Baseline, values: Sequence[float], probe: str = "a") -> Difference:
    found = compare(baseline, SignalKind.EVENT, {probe: values})
    assert found is not None
    return found


def of_distances(calibration: Sequence[float], values: Sequence[float]) -> Difference:
    found = compare(golden(len(calibration), 0, calibration), SignalKind.DISTANCE, {"a": values})
    assert found is not None
    return found


@given(counts, counts, counts, counts)
def test_fisher_treats_then_and_now_alike(a: int, rest: int, b: int, other: int) -> None:
    p = fisher(a, a + rest, b, b + other)
    assert 0.0 < p <= 1.0
    assert p == pytest.approx(fisher(b, b + other, a, a + rest))


def test_fisher_is_valid_at_every_level() -> None:
    """The chance of a p-value at most alpha, over the hypergeometric law of a table, is at most alpha."""
    n, m, k = 40, 60, 12
    law = {a: _hypergeometric(a, n, m, k) for a in range(k + 1)}
    p = {a: fisher(a, n, k - a, m) for a in law}
    assert sum(law.values()) == pytest.approx(1.0)
    for alpha in sorted(p.values()):
        assert sum(law[a] for a in law if p[a] <= alpha) <= alpha * (1 + 1e-9)


def _hypergeometric(a: int, n: int, m: int, k: int) -> float:
    return comb(n, a) * comb(m, k - a) / comb(n + m, k)


@pytest.mark.parametrize("table", [(-1, 2, 0, 2), (3, 2, 0, 2), (0, 2, 3, 2)])
def test_an_impossible_table_is_refused(table: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="need"):
        fisher(*table)


def test_a_higher_rate_of_events_is_no_chance() -> None:
    found = of_events(golden(2_000, 2), [1.0] * 36 + [0.0] * 1_964)
    assert (found.before, found.now) == (0.001, 0.018)
    assert striking([found]) == (found,)


def test_the_same_rate_of_events_is() -> None:
    assert striking([of_events(golden(2_000, 2), [1.0] * 3 + [0.0] * 1_997)]) == ()


def test_new_answers_are_events_by_the_active_thresholds() -> None:
    found = of_events(golden(100, 0, at=3.0), [3.0, 4.0, *[0.0] * 98])
    assert found.now == 0.01


def test_a_few_bad_answers_show_among_many_distances() -> None:
    rng = np.random.default_rng(1)
    before, now = rng.exponential(size=(2, 1_500))
    assert striking([of_distances(list(before), list(now))]) == ()
    now[:25] += 50.0
    assert striking([of_distances(list(before), list(now))]) != ()


def test_a_small_shift_of_all_distances_shows() -> None:
    rng = np.random.default_rng(2)
    before, now = rng.exponential(size=(2, 1_500))
    assert striking([of_distances(list(before), list(now * 1.3))]) != ()


def test_distances_that_are_nearly_all_equal_are_no_difference() -> None:
    assert of_distances([0.0] * 500, [0.0] * 499 + [1.0]).p == 1.0


def test_distances_of_one_law_are_seldom_called_different() -> None:
    """The bound is 5 %; with ties, as real logprobs have them."""
    rng = np.random.default_rng(3)
    drawn = np.round(rng.exponential(size=(1_000, 2, 200)), 1)
    low = sum(of_distances(list(before), list(now)).p <= 0.05 for before, now in drawn)
    assert low <= 65


def test_probes_that_only_one_of_them_has_do_not_count() -> None:
    assert compare(golden(100), SignalKind.EVENT, {"b": [1.0] * 100}) is None


def test_each_series_compared_is_a_chance_to_err() -> None:
    one = of_events(golden(500), [1.0] * 12 + [0.0] * 488)
    assert striking([one])
    assert not striking([one, *[of_events(golden(500), [0.0] * 500)] * 20])


def mixed(quiet: Sequence[float], loud: Sequence[float], scales: tuple[float, float]) -> Baseline:
    """Golden distances of two probes."""
    values = tuple(quiet), tuple(loud)
    parts = tuple(
        BaselinePart(name, len(some), calibration=some, scale=scale)
        for name, some, scale in zip(("quiet", "loud"), values, scales, strict=True)
    )
    pooled = tuple(sorted(value for part in parts for value in part.standardised))
    return Baseline("b", SERIES, 1, BaselineStatus.ACTIVE, 1, NOON, len(pooled), float(len(pooled)), 0, parts, pooled)


@pytest.mark.parametrize(("scales", "shows"), [((1.0, 1.0), False), ((0.1, 10.0), True)])
def test_a_shift_of_a_quiet_probe_shows_beside_its_own_noise(scales: tuple[float, float], shows: bool) -> None:
    rng = np.random.default_rng(4)
    quiet, loud = rng.exponential(size=(2, 500)) * [[0.1], [10.0]]
    now = {
        "quiet": rng.uniform(0.8, 1.0, 40).tolist() + (rng.exponential(size=460) * 0.1).tolist(),
        "loud": (rng.exponential(size=500) * 10.0).tolist(),
    }
    found = compare(mixed(quiet.tolist(), loud.tolist(), scales), SignalKind.DISTANCE, now)
    assert found is not None
    assert (striking([found]) != (), found.standardised) == (shows, shows)


def test_standardised_distances_of_one_law_are_seldom_called_different() -> None:
    rng, low = np.random.default_rng(5), 0
    for _ in range(400):
        quiet, loud, quiet_now, loud_now = rng.exponential(size=(4, 100)) * [[0.1], [10.0], [0.1], [10.0]]
        than = mixed(quiet.tolist(), loud.tolist(), (0.15, 9.0))
        found = compare(than, SignalKind.DISTANCE, {"quiet": quiet_now.tolist(), "loud": loud_now.tolist()})
        low += found is not None and found.p <= 0.05
    assert low <= 29
