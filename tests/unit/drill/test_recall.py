from dataclasses import replace

from canary.drill.recall import recalled
from canary.records import Finish, Message, Probe, Response, Sampling, Signal, SignalKind, Symptom
from canary.score import Case, Scorer

SIGNAL = Signal("length", 1, SignalKind.EVENT, Symptom.SHAPE, "letters", "answers")
PROBE = Probe("p", "f", (Message("user", "?"),), Sampling(8), ("length",), "to test")


def counting():
    """A scorer, and the texts that it was asked of."""
    asked = []

    def measure(case):
        asked.append(case.response.text)
        return len(case.response.text), 1.0, ""

    return recalled({"length": Scorer(SIGNAL, measure)})["length"], asked


def test_the_same_response_is_judged_once():
    scorer, asked = counting()
    response = Response("hello", Finish.STOP)
    assert [scorer.measure(Case(PROBE, response)) for _ in range(3)] == [(5, 1.0, "")] * 3
    assert asked == ["hello"]


def test_another_response_or_probe_is_judged_anew():
    scorer, asked = counting()
    response = Response("hello", Finish.STOP)
    for probe, each in ((PROBE, response), (PROBE, replace(response)), (replace(PROBE, id="q"), response)):
        scorer.measure(Case(probe, each))
    assert len(asked) == 3
