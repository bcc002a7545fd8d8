"""From moments and numbers to places on paper, and the ticks between."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday
_SECOND, _MINUTE, _HOUR, _DAY = 1, 60, 3_600, 86_400
_STEPS = (
    *(n * _SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 14, 28, 84, 364)),
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of numbers laid over a stretch of places; numbers outside are put at its ends."""

    low: float
    high: float
    begin: float
    end: float

    def place(self, value: float) -> float:
        """Where a number is.

        >>> Span(0.0, 10.0, 100.0, 200.0).place(2.5)
        125.0
        """
        inside = min(max(value, self.low), self.high)
        width = self.high - self.low
        return self.begin if width <= 0.0 else self.begin + (inside - self.low) / width * (self.end - self.begin)


def time_ticks(begin: datetime, end: datetime, most: int) -> list[tuple[datetime, str]]:
    """Round moments in [begin, end], at most `most`, with what to write there.

    >>> at = datetime(2025, 8, 25, 11, 58, tzinfo=UTC)
    >>> [text for _, text in time_ticks(at, at + timedelta(minutes=9), 5)]
    ['12:00', '12:02', '12:04', '12:06']
    """
    seconds = (end - begin).total_seconds()
    step = next((step for step in _STEPS if seconds / step < most), max(_STEPS[-1], math.ceil(seconds / max(1, most))))
    first = math.ceil((begin - _EPOCH).total_seconds() / step)
    last = math.floor((end - _EPOCH).total_seconds() / step)
    moments = [_EPOCH + timedelta(seconds=step * n) for n in range(first, last + 1)]
    return [(moment, _written(moment, step)) for moment in moments[:most]]


def number_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers in [low, high], `most` or a few less.

    >>> number_ticks(-17.0, 1.0, 5)
    [-15.0, -10.0, -5.0, 0.0]
    """
    rough = max((high - low) / most, 1e-9)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1.0, 2.0, 5.0, 10.0) if size * power >= rough)
    return [step * n + 0.0 for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def thinned(points: Sequence[tuple[float, float]], width: float) -> list[tuple[float, float]]:
    """A path with at most four points in each stretch of this width: the first, the extremes, the last.

    It looks as the whole path does.
    """
    kept: list[tuple[float, float]] = []
    begin = 0
    while begin < len(points):
        cell = points[begin][0] // width
        end = begin
        while end < len(points) and points[end][0] // width == cell:
            end += 1
        kept += _corners(points, begin, end)
        begin = end
    return kept


def _corners(points: Sequence[tuple[float, float]], begin: int, end: int) -> list[tuple[float, float]]:
    places = range(begin, end)
    low = min(places, key=lambda at: points[at][1])
    high = max(places, key=lambda at: points[at][1])
    return [points[at] for at in sorted({begin, low, high, end - 1})]


def _written(moment: datetime, step: int) -> str:
    if step >= _DAY or (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return f"{moment:%b} {moment.day}"
    return f"{moment:%H:%M}" if step >= _MINUTE else f"{moment:%H:%M:%S}"
