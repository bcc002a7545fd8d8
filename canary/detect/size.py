"""How large it is: the share of answers that show the fault."""

from collections.abc import Sequence

from canary.detect.bounds import lower_share, upper_share
from canary.detect.detectors import Detector
from canary.records import Size


def size(detector: Detector, events: Sequence[bool], exposures: Sequence[float], *, confidence: float = 0.95) -> Size:
    """The share of answers that show the fault, with a Clopper-Pearson interval, above the healthy rate.

    A share s gives events at the rate h + s * (1 - h), with h at most the detector's healthy rate: the lower end
    and the estimate subtract that rate, the upper end supposes h = 0. For answers since an estimated onset see
    `size_since_onset`.

    Args:
        detector: of the series.
        events: whether each answer was an event, at least one answer.
        exposures: of the same answers, in the signal's unit of exposure.
        confidence: in (0, 1).

    Raises:
        ValueError: no answer, lengths that differ, or `confidence` out of range.

    >>> from canary.detect.events import EventDetector
    >>> found = size(EventDetector(1e-3), [True] * 8 + [False] * 42, [1.0] * 50)
    >>> [round(share, 3) for share in (found.low, found.best, found.high)]
    [0.071, 0.159, 0.291]
    """
    count, answers = sum(events), len(events)
    if answers != len(exposures) or answers == 0:
        raise ValueError(f"need the exposures of one answer or more, got {len(exposures)} for {answers} answers")
    healthy = sum(map(detector.healthy_event_rate, exposures)) / answers
    half = (1.0 - confidence) / 2.0
    return Size(
        low=_above(lower_share(count, answers, half), healthy),
        best=_above(count / answers, healthy),
        high=upper_share(count, answers, half),
        confidence=confidence,
        answers=answers,
    )


def size_since_onset(
    detector: Detector, events: Sequence[bool], exposures: Sequence[float], *, confidence: float = 0.95
) -> Size:
    """As `size`, of the answers since an onset that was estimated from them.

    The onset was placed at its answer because that is an event, which says nothing of the share: it is left out, unless
    it is the only one. The alarm, too, comes when many events have come, so the estimate is still somewhat too large.
    Measured at a bound of 1e-3, a healthy rate of 2.5e-4 and c = 2e7: 2 % are told as 2.4 % (median; with that answer
    2.8 %), and 94 % of intervals at confidence 0.95 hold them (87 %); of 10 % 97 % (91 %), of 30 % 99 % (97 %).

    Raises:
        ValueError: as `size`.

    >>> from canary.detect.events import EventDetector
    >>> size_since_onset(EventDetector(1e-3), [True] + [False] * 9, [1.0] * 10).answers
    9
    """
    first = int(len(events) > 1)
    return size(detector, events[first:], exposures[first:], confidence=confidence)


def _above(rate: float, healthy: float) -> float:
    return max(0.0, (rate - healthy) / (1.0 - healthy)) if healthy < 1.0 else 0.0
