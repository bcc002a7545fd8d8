"""Who is told of an incident, and in what rhythm: a tree of routes, as in Alertmanager. Pure.

Labels are those of an incident's findings. A finding may span several models, platforms, pools or groups: it then *may*
be at any of them, and *must* be at none. Routes ask whether a finding may match, so that nobody is left out; silences
and maintenance ask whether all findings must, so that nothing else is hushed up with them.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta

from canary.alert.incident import unrecovered
from canary.alert.severity import severity
from canary.records import PLACE, Finding, Incident, Label, Labels, Matchers

_ANY = "*"


@dataclass(frozen=True, slots=True)
class Pace:
    """When a receiver is told.

    Without `group_by` each incident is told alone and at once. With it, those that share these labels go together: the
    first waits `group_wait` for others, later ones until `group_interval` after the last message. `repeat` is the time
    after which an open incident is told again; None is never.
    """

    group_by: tuple[Label, ...] | None = None
    group_wait: timedelta = timedelta(seconds=30)
    group_interval: timedelta = timedelta(minutes=5)
    repeat: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the tree: whoever its first matching child tells, and those after it that a child lets `go_on` to.

    Where no child matches, its own receiver is told; without one, nobody.
    """

    receiver: str | None = None
    matchers: Matchers = ()
    go_on: bool = False
    pace: Pace = Pace()
    routes: tuple["Route", ...] = ()


@dataclass(frozen=True, slots=True)
class Hearer:
    """A receiver that is told, and how."""

    receiver: str
    pace: Pace = Pace()


def hearers(root: Route, incident: Incident) -> tuple[Hearer, ...]:
    """Who is told of the incident, in the order of the tree, each once."""
    found: dict[str, Hearer] = {}
    for hearer in _walk(root, [labels_of(incident, finding) for finding in incident.findings]):
        found.setdefault(hearer.receiver, hearer)
    return tuple(found.values())


def labels_of(incident: Incident, finding: Finding) -> Labels:
    """Of a finding of the incident."""
    scope = finding.scope
    return {
        Label.MODEL: scope.model,
        Label.PLATFORM: scope.platform,
        Label.POOL: scope.pool,
        Label.REGION: finding.series.region,
        Label.GROUP: None if finding.group == _ANY else finding.group,
        Label.SYMPTOM: finding.symptom.value,
        Label.SIGNAL: finding.series.signal,
        Label.SEVERITY: severity(incident).value,
    }


def place_of(target: str, region: str) -> Labels:
    """The labels of a target, seen from a region; "*" in its name is any."""
    names = (*target.rsplit("/", 2), region)
    return {label: None if name == _ANY else name for label, name in zip(PLACE, names, strict=True)}


def concerns(matchers: Matchers, incident: Incident) -> bool:
    """Whether a finding of it may match."""
    return _may(matchers, [labels_of(incident, finding) for finding in incident.findings])


def covers(matchers: Matchers, incident: Incident) -> bool:
    """Whether all that stands of it must match."""
    standing = unrecovered(incident) or incident.findings
    return all(must(matchers, labels_of(incident, finding)) for finding in standing)


def must(matchers: Matchers, labels: Labels) -> bool:
    """Whether all with these labels matches."""
    return all(one.must(labels) for one in matchers)


def group_of(pace: Pace, incident: Incident) -> str:
    """The key of those that are told together; empty where it is told alone."""
    if pace.group_by is None:
        return ""
    first = labels_of(incident, incident.findings[0])
    return "|".join(("group", *(first[label] or _ANY for label in pace.group_by)))


def _walk(route: Route, findings: Collection[Labels]) -> Iterator[Hearer]:
    for child in route.routes:
        if _may(child.matchers, findings):
            yield from _walk(child, findings)
            if not child.go_on:
                return
    if route.receiver is not None and not any(_may(child.matchers, findings) for child in route.routes):
        yield Hearer(route.receiver, route.pace)


def _may(matchers: Matchers, findings: Collection[Labels]) -> bool:
    return any(all(one.may(labels) for one in matchers) for labels in findings)
