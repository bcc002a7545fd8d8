"""Short ways to say what the tests score."""

from typing import Any

from canary.records import (
    Finish,
    Logprobs,
    Message,
    Probe,
    Reference,
    Response,
    Sampling,
    Score,
    Unscored,
    UnscoredReason,
    answer_digest,
)
from canary.score import score_response


def probe(
    *scorers: str,
    prompt: str = "Tell me something.",
    language: str | None = "en",
    scripts: tuple[str, ...] = ("Latn",),
    allow: tuple[str, ...] = (),
    code: str | None = None,
    temperature: float = 0.0,
) -> Probe:
    messages = (Message("user", prompt),)
    sampling = Sampling(400, temperature)
    return Probe("p", "f", messages, sampling, scorers, "a test", language, scripts, allow, code)


def judge(
    probe: Probe,
    text: str,
    *,
    cut: bool = False,
    logprobs: Logprobs | None = None,
    reference: Reference | None = None,
) -> Score | Unscored:
    """The judgement of the probe's only scorer."""
    response = Response(text, Finish.LENGTH if cut else Finish.STOP, logprobs=logprobs)
    [judged] = score_response(probe, response, reference)
    return judged


def scored(name: str, response: Response | str, reference: Reference | None = None, **expected: Any) -> float:
    """The value that one scorer gives a response to a probe that expects what is said."""
    return value(judged_as(name, response, reference, **expected))


def why_not(name: str, response: Response | str, reference: Reference | None = None, **expected: Any) -> UnscoredReason:
    judged = judged_as(name, response, reference, **expected)
    assert isinstance(judged, Unscored), judged
    return judged.reason


def note(name: str, response: Response | str, reference: Reference | None = None, **expected: Any) -> str:
    judged = judged_as(name, response, reference, **expected)
    assert isinstance(judged, Score), judged
    return judged.note


def judged_as(
    name: str, response: Response | str, reference: Reference | None = None, **expected: Any
) -> Score | Unscored:
    sampling = expected.pop("sampling", Sampling(400))
    asked = Probe("p", "f", (Message("user", "Tell me something."),), sampling, (name,), "a test", **expected)
    answer = Response(response, Finish.STOP) if isinstance(response, str) else response
    [judged] = score_response(asked, answer, reference)
    return judged


def golden_texts(*texts: str) -> Reference:
    """Golden answers with these texts, the most frequent first."""
    return Reference("d", 0, answers=tuple((answer_digest(text), 2) for text in texts))


def value(judged: Score | Unscored) -> float:
    assert isinstance(judged, Score), judged
    return judged.value


def fenced(language: str, code: str) -> str:
    return f"Here you are:\n\n```{language}\n{code}```\n\nThat is all.\n"
