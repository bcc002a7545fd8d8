"""Whether A and B differ, asked after every pair, with no baseline: `compare`.

Answers of A and B to the same (probe, salt), fired interleaved, make a pair (x, y). If A and B are alike, the order
within a pair is exchangeable, whatever the prompt, the hour or the shape of the noise; ties say nothing. So a pair that
differs is a fair coin whose side is "B is larger", and with q the probability of that side

    e = 1 + lambda * side      side = +1, -1 or 0 (a tie); lambda = 2 q - 1 in (-1, 1)

has the mean 1 while A and B are alike. For events (x, y in {0, 1}) this is the sequential McNemar test; for numbers it
is a sign test, and with *ranks* the stake follows how far apart the pair is among the distances seen before it:

    e = 1 + lambda * w * side  w = share of the earlier distances that are smaller, in [0, 1]; fixed but for the side

which stays fair, for the distance |x - y| tells nothing of the side. The products over a grid of lambda are averaged; a
grid for "B is worse" and one for "A is worse" each hold P(ever >= 1 / alpha while alike) <= alpha (Ville), so that
looking after every pair costs nothing. The two directions share alpha.

That B is *not* worse by the share s (the mean side is < s) is shown against "mean side >= s": sides lie in [-1, 1],
so e = 1 + mu * (s - side) with 0 <= mu < 1 / (1 - s) is positive and has mean <= 1.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from canary.detect.sequential import Verdict

STAKES = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95)
"""lambda: what the alternatives stake on a side."""
KEPT = 512
"""Earlier distances that a rank is taken among."""
VERSION = 1


class Kind(StrEnum):
    """How a signal's pairs are compared."""

    EVENT = "event"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class PairRule:
    """The frozen parameters of a comparison.

    Attributes:
        share: a pass excludes that B has this share of answers worse than A has; in (0, 1).
        alpha: probability of ever calling alike targets different, in (0, 1).
        beta: probability of ever passing a B that is worse by `share`, in (0, 1).
        power: with which `PairJudgement.visible` would have been found, in (0, 1).

    Raises:
        ValueError: a parameter is out of range.
    """

    share: float
    alpha: float = 0.01
    beta: float = 0.05
    power: float = 0.9

    def __post_init__(self) -> None:
        if not all(0.0 < level < 1.0 for level in (self.share, self.alpha, self.beta, self.power)):
            raise ValueError(f"share, alpha, beta and power must lie in (0, 1), got {self}")

    @property
    def log_fail(self) -> float:
        """Evidence at which one of the two directions is shown, in nats: they share alpha."""
        return math.log(2.0 / self.alpha)


@dataclass(frozen=True, slots=True, eq=False)
class PairState:
    """What the pairs of one signal have shown so far.

    Attributes:
        log_worse: ln of the products for "B is larger", shape (len(STAKES),), in nats.
        log_better: the same for "A is larger".
        log_sound: ln of the products against "B is worse by the share", shape (len(STAKES),), in nats.
        pairs, worse, better: pairs fed, those in which B was larger, those in which A was.
        distances: the latest `KEPT` of |x - y| > 0, in order of arrival.
        version: of this layout.
    """

    log_worse: NDArray[np.float64]
    log_better: NDArray[np.float64]
    log_sound: NDArray[np.float64]
    pairs: int = 0
    worse: int = 0
    better: int = 0
    distances: tuple[float, ...] = ()
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class PairJudgement:
    """A comparison and what stands behind it.

    Attributes:
        verdict: FAIL when B is worse, PASS when B is not worse by the share; else INCONCLUSIVE.
        worse, better: ln of the e-process for "B is larger" and for "A is larger", in nats.
        soundness: ln of the e-process against "worse by the share", in nats; pass at ln(1 / beta).
        visible: the smallest excess share of worse answers that as many pairs would have failed with the rule's power,
            ties apart; in (0, 1].
        pairs: fed, on the signal with the fewest of those that a pass speaks of.
        signal: the one with the most evidence that B is worse.
    """

    verdict: Verdict
    worse: float
    better: float
    soundness: float
    visible: float
    pairs: int
    signal: str


def start() -> PairState:
    """No pair seen yet."""
    none = np.zeros(len(STAKES))
    return PairState(none, none, none)


