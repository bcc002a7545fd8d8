"""The picture of the detectors, and the intervals of its figures."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.bench.intervals import Count, Median
from tests.bench.rules import ORACLE, OURS
from tests.bench.sooner import draw, picture

DOCS = Path(__file__).parents[2] / "deploy" / "docs"


def test_the_picture_shows_the_recorded_figures() -> None:
    figures = json.loads((DOCS / "detection.json").read_text("utf-8"))
    assert draw(figures) == (DOCS / "detection.svg").read_text("utf-8")


def test_the_goal_is_met_by_the_recorded_figures() -> None:
    figures = json.loads((DOCS / "detection.json").read_text("utf-8"))
    ratios = [row["ours"]["value"] / row["oracle"]["value"] for row in figures["delays"] if row["is_counted"]]
    assert np.mean(ratios) <= 1.2
    assert max(ratios) <= 1.3


def test_a_rule_that_never_alarms_stands_apart() -> None:
    rules = [_rule(name, medians) for name, medians in {ORACLE: [9] * 4, OURS: [9] * 4, "blind": [None] * 4}.items()]
    marks = picture({"rules": rules, "delays": []}).marks
    apart = [mark for mark in marks if not hasattr(mark, "text") and min(x for x, _ in mark.points) > 570.0]
    assert len([mark for mark in apart if max(x for x, _ in mark.points) < 650.0]) == 4


@pytest.mark.parametrize("p", [0.01, 0.3])
def test_the_interval_of_a_count_holds_the_truth_in_nineteen_of_twenty(p: float) -> None:
    drawn = np.random.default_rng(1).binomial(200, p, size=2000)
    held = [low <= 200 * p <= high for low, high in (Count(int(each), 200).interval for each in drawn)]
    assert np.mean(held) >= 0.95


@pytest.mark.parametrize("n", [25, 200])
def test_the_interval_of_a_median_holds_the_truth_in_nineteen_of_twenty(n: int) -> None:
    drawn = np.random.default_rng(2).exponential(size=(2000, n))
    medians = [Median.of(times) for times in drawn]
    assert np.mean([each.low <= np.log(2.0) <= each.high for each in medians]) >= 0.95


def _rule(name: str, medians: list[int | None]) -> dict[str, object]:
    return {"name": name, "is_equal": True, "medians": [{"value": value} for value in medians]}
