"""The built-in probes against the lab: silent while it is healthy, and each fault seen by the signal meant for it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import pytest

from canary.config import cost, load_probes
from canary.lab import render
from canary.lab.engine import ContextTooLong
from canary.lab.faults import Fault, FaultKind
from canary.lab.fleet import Fleet
from canary.lab.spec import default_spec
from canary.lab.wire import chat_request
from canary.probe.wire import openai_chat
from canary.records import Dialect, Endpoint, Probe, Reference, Response, Score, SignalKind, answer_digest
from canary.resources import data_folder
from canary.score import SIGNALS, score_response

PROBES = load_probes([data_folder("probes")])
NEED_GOLDEN = {"prompt_tokens", "novelty", "border", "balance"}
EVENTS = {name for name, signal in SIGNALS.items() if signal.kind is SignalKind.EVENT} - NEED_GOLDEN
LONGEST = {pool.name: pool.context for platform in default_spec().platforms for pool in platform.pools}
LARGE = 10_000  # tokens of a prompt: what is fired once or twice
every_probe = pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.id)


def having(signal: str, tokens: int = 1, each: int = 3) -> list[Probe]:
    """The first probes of each family with this signal and answers of that many tokens."""
    found = [probe for probe in PROBES if signal in probe.scorers and probe.min_tokens >= tokens]
    families = {probe.family: [other for other in found if other.family == probe.family] for probe in found}
    return [probe for members in families.values() for probe in members[:each]]


@cache
def fleet() -> Fleet:
    return Fleet(default_spec())


def answered(
    probe: Probe,
    n: int,
    faults: Sequence[Fault] = (),
    target: tuple[str, str, str] | None = None,
    salt: int | None = None,
    first: int = 0,
) -> Iterator[Response]:
    """What the wire carries, n times, each in a session of its own; all salts in turn, or one."""
    model, platform, pool = target or ("mid", "api", "long" if cost(probe).total > LARGE else "short")
    fleet().switch(faults)
    endpoint = Endpoint(Dialect.OPENAI_CHAT, "http://lab/v1", model)
    for i in range(first, first + n):
        messages = probe.prompt(i if salt is None else salt)
        body = openai_chat.encode(endpoint, messages, probe.sampling, probe.tools).body
        request = chat_request(platform, pool, body, f"session {i}")
        reply = fleet().reply(request)
        assert reply.answer is not None
        response = openai_chat.decode(render.chat(request, reply.answer, "1"))
        assert isinstance(response, Response)
        yield response


def judged(probe: Probe, responses: Iterable[Response], reference: Reference | None = None) -> list[Score]:
    found = [score for response in responses for score in score_response(probe, response, reference)]
    return [score for score in found if isinstance(score, Score)]


@cache
def golden(probe: Probe) -> Reference:
    """Healthy answers to the first salt: enough to meet every atom of the jitter."""
    responses = list(answered(probe, 3 if cost(probe).total > LARGE else 40, salt=0, first=1_000))
    return Reference(
        probe.digest,
        0,
        logprobs=tuple(dict.fromkeys(r.logprobs for r in responses if r.logprobs is not None)),
        answers=tuple(Counter(answer_digest(r.text) for r in responses).most_common()),
        prompt_tokens=tuple({r.prompt_tokens for r in responses}),
        lengths=tuple(sorted(r.completion_tokens for r in responses)),
    )


def values(scores: list[Score], signal: str) -> list[float]:
    return [score.value for score in scores if score.signal == signal]


def share(probe: Probe, signal: str, faults: Sequence[Fault]) -> float:
    """Of 10 answers, those with an event."""
    found = values(judged(probe, answered(probe, 10, faults)), signal)
    return sum(value > 0 for value in found) / 10


@every_probe
def test_healthy_answers_hold_no_event(probe):
    for target in default_spec().targets:
        if cost(probe).total < LONGEST[target[2]]:
            scores = judged(probe, answered(probe, 1, target=target))
            assert [score for score in scores if score.signal in EVENTS and score.value > 0] == []


@pytest.mark.parametrize(
    "probe", [p for p in PROBES if p.family in ("multilingual", "translation", "code")], ids=lambda probe: probe.id
)
def test_healthy_answers_in_each_language_and_code_are_clean_from_every_batch(probe):
    scores = judged(probe, answered(probe, 12, first=100))
    assert [score for score in scores if score.signal in EVENTS and score.value > 0] == []


@every_probe
def test_healthy_answers_are_among_the_golden_ones(probe):
    scores = judged(probe, answered(probe, 2, salt=0), golden(probe))
    assert [score for score in scores if score.signal in NEED_GOLDEN - {"balance"} and score.value > 0] == []


@every_probe
def test_every_scorer_of_a_probe_has_something_to_judge(probe):
    scores = judged(probe, answered(probe, 1, salt=0), golden(probe))
    assert {score.signal for score in scores} == set(probe.scorers)


@every_probe
def test_answers_are_as_long_as_a_probe_expects(probe):
    assert all(response.completion_tokens >= probe.min_tokens for response in answered(probe, 2))


@pytest.mark.parametrize("kind", [FaultKind.CORRUPTION, FaultKind.SWAP])
@pytest.mark.parametrize("probe", having("script", tokens=60), ids=lambda probe: probe.id)
def test_a_foreign_token_is_seen_by_its_script(probe, kind):
    """In code a third of the strays are brackets."""
    rate = 0.1 if "syntax" in probe.scorers else 0.05
    assert share(probe, "script", [Fault(kind, rate=rate)]) >= 0.9


def test_one_foreign_token_breaks_code_where_it_is_not_in_a_comment_or_string():
    broken = []
    for probe in having("syntax", each=99):
        responses = answered(probe, 20, [Fault(FaultKind.CORRUPTION, rate=0.004)])
        touched = [response for response in responses if not response.text.isascii()]
        broken += [value > 0 for value in values(judged(probe, touched), "syntax")]
    assert len(broken) > 100
    assert sum(broken) / len(broken) > 0.6


@pytest.mark.parametrize("probe", having("greedy", tokens=150), ids=lambda probe: probe.id)
def test_an_approximate_top_k_is_seen_by_greedy_for_certain_batch_sizes(probe):
    found = values(judged(probe, answered(probe, 40, [Fault(FaultKind.APPROXIMATE_TOP_K)])), "greedy")
    assert 0.1 < sum(value > 0 for value in found) / 40 < 0.9


@pytest.mark.parametrize("kind", [FaultKind.SWAP, FaultKind.DROPPED_TOP])
@pytest.mark.parametrize("probe", having("greedy", tokens=60), ids=lambda probe: probe.id)
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


@pytest.mark.parametrize("kind", [FaultKind.SWAP, FaultKind.DROPPED_TOP])
@pytest.mark.parametrize("probe", having("copy", tokens=60), ids=lambda probe: probe.id)
def test_a_wrong_selection_is_seen_by_copy_without_logprobs(probe, kind):
    assert share(probe, "copy", [Fault(kind, rate=0.05)]) >= 0.9


@pytest.mark.parametrize("probe", having("schema", tokens=40), ids=lambda probe: probe.id)
def test_a_lost_token_breaks_the_schema(probe):
    assert share(probe, "schema", [Fault(FaultKind.DROPPED_TOP, rate=0.2)]) >= 0.9


@pytest.mark.parametrize("probe", having("tool_call"), ids=lambda probe: probe.id)
def test_a_lost_token_breaks_a_tool_call(probe):
    assert share(probe, "tool_call", [Fault(FaultKind.DROPPED_TOP, rate=0.3)]) >= 0.9


@pytest.mark.parametrize("probe", having("recall", each=2), ids=lambda probe: probe.id)
def test_a_wrong_selection_is_seen_by_recall(probe):
    found = values(judged(probe, answered(probe, 3, [Fault(FaultKind.DROPPED_TOP, rate=1.0)])), "recall")
    assert found == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("probe", having("border", each=10), ids=lambda probe: probe.id)
def test_a_token_from_outside_of_a_near_tie_is_seen_by_border(probe):
    answers = answered(probe, 5, [Fault(FaultKind.SWAP, rate=1.0)], salt=0)
    assert values(judged(probe, answers, golden(probe)), "border") == [1.0] * 5


def test_near_ties_are_decided_by_the_jitter_of_the_batch():
    tied = [probe for probe in PROBES if probe.family == "border" and len(golden(probe).answers) > 1]
    assert len(tied) >= 3


@pytest.mark.parametrize("probe", [p for p in PROBES if cost(p).total > LONGEST["short"]], ids=lambda probe: probe.id)
def test_a_prompt_longer_than_a_pools_context_is_refused(probe):
    with pytest.raises(ContextTooLong):
        next(answered(probe, 1, target=("mid", "api", "short")))


def test_corrupted_code_may_break_without_any_foreign_character():
    broken = 0
    for probe in having("syntax", each=99):
        responses = answered(probe, 20, [Fault(FaultKind.CORRUPTION, rate=0.01)])
        plain = [response for response in responses if response.text.isascii()]
        broken += sum(value > 0 for value in values(judged(probe, plain), "syntax"))
    assert broken > 10  # foreign words alone would break none of these
