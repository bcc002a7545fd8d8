"""The control target: its fault is seen by what works, and by nothing that does not."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray
from typing_extensions import override

from canary.detect import EventDetector
from canary.pipeline.control import PATIENCE, WELL, Control, Sight, control_watch
from canary.pipeline.watch import Watch
from canary.score import SCORERS, Scorer
from canary.score.case import Case
from canary.score.measure import Measure
from canary.testing import FakeClock

pytestmark = pytest.mark.anyio

INTERVAL = timedelta(seconds=5)
SCRIPT = SCORERS["script"]


class Dead(EventDetector):
    """No answer moves it."""

    @override
    def log_e(self, value: float, exposure: float, threshold: float, /) -> NDArray[np.float64]:
        return np.zeros(self.alternatives)


class Alarmist(EventDetector):
    """Every answer is too much for it."""

    @override
    def log_e(self, value: float, exposure: float, threshold: float, /) -> NDArray[np.float64]:
        return np.full(self.alternatives, 50.0)


def judged_by(kind: type[EventDetector]) -> Watch:
    watch = control_watch("eu", INTERVAL, FakeClock().now())
    ((series, watched),) = watch.armed.items()
    return replace(watch, armed={series: replace(watched, detector=kind(0.01))})


async def sights(
    scorers: Mapping[str, Scorer] = SCORERS, watch: Watch | None = None, *, answers: int = PATIENCE
) -> list[Sight]:
    clock = FakeClock()
    control = Control(clock, "eu", INTERVAL, scorers, watch)
    seen = []
    for _ in range(answers):
        seen.append(await control.probe())
        clock.advance(INTERVAL)
    return seen


def without_nothing(seen: list[Sight]) -> set[Sight]:
    return set(seen) - {Sight.NOTHING}


async def test_the_fault_is_detected_soon_after_it_is_there_and_not_before() -> None:
    seen = await sights(answers=WELL + 12)
    assert set(seen[:WELL]) == {Sight.NOTHING}
    assert Sight.DETECTED in seen[WELL:]


async def test_it_is_detected_again_in_every_round() -> None:
    seen = await sights(answers=4 * (WELL + 12))
    assert seen.count(Sight.DETECTED) >= 4
    assert without_nothing(seen) == {Sight.DETECTED}


async def test_a_scorer_that_raises_sees_nothing() -> None:
    def broken(_: Case) -> Measure:
        raise RuntimeError

    seen = await sights({**SCORERS, "script": replace(SCRIPT, measure=broken)})
    assert without_nothing(seen) == {Sight.UNSEEN}


async def test_a_scorer_that_finds_every_answer_well_sees_nothing() -> None:
    seen = await sights({**SCORERS, "script": replace(SCRIPT, measure=lambda _: Measure(0.0, 1.0))})
    assert without_nothing(seen) == {Sight.UNSEEN}


async def test_a_scorer_that_finds_fault_with_every_answer_raises_false_alarms_only() -> None:
    seen = await sights({**SCORERS, "script": replace(SCRIPT, measure=lambda _: Measure(1.0, 1.0))})
    assert without_nothing(seen) == {Sight.FALSE_ALARM}


async def test_a_scorer_of_another_version_is_not_taken_for_the_one_that_was_calibrated() -> None:
    other = replace(SCRIPT, signal=replace(SCRIPT.signal, version=SCRIPT.signal.version + 1))
    assert without_nothing(await sights({**SCORERS, "script": other})) == {Sight.UNSEEN}


async def test_a_detector_that_nothing_moves_detects_nothing() -> None:
    assert without_nothing(await sights(watch=judged_by(Dead))) == {Sight.UNSEEN}


async def test_a_detector_that_always_alarms_detects_nothing_either() -> None:
    assert without_nothing(await sights(watch=judged_by(Alarmist))) == {Sight.FALSE_ALARM}


async def test_without_a_detector_nothing_is_detected() -> None:
    watch = replace(control_watch("eu", INTERVAL, FakeClock().now()), armed={})
    assert without_nothing(await sights(watch=watch)) == {Sight.UNSEEN}


def test_the_control_keeps_the_rules_that_the_fleet_keeps() -> None:
    (watched,) = control_watch("eu", INTERVAL, FakeClock().now()).armed.values()
    assert isinstance(watched.detector, EventDetector)
    assert math.isclose(watched.detector.rate_upper, -math.log(0.05 / 2) / 3_000)
