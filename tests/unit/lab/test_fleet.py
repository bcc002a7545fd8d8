from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from canary.lab.decode import Sampling
from canary.lab.engine import ContextTooLong
from canary.lab.faults import Fault, FaultKind
from canary.lab.fleet import Fleet, Request, UnknownTarget
from canary.lab.spec import default_spec

GREEDY = Sampling(max_tokens=150, logprobs=5)
PROSE = Request("mid", "api", "short", "Explain how a load balancer works.", GREEDY)


@pytest.fixture
def fleet():
    return Fleet(default_spec())


def sessions(n, request=PROSE):
    return [replace(request, affinity=f"session {i}") for i in range(n)]


def answers(fleet, requests):
    return [fleet.reply(request).answer for request in requests]


def likely(count, n, p, error=1e-6):
    """Whether `count` of n lies within the binomial's central 1 - `error`."""
    return binom.ppf(error / 2, n, p) <= count <= binom.isf(error / 2, n, p)


def foreign(answer):
    return not answer.text.isascii()


def inconsistent(answer):
    return [top[0] for top in answer.decoded.top] != answer.decoded.tokens


def chosen(fleet, requests):
    """The logprobs of the first 20 tokens of each answer."""
    return np.array([answer.decoded.logprobs[:20] for answer in answers(fleet, requests)])


def nearest(golden, fresh):
    """The mean distance in nats of each fresh answer from the golden answer nearest to it."""
    return np.abs(fresh[:, None] - golden[None]).mean(axis=2).min(axis=1)


def test_the_same_requests_get_the_same_replies_in_any_order(fleet):
    fleet.switch([Fault(FaultKind.CORRUPTION, share=0.5), Fault(FaultKind.SLOW, share=0.5, seconds=1.0)])
    requests = sessions(50)
    forward = [fleet.reply(request) for request in requests]
    again = Fleet(fleet.spec, fleet.faults)
    assert [again.reply(request) for request in reversed(requests)][::-1] == forward


def test_another_seed_makes_another_fleet(fleet):
    other = Fleet(default_spec(seed=2))
    assert other.reply(PROSE).answer.decoded.logprobs != fleet.reply(PROSE).answer.decoded.logprobs


def test_healthy_answers_are_plain_english(fleet):
    assert not any(foreign(answer) for answer in answers(fleet, sessions(300)))


def test_healthy_greedy_answers_are_consistent(fleet):
    assert not any(inconsistent(answer) for answer in answers(fleet, sessions(300)))


def test_healthy_jitter_comes_from_a_few_atoms(fleet):
    seen = {tuple(answer.decoded.logprobs[:3]) for answer in answers(fleet, sessions(300))}
    assert 4 <= len(seen) <= 12


def test_platforms_differ_by_a_tenth_of_a_nat_at_most(fleet):
    api = fleet.reply(PROSE).answer.decoded
    cloud = fleet.reply(replace(PROSE, platform="cloud")).answer.decoded
    same = next(i for i, (a, b) in enumerate(zip(api.tokens, cloud.tokens, strict=False)) if a != b or i == 100)
    gaps = [
        abs(dict(zip(cloud.top[i], cloud.top_logprobs[i], strict=True)).get(token, p) - p)
        for i in range(same)
        for token, p in zip(api.top[i], api.top_logprobs[i], strict=True)
    ]
    assert 0.02 < np.median(gaps) < 0.1


def test_models_answer_differently(fleet):
    assert fleet.reply(PROSE).answer.text != fleet.reply(replace(PROSE, model="small")).answer.text


def test_corruption_touches_its_share_of_answers(fleet):
    fleet.switch([Fault(FaultKind.CORRUPTION, share=0.02, rate=0.1)])
    touched = sum(foreign(answer) for answer in answers(fleet, sessions(1_500)))
    assert likely(touched, 1_500, 0.02)


def test_corruption_strikes_at_its_rate_per_step(fleet):
    fleet.switch([Fault(FaultKind.CORRUPTION, rate=0.002)])
    touched = sum(foreign(answer) for answer in answers(fleet, sessions(500)))
    assert likely(touched, 500, 1 - (1 - 0.002) ** 150)


def test_corruption_shows_in_the_logprobs(fleet):
    fleet.switch([Fault(FaultKind.CORRUPTION, rate=0.05)])
    assert not any(inconsistent(answer) for answer in answers(fleet, sessions(50)))


def test_a_swapped_token_contradicts_the_logprobs(fleet):
    fleet.switch([Fault(FaultKind.SWAP, rate=0.1)])
    assert all(foreign(answer) and inconsistent(answer) for answer in answers(fleet, sessions(50)))


