import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.records import Finish, Logprobs, Reference, Response, Sampling, UnscoredReason
from canary.score.kl import divergences
from tests.unit.score.build import note, scored, why_not

LOW = -3.0


def vector(*tokens: int, chosen: float = -0.2, other: float = LOW) -> Logprobs:
    """Each token is the most probable of its own top-2."""
    n = len(tokens)
    return Logprobs(tokens, (chosen,) * n, tuple((token, token + 1000) for token in tokens), ((chosen, other),) * n)


def answered(logprobs: Logprobs | None, prompt: Logprobs | None = None, text: str = "abc") -> Response:
    return Response(text, Finish.STOP, logprobs=logprobs, prompt_logprobs=prompt)


def golden(*answers: Logprobs, prompt: tuple[Logprobs, ...] = ()) -> Reference:
    return Reference("d", 0, answers, prompt)


@st.composite
def answers(draw: st.DrawFn) -> Logprobs:
    rows = draw(
        st.lists(st.tuples(st.permutations(range(5)), st.lists(st.floats(0, 5), min_size=5, max_size=5)), min_size=1)
    )
    positions = []
    for tokens, energies in rows:
        total = math.log(sum(math.exp(-energy) for energy in energies))
        positions.append((tuple(tokens[:3]), tuple(sorted((-e - total for e in energies), reverse=True)[:3])))
    return Logprobs(
        tuple(tokens[0] for tokens, _ in positions),
        tuple(values[0] for _, values in positions),
        tuple(tokens for tokens, _ in positions),
        tuple(values for _, values in positions),
    )


# KL with a tail


def test_an_answer_equal_to_a_golden_one_has_no_divergence() -> None:
    assert scored("kl", answered(vector(1, 2)), golden(vector(1, 2))) == 0


def test_kl_is_that_of_the_common_tokens_and_a_tail() -> None:
    p, q = (0.5, 0.25), (0.4, 0.5)
    ours = Logprobs((1,), (math.log(q[0]),), ((1, 2),), (tuple(map(math.log, q)),))
    theirs = Logprobs((1,), (math.log(p[0]),), ((1, 2),), (tuple(map(math.log, p)),))
    expected = 0.5 * math.log(0.5 / 0.4) + 0.25 * math.log(0.25 / 0.5) + 0.25 * math.log(0.25 / 0.1)
    assert scored("kl", answered(ours), golden(theirs)) == pytest.approx(expected)


def test_kl_reports_the_worst_of_a_hundred_positions_and_the_median_in_its_note() -> None:
    calm = vector(*range(100))
    rows = list(calm.top_logprob)
    rows[7] = (-0.9, -0.9)
    ours = replace(calm, top_logprob=tuple(rows))
    worst = divergences(ours, calm, 100).max()
    assert scored("kl", answered(ours), golden(calm)) == pytest.approx(0)  # 99 of 100 positions are equal
    assert scored("kl", answered(replace(ours, **head(ours, 50))), golden(replace(calm, **head(calm, 50)))) == worst
    assert note("kl", answered(ours), golden(calm)) == "median 0"


def head(logprobs: Logprobs, n: int) -> dict[str, tuple[object, ...]]:
    names = ("chosen", "chosen_logprob", "top", "top_logprob")
    return {name: getattr(logprobs, name)[:n] for name in names}


def test_kl_compares_nothing_after_the_paths_part() -> None:
    ours, theirs = vector(1, 5, 6), vector(1, 2, 3)
    assert len(divergences(ours, theirs, 2)) == 2
    later = replace(ours, top_logprob=(*ours.top_logprob[:2], (-1.0, -2.0)))
    assert scored("kl", answered(ours), golden(theirs)) == scored("kl", answered(later), golden(theirs))


@given(answers(), answers())
def test_kl_is_finite_and_not_negative(a: Logprobs, b: Logprobs) -> None:
    found = divergences(a, b, min(len(a.chosen), len(b.chosen)))
    assert np.all((found >= 0) & (found <= 40))


@given(answers())
def test_a_distribution_has_no_divergence_from_itself(a: Logprobs) -> None:
    assert np.allclose(divergences(a, replace(a), len(a.chosen)), 0, atol=1e-12)


@pytest.mark.parametrize("name", ["kl", "divergence", "surprisal", "logprob"])
def test_without_golden_logprobs_there_is_nothing_to_compare_with(name: str) -> None:
    assert why_not(name, answered(vector(1)), Reference("d", 0)) is UnscoredReason.NO_REFERENCE


@pytest.mark.parametrize("name", ["kl", "divergence", "surprisal", "logprob", "greedy"])
def test_vanished_logprobs_are_no_score(name: str) -> None:
    assert why_not(name, answered(None), golden(vector(1))) is UnscoredReason.NO_LOGPROBS


# the first divergence


