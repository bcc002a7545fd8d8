"""The promise for probe groups whose probes differ in noise, and what standardised residuals buy there."""

import numpy as np
import pytest

from canary.detect import lower_share
from tests.statistics.mixed import Ears, Floats, Group, ears, ears_by, first_alarms

SURE = 1e-4  # a right program fails each test with at most this probability
MIXED, ALIKE = Group(tuple(np.geomspace(0.01, 0.1, 10))), Group((0.03,) * 10)
NOISE = np.array(MIXED.noise)


def laws(group: Group, heard: Ears) -> Floats:
    """How often a healthy answer of each series lies in each cell, the most extreme first."""
    tails = group.tail(heard.edges[:, :, np.newaxis] * heard.scales[:, np.newaxis, :])
    return np.diff(tails, axis=1, prepend=0.0, append=1.0)


@pytest.mark.parametrize("which", [0, 1], ids=["raw", "standardised"])
@pytest.mark.parametrize("group", [MIXED, ALIKE], ids=["mixed", "alike"])
def test_the_mean_of_e_is_at_most_one_with_the_promised_probability_over_golden_sets(group: Group, which: int) -> None:
    sets, delta = 3_000, 0.1
    heard = ears(group, sets, 150, delta, np.random.default_rng(1))[which]
    means = laws(group, heard) @ np.exp(heard.log_e)
    broken = int((means > 1.0 + 1e-9).any(axis=1).sum())
    assert lower_share(broken, sets, SURE) <= delta


def test_scales_of_the_answers_that_calibrate_would_break_the_promise() -> None:
    """Which is why they come of others: golden answers would be standardised by themselves, those to come would not."""
    sets, delta, rng = 3_000, 0.1, np.random.default_rng(1)
    probes = MIXED.probes(rng, sets, 150)
    values = MIXED.healthy(rng, probes)
    told = np.stack([MIXED.scales_by(*one) for one in zip(probes, values, strict=True)])
    heard = ears_by(told, probes, values, delta)
    broken = int((laws(MIXED, heard) @ np.exp(heard.log_e) > 1.0 + 1e-9).any(axis=1).sum())
    assert lower_share(broken, sets, SURE) > delta


def test_a_group_of_mixed_probes_keeps_its_budget_though_every_series_keeps_its_one_golden_set() -> None:
    series, slots, delta, budget = 1_000, 1_500, 0.02, 0.1
    rng = np.random.default_rng(2)
    pair = ears(MIXED, series, 300, delta, rng)
    for times in first_alarms(MIXED, pair, np.log(budget / slots), rng, horizon=slots):
        assert lower_share(int(np.isfinite(times).sum()), series, SURE) <= budget + delta


def test_a_shift_beside_each_probes_own_noise_is_found_sooner_than_in_the_raw_pool() -> None:
    rng = np.random.default_rng(3)
    pair = ears(MIXED, 200, 3_000, 1e-4, rng)
    raw, standardised = first_alarms(
        MIXED, pair, np.log(1e-6), rng, share=0.16, shift=lambda probes: 6.0 * NOISE[probes], horizon=2_000
    )
    assert np.median(standardised) < 0.7 * np.median(raw) < np.inf


def test_in_a_group_whose_probes_do_not_differ_nothing_is_lost() -> None:
    rng = np.random.default_rng(4)
    pair = ears(ALIKE, 300, 3_000, 1e-4, rng)
    raw, standardised = first_alarms(
        ALIKE, pair, np.log(1e-6), rng, share=0.16, shift=lambda probes: np.full(probes.shape, 0.18), horizon=3_000
    )
    assert np.median(standardised) < 1.15 * np.median(raw)
