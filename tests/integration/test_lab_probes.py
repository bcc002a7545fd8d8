"""The built-in probes against the lab: silent while it is healthy, and each fault seen by the signal meant for it."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import pytest

from canary.config.probes import load_probes
from canary.lab import render
from canary.lab.faults import Fault, FaultKind
from canary.lab.fleet import Fleet
from canary.lab.spec import default_spec
from canary.lab.wire import chat_request
from canary.probe.wire import openai_chat
from canary.records import Dialect, Endpoint, Probe, Reference, Response, Score
from canary.resources import data_folder
from canary.score import score_response

PROBES = load_probes([data_folder("probes")])
EVENTS = {"script", "language", "syntax", "greedy"}
every_probe = pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.id)


def having(signal: str, tokens: int = 1) -> list[Probe]:
    return [probe for probe in PROBES if signal in probe.scorers and probe.sampling.max_tokens >= tokens]


@cache
def fleet() -> Fleet:
    return Fleet(default_spec())


def answered(
    probe: Probe,
    n: int,
    faults: Sequence[Fault] = (),
    target: tuple[str, str, str] = ("mid", "api", "short"),
    salt: int | None = None,
    first: int = 0,
) -> Iterator[Response]:
    """What the wire carries, n times, each in a session of its own; all salts in turn, or one."""
    model, platform, pool = target
    fleet().switch(faults)
    endpoint = Endpoint(Dialect.OPENAI_CHAT, "http://lab/v1", model)
    for i in range(first, first + n):
        messages = probe.prompt(i if salt is None else salt)
        body = openai_chat.encode(endpoint, messages, probe.sampling).body
        request = chat_request(platform, pool, body, f"session {i}")
        reply = fleet().reply(request)
        assert reply.answer is not None
        response = openai_chat.decode(render.chat(request, reply.answer, "1"))
        assert isinstance(response, Response)
        yield response


def judged(probe: Probe, responses: Iterable[Response], reference: Reference | None = None) -> list[Score]:
    found = [score for response in responses for score in score_response(probe, response, reference)]
    return [score for score in found if isinstance(score, Score)]


def golden(probe: Probe) -> Reference:
    """Healthy answers to the first salt: enough to meet every atom of the jitter."""
    responses = answered(probe, 40, salt=0, first=1_000)
    return Reference(probe.digest, 0, tuple(r.logprobs for r in responses if r.logprobs is not None))


def values(scores: list[Score], signal: str) -> list[float]:
    return [score.value for score in scores if score.signal == signal]


def share(probe: Probe, signal: str, faults: Sequence[Fault]) -> float:
    """Of 10 answers, those with an event."""
    found = values(judged(probe, answered(probe, 10, faults)), signal)
    return sum(value > 0 for value in found) / 10


@every_probe
@pytest.mark.parametrize("target", default_spec().targets, ids="/".join)
def test_healthy_answers_hold_no_event(probe, target):
    scores = judged(probe, answered(probe, 2, target=target))
    assert [score for score in scores if score.signal in EVENTS and score.value > 0] == []


@every_probe
def test_every_scorer_of_a_probe_has_something_to_judge(probe):
    scores = judged(probe, answered(probe, 1, salt=0), golden(probe))
    assert {score.signal for score in scores} == set(probe.scorers)


@every_probe
def test_answers_are_as_long_as_a_probe_expects(probe):
    assert all(response.completion_tokens >= probe.min_tokens for response in answered(probe, 8))


@pytest.mark.parametrize("kind", [FaultKind.CORRUPTION, FaultKind.SWAP])
@pytest.mark.parametrize("probe", having("script", tokens=100), ids=lambda probe: probe.id)
def test_a_foreign_token_is_seen_by_its_script(probe, kind):
    assert share(probe, "script", [Fault(kind, rate=0.05)]) >= 0.9


@pytest.mark.parametrize("kind", [FaultKind.SWAP, FaultKind.DROPPED_TOP])
@pytest.mark.parametrize("probe", having("greedy", tokens=100), ids=lambda probe: probe.id)
def test_a_wrong_selection_is_seen_by_greedy(probe, kind):
    assert share(probe, "greedy", [Fault(kind, rate=0.05)]) >= 0.9


@pytest.mark.parametrize("probe", having("greedy"), ids=lambda probe: probe.id)
def test_corruption_before_the_softmax_is_no_wrong_selection(probe):
    assert share(probe, "greedy", [Fault(FaultKind.CORRUPTION, rate=0.05)]) == 0.0


@pytest.mark.parametrize("probe", having("logprob", tokens=20), ids=lambda probe: probe.id)
def test_misrouting_is_seen_by_logprob(probe):
    reference = golden(probe)
    healthy = values(judged(probe, answered(probe, 10, salt=0), reference), "logprob")
    faults = [Fault(FaultKind.MISROUTING, to_pool="long")]
    misrouted = values(judged(probe, answered(probe, 10, faults, salt=0), reference), "logprob")
    assert min(misrouted) > max(healthy)
