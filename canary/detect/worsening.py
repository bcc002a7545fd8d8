"""Worsening of an open incident: 0.8 % that becomes 16 % is an event of its own.

Once a fault of some size is known, "healthy" is no null any more; "no worse than it was" is. While at most the share
`size.high` of answers is touched, an answer is an event with at most the probability h + size.high * (1 - h), h the
healthy one: the null of an `EventDetector` with that rate. So worsening is a detector like any other: e-SR of its own
state and budget, restarted when the incident opens, its alarm a worsening, `onset` over its e-values the onset of it,
`size` over the answers since then the new size.
"""

import math

from canary.detect.detectors import Detector
from canary.detect.events import EventDetector
from canary.records import Size

_WORSE = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
_MOST = 0.95  # of answers that are events: an alternative has to leave some


def worsening_detector(detector: Detector, size: Size, exposure: float) -> EventDetector | None:
    """The detector of "the share of touched answers has grown beyond `size.high`", of unit exposure.

    Args:
        detector: of the series.
        size: of the open fault; its interval holds the share with its confidence, and the promise with it.
        exposure: of a typical answer, in the signal's unit of exposure.

    Returns:
        None where the fault is too large already to grow by half.

    >>> from canary.records import Size
    >>> found = worsening_detector(EventDetector(1e-4), Size(0.004, 0.008, 0.02, 0.95, 400), 1.0)
    >>> found is not None and round(found.healthy_event_rate(1.0), 4)
    0.0201
    """
    healthy = detector.healthy_event_rate(exposure)
    now = healthy + size.high * (1.0 - healthy)
    ratios = tuple(ratio for ratio in _WORSE if ratio * now <= _MOST)
    if not ratios or now == 0.0:
        return None
    rate = -math.log1p(-now)
    return EventDetector(rate, tuple(math.log1p(-ratio * now) / -rate for ratio in ratios))
