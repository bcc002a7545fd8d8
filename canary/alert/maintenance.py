"""Maintenance windows: when which targets are worked on, so that what they answer says nothing. Pure.

Nobody is told of incidents that a window covers, and detectors of the targets in it stand still: answers are kept and
scored, but not fed, and no budget is spent. Nothing is reset. Which answers stood still is a matter of their own times
alone, so whoever works it out again finds the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from canary.alert.routing import must, place_of
from canary.alert.silences import matchers_of
from canary.records import PLACE, Matchers, Observation, Silence


@dataclass(frozen=True, slots=True)
class Window:
    """From `starts` for as long as it `lasts`; again after each `every`, if there is one (no shorter than `lasts`)."""

    name: str
    matchers: Matchers
    starts: datetime
    lasts: timedelta
    every: timedelta | None = None
    reason: str = ""

    def meets(self, begin: datetime, end: datetime) -> bool:
        """Whether it holds at some moment from `begin` to `end`."""
        if end < self.starts:
            return False
        return begin < self.ends(end)

    def ends(self, now: datetime) -> datetime:
        """The end of the last one that began by then."""
        latest = self.starts if self.every is None else self.starts + (now - self.starts) // self.every * self.every
        return latest + self.lasts


def windows_of(silences: Iterable[Silence]) -> tuple[Window, ...]:
    """Those of the silences that are maintenance windows."""
    return tuple(
        Window(one.id, matchers_of(one), one.starts_at, one.ends_at - one.starts_at, reason=one.reason)
        for one in silences
        if one.freezes
    )


def fault(matchers: Matchers) -> str | None:
    """Why these cannot be those of a window, if they cannot."""
    strange = [one.label.value for one in matchers if one.label not in PLACE]
    if strange:
        return f"asks for {strange[0]}: a maintenance window covers whole targets, by {', '.join(PLACE)}"
    return None


def touching(windows: Iterable[Window], target: str, region: str, begin: datetime, end: datetime) -> tuple[Window, ...]:
    """Those that may have covered some of the target ("*" in its name is any) at some moment from `begin` to `end`."""
    labels = place_of(target, region)
    return tuple(one for one in windows if one.meets(begin, end) and all(asked.may(labels) for asked in one.matchers))


def frozen(windows: Iterable[Window], seen: Observation) -> bool:
    """Whether the answer, from its slot to its end, fell into a window that covers its target.

    What users complained of began before its slot, which is its end.
    """
    labels = place_of(seen.target, seen.region)
    begin = min(seen.slot_time, seen.started_at)
    end = max(begin, seen.slot_time, seen.started_at + seen.duration)
    last = end - timedelta.resolution if end > begin else end
    return any(one.meets(begin, last) and must(one.matchers, labels) for one in windows)
