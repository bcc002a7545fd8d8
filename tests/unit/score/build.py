"""Short ways to say what the tests score."""

from canary.records import Finish, Logprobs, Message, Probe, Reference, Response, Sampling, Score, Unscored
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


def value(judged: Score | Unscored) -> float:
    assert isinstance(judged, Score), judged
    return judged.value


def fenced(language: str, code: str) -> str:
    return f"Here you are:\n\n```{language}\n{code}```\n\nThat is all.\n"
