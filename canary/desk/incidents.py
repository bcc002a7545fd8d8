"""Incidents as documents, and what people decide of them."""

from collections.abc import Sequence
from datetime import datetime

from canary.alert.incident import Decision, Reason, acknowledge, resolve
from canary.alert.message import describe
from canary.alert.quiet import Quiet, holding, told
from canary.alert.suspects import Suspects
from canary.desk.evidence import exhibits
from canary.desk.ground import Ground
from canary.desk.story import timeline
from canary.errors import NotFound
from canary.pipeline.suspects import suspects, watched
from canary.pipeline.tell import tell
from canary.records import Act, AuditEntry, Incident
from canary.store.base import Transaction

_DECISIONS = {Act.ACKNOWLEDGE: acknowledge, Act.RESOLVE: resolve}


def listed(
    tx: Transaction, ground: Ground, now: datetime, *, everything: bool, limit: int | None = None
) -> list[dict[str, object]]:
    """The unresolved, or all, newest last, with what silences them; of more than `limit`, the newest."""
    found, hush = tx.incidents(open_only=not everything), quiets(tx, ground, now)
    chosen = found if limit is None else found[max(0, len(found) - limit) :]
    return [{**describe(one), "silenced": told(hush, one)} for one in chosen]


def quiets(tx: Transaction, ground: Ground, now: datetime) -> Sequence[Quiet]:
    """The silences and maintenance windows that hold."""
    return holding(tx.silences(since=now), ground.audience.windows, now)


def shown(tx: Transaction, ground: Ground, incident: Incident, now: datetime) -> dict[str, object]:
    """One, with suspects, with the runs that show it, but without their answers, and with what happened when."""
    causes = suspected(tx, ground, incident)
    return {
        **describe(incident, causes),
        "silenced": told(quiets(tx, ground, now), incident),
        "exhibits": [one.facts() for one in exhibits(tx, incident)],
        "timeline": [one.facts() for one in timeline(tx, incident, causes)],
    }


def newest(tx: Transaction) -> Incident:
    """Of the unresolved. Raises: NotFound."""
    unresolved = tx.incidents(open_only=True)
    if not unresolved:
        raise NotFound("no unresolved incident: `canary incident list --all` has the others")
    return unresolved[-1]


def suspected(tx: Transaction, ground: Ground, incident: Incident) -> Suspects:
    """The changes that may be the cause."""
    return suspects(tx, incident, watched(tx, ground.targets))


def decide(
    tx: Transaction, ground: Ground, incident_id: str, act: Act, person: str, now: datetime, who: str = ""
) -> Decision:
    """Acknowledge or resolve; receivers are told, and the act is written down as that of `who` (else the person).

    Raises: NotFound.
    """
    incident, reason = _DECISIONS[act](tx.incident(incident_id), person, now)
    if reason is Reason.UNCHANGED:
        return incident, reason
    tx.put_incident(incident)
    tx.note(AuditEntry(now, who or person, act, incident.id, person if who else ""))
    tell(tx, incident, reason, now, ground.audience, watched(tx, ground.targets))
    return incident, reason


def decided(decision: Decision) -> dict[str, object]:
    """What came of it."""
    incident, reason = decision
    return {"reason": reason.value, **describe(incident)}
