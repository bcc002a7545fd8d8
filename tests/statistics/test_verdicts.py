"""The bench of `compare` keeps its promises while somebody looks after every pair and stops at the first verdict."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from canary.detect import Verdict, lower_share
from canary.detect.twosample import PairRule
from canary.pipeline.advance import Judged
from canary.records import Finish, Observation, Response, Score, SeriesKey, Yardstick
from canary.verdict.compare import PairBench

SURE = 1e-4
RULE = PairRule(share=0.2, alpha=0.1, beta=0.1)
WHEN = datetime(2025, 8, 25, 12, tzinfo=UTC)
A, B = "mid/api/short", "mid/api/long"
SIGNALS = {"script": "event", "syntax": "event", "surprisal": "number"}
Draw = Callable[[np.random.Generator], tuple[Sequence[float], Sequence[float]]]


def judged(target: str, values: Sequence[float]) -> Judged:
    seen = Observation(
        f"slot-{target}", "p", "d", "prose", target, "lab", WHEN, WHEN, timedelta(0), response=Response("", Finish.STOP)
    )
    return Judged(seen, tuple(Score(signal, 1, float(value)) for signal, value in zip(SIGNALS, values, strict=True)))


def first_verdict(draw: Draw, rng: np.random.Generator, most: int) -> Verdict:
    yardsticks = [Yardstick(SeriesKey(B, "lab", "prose", name), 1, pairs=kind) for name, kind in SIGNALS.items()]  # type: ignore[arg-type]
    bench = PairBench(RULE, yardsticks)
    for _ in range(most):
        a, b = draw(rng)
        bench.hear([judged(A, a), judged(B, b)])
        if (found := bench.judgement().verdict) is not Verdict.INCONCLUSIVE:
            return found
    return Verdict.INCONCLUSIVE


def answers(rng: np.random.Generator, share: float = 0.0) -> tuple[float, ...]:
    """Healthy ones with events now and then, in both signals at once, and a heavy-tailed number; a share is worse."""
    bad = rng.random() < share
    event = rng.random() < 0.05
    return (float(event or bad), float(event), float(rng.standard_t(2)) + 5.0 * bad)


def alike(rng: np.random.Generator) -> tuple[Sequence[float], Sequence[float]]:
    return answers(rng), answers(rng)


def worse_by_the_share(rng: np.random.Generator) -> tuple[Sequence[float], Sequence[float]]:
    """So that P(B alone) - P(A alone) on script is exactly the share."""
    return answers(rng), answers(rng, RULE.share / 0.95)


def test_alike_targets_fail_with_at_most_probability_alpha_however_often_somebody_looks() -> None:
    rng, runs = np.random.default_rng(31), 150
    found = [first_verdict(alike, rng, 80) for _ in range(runs)]
    assert lower_share(found.count(Verdict.FAIL), runs, SURE) <= RULE.alpha
    assert found.count(Verdict.PASS) >= runs // 2


def test_a_target_that_is_worse_by_the_share_passes_with_at_most_probability_beta() -> None:
    rng, runs = np.random.default_rng(32), 150
    found = [first_verdict(worse_by_the_share, rng, 80) for _ in range(runs)]
    assert lower_share(found.count(Verdict.PASS), runs, SURE) <= RULE.beta
    assert found.count(Verdict.FAIL) >= runs // 4
