"""The divergence scorer: where a greedy answer leaves the golden path, and by what margin."""

from canary.records import Logprobs, UnscoredReason
from canary.score.case import Case
from canary.score.logprobs import least, resolved, row
from canary.score.measure import Judgement, Measure


def measure(case: Case) -> Judgement:
    """By how much the nearest golden answer preferred its own token to the answer's, where they first part.

    0 where the path is that of a golden answer, or one is the beginning of the other: what follows is a matter of
    length. Near-ties part by noise, and their margin is small; a large margin is a token that was as good as
    impossible. The note says where they part, whether each side's token is in the other's top-k, and on how many of
    the positions up to there both have the same most probable token.

    Shape:
        One case to one value.
    Unit:
        Nats; exposure always 1.
    Range:
        0 <= value <= 20.01.

    Raises:
        Nothing.
    """
    if case.probe.sampling.temperature > 0:
        return UnscoredReason.NOT_GREEDY
    if isinstance(golden := case.golden, UnscoredReason):
        return golden
    if isinstance(answer := case.logprobs, UnscoredReason):
        return answer
    place = case.shared - 1
    if answer.chosen[place] == golden.chosen[place]:
        return Measure(0.0, 1.0)
    return Measure(resolved(margin(answer, golden, place)), 1.0, _note(answer, golden, place))


def margin(answer: Logprobs, golden: Logprobs, place: int) -> float:
    """How far, in the golden answer's row, the answer's token lies below the golden one.

    A token that the row lacks is known to lie at or below the least of the top-k: the margin is then a lower bound.

    Shape:
        Two usable answers and a position of both to one number.
    Unit:
        Nats.
    Range:
        0 <= margin <= 20.01.

    Raises:
        IndexError: there is no such position.

    >>> golden = Logprobs((1,), (-0.25,), ((1, 2),), ((-0.25, -2.25),))
    >>> margin(Logprobs((2,), (-0.5,), ((2, 1),), ((-0.5, -1.0),)), golden, 0)
    2.0
    """
    known, chosen = row(golden, place), golden.chosen[place]
    other = known.get(answer.chosen[place], least(golden, place))
    return max(0.0, known[chosen] - other)


def _note(answer: Logprobs, golden: Logprobs, place: int) -> str:
    theirs = "has" if golden.chosen[place] in answer.top[place] else "lacks"
    mine = "has" if answer.chosen[place] in golden.top[place] else "lacks"
    same = sum(a[:1] == b[:1] for a, b in zip(answer.top[: place + 1], golden.top[: place + 1], strict=True))
    return (
        f"parts at token {place + 1}; its top-k {theirs} the golden token, the golden top-k {mine} its own; "
        f"top-1 agrees on {same} of {place + 1}"
    )
