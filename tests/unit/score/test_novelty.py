import pytest

from canary.records import Reference, Sampling, UnscoredReason
from tests.unit.score.build import golden_texts, scored, why_not

COIN = golden_texts("Heads", "Tails")


@pytest.mark.parametrize("name", ["novelty", "border"])
@pytest.mark.parametrize(("text", "event"), [("Heads", 0), ("Tails", 0), ("Edge", 1), ("heads", 1)])
def test_an_answer_that_no_golden_run_gave_is_an_event(name: str, text: str, event: int) -> None:
    assert scored(name, text, COIN) == event


@pytest.mark.parametrize(("text", "event"), [("Heads", 0), ("Tails", 1), ("Edge", 1)])
def test_any_but_the_most_frequent_golden_answer_tips_the_balance(text: str, event: int) -> None:
    assert scored("balance", text, COIN) == event


@pytest.mark.parametrize("name", ["novelty", "border", "balance"])
@pytest.mark.parametrize("reference", [None, Reference("d", 0)])
def test_nothing_is_new_before_there_are_golden_answers(name: str, reference: Reference | None) -> None:
    assert why_not(name, "Heads", reference) is UnscoredReason.NO_REFERENCE


def test_sampled_answers_are_new_by_right() -> None:
    assert why_not("novelty", "Edge", COIN, sampling=Sampling(1, temperature=1.0)) is UnscoredReason.NOT_GREEDY


def test_a_border_may_be_sampled() -> None:
    assert scored("border", "Edge", COIN, sampling=Sampling(1, temperature=1.0)) == 1
