import numpy as np
import pytest

from canary.drill.rules import RULES, Series

GOLDEN = np.linspace(0.0, 1.0, 200)


def first(rule: str, events=(), values=()) -> int | None:
    series = Series(np.array(events, dtype=float), np.array(values, dtype=float), GOLDEN)
    over = np.flatnonzero(RULES[rule](series))
    return int(over[0]) + 1 if len(over) else None


@pytest.mark.parametrize(("events", "alarm"), [([1, 1, 0, 1, 1, 1], 6), ([1, 1, 0] * 9, None)])
def test_three_in_a_row_wants_three_in_a_row(events, alarm):
    assert first("three failures in a row", events=events) == alarm


def test_below_95_percent_wants_six_of_a_hundred():
    assert first("success below 95 % of 100", events=[0] * 50 + [1] * 6) == 56
    assert first("success below 95 % of 100", events=([1] + [0] * 19) * 20) is None


def test_the_z_score_sees_a_step():
    wave = [0.0, 1.0] * 36
    assert first("z-score, 24 against 24, beyond 3", values=wave) is None
    assert first("z-score, 24 against 24, beyond 3", values=[*wave, *[5.0] * 24]) is not None


def test_mann_whitney_compares_with_golden_values():
    rule = "Mann-Whitney, last 50, at 1 %"
    assert first(rule, values=np.random.default_rng(1).random(60)) is None
    assert first(rule, values=[*np.random.default_rng(1).random(60), *[2.0] * 50]) is not None
