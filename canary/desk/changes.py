"""Changes as documents, and how they are recorded."""

from collections.abc import Sequence
from datetime import datetime

from canary.alert.message import describe_change
from canary.desk.ground import Ground
from canary.pipeline.declared import keep_change
from canary.pipeline.tell import tell_change
from canary.records import Act, AuditEntry, Change, ChangeKind, KeptVerdict, Scope
from canary.store.base import Transaction


def listed(tx: Transaction, since: datetime, scope: Scope) -> list[Change]:
    """Those that may have touched the scope since then, newest last."""
    return [change for change in tx.changes(since=since) if change.scope.overlaps(scope)]


def record(tx: Transaction, ground: Ground, changes: Sequence[Change], who: str, now: datetime) -> list[bool]:
    """Keep them, and tell who wants to hear of changes; whether each was new. What was known is left as it is."""
    new = [keep_change(tx, change) for change in changes]
    for change, first in zip(changes, new, strict=True):
        if first:
            tx.note(AuditEntry(now, who, Act.CHANGE, change.id, f"{change.kind.value} on {change.scope.name}"))
            tell_change(tx, change, now, ground.audience)
    return new


def gated(tx: Transaction, verdict: KeptVerdict, who: str, now: datetime, *, marks: bool) -> None:
    """A gate is written down; if it `marks` its moment, it stands among the changes too, though it changes nothing."""
    tx.note(AuditEntry(now, who, Act.GATE, verdict.target, f"{verdict.verdict} {verdict.id}"))
    if not marks:
        return
    against = f" against {verdict.against}" if verdict.against else ""
    said = f"{verdict.verdict} of {verdict.target}{against}, on {len(verdict.slots)} runs"
    tx.add_change(Change(f"gate:{verdict.id}", ChangeKind.GATE, now, said, Scope.of(verdict.target), author=who))


def told(ground: Ground, change: Change, *, new: bool) -> dict[str, object]:
    """What became of it, and which targets it touches."""
    return {**describe_change(change), "recorded": new, "targets": ground.within(change.scope)}
