from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, chisquare

from canary.lab.batches import SIZES
from canary.lab.decode import Sampling
from canary.lab.engine import ContextTooLong
from canary.lab.faults import Fault, FaultKind
from canary.lab.fleet import Fleet, Request, UnknownTarget
from canary.lab.model import vocabulary
from canary.lab.spec import FleetSpec, Platform, Pool, default_spec

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


BORDER = Request(
    "mid", "api", "short", "Answer with one word, cat or dog: which animal is asleep?", Sampling(3, logprobs=5)
)


def one_pool(replicas=3, **spec):
    return Fleet(FleetSpec(("mid",), (Platform("api", (Pool("short", replicas=replicas),)),), **spec))


def test_an_approximate_top_k_loses_the_best_token_in_batches_of_certain_sizes_alone():
    fleet = one_pool()
    fleet.switch([Fault(FaultKind.APPROXIMATE_TOP_K)])
    wrong = sum(inconsistent(fleet.reply(PROSE, nth).answer) for nth in range(400))
    assert likely(wrong, 400, 0.5)  # sizes 4 and 16 of four


def test_the_same_prompt_works_on_one_request_and_fails_on_the_next():
    fleet = one_pool()
    fleet.switch([Fault(FaultKind.APPROXIMATE_TOP_K)])
    request = replace(PROSE, affinity="one session")
    texts = {fleet.reply(request, nth).answer.text for nth in range(30)}
    healthy = {one_pool().reply(request, nth).answer.text for nth in range(30)}
    assert texts & healthy
    assert texts - healthy


def test_a_wrong_batch_size_spoils_as_many_tokens_as_lie_beyond_its_blocks():
    fleet = one_pool()
    fleet.switch([Fault(FaultKind.APPROXIMATE_TOP_K)])
    seen = [fleet.reply(replace(PROSE, prompt=f"Explain tides, part {i}."), 0, 16).answer for i in range(40)]
    wrong = sum(top[0] != token for a in seen for top, token in zip(a.decoded.top, a.decoded.tokens, strict=True))
    steps = sum(len(a.decoded.tokens) for a in seen)
    assert 0.3 < wrong / steps / (1 - 3_840 / 3_981) < 3.0


def test_the_workaround_puts_the_best_token_back():
    fleet = one_pool()
    fleet.switch([Fault(kind, workaround=True) for kind in (FaultKind.APPROXIMATE_TOP_K, FaultKind.BF16_TOP)])
    assert not any(inconsistent(fleet.reply(PROSE, nth).answer) for nth in range(200))


def test_an_approximate_top_k_shows_nothing_in_the_logprobs():
    fleet = one_pool()
    healthy = {fleet.reply(BORDER, nth).answer.decoded.top_logprobs[0][0] for nth in range(100)}
    fleet.switch([Fault(FaultKind.APPROXIMATE_TOP_K)])
    assert {fleet.reply(BORDER, nth).answer.decoded.top_logprobs[0][0] for nth in range(100)} <= healthy


def test_two_precisions_drop_the_top_in_near_ties_alone():
    fleet = one_pool()
    fleet.switch([Fault(FaultKind.BF16_TOP)])
    answers = [fleet.reply(replace(PROSE, prompt=f"Explain tides, part {i}.")).answer for i in range(100)]
    steps = [
        step for a in answers for step in zip(a.decoded.tokens, a.decoded.top, a.decoded.top_logprobs, strict=True)
    ]
    gaps = [logprobs[0] - logprobs[1] for token, top, logprobs in steps if token != top[0]]
    assert gaps
    assert max(gaps) < 1 / 16


@pytest.mark.parametrize("kind", [FaultKind.BF16_TOP, FaultKind.APPROXIMATE_TOP_K])
def test_code_on_a_share_of_replicas_is_on_whole_replicas(kind):
    fleet = one_pool(replicas=20)
    fleet.switch([Fault(kind, share=0.1)])
    replies = [fleet.reply(request, nth) for request in sessions(100) for nth in range(6)]
    assert len({reply.replica for reply in replies if inconsistent(reply.answer)}) <= 2