def test_the_path_of_a_golden_answer_has_no_margin() -> None:
    assert scored("divergence", answered(vector(1, 2, chosen=-0.4)), golden(vector(3), vector(1, 2))) == 0


def test_the_margin_is_what_golden_preferred_its_own_token_by() -> None:
    theirs = Logprobs((1, 2), (-0.1, -0.25), ((1,), (2, 7)), ((-0.1,), (-0.25, -2.25)))
    ours = Logprobs((1, 7), (-0.1, -0.3), ((1,), (7, 2)), ((-0.1,), (-0.3, -1.5)))
    assert scored("divergence", answered(ours), golden(theirs)) == 2.0


def test_a_token_that_golden_lacks_lies_at_least_as_low_as_its_last() -> None:
    assert scored("divergence", answered(vector(1, 9)), golden(vector(1, 2))) == pytest.approx(-0.2 - LOW)


def test_the_place_and_the_mutual_membership_stand_in_the_note() -> None:
    assert note("divergence", answered(vector(1, 9)), golden(vector(1, 2))) == (
        "parts at token 2; its top-k lacks the golden token, the golden top-k lacks its own; top-1 agrees on 1 of 2"
    )


def test_an_answer_that_only_stops_earlier_does_not_part() -> None:
    assert scored("divergence", answered(vector(1)), golden(vector(1, 2))) == 0


def test_a_sampled_answer_has_no_greedy_path() -> None:
    sampled = Sampling(9, temperature=0.7)
    assert why_not("divergence", answered(vector(1)), golden(vector(1)), sampling=sampled) is UnscoredReason.NOT_GREEDY


# surprisal


def test_surprisal_is_compared_by_its_mean() -> None:
    assert scored("surprisal", answered(vector(1, 2, chosen=-0.5)), golden(vector(1, 2))) == pytest.approx(0.3)


def test_a_golden_answer_without_tokens_is_no_reference() -> None:
    empty = golden(Logprobs((), (), (), ()))
    assert why_not("surprisal", answered(vector(1)), empty) is UnscoredReason.NO_REFERENCE


# teacher forcing


def test_forced_is_the_mean_difference_over_the_prompts_own_tokens() -> None:
    prompt, other = vector(1, 2, chosen=-0.5), vector(1, 2)
    assert scored("forced", answered(None, prompt), golden(prompt=(other,))) == pytest.approx(0.3)


def test_forced_compares_with_the_nearest_golden_prompt() -> None:
    near, far = vector(1, 2, chosen=-0.45), vector(1, 2, chosen=-2.0)
    assert scored("forced", answered(None, vector(1, 2, chosen=-0.5)), golden(prompt=(far, near))) == pytest.approx(
        0.05
    )


def test_a_prompt_of_other_tokens_is_as_far_off_as_can_be() -> None:
    assert scored("forced", answered(None, vector(1, 3)), golden(prompt=(vector(1, 2),))) == 20


def test_an_api_without_prompt_logprobs_is_unscored() -> None:
    assert why_not("forced", answered(vector(1)), golden(prompt=(vector(1),))) is UnscoredReason.NO_LOGPROBS


# capability

ASKED = Sampling(9, logprobs=2)


@pytest.mark.parametrize(
    ("logprobs", "fault"),
    [
        (vector(1), ""),
        (None, "no_logprobs"),
        (Logprobs((1,), (-0.1,), ((),), ((),)), "no_logprobs"),
        (Logprobs((1,), (0.5,), ((1,),), ((0.5,),)), "bad_logprobs"),
        (Logprobs((1,), (-0.1,), ((1,),), ((-0.1,),)), "fewer entries in the top-k than golden answers have"),
    ],
    ids=["sound", "none", "no top-k", "impossible", "fewer"],
)
def test_logprobs_that_vanish_or_wither_are_an_event(logprobs: Logprobs | None, fault: str) -> None:
    assert note("capability", answered(logprobs), golden(vector(1)), sampling=ASKED) == fault
    assert scored("capability", answered(logprobs), golden(vector(1)), sampling=ASKED) == bool(fault)


@pytest.mark.parametrize(("tokens", "event"), [(2, 0), (3, 0), (4, 1), (None, 0)])
def test_positions_that_are_left_out_are_missed(tokens: int | None, event: int) -> None:
    response = replace(answered(vector(1, 2)), completion_tokens=tokens)
    assert scored("capability", response, sampling=ASKED) == event


def test_prompt_logprobs_that_golden_answers_had_are_missed() -> None:
    assert scored("capability", answered(vector(1)), golden(vector(1), prompt=(vector(1),)), sampling=ASKED) == 1


def test_logprobs_that_were_not_asked_for_are_not_missed() -> None:
    assert why_not("capability", answered(None)) is UnscoredReason.UNSUPPORTED


def test_an_empty_answer_needs_no_logprobs() -> None:
    assert why_not("capability", answered(None, text=""), sampling=ASKED) is UnscoredReason.EMPTY