def test_a_dropped_top_token_is_not_the_best_of_the_reported_ones(fleet):
    fleet.switch([Fault(FaultKind.DROPPED_TOP, share=0.3, rate=0.1)])
    seen = answers(fleet, sessions(500))
    assert likely(sum(inconsistent(answer) for answer in seen), 500, 0.3)
    assert not any(foreign(answer) for answer in seen)


def test_misrouting_touches_its_share_of_sessions(fleet):
    fleet.switch([Fault(FaultKind.MISROUTING, pool="short", share=0.16, to_pool="long")])
    replicas = Counter(fleet.reply(request).replica.rsplit("-", 1)[0] for request in sessions(1_000))
    assert set(replicas) == {"api-short", "api-long"}
    assert likely(replicas["api-long"], 1_000, 0.16)


def test_a_misrouted_session_stays_misrouted(fleet):
    fleet.switch([Fault(FaultKind.MISROUTING, share=0.16, to_pool="long")])
    for request in sessions(40):
        assert len({fleet.reply(request, nth).replica for nth in range(5)}) == 1


def test_a_misrouted_answer_deviates_beyond_healthy_jitter(fleet):
    golden, *fresh = np.array_split(chosen(fleet, sessions(300)), 3)
    fleet.switch([Fault(FaultKind.MISROUTING, to_pool="long")])
    misrouted = chosen(fleet, sessions(50))
    assert min(nearest(golden, misrouted)) > 2 * max(nearest(golden, np.concatenate(fresh)))


def test_misrouting_reaches_a_platform_without_such_a_pool(fleet):
    fleet.switch([Fault(FaultKind.MISROUTING, to_pool="long")])
    assert fleet.reply(replace(PROSE, platform="cloud")).replica.startswith("cloud-long-")


@pytest.mark.parametrize("scope", [{"model": "small"}, {"platform": "cloud"}, {"pool": "long"}])
def test_a_fault_leaves_other_scopes_alone(fleet, scope):
    fleet.switch([Fault(FaultKind.CORRUPTION, rate=1.0, **scope)])
    assert not foreign(fleet.reply(PROSE).answer)


@pytest.mark.parametrize("kind", [FaultKind.UNREACHABLE, FaultKind.THROTTLED])
def test_an_availability_fault_leaves_no_answer(fleet, kind):
    fleet.switch([Fault(kind)])
    reply = fleet.reply(PROSE)
    assert (reply.answer, reply.failure) == (None, kind)


def test_a_slow_answer_takes_the_seconds_longer(fleet):
    before = fleet.reply(PROSE).delay
    fleet.switch([Fault(FaultKind.SLOW, seconds=3.0)])
    assert fleet.reply(PROSE).delay == pytest.approx(before + 3.0)


def test_a_fault_that_is_switched_off_leaves_no_trace(fleet):
    before = fleet.reply(PROSE)
    fleet.switch([Fault(FaultKind.CORRUPTION, rate=1.0)])
    fleet.reply(PROSE)
    fleet.switch([])
    assert fleet.reply(PROSE) == before


def test_a_pool_refuses_more_than_its_context(fleet):
    with pytest.raises(ContextTooLong):
        fleet.reply(replace(PROSE, prompt="word " * 40_000))


def test_the_long_pool_takes_a_long_prompt(fleet):
    answer = fleet.reply(replace(PROSE, pool="long", prompt="word " * 40_000)).answer
    assert answer.prompt_tokens > 40_000


def test_a_copy_of_an_enormous_text_is_cut(fleet):
    request = replace(PROSE, pool="long", prompt="Copy this: " + "極" * 300_000, sampling=Sampling(max_tokens=8_192))
    assert fleet.reply(request).answer.text.startswith("極極")


def test_a_stop_word_ends_the_answer_before_it(fleet):
    answer = fleet.reply(replace(PROSE, sampling=replace(GREEDY, stop=("servers",)))).answer
    assert "servers" not in answer.text
    assert answer.finish == "stop"


@pytest.mark.parametrize("change", [{"model": "none"}, {"platform": "none"}, {"pool": "none"}])
def test_an_unknown_target_is_refused(fleet, change):
    with pytest.raises(UnknownTarget):
        fleet.reply(replace(PROSE, **change))


def test_misrouting_to_nowhere_is_refused(fleet):
    with pytest.raises(UnknownTarget):
        fleet.switch([Fault(FaultKind.MISROUTING, to_pool="none")])


@pytest.mark.parametrize("wrong", [{"share": 1.5}, {"rate": -0.1}, {"seconds": 1e9}, {"to_pool": "long"}])
def test_an_impossible_fault_is_refused(wrong):
    with pytest.raises(ValueError, match=r"share|misrouting"):
        Fault(FaultKind.SLOW, **wrong)
