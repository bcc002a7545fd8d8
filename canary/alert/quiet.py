"""What keeps people from being told at a moment: silences, and maintenance windows of store and config. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canary.alert.maintenance import Window
from canary.alert.routing import covers, must, place_of
from canary.alert.silences import matchers_of
from canary.records import PLACE, Incident, IncidentState, Matchers, Silence, matcher


@dataclass(frozen=True, slots=True)
class Quiet:
    """A silence by its id, or a window of the config by its name, with an author where a person made it."""

    name: str
    until: datetime
    matchers: Matchers
    maintenance: bool
    reason: str
    author: str = ""

    @property
    def whole(self) -> bool:
        """Whether it covers whole targets; else only some of their incidents."""
        return all(one.label in PLACE for one in self.matchers)

    @property
    def what(self) -> str:
        return "in maintenance" if self.maintenance else "silenced"

    @property
    def words(self) -> str:
        """One line for a person.

        >>> from datetime import UTC
        >>> Quiet("3f2a", datetime(2026, 3, 1, 6, tzinfo=UTC), (matcher("pool=a"),), False, "draining", "ada").words
        'silenced until 2026-03-01 06:00 UTC by ada: draining (3f2a)'
        """
        some = "" if self.whole else f" where {' '.join(one.text for one in self.matchers)}"
        by = f" by {self.author}" if self.author else ""
        why = f": {self.reason}" if self.reason else ""
        return f"{self.what}{some} until {self.until:%Y-%m-%d %H:%M} UTC{by}{why} ({self.name})"

    def facts(self) -> dict[str, object]:
        """As JSON."""
        return {
            "name": self.name,
            "until": self.until.isoformat(timespec="seconds"),
            "matchers": [one.text for one in self.matchers],
            "maintenance": self.maintenance,
            "reason": self.reason,
            "author": self.author or None,
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Quiet":
        """What `facts` told of. Raises: ValueError, KeyError."""
        return cls(
            facts["name"],
            datetime.fromisoformat(facts["until"]),
            tuple(map(matcher, facts["matchers"])),
            facts["maintenance"],
            facts["reason"],
            facts["author"] or "",
        )


def holding(silences: Iterable[Silence], windows: Iterable[Window], now: datetime) -> tuple[Quiet, ...]:
    """All that hold now, the last to end first."""
    return held((one for one in silences if one.holds(now)), windows, now, now)


def held(silences: Iterable[Silence], windows: Iterable[Window], begin: datetime, end: datetime) -> tuple[Quiet, ...]:
    """All that hold at some moment from `begin` to `end`, the last to end first."""
    kept = (
        Quiet(one.id, one.ends_at, matchers_of(one), one.freezes, one.reason, one.author)
        for one in silences
        if one.starts_at <= end and begin < one.ends_at
    )
    planned = (
        Quiet(one.name, one.ends(end), one.matchers, maintenance=True, reason=one.reason)
        for one in windows
        if one.meets(begin, end)
    )
    return tuple(sorted((*kept, *planned), key=lambda one: one.until, reverse=True))


def hushed(quiets: Iterable[Quiet], incident: Incident) -> Quiet | None:
    """What keeps the incident quiet longest."""
    return next((one for one in quiets if covers(one.matchers, incident)), None)


def told(quiets: Iterable[Quiet], incident: Incident) -> dict[str, object] | None:
    """As JSON, what keeps it quiet while it is unresolved."""
    found = None if incident.state is IncidentState.RESOLVED else hushed(quiets, incident)
    return None if found is None else found.facts()


def over(quiets: Iterable[Quiet], target: str, region: str) -> Quiet | None:
    """What covers the target longest; what covers only some of its incidents, where nothing covers all."""
    labels = place_of(target, region)
    found = [one for one in quiets if must(tuple(each for each in one.matchers if each.label in PLACE), labels)]
    return next((one for one in found if one.whole), next(iter(found), None))
