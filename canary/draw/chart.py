"""What a chart shows, before anybody draws it."""

from dataclasses import dataclass
from datetime import datetime

Curve = tuple[tuple[datetime, float], ...]

_DEEPEST = -60.0
_LEAST_DEPTH = -4.0


@dataclass(frozen=True, slots=True)
class Chart:
    """Evidence over time. `curves` are its unbroken stretches: an alarm ends one, for it sets the evidence back.

    The threshold is 0. `onset` is (low, best, high), `answers` are the moments of scores and whether they were events,
    `changes` are marked by a letter that the legend explains.
    """

    title: str
    begin: datetime
    end: datetime
    curves: tuple[Curve, ...]
    alarms: Curve = ()
    onset: tuple[datetime, datetime, datetime] | None = None
    changes: tuple[tuple[datetime, str], ...] = ()
    answers: tuple[tuple[datetime, bool], ...] = ()

    @property
    def depth(self) -> tuple[float, float]:
        """The least and the greatest evidence that the chart has room for."""
        values = [value for curve in (*self.curves, self.alarms) for _, value in curve]
        low = min((value for value in values if value > _DEEPEST), default=_LEAST_DEPTH)
        return min(low - 0.5, _LEAST_DEPTH), max([0.0, *values]) + 1.0