def test_a_fault_of_one_replica_is_there_alone():
    fleet = one_pool(replicas=125)
    fleet.switch([Fault(FaultKind.CORRUPTION, rate=1.0, replica=17)])
    replies = [fleet.reply(request) for request in sessions(1_000)]
    assert {reply.replica for reply in replies if foreign(reply.answer)} == {"api-short-17"}
    assert all(foreign(reply.answer) for reply in replies if reply.replica == "api-short-17")


def test_sessions_spread_evenly_over_many_replicas():
    fleet = one_pool(replicas=125)
    seen = Counter(fleet.reply(request).replica for request in sessions(5_000, replace(PROSE, sampling=Sampling(1))))
    assert chisquare(list(seen.values())).pvalue > 1e-6
    assert len(seen) == 125


def test_a_replica_that_restarts_refuses_its_sessions_alone():
    fleet = one_pool()
    fleet.switch([Fault(FaultKind.UNREACHABLE, replica=1)])
    failed = {reply.replica: reply.failure for reply in map(fleet.reply, sessions(60))}
    assert failed == {"api-short-0": None, "api-short-1": FaultKind.UNREACHABLE, "api-short-2": None}


def test_a_storm_of_429s_throttles_its_share():
    fleet = one_pool()
    fleet.switch([Fault(FaultKind.THROTTLED, share=0.7)])
    throttled = sum(fleet.reply(request).failure is FaultKind.THROTTLED for request in sessions(1_000))
    assert likely(throttled, 1_000, 0.7)


@pytest.mark.parametrize("rate", [1 / 2_000, 1 / 8_000])
def test_corruption_is_rare_in_tokens(rate):
    fleet = one_pool()
    fleet.switch([Fault(FaultKind.CORRUPTION, rate=rate)])
    touched = sum(foreign(fleet.reply(request).answer) for request in sessions(4_000))
    assert likely(touched, 4_000, 1 - (1 - rate) ** 150)


def test_a_misrouted_share_that_grows_keeps_its_sessions():
    fleet = Fleet(default_spec())

    def misrouted(share):
        fleet.switch([Fault(FaultKind.MISROUTING, pool="short", share=share, to_pool="long")])
        return {request.affinity for request in sessions(500) if "long" in fleet.reply(request).replica}

    assert misrouted(0.008) < misrouted(0.16)


def test_new_weights_declare_their_version_and_answer_otherwise(fleet):
    before = fleet.reply(PROSE).answer
    fleet.switch([Fault(FaultKind.ROLLOUT, version="2025-09")])
    after = fleet.reply(PROSE).answer
    assert (before.model, after.model) == ("mid", "mid-2025-09")
    assert before.text != after.text


def test_a_rollout_proceeds_replica_by_replica():
    fleet = one_pool(replicas=10)
    fleet.switch([Fault(FaultKind.ROLLOUT, share=0.3, version="2025-09")])
    models = {reply.replica: reply.answer.model for reply in map(fleet.reply, sessions(200))}
    assert sorted(models.values()) == ["mid"] * 7 + ["mid-2025-09"] * 3


def test_an_upgraded_engine_jitters_otherwise_by_the_same_law(fleet):
    golden, fresh = np.array_split(chosen(fleet, sessions(200)), 2)
    fleet.switch([Fault(FaultKind.UPGRADE, version="b")])
    upgraded = chosen(fleet, sessions(100))
    assert not {tuple(row) for row in upgraded} & {tuple(row) for row in golden}
    assert upgraded.std(axis=0).mean() == pytest.approx(fresh.std(axis=0).mean(), rel=0.25)


def test_the_day_sways_the_sizes_of_batches():
    fleet = one_pool(replicas=1, swing=1.0)

    def atoms(hour):
        return Counter(fleet.reply(PROSE, nth, hour=hour).answer.decoded.logprobs[0] for nth in range(2_000))

    by_night, by_day = atoms(3.0), atoms(15.0)
    ratios = sorted(by_day[atom] / by_night[atom] for atom in by_day)
    assert len(ratios) == len(SIZES)
    assert ratios[0] < 0.2
    assert ratios[-1] > 5


