"""Common alert rules and detectors beside ours, on the same scores: at their usual setting, and at an equal ARL.

Healthy scores are N(0, 1), of which our detector knows the law; a share of scores is 5 sd off. An event is a score over
3.72 (p0 = 1e-4), for the rules that count. The equal ARL is 1e5: the threshold that 1 - exp(-0.05) of healthy series
reach within 5,000 slots. Rules on whole numbers take the next stricter one.
"""

import math
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from canary.detect import evidence, start, step
from tests.bench.oracles import known_null

_SHARES = (0.0018, 0.008, 0.05, 0.16)
_EVENT = -float(ndtri(1e-4))
_SHIFT, _ARL = 5.0, 1e5
_SERIES, _SLOTS, _WARM, _RUNS = 1000, 5000, 300, 200
_STREAM, _STREAMS = 200_000, 9
Scores = NDArray[np.float64]
Statistic = Callable[[Scores], NDArray[np.float64]]


def print_rules() -> None:
    print(f"\nmedian probes to alarm, and false alarms per 1e6 healthy scores; > {_SLOTS:,} is not within {_SLOTS:,}\n")
    print(f"{'rule':<34} {'setting':>12} {'false':>8}" + "".join(f"{share:>9.2%}" for share in _SHARES))
    healthy = np.random.default_rng(1).normal(size=(_SERIES, _SLOTS))
    faults = [_fault(share) for share in _SHARES]
    for name, (statistic, usual) in RULES.items():
        seen = statistic(healthy)
        equal = _equal_threshold(seen)
        found = [statistic(fault) for fault in faults]
        for setting, threshold in (*((f"{each:g}", each) for each in usual), ("ARL 1e5", equal)):
            print(f"{name:<34} {setting:>12} {_false(seen, threshold):8.0f}{_delays(found, threshold)}", flush=True)
    for name, (make, settings) in _river().items():
        _print_stream(name, make, settings)


def _fault(share: float) -> Scores:
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(_RUNS, _WARM + _SLOTS))
    scores[:, _WARM:] += _SHIFT * (rng.random((_RUNS, _SLOTS)) < share)
    return scores


def _equal_threshold(seen: NDArray[np.float64]) -> float:
    highest = seen.max(axis=1)
    wanted = 1.0 - math.exp(-_SLOTS / _ARL)
    return float(min(t for t in np.unique(np.r_[highest, highest.max() + 1]) if (highest >= t).mean() <= wanted))


def _false(seen: NDArray[np.float64], threshold: float) -> float:
    """Alarms per 1e6 scores; a run of alarmed slots is one alarm."""
    over = seen >= threshold
    return 1e6 * (over[:, 0].sum() + (over[:, 1:] & ~over[:, :-1]).sum()) / seen.size


def _delays(found: list[NDArray[np.float64]], threshold: float) -> str:
    cells = []
    for seen in found:
        over = seen[:, _WARM:] >= threshold
        median = np.median(np.where(over.any(axis=1), over.argmax(axis=1) + 1, np.inf))
        cells.append(f"{median:9.0f}" if np.isfinite(median) else f"{f'> {_SLOTS}':>9}")
    return "".join(cells)


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
    """R itself: an alarm at 1. For the proven setting 1 is exact; only the restart after an alarm is left out."""
    edges, law = known_null(_ARL)
    cells = len(edges) - np.searchsorted(edges[::-1], scores, side="left")
    state, path = start(law.log_e.shape[1], (len(scores),)), np.empty(scores.shape)
    reached, spend = np.zeros(len(scores)), np.full(len(scores), -math.log(_ARL))
    for slot in range(scores.shape[1]):
        state = step(state, law.log_e[cells[:, slot]], spend, law)
        reached = np.where(reached >= 1.0, reached, np.exp(evidence(state)))
        path[:, slot] = reached
        state.log_r[reached >= 1.0] = -np.inf
    return path


RULES: dict[str, tuple[Statistic, tuple[float, ...]]] = {
    "ours (ARL >= 1e5 proven)": (_ours, (1.0,)),
    "three failures in a row": (_in_a_row, (3.0,)),
    "3 of 5 failed": (_events(5), (3.0,)),
    "success < 95 % of 100": (_events(100), (6.0,)),
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


def _print_stream(name, make, settings) -> None:
    """The usual setting, and the first that alarms at most twice over the stream (ARL 1e5)."""
    healthy = np.random.default_rng(4).normal(size=_STREAM).tolist()
    for setting in settings:
        false = sum(1 for _ in _drifts(make(setting), healthy))
        calm = false <= _STREAM / _ARL
        if setting == settings[0] or calm:
            cells = "".join(_stream_delay(make, setting, share) for share in _SHARES)
            label = f"{setting:g}" + (" (ARL)" if calm else "")
            print(f"{name:<34} {label:>12} {false * 1e6 / _STREAM:8.0f}{cells}", flush=True)
        if calm:
            break


def _drifts(detector, scores: list[float]) -> Iterator[int]:
    for at, score in enumerate(scores):
        detector.update(score)
        if detector.drift_detected:
            yield at


def _stream_delay(make, setting: float, share: float) -> str:
    times = []
    for scores in _fault(share)[:_STREAMS]:
        drifts = (at - _WARM + 1 for at in _drifts(make(setting), scores.tolist()) if at >= _WARM)
        times.append(next(islice(drifts, 1), math.inf))
    median = float(np.median(times))
    return f"{median:9.0f}" if math.isfinite(median) else f"{f'> {_SLOTS}':>9}"
