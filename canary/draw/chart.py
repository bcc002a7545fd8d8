"""What a chart shows, before anybody draws it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from canary.draw.scale import number_ticks, time_ticks

Curve = tuple[tuple[datetime, float], ...]

_DEEPEST = -60.0
_LEAST_DEPTH = -4.0


@dataclass(frozen=True, slots=True)
class Chart:
    """Evidence over time. `curves` are its unbroken stretches: an alarm ends one, for it sets the evidence back.

    The threshold is 0; `limit` says what it is called, `evidence` what the curve is. `onset` is (low, best, high),
    `answers` are the moments of scores and whether they were events, `changes` are marked by a letter that the legend
    explains. A chart that is `counted` has answers across instead of time: its moments are those of `nth`.
    """

    title: str
    begin: datetime
    end: datetime
    curves: tuple[Curve, ...]
    alarms: Curve = ()
    onset: tuple[datetime, datetime, datetime] | None = None
    changes: tuple[tuple[datetime, str], ...] = ()
    answers: tuple[tuple[datetime, bool], ...] = ()
    evidence: str = "evidence, ln R"
    limit: str = "alarm"
    counted: bool = False

    @property
    def depth(self) -> tuple[float, float]:
        """The least and the greatest evidence that the chart has room for."""
        values = [value for curve in (*self.curves, self.alarms) for _, value in curve]
        low = min((value for value in values if value > _DEEPEST), default=_LEAST_DEPTH)
        return min(low - 0.5, _LEAST_DEPTH), max([0.0, *values]) + 1.0

    @property
    def unit(self) -> str:
        """What stands below its ticks."""
        return "n-th" if self.counted else "UTC"

    def ticks(self, most: int) -> list[tuple[datetime, str]]:
        """Round places across, at most `most` or so, with what to write there."""
        if not self.counted:
            return time_ticks(self.begin, self.end, most)
        places = number_ticks(self.begin.timestamp(), self.end.timestamp(), most)
        return [(nth(int(place)), f"{place:,.0f}") for place in places if place == int(place)]


def nth(answer: int) -> datetime:
    """Where the n-th answer stands in a chart that is counted.

    >>> nth(3) - nth(1)
    datetime.timedelta(seconds=2)
    """
    return datetime.fromtimestamp(answer, UTC)
