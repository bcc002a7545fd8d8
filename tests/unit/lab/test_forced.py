"""The logprobs of a prompt's own tokens, as the lab's servers tell them."""

import math
from dataclasses import replace

import numpy as np
import pytest

from canary.lab.decode import Sampling
from canary.lab.engine import ContextTooLong
from canary.lab.faults import Fault, FaultKind
from canary.lab.fleet import Fleet, Request
from canary.lab.model import vocabulary
from canary.lab.spec import default_spec

ASKED = Request("mid", "api", "short", "Explain how a load balancer works.", Sampling(8, prompt_logprobs=5))


@pytest.fixture
def fleet():
    return Fleet(default_spec())


def prompts(fleet, n, first=0):
    requests = [replace(ASKED, affinity=f"session {i}") for i in range(first, first + n)]
    return [fleet.reply(request).answer.prompt for request in requests]


def logprobs(fleet, n, first=0):
    return np.array([prompt.logprobs for prompt in prompts(fleet, n, first)])


def nearest(golden, fresh):
    """The mean distance in nats of each prompt from the golden one nearest to it."""
    return np.abs(fresh[:, None] - golden[None]).mean(axis=2).min(axis=1)


def test_none_are_told_unasked(fleet):
    assert fleet.reply(replace(ASKED, sampling=Sampling(8))).answer.prompt is None


def test_they_are_of_the_prompts_own_tokens_but_the_first(fleet):
    (prompt,) = prompts(fleet, 1)
    assert prompt.tokens == vocabulary().encode(ASKED.prompt)[1:]


def test_they_are_of_one_distribution_with_the_top(fleet):
    (prompt,) = prompts(fleet, 1)
    for token, logprob, top, values in zip(
        prompt.tokens, prompt.logprobs, prompt.top, prompt.top_logprobs, strict=True
    ):
        assert dict(zip(top, values, strict=True)).get(token, logprob) == logprob
        assert math.fsum(map(math.exp, values)) + math.exp(logprob) * (token not in top) <= 1 + 1e-9
        assert values == sorted(values, reverse=True)


def test_a_word_that_the_model_read_is_likelier_than_one_it_never_did(fleet):
    read, unread = (
        fleet.reply(replace(ASKED, prompt=prompt)).answer.prompt.logprobs[-1]
        for prompt in ("The load balancer", "The load zygote")
    )
    assert read > unread + 2


def test_a_prompt_of_one_token_has_none(fleet):
    assert fleet.reply(replace(ASKED, prompt="The")).answer.prompt.logprobs == []


def test_healthy_jitter_comes_from_a_few_atoms(fleet):
    assert 4 <= len({tuple(prompt.logprobs) for prompt in prompts(fleet, 300)}) <= 12


def test_misrouting_shifts_them_beyond_the_golden_noise(fleet):
    golden = logprobs(fleet, 100)
    healthy = nearest(golden, logprobs(fleet, 50, first=100))
    fleet.switch([Fault(FaultKind.MISROUTING, to_pool="long")])
    noise = np.abs(golden[:, None] - golden[None]).mean(axis=2).max()
    assert healthy.max() <= noise < nearest(golden, logprobs(fleet, 50)).min()


@pytest.mark.parametrize("kind", [FaultKind.CORRUPTION, FaultKind.SWAP, FaultKind.DROPPED_TOP])
def test_a_fault_of_generation_leaves_them_alone(fleet, kind):
    healthy = {tuple(prompt.logprobs) for prompt in prompts(fleet, 100)}
    fleet.switch([Fault(kind, rate=0.5)])
    assert {tuple(prompt.logprobs) for prompt in prompts(fleet, 100)} <= healthy


def test_a_prompt_too_long_to_be_told_is_refused(fleet):
    long = replace(ASKED, prompt="word " * 10_000)
    assert fleet.reply(replace(long, sampling=Sampling(8))).answer is not None
    with pytest.raises(ContextTooLong, match="prompt logprobs"):
        fleet.reply(long)