def step(rule: PairRule, kind: Kind, state: PairState, a: float, b: float) -> PairState:
    """Feed the scores of one pair; a pair of which one could not be judged is not fed.

    Args:
        rule: of the comparison, the same for all steps.
        kind: EVENT (scores 0 or 1) or NUMBER (any finite scores, larger is worse).
        state: before the pair.
        a: score of A.
        b: score of B.

    Raises:
        ValueError: a score is not finite.

    >>> state = start()
    >>> for _ in range(20):
    ...     state = step(PairRule(share=0.2), Kind.EVENT, state, 0.0, 1.0)
    >>> judge(PairRule(share=0.2), {"script": state}).verdict
    <Verdict.FAIL: 'fail'>
    """
    if not (math.isfinite(a) and math.isfinite(b)):
        raise ValueError(f"cannot compare {a} and {b}")
    side, distance = (b > a) - (b < a), abs(b - a)
    weight = 1.0 if kind is Kind.EVENT else _rank(distance, state.distances)
    stakes = np.array(STAKES)
    sound = stakes / (1.0 - rule.share)
    return replace(
        state,
        log_worse=state.log_worse + np.log1p(stakes * weight * side),
        log_better=state.log_better + np.log1p(-stakes * weight * side),
        log_sound=state.log_sound + np.log1p(sound * (rule.share - side)),
        pairs=state.pairs + 1,
        worse=state.worse + (side > 0),
        better=state.better + (side < 0),
        distances=(*state.distances, distance)[-KEPT:] if side and kind is Kind.NUMBER else state.distances,
    )


def judge(rule: PairRule, states: Mapping[str, PairState], *, passing: Collection[str] | None = None) -> PairJudgement:
    """The comparison at this moment, over the signals that were compared; the first pass or fail stands.

    B fails when the mean over signals of the e-processes for "B is worse" reaches 2 / alpha: a mean of e-processes is
    one. It passes when *every* signal that the pass speaks of excludes the share.

    Args:
        rule: of the comparison.
        states: by signal, the same signals from the first pair to the last.
        passing: the signals that a pass speaks of; all of them when None.

    Raises:
        ValueError: no signal, or none that a pass speaks of.
    """
    spoken = [state for signal, state in states.items() if passing is None or signal in passing]
    if not spoken:
        raise ValueError("need the pairs of one signal at least")
    evidences = {signal: against(state.log_worse) for signal, state in states.items()}
    worse = _log_mean(list(evidences.values()))
    better = _log_mean([against(state.log_better) for state in states.values()])
    soundness = min(against(state.log_sound) for state in spoken)
    pairs = min(state.pairs for state in spoken)
    return PairJudgement(
        verdict=_verdict(rule, worse, soundness),
        worse=worse,
        better=better,
        soundness=soundness,
        visible=visible_excess(rule, pairs, len(states)),
        pairs=pairs,
        signal=max(evidences, key=evidences.__getitem__),
    )


def against(logs: NDArray[np.float64]) -> float:
    """Ln of the mixture over stakes of the products in one field of a `PairState`, in nats."""
    return _log_mean(logs)


def visible_excess(rule: PairRule, pairs: int, signals: int = 1) -> float:
    """The smallest share of pairs in which only B is bad that would have failed with the rule's power; in (0, 1].

    >>> visible_excess(PairRule(share=0.1), 20) > visible_excess(PairRule(share=0.1), 2000)
    True
    """
    stakes = np.log1p(np.array(STAKES))
    for worse in range(1, pairs + 1):
        if _log_mean(worse * stakes) >= rule.log_fail + math.log(signals):
            return float(betaincinv(worse, pairs - worse + 1, rule.power))
    return 1.0


def _rank(distance: float, earlier: Sequence[float]) -> float:
    return (sum(each < distance for each in earlier) + 1.0) / (len(earlier) + 1.0)


def _verdict(rule: PairRule, worse: float, soundness: float) -> Verdict:
    if worse >= rule.log_fail:
        return Verdict.FAIL
    return Verdict.PASS if soundness >= -math.log(rule.beta) else Verdict.INCONCLUSIVE


def _log_mean(logs: Sequence[float] | NDArray[np.float64]) -> float:
    return float(np.logaddexp.reduce(np.asarray(logs, dtype=np.float64)) - math.log(len(logs)))
