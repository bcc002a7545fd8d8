import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.records import Logprobs, Reference, Score, Unscored, UnscoredReason
from canary.score import SIGNALS
from canary.score.logprobs import common_prefix, distance, nearest, violations
from tests.unit.score.build import judge, probe, value

GREEDY = probe("greedy")
DEVIATION = probe("logprob")
LOW = -3.0


def answer(*tokens: int, chosen: float = -0.2, other: float = LOW) -> Logprobs:
    """Each token is the most probable of its own top-2."""
    n = len(tokens)
    return Logprobs(tokens, (chosen,) * n, tuple((token, token + 1000) for token in tokens), ((chosen, other),) * n)


def golden(*answers: Logprobs) -> Reference:
    return Reference("digest", 0, answers)


@st.composite
def usable(draw: st.DrawFn) -> Logprobs:
    """Answers over a small vocabulary, each position a real distribution's top-3."""
    rows = draw(st.lists(st.tuples(st.permutations(range(5)), st.lists(st.floats(0, 5), min_size=5, max_size=5))))
    positions = [_top(tokens, energies) for tokens, energies in rows]
    return Logprobs(
        tuple(tokens[0] for tokens, _ in positions),
        tuple(values[0] for _, values in positions),
        tuple(tokens for tokens, _ in positions),
        tuple(values for _, values in positions),
    )


