from dataclasses import replace

import pytest

from canary.pipeline.remembered import remembered
from canary.records import Finish, Response, Signal, SignalKind, Symptom
from canary.score import SCORERS, Case, Measure, Scorer
from tests.unit.pipeline.stage import BROKEN, CLEAN, PROBE


class Counting:
    """Measures the length of a text, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, case: Case) -> Measure:
        self.asked += 1
        return Measure(float(len(case.response.text)), 1.0)


def case(text: str, finish: Finish = Finish.STOP) -> Case:
    return Case(PROBE, Response(text, finish))


def scorer(measure: Counting, *, of_text: bool) -> Scorer:
    signal = Signal("length", 1, SignalKind.EVENT, Symptom.SHAPE, "letters", "answers")
    return remembered({"length": Scorer(signal, measure, of_text=of_text)}, room=2)["length"]


def test_a_text_that_comes_again_is_not_judged_again() -> None:
    counting = Counting()
    kept = scorer(counting, of_text=True)
    assert [kept.measure(case("abc")) for _ in range(3)] == [Measure(3.0, 1.0)] * 3
    assert counting.asked == 1


@pytest.mark.parametrize(
    "other",
    [
        case("abd"),
        case("abc", Finish.LENGTH),
        Case(replace(PROBE, scripts=("Thai",)), Response("abc", Finish.STOP)),
    ],
)
def test_another_text_finish_or_probe_is_judged_by_itself(other: Case) -> None:
    counting = Counting()
    kept = scorer(counting, of_text=True)
    kept.measure(case("abc"))
    kept.measure(other)
    assert counting.asked == 2


def test_only_so_many_texts_are_remembered() -> None:
    counting = Counting()
    kept = scorer(counting, of_text=True)
    for text in ("a", "b", "c", "a"):
        kept.measure(case(text))
    assert counting.asked == 4


def test_a_scorer_that_looks_at_more_than_the_text_remembers_nothing() -> None:
    counting = Counting()
    kept = scorer(counting, of_text=False)
    for _ in range(3):
        kept.measure(case("abc"))
    assert counting.asked == 3


@pytest.mark.parametrize("text", [CLEAN, BROKEN])
@pytest.mark.parametrize("name", [name for name, one in SCORERS.items() if one.of_text])
def test_what_is_remembered_is_what_the_scorer_says(name: str, text: str) -> None:
    kept = remembered(SCORERS)[name]
    assert kept.measure(case(text)) == kept.measure(case(text)) == SCORERS[name].measure(case(text))
