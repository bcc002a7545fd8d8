"""What a detector can see, and how soon."""

import math

import numpy as np

from canary.detect.detectors import Detector

_REPLICAS = 201
_MAX_EVENTS = 150
_SEED = 20250825


def delay(detector: Detector, share: float, exposure: float, log_budget: float) -> float:
    """Median number of probes from the start of a fault to its alarm; inf when it would not be seen.

    Supposed: a share of answers is touched, each of them is an event, the others are plain healthy answers. R is
    followed exactly from one touched answer to the next (between them it obeys a linear recursion), for a fixed set of
    random gaps, from where it stands after a long healthy time. Deterministic. Within a factor of 1.3 of full
    simulation.

    Args:
        detector: of the series; `arming.clean_detector` before a baseline exists.
        share: of answers touched, in (0, 1].
        exposure: of a typical answer, in the signal's unit of exposure, > 0.
        log_budget: ln b of one slot, in nats, finite.

    Returns:
        In probes, >= 1, or inf.

    Raises:
        ValueError: out of range.

    >>> from canary.detect.events import EventDetector
    >>> delay(EventDetector(1e-4), 0.16, 1.0, math.log(1e-5)) < delay(EventDetector(1e-4), 0.008, 1.0, math.log(1e-5))
    True
    """
    if not 0.0 < share <= 1.0 or not math.isfinite(log_budget):
        raise ValueError(f"need 0 < share <= 1 and a finite log_budget, got {share} and {log_budget}")
    log_healthy, log_event = detector.typical(exposure)
    budget = math.exp(log_budget) / detector.alternatives
    rest = budget * np.exp(log_healthy) / -np.expm1(log_healthy)  # where R settles between touched answers
    gaps = np.random.default_rng(_SEED).geometric(share, size=(_MAX_EVENTS, _REPLICAS))
    r = np.broadcast_to(rest, (_REPLICAS, detector.alternatives))
    elapsed = np.zeros(_REPLICAS)
    alarmed_at = np.full(_REPLICAS, math.inf)
    for gap in gaps:
        decay = np.exp((gap[:, np.newaxis] - 1) * log_healthy)
        r = np.minimum((rest + (r - rest) * decay + budget) * np.exp(log_event), 1.0)
        elapsed = elapsed + gap
        alarmed_at = np.where((r.sum(axis=1) >= 1.0) & np.isinf(alarmed_at), elapsed, alarmed_at)
        if np.isfinite(alarmed_at).sum() > _REPLICAS // 2 and elapsed.min() > np.median(alarmed_at):
            break
    return float(np.median(alarmed_at))