def test_without_a_swing_all_hours_are_alike():
    fleet = one_pool()
    assert fleet.reply(PROSE, hour=3.0) == fleet.reply(PROSE, hour=15.0)


def test_a_burst_is_served_in_a_batch_that_holds_it():
    fleet = one_pool(replicas=1)
    assert len({fleet.reply(PROSE, nth, batch=16).answer.decoded.logprobs[0] for nth in range(100)}) == 1


def test_a_seed_fixes_a_sampled_answer_of_the_same_batch():
    fleet = one_pool(replicas=1)
    request = replace(PROSE, sampling=replace(GREEDY, temperature=1.0, seed=11))
    assert len({fleet.reply(request, nth, batch=16).answer.text for nth in range(20)}) == 1


def test_without_a_seed_sampled_answers_differ():
    fleet = one_pool(replicas=1)
    request = replace(PROSE, sampling=replace(GREEDY, temperature=1.0))
    assert len({fleet.reply(request, nth, batch=16).answer.text for nth in range(20)}) > 15


def test_sampled_answers_come_as_often_as_their_logprobs_say():
    fleet = one_pool(replicas=1)
    request = replace(BORDER, sampling=Sampling(1, temperature=1.0, logprobs=20))
    first = fleet.reply(request, batch=16).answer.decoded
    odds = dict(zip(first.top[0], np.exp(first.top_logprobs[0]), strict=True))
    drawn = Counter(fleet.reply(request, nth, batch=16).answer.decoded.tokens[0] for nth in range(3_000))
    for token in first.top[0][:4]:
        assert likely(drawn[token], 3_000, odds[token])


def test_a_temperature_raises_probabilities_to_its_inverse():
    fleet = one_pool(replicas=1)
    request = replace(BORDER, sampling=Sampling(1, temperature=2.0, top_k=2, logprobs=20))
    first = fleet.reply(request, batch=16).answer.decoded
    best, second = np.exp(np.array(first.top_logprobs[0][:2]) / 2)
    drawn = Counter(fleet.reply(request, nth, batch=16).answer.decoded.tokens[0] for nth in range(3_000))
    assert likely(drawn[first.top[0][0]], 3_000, best / (best + second))


def test_usage_counts_the_tokens_of_prompt_and_answer(fleet):
    answer = fleet.reply(PROSE).answer
    assert answer.prompt_tokens == len(vocabulary().encode(PROSE.prompt))
    assert vocabulary().decode(answer.decoded.tokens) == answer.text


@pytest.mark.parametrize("stop", ["\n\n", " the", "e", "ing m"])
def test_an_answer_is_cut_at_its_first_stop_string(fleet, stop):
    whole = fleet.reply(PROSE).answer.text
    cut = fleet.reply(replace(PROSE, sampling=replace(GREEDY, stop=(stop, "never met")))).answer
    assert (cut.text, cut.finish) == (whole[: whole.find(stop)], "stop") if stop in whole else (whole, "length")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": FaultKind.ROLLOUT},
        {"kind": FaultKind.SLOW, "version": "b"},
        {"kind": FaultKind.MISROUTING, "to_pool": "long", "replica": 1},
    ],
)
def test_a_fault_that_says_too_little_or_too_much_is_refused(wrong):
    with pytest.raises(ValueError, match=r"version|balancer"):
        Fault(**wrong)


@pytest.mark.parametrize("top_p", [0.99, 0.999])
def test_top_p_of_approximate_candidates_lets_in_what_lies_outside_of_the_nucleus(top_p):
    fleet = one_pool()
    request = replace(PROSE, sampling=Sampling(150, temperature=1.0, top_p=top_p, logprobs=20))

    def strays():
        """Tokens so far down that those before them reach top-p."""
        seen = [fleet.reply(request, nth, batch=16).answer.decoded for nth in range(10)]
        steps = [step for d in seen for step in zip(d.logprobs, d.top_logprobs, strict=True)]
        return sum(np.exp([p for p in top if p > own]).sum() >= top_p + 1e-6 for own, top in steps)

    assert strays() == 0
    fleet.switch([Fault(FaultKind.APPROXIMATE_TOP_K)])
    assert strays() > 0
