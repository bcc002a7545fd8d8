import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.lab import corpus
from canary.lab.decode import Sampling, Touch, decode, strike
from canary.lab.model import LanguageModel, foreign_tokens, vocabulary
from canary.lab.noise import field, fraction, generator

EXACT = {"certainty": (1.3, 4.0), "hesitation": (0.06, 1.5)}
HEALTHY = Touch()


@pytest.fixture(scope="module")
def model():
    return LanguageModel("mid", seed=1)


@pytest.fixture(scope="module")
def plan(model):
    return model.plan(corpus.segments(corpus.of_kind("prose")[0].text), **EXACT)


def run(plan, sampling, touch=HEALTHY, seed=0):
    rng = generator(seed)
    return decode(plan, plan.logits, sampling, touch, strike(touch, len(plan.ids), rng), rng)


@given(st.text(max_size=80))
def test_any_text_survives_tokens_and_back(text):
    words = vocabulary()
    assert words.decode(words.encode(text)) == text.encode(errors="replace").decode()


def test_no_token_stands_twice_in_a_state(plan):
    for ids, logits in zip(plan.ids, plan.logits, strict=True):
        possible = ids[np.isfinite(logits)]
        assert len(set(possible.tolist())) == len(possible)


def test_a_foreign_token_is_possible_and_rare_at_every_step(plan):
    share = np.exp(plan.logits[:-1, -len(foreign_tokens()) :]).sum(axis=1)
    assert (share > 0).all()
    assert (share < 1e-3).all()


@pytest.mark.parametrize("document", corpus.documents(), ids=lambda d: d.kind)
def test_greedy_writes_each_text_as_it_was_read(model, document):
    text = corpus.segments(document.text)
    answer = run(model.plan(text, **EXACT), Sampling(max_tokens=2_000))
    assert vocabulary().decode(answer.tokens) == "".join(words[0] for words in text)


def test_models_of_other_names_disagree_about_the_odds(plan):
    other = LanguageModel("small", seed=1).plan(corpus.segments(corpus.of_kind("prose")[0].text), **EXACT)
    assert np.abs(np.exp(other.logits) - np.exp(plan.logits)).max() > 0.01


def test_a_greedy_token_leads_its_own_top(plan):
    answer = run(plan, Sampling(max_tokens=100, logprobs=5))
    assert [top[0] for top in answer.top] == answer.tokens


def test_top_logprobs_are_part_of_a_distribution(plan):
    answer = run(plan, Sampling(max_tokens=100, logprobs=20))
    assert max(sum(np.exp(row)) for row in answer.top_logprobs) <= 1.0


def test_sampling_hits_each_choice_as_often_as_its_logprob_says(model):
    coin = model.plan((("heads", "tails"),), (0.8, 0.8), (0.1, 0.1))
    answer = run(coin, Sampling(max_tokens=1, logprobs=5))
    p = np.exp(answer.logprobs[0])
    draws = [run(coin, Sampling(max_tokens=1, temperature=1.0), seed=seed).tokens[0] for seed in range(2_000)]
    assert draws.count(answer.tokens[0]) / 2_000 == pytest.approx(p, abs=4 * (p * (1 - p) / 2_000) ** 0.5)


def test_a_small_top_p_leaves_only_the_best(plan):
    sampled = run(plan, Sampling(max_tokens=90, temperature=1.0, top_p=1e-6), seed=3)
    assert sampled.tokens == run(plan, Sampling(max_tokens=90)).tokens


def test_top_k_of_one_leaves_only_the_best(plan):
    sampled = run(plan, Sampling(max_tokens=90, temperature=2.0, top_k=1), seed=3)
    assert sampled.tokens == run(plan, Sampling(max_tokens=90)).tokens


def test_a_sampling_seed_fixes_the_answer(plan):
    sampling = Sampling(max_tokens=90, temperature=1.0, seed=7)
    assert run(plan, sampling, seed=1).tokens == run(plan, sampling, seed=2).tokens


def test_an_answer_stops_at_its_token_limit(plan):
    answer = run(plan, Sampling(max_tokens=7))
    assert (len(answer.tokens), answer.ended) == (7, False)


def test_a_corrupted_token_is_the_likeliest_by_its_logprobs(plan):
    answer = run(plan, Sampling(max_tokens=80, logprobs=5), Touch(corrupted=1.0))
    assert [top[0] for top in answer.top] == answer.tokens
    assert set(answer.tokens) <= set(foreign_tokens())


def test_a_swapped_token_is_improbable_by_its_logprobs(plan):
    answer = run(plan, Sampling(max_tokens=80, logprobs=5), Touch(swapped=1.0))
    assert set(answer.tokens) <= set(foreign_tokens())
    assert max(answer.logprobs) < -6.0


def test_a_dropped_top_token_gives_way_to_the_second(plan):
    answer = run(plan, Sampling(max_tokens=80, logprobs=5), Touch(dropped=1.0))
    assert [top[1] for top in answer.top] == answer.tokens


def test_a_model_recovers_from_a_single_wrong_token(plan):
    healthy = run(plan, Sampling(max_tokens=90)).tokens
    touched = run(plan, Sampling(max_tokens=90), Touch(swapped=0.02), seed=5).tokens
    wrong = sum(a != b for a, b in zip(healthy, touched, strict=True))
    assert 1 <= wrong <= 6


def test_seeded_numbers_depend_on_every_part():
    assert len({fraction("a", 1), fraction("a", 2), fraction("b", 1)}) == 3


def test_noise_fields_are_standard_normal():
    noise = field((400, 60), "a")
    assert noise.mean() == pytest.approx(0.0, abs=4 / 24_000**0.5)
    assert noise.std() == pytest.approx(1.0, abs=0.02)
