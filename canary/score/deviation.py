"""Scorers of logprobs that answer with one mean: greedy inconsistency, deviation, surprisal, teacher-forced deviation.

Greedy inconsistency needs no golden answer. All differences are in nats.
"""

import math
from operator import sub

from canary.records import Logprobs, UnscoredReason
from canary.score.case import Case
from canary.score.logprobs import FLOOR, clipped, distance, resolved, violations
from canary.score.measure import Judgement, Measure


def measure_greedy(case: Case) -> Judgement:
    """Count the tokens of a greedy answer that are not the most probable ones of their own top-k.

    A sampler that drops or distorts the most probable token shows here, even though the logprobs, taken before it, are
    sound.

    Shape:
        One case to one value.
    Unit:
        Tokens; exposure in tokens with a top-k.
    Range:
        0 <= value <= exposure; exposure >= 1.

    Raises:
        Nothing.
    """
    if case.probe.sampling.temperature > 0:
        return UnscoredReason.NOT_GREEDY
    if isinstance(logprobs := case.logprobs, UnscoredReason):
        return logprobs
    found = violations(logprobs)
    note = f"token {found[0] + 1} is not the most probable" if found else ""
    return Measure(float(len(found)), float(sum(map(bool, logprobs.top))), note)


def measure_deviation(case: Case) -> Judgement:
    """The distance of an answer's logprobs from the nearest golden answer of the same probe on the same target.

    Shape:
        One case to one value.
    Unit:
        Nats, a mean over positions; exposure always 1.
    Range:
        0 <= value <= 20.

    Raises:
        Nothing.
    """
    logprobs, golden = case.logprobs, case.golden
    if isinstance(logprobs, UnscoredReason) or isinstance(golden, UnscoredReason):
        return _reason(logprobs, golden)
    return Measure(resolved(min(distance(logprobs, golden), -FLOOR)), 1.0)


def measure_surprisal(case: Case) -> Judgement:
    """How much more or less surprising the answer's own tokens are, on average, than those of the nearest golden one.

    It looks past the first divergence, where contexts differ, so it is coarse; it needs nothing but the chosen tokens.

    Shape:
        One case to one value.
    Unit:
        Nats a token; exposure always 1.
    Range:
        0 <= value <= 20.02.

    Raises:
        Nothing.
    """
    logprobs, golden = case.logprobs, case.golden
    if isinstance(logprobs, UnscoredReason) or isinstance(golden, UnscoredReason):
        return _reason(logprobs, golden)
    return Measure(resolved(abs(surprisal(logprobs) - surprisal(golden))), 1.0)


def measure_forced(case: Case) -> Judgement:
    """The distance of the logprobs of the prompt's own tokens from the nearest golden ones (teacher forcing).

    Every answer is compared over the same tokens, whatever it says, so this is the sharpest of the deviations, where
    the API has it. A prompt that is not made of the tokens of any golden one lies as far off as can be: its template
    or its tokenizer changed.

    Shape:
        One case to one value.
    Unit:
        Nats, a mean over the prompt's tokens; exposure always 1.
    Range:
        0 <= value <= 20.

    Raises:
        Nothing.

    References:
        vLLM's `prompt_logprobs`; `echo` of the completions API.
    """
    if isinstance(prompt := case.prompt_logprobs, UnscoredReason):
        return prompt
    golden = case.reference.prompt_logprobs if case.reference else ()
    if not golden:
        return UnscoredReason.NO_REFERENCE
    n = len(prompt.chosen)
    same = [other for other in golden if other.chosen == prompt.chosen and len(other.chosen_logprob) == n]
    if not same:
        return Measure(-FLOOR, 1.0, "the prompt's tokens are not the golden ones")
    value = forced_gap(prompt, min(same, key=lambda other: math.dist(prompt.chosen_logprob, other.chosen_logprob)))
    return Measure(resolved(value), 1.0) if math.isfinite(value) else UnscoredReason.NO_REFERENCE


def surprisal(logprobs: Logprobs) -> float:
    """The mean surprisal of the chosen tokens.

    Shape:
        A usable answer of at least one token to one number.
    Unit:
        Nats a token.
    Range:
        -0.01 <= surprisal <= 20.

    Raises:
        ValueError: there is no token.

    >>> surprisal(Logprobs((1, 2), (-0.5, -1.5), ((), ()), ((), ())))
    1.0
    """
    return -sum(clipped(logprobs.chosen_logprob)) / len(logprobs.chosen)


def forced_gap(a: Logprobs, b: Logprobs) -> float:
    """The mean absolute difference of the chosen logprobs of two equally long answers or prompts.

    Shape:
        Two usable ones to one number; symmetric.
    Unit:
        Nats a token.
    Range:
        0 <= gap <= 20.02.

    Raises:
        ZeroDivisionError: there is no token.

    >>> forced_gap(Logprobs((1,), (-0.5,), ((),), ((),)), Logprobs((1,), (-0.75,), ((),), ((),)))
    0.25
    """
    if a.chosen_logprob == b.chosen_logprob:
        return 0.0
    mine, theirs = clipped(a.chosen_logprob), clipped(b.chosen_logprob)
    return math.fsum(map(abs, map(sub, mine, theirs))) / len(mine)


def _reason(*found: Logprobs | UnscoredReason) -> UnscoredReason:
    return next(one for one in found if isinstance(one, UnscoredReason))
