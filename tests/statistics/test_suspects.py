"""In a fleet that is as the model of suspects says, its probabilities are those with which it is right."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import pytest

from canary.alert.suspects import LOOK_BACK, rank
from canary.records import Change, ChangeKind, Interval, Scope

START = datetime(2025, 8, 1, tzinfo=UTC)
HOURS = LOOK_BACK / timedelta(hours=1)
LETTERS = "abcdefgh"  # each pool has a letter of its own, so that a glob can name any set of them
SPOTS = [
    (f"{model}/{platform}/{letter}", "eu")
    for letter, (model, platform, _) in zip(LETTERS, product("xy", ("api", "cloud"), range(2)), strict=True)
]
SCOPES = [Scope(), Scope("x"), Scope("y"), Scope(platform="api"), Scope("x", "cloud"), Scope("y", "api")]
SCOPES += [Scope(pool=letter) for letter in LETTERS]
RISKS = {  # chance to break something, median hours until it shows
    ChangeKind.DEPLOY: (0.05, 0.25),
    ChangeKind.FLAG: (0.042, 1 / 30),
    ChangeKind.SCALE: (0.007, 1 / 6),
    ChangeKind.HARDWARE: (0.003, 1.0),
}


def after(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def shown(scope: Scope, rng: np.random.Generator) -> Scope:
    """Where a fault of something in `scope` shows: in k spots with odds 1 / k."""
    letters = [target[-1] for target, region in SPOTS if scope.covers(target, region)]
    odds = 1.0 / np.arange(1, len(letters) + 1)
    k = rng.choice(len(letters), p=odds / odds.sum()) + 1
    return Scope(pool=f"[{''.join(rng.choice(letters, k, replace=False))}]")


def anywhere(rng: np.random.Generator) -> Scope:
    """The scope of something unrecorded."""
    target, region = SPOTS[rng.integers(len(SPOTS))]  # all parts of a level are equally large here
    parts = (*target.split("/"), region)
    return Scope(*(part if fixed else None for part, fixed in zip(parts, rng.random(4) < 0.5, strict=True)))


def fortnight(rng: np.random.Generator) -> Iterator[tuple[list[Change], float, Change | None, Scope]]:
    """Of each fault of two weeks: the changes, when it began, its cause and where it shows."""
    kinds = rng.choice(list(RISKS), 40)
    changes = [
        Change(str(n), ChangeKind(kind), after(rng.uniform(0.0, HOURS)), "", SCOPES[rng.integers(len(SCOPES))])
        for n, kind in enumerate(kinds)
    ]
    for change in changes:
        risk, median = RISKS[change.kind]
        if rng.random() < risk:
            lag = median * (1.0 / rng.uniform(1e-9, 1.0) - 1.0)
            yield changes, (change.at - START) / timedelta(hours=1) + lag, change, shown(change.scope, rng)
    for _ in range(rng.poisson(HOURS / 168.0)):
        yield changes, rng.uniform(0.0, HOURS), None, shown(anywhere(rng), rng)


@pytest.fixture(scope="module")
def forecasts() -> np.ndarray:
    """Of every suspect of every fault: its probability, and whether it was the cause."""
    rng = np.random.default_rng(20250829)
    found = []
    for _ in range(700):
        for changes, began, cause, scope in fortnight(rng):
            if began < HOURS:
                onset = Interval(after(began - 1 / 60), after(began), after(began + 1e-4))
                ranked = rank(onset, scope, [change for change in changes if change.at <= onset.high], SPOTS)
                found += [(one.probability, one.change == cause) for one in ranked]
    return np.array(found, dtype=float)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.02), (0.02, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)])
def test_suspects_are_the_cause_as_often_as_their_probability_says(
    forecasts: np.ndarray, low: float, high: float
) -> None:
    probability, cause = forecasts[(forecasts[:, 0] >= low) & (forecasts[:, 0] <= high)].T
    deviation = math.sqrt((probability * (1.0 - probability)).sum())
    assert deviation > 1.0
    assert abs(cause.sum() - probability.sum()) < 3.5 * deviation


def test_the_cause_has_more_than_half_of_the_probability_nine_times_in_ten(forecasts: np.ndarray) -> None:
    causes = forecasts[forecasts[:, 1] == 1.0]
    assert (causes[:, 0] > 0.5).mean() > 0.9
