"""How loud an incident is. Pure."""

from enum import StrEnum

from canary.records import Incident, IncidentState


class Severity(StrEnum):
    """PAGE: somebody has to look now. TICKET: somebody has taken it, another incident explains it, or it flaps."""

    PAGE = "page"
    TICKET = "ticket"


def severity(incident: Incident) -> Severity:
    """Of an unresolved incident."""
    quiet = incident.state is not IncidentState.OPEN or incident.suppressed_by is not None or incident.flapping
    return Severity.TICKET if quiet else Severity.PAGE
