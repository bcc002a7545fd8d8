"""The audit log as JSON."""

from canary.records import AuditEntry


def facts(entry: AuditEntry) -> dict[str, object]:
    """One entry."""
    return {
        "at": entry.at.isoformat(),
        "who": entry.who,
        "act": entry.act.value,
        "subject": entry.subject,
        "detail": entry.detail,
    }
