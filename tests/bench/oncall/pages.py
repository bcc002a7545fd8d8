"""The webhook: what arrived, when, by which of the two ways; and how long everything took."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from canary.drill.scenario import Scenario, Truth
from canary.drill.shape import Expected
from canary.records import Incident
from canary.store.base import Store

OWN, ALERTMANAGER, HEARTBEAT = "/canary", "/alertmanager", "/heartbeat"


@dataclass(frozen=True)
class Page:
    """Somebody is told for the first time."""

    at: datetime
    symptoms: frozenset[str]
    where: str
    incident: str = ""  # Prometheus does not know it


@dataclass(frozen=True)
class Told:
    """An incident with its first pages, by Canary's outbox and by Prometheus."""

    incident: Incident
    own: Page
    other: Page


@dataclass
class Pages:
    """Takes what Canary's own outbox sends at OWN, and what Alertmanager sends at the other path."""

    now: Callable[[], datetime]
    own: list[Page] = field(default_factory=list)
    other: list[Page] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    """The first message of each incident, as people would read it."""

    def take(self, _: str, path: str, __: dict[str, str], body: bytes) -> tuple[int, str, str]:
        arrived, told = self.now(), json.loads(body or b"{}")
        if path == OWN and told["kind"] == "trigger":
            identity = told["incident"]["id"]
            self.own.append(Page(arrived, frozenset(told["symptoms"]), "/".join(told["target"].values()), identity))
            self.texts[identity] = "\n".join(told["text"])
        elif path == ALERTMANAGER:
            self.other.extend(_alerted(arrived, told["alerts"]))
        return 200, "text/plain", ""

    def told(self, incident: Incident) -> Told | None:
        """When both ways have told of it. Alerts go by symptom and moment."""
        symptoms = {finding.symptom.value for finding in incident.findings}
        own = next((one for one in self.own if one.incident == incident.id), None)
        alerts = (one for one in self.other if one.symptoms & symptoms and one.at >= incident.opened_at)
        other = next(alerts, None)
        return None if own is None or other is None else Told(incident, own, other)


def _alerted(arrived: datetime, alerts: Sequence[dict[str, Any]]) -> Iterator[Page]:
    for alert in alerts:
        labels = alert["labels"]
        if alert["status"] == "firing" and labels["alertname"] == "CanaryIncident":
            where = "/".join(labels[name] for name in ("model", "platform", "pool"))
            yield Page(arrived, frozenset({labels["symptom"]}), where)


@dataclass(frozen=True)
class Row:
    """One fault of the scenario, from its first bad answer to the pages."""

    fault: str
    began: datetime
    first: datetime
    told: Told

    @property
    def cells(self) -> tuple[str, ...]:
        opened, own, other = self.told.incident.opened_at, self.told.own, self.told.other
        return (
            self.fault,
            f"{(self.first - self.began).total_seconds():.1f} s",
            f"{(opened - self.first).total_seconds():.1f} s",
            f"{(own.at - opened).total_seconds():.1f} s",
            f"{(other.at - opened).total_seconds():.1f} s",
            f"{(own.at - self.first).total_seconds():.1f} s",
            own.where,
            self.told.incident.target,
        )


HEADS = (
    "fault",
    "begins, first bad answer",
    "detection: to the incident",
    "delivery: Canary's outbox",
    "delivery: Prometheus",
    "first bad answer to page",
    "the page names",
    "in the end",
)


def incident_of(
    scenario: Scenario, expected: Expected, incidents: Sequence[Incident], since: datetime
) -> Incident | None:
    """The first that is in the right place and of the right kind."""
    targets = _targets(scenario, expected.fault)
    for incident in sorted(incidents, key=lambda one: one.opened_at):
        kind = any(finding.symptom in expected.symptoms for finding in incident.findings)
        if kind and incident.opened_at >= since and scenario.covered(incident.target) & targets:
            return incident
    return None


def first_bad(scenario: Scenario, store: Store, fault: str, incident: Incident, since: datetime) -> datetime:
    """The slot of the first event, since the fault began and where it is, in signals of which the incident speaks."""
    targets = _targets(scenario, fault)
    signals = {finding.series.signal for finding in incident.findings}
    with store.reading() as tx:
        rows = tx.feed(lambda series: series.target in targets and series.signal in signals)
        return min((row.slot_time for row in rows if row.event and row.slot_time >= since), default=incident.opened_at)


def truth(scenario: Scenario, fault: str) -> Truth:
    """Where it is first."""
    return min((one for one in scenario.truths if one.name == fault), key=lambda one: one.began)


def _targets(scenario: Scenario, fault: str) -> frozenset[str]:
    return frozenset().union(*(one.targets for one in scenario.truths if one.name == fault))