def _top(tokens: list[int], energies: list[float]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    total = math.log(sum(math.exp(-energy) for energy in energies))
    return tuple(tokens[:3]), tuple(sorted((-energy - total for energy in energies), reverse=True)[:3])


def test_a_greedy_answer_of_argmaxes_scores_zero() -> None:
    assert value(judge(GREEDY, "abc", logprobs=answer(1, 2, 3))) == 0


def test_a_dropped_top_token_is_counted() -> None:
    dropped = replace(answer(1, 2, 3), chosen=(1, 1002, 3), chosen_logprob=(-0.2, LOW, -0.2))
    assert value(judge(GREEDY, "abc", logprobs=dropped)) == 1


def test_a_chosen_token_outside_the_top_is_counted() -> None:
    outside = replace(answer(1, 2), chosen=(1, 77), chosen_logprob=(-0.2, -9.0))
    assert value(judge(GREEDY, "ab", logprobs=outside)) == 1


def test_a_tie_is_no_violation() -> None:
    assert violations(Logprobs((2,), (-0.7,), ((1, 2),), ((-0.695, -0.7),))) == []


def test_tokens_are_the_exposure_of_greedy() -> None:
    judged = judge(GREEDY, "abc", logprobs=answer(1, 2, 3))
    assert isinstance(judged, Score)
    assert judged.exposure == 3


def test_a_sampled_answer_is_not_judged_as_greedy() -> None:
    judged = judge(probe("greedy", temperature=0.7), "a", logprobs=answer(1))
    assert judged == Unscored("greedy", 1, UnscoredReason.NOT_GREEDY)


@pytest.mark.parametrize("logprobs", [None, Logprobs((), (), (), ()), Logprobs((1,), (-0.1,), ((),), ((),))])
def test_vanished_logprobs_are_unscored(logprobs: Logprobs | None) -> None:
    assert judge(GREEDY, "a", logprobs=logprobs) == Unscored("greedy", 1, UnscoredReason.NO_LOGPROBS)


@pytest.mark.parametrize(
    "bad",
    [
        Logprobs((1,), (0.5,), ((1,),), ((0.5,),)),
        Logprobs((1,), (math.nan,), ((1,),), ((-0.5,),)),
        Logprobs((1,), (-0.5,), ((1, 2),), ((-0.5, math.nan),)),
        Logprobs((1,), (-0.1,), ((1, 2),), ((-0.1, -0.1),)),
        Logprobs((1,), (1e6,), ((1,),), ((1e6,),)),
        Logprobs((9,), (-0.1,), ((1, 2),), ((-0.5, -2.0),)),
        Logprobs((1, 2), (-0.1,), ((1,),), ((-0.1,),)),
        Logprobs((1,), (-0.1,), ((1, 2),), ((-0.1,),)),
    ],
    ids=["positive", "nan", "nan-in-top", "sum", "huge", "probable-but-absent", "lengths", "row-lengths"],
)
@pytest.mark.parametrize("scorer", ["greedy", "logprob"])
def test_impossible_logprobs_are_unscored(scorer: str, bad: Logprobs) -> None:
    judged = judge(probe(scorer), "a", logprobs=bad, reference=golden(answer(1)))
    assert judged == Unscored(scorer, SIGNALS[scorer].version, UnscoredReason.BAD_LOGPROBS)


def test_a_sentinel_for_none_is_clipped() -> None:
    odd, even = answer(1, other=-9999.0), answer(1, other=-math.inf)
    assert value(judge(DEVIATION, "a", logprobs=odd, reference=golden(even))) == 0


def test_an_answer_equal_to_a_golden_one_has_no_distance() -> None:
    assert value(judge(DEVIATION, "ab", logprobs=answer(1, 2), reference=golden(answer(3), answer(1, 2)))) == 0


def test_distance_is_the_mean_absolute_difference() -> None:
    shifted = answer(1, 2, chosen=-0.3, other=LOW - 0.2)
    assert value(judge(DEVIATION, "ab", logprobs=shifted, reference=golden(answer(1, 2)))) == pytest.approx(0.15)


def test_nothing_after_the_first_divergence_is_compared() -> None:
    a, b = answer(1, 2, 3), answer(1, 5, 6)
    later = replace(b, top_logprob=(*b.top_logprob[:2], (-1.0, -2.0)))
    assert distance(a, b) == distance(a, later) > 0


def test_the_row_at_the_first_divergence_is_compared() -> None:
    swapped = Logprobs((1002,), (-0.6,), ((1002, 2),), ((-0.6, -0.8),))
    assert distance(answer(2), swapped) == pytest.approx((0.6 + 2.4) / 2)


def test_a_token_that_one_row_lacks_counts_what_exceeds_its_least() -> None:
    a = Logprobs((1,), (-0.5,), ((1, 2),), ((-0.5, -1.5),))
    b = Logprobs((1,), (-0.5,), ((1, 3),), ((-0.5, -4.0),))
    assert distance(a, b) == pytest.approx((0 + 2.5 + 0) / 3)


def test_a_chosen_token_below_the_top_does_not_lower_the_bound_on_missing_ones() -> None:
    sampled = Logprobs((9,), (-12.0,), ((1, 2),), ((-0.5, -1.5),))
    greedy = Logprobs((1,), (-0.5,), ((1, 3),), ((-0.5, -1.4),))
    assert distance(sampled, greedy) == pytest.approx(0.1 / 4)


def test_tokens_are_told_apart_by_bytes() -> None:
    half, other = b"\xe0\xb8", b"\xe6\x9e"
    a = Logprobs((half,), (-0.5,), ((half, other),), ((-0.5, -1.5),))
    assert distance(a, replace(a, top=((half, b"x"),))) == 0  # both censored at the same least logprob


def test_the_golden_answer_with_the_longest_common_prefix_is_the_nearest() -> None:
    longest = answer(1, 2, 9, chosen=-0.9)
    assert nearest(answer(1, 2, 3), (answer(1, 8, 3), longest, answer(7, 2, 3))) is longest


def test_of_equal_prefixes_the_closest_chosen_logprobs_win() -> None:
    close = answer(1, 2, chosen=-0.25)
    assert nearest(answer(1, 2), (answer(1, 2, chosen=-0.9), close)) is close


@pytest.mark.parametrize("reference", [None, Reference("digest", 0)])
def test_deviation_without_golden_answers_is_unscored(reference: Reference | None) -> None:
    judged = judge(DEVIATION, "a", logprobs=answer(1), reference=reference)
    assert judged == Unscored("logprob", 2, UnscoredReason.NO_REFERENCE)


@given(usable(), usable())
def test_distance_is_symmetric_and_not_negative(a: Logprobs, b: Logprobs) -> None:
    assert distance(a, b) == distance(b, a) >= 0


@given(usable())
def test_an_answer_has_no_distance_from_itself(a: Logprobs) -> None:
    assert distance(a, replace(a, chosen=tuple(a.chosen))) == 0


@given(usable(), usable())
def test_the_common_prefix_is_shared_and_ends_at_a_difference(a: Logprobs, b: Logprobs) -> None:
    n = common_prefix(a, b)
    assert a.chosen[:n] == b.chosen[:n]
    assert a.chosen[n : n + 1] != b.chosen[n : n + 1] or n == len(a.chosen) == len(b.chosen)
