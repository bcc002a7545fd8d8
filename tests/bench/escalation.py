"""Minutes to an alarm with escalation and without, at equal weekly cost: `python -m tests.bench.escalation`.

One series of the config of `canary init`: a slot a minute, 46 series, 5,000 clean golden answers, and the defaults of
`detect.escalation`. Without escalation the whole share of tokens that it may cost goes into a shorter interval instead.
Times run from the change to the first alarm, after a long healthy time, in the same number of seeded series. What it
costs is counted: extra slots while healthy, and those of one fault until its alarm, against the week's.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canary.config import Escalation
from canary.detect import Detector, clean_detector, evidence, reset, start, step
from canary.detect.escalation import Levels
from canary.records import SignalKind

SERIES, WARMUP = 1_000, 1_500
SHARES = (0.008, 0.05, 0.16)
RULES = Escalation()
LEVELS = Levels(RULES.warning)
GOLDEN, ALL_SERIES, GROUPS = 5_000, 46, 5
MINUTES = 7 * 24 * 60
BUDGET = 0.25 / ALL_SERIES / MINUTES  # of a false alarm, a minute
FASTER = 1.0 / (1.0 + RULES.extra_share)  # the interval that costs as much


class Crowd:
    """Many series of one detector, each with a clock of its own. `interval` in minutes."""

    def __init__(self, detector: Detector, interval: float, factor: int, seed: int) -> None:
        self.interval, self.factor = interval, factor
        self.clock, self.extra = np.zeros(SERIES), np.zeros(SERIES)
        self._log_e, self._outcomes = np.stack(detector.typical(1.0)), detector.outcomes(1.0)
        self._state, self._past = start(detector.alternatives, (SERIES,)), np.zeros(SERIES, dtype=bool)
        self._rng = np.random.default_rng(seed)

    def slot(self, rate: float) -> NDArray[np.bool_]:
        """The next slot of each, of whose answers a share are events; which of them alarm."""
        gap = np.where(self._past, self.interval / self.factor, self.interval)
        events = (self._rng.random(SERIES) < rate).astype(np.int64)
        self._state = step(self._state, self._log_e[events], np.log(BUDGET * gap), self._outcomes)
        self.clock = self.clock + gap
        self.extra = self.extra + 1.0 - gap / self.interval
        reached = evidence(self._state)
        alarmed: NDArray[np.bool_] = reached >= 0.0
        self._state = reset(self._state, alarmed)
        self._past = (reached >= np.where(self._past, LEVELS.fallback, LEVELS.warning)) & ~alarmed
        return alarmed


@dataclass(frozen=True)
class Outcome:
    """Of each series: minutes to the alarm, and extra slots until then."""

    minutes: NDArray[np.float64]
    extra: NDArray[np.float64]


def outcome(detector: Detector, share: float, *, interval: float, factor: int, seed: int) -> Outcome:
    """Healthy answers are events as often as golden ones may be: one in so many."""
    rate = 1.0 / (GOLDEN + 1)
    crowd = Crowd(detector, interval, factor, seed)
    for _ in range(WARMUP):
        crowd.slot(rate)
    began, before = crowd.clock, crowd.extra
    minutes, extra = np.full(SERIES, math.inf), np.zeros(SERIES)
    while np.isinf(minutes).any():
        first = crowd.slot(rate + share * (1.0 - rate)) & np.isinf(minutes)
        minutes, extra = np.where(first, crowd.clock - began, minutes), np.where(first, crowd.extra - before, extra)
    return Outcome(minutes, extra)


def idle(detector: Detector, rate: float) -> float:
    """Extra slots of a healthy series, by the regular ones of the same time."""
    crowd = Crowd(detector, 1.0, RULES.factor, seed=7)
    for _ in range(WARMUP):
        crowd.slot(rate)
    return float(crowd.extra.sum() / crowd.clock.sum())


def main() -> None:
    print(f"{RULES.factor} times as fast from evidence {RULES.warning:g}; extra runs at most {RULES.extra_share:.0%}\n")
    times, costs = (
        "| without, min | with | x | 90 %: without | with | x",
        "| extra: golden | at the bound | one fault |",
    )
    print(f"| signals, fault {times} {costs}")
    print("| --- |" + " ---: |" * 9)
    for seed, (kind, share) in enumerate((kind, share) for kind in SignalKind for share in SHARES):
        detector = clean_detector(kind, GOLDEN, 1.0, 0.05 / ALL_SERIES)
        plain = outcome(detector, share, interval=FASTER, factor=1, seed=seed)
        hastened = outcome(detector, share, interval=1.0, factor=RULES.factor, seed=seed + 100)
        print(
            f"| {kind.value}s, {share:.1%} | {_compared(plain, hastened)} | {_costs(detector, hastened)} |", flush=True
        )


def _compared(plain: Outcome, hastened: Outcome) -> str:
    pairs = [[float(of(one.minutes)) for one in (plain, hastened)] for of in (np.median, _tail)]
    return " | ".join(f"{without:,.0f} | {with_it:,.0f} | {with_it / without:.2f}" for without, with_it in pairs)


def _costs(detector: Detector, hastened: Outcome) -> str:
    """Of a series with as many events as golden ones may have, of one at its bound; of one fault, in the week."""
    healthy = [f"{idle(detector, rate):.2%}" for rate in (1.0 / (GOLDEN + 1), detector.healthy_event_rate(1.0))]
    return f"{' | '.join(healthy)} | {hastened.extra.mean() / (MINUTES * GROUPS):.2%}"


def _tail(minutes: NDArray[np.float64]) -> float:
    return float(np.quantile(minutes, 0.9))


if __name__ == "__main__":
    main()
