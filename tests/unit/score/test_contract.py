import time
from collections.abc import Callable
from itertools import count

import pytest

from canary.records import Signal, SignalKind, Symptom, UnscoredReason
from canary.score import SCORERS, Case, Judgement, Measure, Scorer
from canary.score.contract import check, hostile

SAMPLES = tuple(hostile())
SIGNAL = Signal("taste", 1, SignalKind.EVENT, Symptom.SHAPE, "points", "answers")


def problems(measure: Callable[[Case], Judgement], signal: Signal = SIGNAL) -> set[str]:
    """What is found, but for where."""
    return {problem.rpartition(": ")[2] for problem in check(Scorer(signal, measure), SAMPLES)}


@pytest.mark.parametrize("name", SCORERS)
def test_every_scorer_of_ours_keeps_the_contract(name: str) -> None:
    assert check(SCORERS[name], SAMPLES) == []


def test_a_good_scorer_of_the_users_own_keeps_it() -> None:
    assert problems(lambda case: Measure(float(len(case.response.text)), 1.0)) == set()


def test_what_raises_is_found() -> None:
    assert problems(lambda case: Measure(float(case.response.text.index("z")), 1.0)) == {"raises ValueError"}


def test_what_changes_its_mind_is_found() -> None:
    numbers = count()
    assert problems(lambda _: Measure(float(next(numbers)), 1.0)) == {"judges the same case in two ways"}


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_value_out_of_range_is_found(value: float) -> None:
    assert problems(lambda _: Measure(value, 1.0)) == {f"gives the value {value}, which is not finite and at least 0"}


@pytest.mark.parametrize("exposure", [0.0, float("nan"), float("inf")])
def test_an_exposure_out_of_range_is_found(exposure: float) -> None:
    found = problems(lambda _: Measure(0.0, exposure))
    assert found == {f"gives the exposure {exposure}, which is not finite and above 0"}


def test_a_note_that_quotes_the_answer_is_found() -> None:
    assert "quotes the answer in its note" in problems(lambda case: Measure(0.0, 1.0, case.response.text[:20]))


def test_what_is_no_judgement_is_found() -> None:
    assert problems(lambda _: (0.0, 1.0)) == {"gives neither a Measure nor an UnscoredReason"}  # type: ignore[arg-type,return-value]


def test_a_reason_is_a_judgement() -> None:
    assert problems(lambda _: UnscoredReason.UNSUPPORTED) == set()


@pytest.mark.parametrize(
    "signal",
    [
        Signal("Taste!", 1, SignalKind.EVENT, Symptom.SHAPE, "points", "answers"),
        Signal("taste", 0, SignalKind.EVENT, Symptom.SHAPE, "points", "answers"),
        Signal("taste", 1, SignalKind.EVENT, Symptom.SHAPE, "", "answers"),
    ],
    ids=["name", "version", "unit"],
)
def test_a_signal_that_is_badly_named_is_found(signal: Signal) -> None:
    assert len(problems(lambda _: Measure(0.0, 1.0), signal)) == 1


def test_what_is_slow_is_found() -> None:
    ticks = count(step=0.01)
    slow = Scorer(SIGNAL, lambda _: Measure(0.0, 1.0))
    assert "takes 10.0 ms, more than 2.0" in check(slow, SAMPLES[:1], lambda: next(ticks))[0]


def test_what_is_fast_is_not() -> None:
    assert check(SCORERS["empty"], SAMPLES, time.process_time) == []
