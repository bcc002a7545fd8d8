"""Where a person reads on: the dashboard and the runbook of an incident. Pure."""

from dataclasses import dataclass
from urllib.parse import quote

from canary.records import Incident
from canary.template import LINK, filled


@dataclass(frozen=True, slots=True)
class Links:
    """Templates of URLs; an empty one is no link."""

    dashboard: str = ""
    runbook: str = ""

    def of(self, incident: Incident) -> dict[str, str]:
        """The links of this incident, by name."""
        first = incident.findings[0]
        values = (incident.id, incident.model, incident.platform, incident.pool, first.symptom.value)
        facts = dict(zip(LINK, values, strict=True))
        return {
            name: filled(template, facts, _quoted)
            for name, template in (("dashboard", self.dashboard), ("runbook", self.runbook))
            if template
        }


def _quoted(value: str) -> str:
    return quote(value, safe="")
