"""Scorers that know golden answers by digest alone, for APIs without logprobs: novelty, border, balance."""

from canary.records import Reference, UnscoredReason
from canary.score.case import Case
from canary.score.measure import Judgement, Measure


def measure_novelty(case: Case) -> Judgement:
    """1 for a greedy answer that no golden run gave, else 0.

    Healthy greedy answers vary too, by near-ties; how often is the golden rate.

    Shape:
        One case to one value.
    Unit:
        Answers; exposure always 1.
    Range:
        0 or 1.

    Raises:
        Nothing.
    """
    return UnscoredReason.NOT_GREEDY if case.probe.sampling.temperature > 0 else measure_border(case)


def measure_border(case: Case) -> Judgement:
    """1 for an answer that no golden run gave, else 0: for probes whose few right answers are nearly tied.

    At a near-tie the smallest shift of logits shows; a token from outside of the tie is a fault of selection.

    Shape:
        One case to one value.
    Unit:
        Answers; exposure always 1.
    Range:
        0 or 1.

    Raises:
        Nothing.
    """
    if not _known(case.reference):
        return UnscoredReason.NO_REFERENCE
    return Measure(float(case.digest not in _known(case.reference)), 1.0)


def measure_balance(case: Case) -> Judgement:
    """0 for the most frequent golden answer, 1 for any other: the balance of a near-tie.

    A shift of logits towards the minority raises its rate. What is judged is the rate of single answers; that their
    counts scatter more widely than independent draws would (over-dispersion: replicas that disagree) is not.

    Shape:
        One case to one value.
    Unit:
        Answers; exposure always 1.
    Range:
        0 or 1.

    Raises:
        Nothing.
    """
    known = _known(case.reference)
    if not known:
        return UnscoredReason.NO_REFERENCE
    return Measure(float(case.digest != known[0]), 1.0)


def _known(reference: Reference | None) -> tuple[str, ...]:
    """Digests of golden answers, most frequent first."""
    return tuple(digest for digest, _ in reference.answers) if reference else ()
