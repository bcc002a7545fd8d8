"""Common alert rules and detectors beside ours, on the same scores: at their usual setting, and at an equal ARL.

Healthy scores are N(0, 1), of which our detector knows the law; a share of scores is 5 sd off. An event is a score over
3.72 (p0 = 1e-4), for the rules that count. The equal ARL is 1e5: the threshold that 1 - exp(-0.05) of healthy series
reach within 5,000 slots. Rules on whole numbers take the next stricter one.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from typing_extensions import override

from canary.detect import EsrState, evidence, start, step
from tests.bench.intervals import Count, Median
from tests.bench.oracles import Contamination, cusum_delays, known_null

SHARES = (0.0018, 0.008, 0.05, 0.16)
_EVENT = -float(ndtri(1e-4))
_SHIFT, _ARL = 5.0, 1e5
_SERIES, _SLOTS, _WARM, _RUNS = 1000, 5000, 300, 200
_STREAM, _STREAMS = 200_000, 9
_PROVEN = 250  # series that check a mean time to a false alarm that is proven
Scores = NDArray[np.float64]
Statistic = Callable[[Scores], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Rule:
    """Medians of probes to alarm, one for each share; inf is "not within the slots of the simulation"."""

    name: str
    setting: str
    is_equal: bool  # at the equal ARL
    false: Count
    medians: tuple[Median, ...]

    @override
    def __str__(self) -> str:
        low, high = (1e6 * each / self.false.trials for each in self.false.interval)
        false = f"{1e6 * self.false.share:8.0f} {f'({low:.0f}, {high:.0f})':>16}"
        return f"{self.name:<34} {self.setting:>12} {false}" + "".join(map(_shown, self.medians))


def measured_rules() -> Iterator[Rule]:
    print(f"\nmedian probes to alarm, and false alarms per 1e6 healthy scores; > {_SLOTS:,} is not within {_SLOTS:,}")
    print("in brackets what holds the true figure with 95 % (order statistics; Clopper and Pearson)\n")
    print(f"{'rule':<34} {'setting':>12} {'false':>8} {'':>16}" + "".join(f"{share:>19.2%}" for share in SHARES))
    yield _oracle()
    healthy = np.random.default_rng(1).normal(size=(_SERIES, _SLOTS))
    faults = [_fault(share) for share in SHARES]
    reached = _ours(healthy[:_PROVEN])
    yield Rule(OURS, "1", True, _false(reached, 1.0), _medians([_ours(fault) for fault in faults], 1.0))
    for name, (statistic, usual) in RULES.items():
        yield from _ruled(name, statistic(healthy), [statistic(fault) for fault in faults], usual)
    for name, (make, settings) in _river().items():
        yield from _streamed(name, make, settings)


def _ruled(name: str, seen: Scores, found: list[Scores], usual: tuple[float, ...]) -> Iterator[Rule]:
    equal = _equal_threshold(seen)
    for setting, threshold in (*((f"{each:g}", each) for each in usual), ("ARL 1e5", equal)):
        yield Rule(name, setting, setting == "ARL 1e5", _false(seen, threshold), _medians(found, threshold))


def _oracle() -> Rule:
    """It is told the share."""
    medians = []
    for share in SHARES:
        fault, healthy = Contamination(share, _SHIFT), Contamination(0.0, _SHIFT)
        times = cusum_delays(
            lambda rng, n, fault=fault, healthy=healthy: fault.llr(healthy.scores(rng, n)),
            lambda rng, n, fault=fault: fault.llr(fault.scores(rng, n)),
            fault.threshold(_ARL), _RUNS, _WARM, 1,
        )  # fmt: skip
        medians.append(Median.of(times))
    return Rule(ORACLE, "ARL 1e5", True, Count(round(1e6 / _ARL), 10**6), tuple(medians))


def _fault(share: float) -> Scores:
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(_RUNS, _WARM + _SLOTS))
    scores[:, _WARM:] += _SHIFT * (rng.random((_RUNS, _SLOTS)) < share)
    return scores


def _equal_threshold(seen: NDArray[np.float64]) -> float:
    highest = seen.max(axis=1)
    wanted = 1.0 - math.exp(-_SLOTS / _ARL)
    return float(min(t for t in np.unique(np.r_[highest, highest.max() + 1]) if (highest >= t).mean() <= wanted))


def _false(seen: NDArray[np.float64], threshold: float) -> Count:
    """A run of alarmed slots is one alarm."""
    over = seen >= threshold
    return Count(int(over[:, 0].sum() + (over[:, 1:] & ~over[:, :-1]).sum()), seen.size)


def _medians(found: list[NDArray[np.float64]], threshold: float) -> tuple[Median, ...]:
    alarmed = (seen[:, _WARM:] >= threshold for seen in found)
    return tuple(Median.of(np.where(over.any(axis=1), over.argmax(axis=1) + 1.0, np.inf)) for over in alarmed)


def _shown(median: Median) -> str:
    return f"{median!s:>19}" if math.isfinite(median.value) else f"{f'> {_SLOTS}':>19}"


def _windowed(values: Scores, width: int) -> NDArray[np.float64]:
    """Sum over the last `width` values; fewer at the start."""
    sums = np.cumsum(values, axis=1)
    sums[:, width:] = sums[:, width:] - sums[:, :-width]
    return sums


def _in_a_row(scores: Scores) -> NDArray[np.float64]:
    run, runs = np.zeros(len(scores)), np.empty(scores.shape)
    for slot in range(scores.shape[1]):
        run = (run + 1) * (scores[:, slot] > _EVENT)
        runs[:, slot] = run
    return runs


def _events(width: int) -> Statistic:
    return lambda scores: _windowed((scores > _EVENT).astype(float), width)


def _z_score(scores: Scores, width: int = 24) -> NDArray[np.float64]:
    """Mean of the last 24 against mean and standard error of the 24 before."""
    mean = _windowed(scores, width) / width
    spread = np.sqrt(np.maximum(_windowed(scores**2, width) / width - mean**2, 1e-12) / width)
    z = np.zeros(scores.shape)
    z[:, 2 * width :] = (mean[:, 2 * width :] - mean[:, width:-width]) / spread[:, width:-width]
    return z


def _ewma(scores: Scores, weight: float = 0.1) -> NDArray[np.float64]:
    smooth, path, sd = np.zeros(len(scores)), np.empty(scores.shape), math.sqrt(weight / (2 - weight))
    for slot in range(scores.shape[1]):
        smooth += weight * (scores[:, slot] - smooth)
        path[:, slot] = smooth / sd
    return path


def _cusum(scores: Scores, allowance: float = 0.5) -> NDArray[np.float64]:
    """Tuned to a shift of the whole mean by one sd."""
    w, path = np.zeros(len(scores)), np.empty(scores.shape)
    for slot in range(scores.shape[1]):
        w = np.maximum(w + scores[:, slot] - allowance, 0.0)
        path[:, slot] = w
    return path


def _mann_whitney(scores: Scores, width: int = 50, golden: int = 200) -> NDArray[np.float64]:
    """z of the last 50 against 200 golden scores, looked at after every score."""
    reference = np.sort(np.random.default_rng(3).normal(size=golden))
    u = _windowed(np.searchsorted(reference, scores).astype(float), width)
    z = (u - width * golden / 2) / math.sqrt(width * golden * (width + golden + 1) / 12)
    z[:, :width] = 0.0
    return z


def _ours(scores: Scores) -> NDArray[np.float64]:
    """R up to its first alarm, at 1, which is exact for the proven setting; then 1."""
    edges, law = known_null(_ARL)
    cells = len(edges) - np.searchsorted(edges[::-1], scores, side="left")
    waiting, path = np.arange(len(scores)), np.ones(scores.shape)
    state, spend = start(law.log_e.shape[1], (len(scores),)), -math.log(_ARL)
    for slot in range(scores.shape[1]):
        state = step(state, law.log_e[cells[waiting, slot]], np.full(len(waiting), spend), law)
        path[waiting, slot] = np.exp(np.minimum(evidence(state), 0.0))
        calm = path[waiting, slot] < 1.0
        waiting, state = waiting[calm], EsrState(state.log_r[calm], state.n[calm])
    return path


ORACLE, OURS = "oracle CUSUM, told the share", "ours (ARL >= 1e5 proven)"
RULES: dict[str, tuple[Statistic, tuple[float, ...]]] = {
    "failures in a row": (_in_a_row, (3.0,)),
    "failures in the last 5": (_events(5), (3.0,)),
    "failures in the last 100": (_events(100), (6.0,)),
    "z-score, 24 against 24": (_z_score, (12.0, 4.0)),
    "EWMA, weight 0.1": (_ewma, (3.0,)),
    "CUSUM for a shift of 1 sd": (_cusum, (5.0,)),
    "Mann-Whitney, last 50, each look": (_mann_whitney, (2.33,)),
}
"""By name: the statistic of each slot and the thresholds in use."""


def _river():
    """Of the library river, when it is installed: how to make one by its setting, and settings from usual to strict."""
    try:
        from river import drift
    except ImportError:
        print("ADWIN and Page-Hinkley are left out: river is not installed")
        return {}
    return {
        "ADWIN (river)": (lambda each: drift.ADWIN(delta=each), (2e-3, 1e-4, 1e-6, 1e-9)),
        "Page-Hinkley (river)": (
            lambda each: drift.PageHinkley(threshold=each, mode="up"),
            (50.0, 100.0, 200.0, 400.0, 800.0),
        ),
    }


def _streamed(name, make, settings) -> Iterator[Rule]:
    """The usual setting, and the first that alarms at most twice over the stream (ARL 1e5)."""
    healthy = np.random.default_rng(4).normal(size=_STREAM).tolist()
    for setting in settings:
        false = Count(sum(1 for _ in _drifts(make(setting), healthy)), _STREAM)
        calm = false.events <= _STREAM / _ARL
        if setting == settings[0] or calm:
            medians = tuple(_stream_median(make, setting, share) for share in SHARES)
            yield Rule(name, f"{setting:g}" + (" (ARL)" if calm else ""), calm, false, medians)
        if calm:
            break


def _drifts(detector, scores: list[float]) -> Iterator[int]:
    for at, score in enumerate(scores):
        detector.update(score)
        if detector.drift_detected:
            yield at


def _stream_median(make, setting: float, share: float) -> Median:
    times = []
    for scores in _fault(share)[:_STREAMS]:
        drifts = (at - _WARM + 1.0 for at in _drifts(make(setting), scores.tolist()) if at >= _WARM)
        times.append(next(islice(drifts, 1), math.inf))
    return Median.of(np.array(times))
