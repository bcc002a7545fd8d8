"""Changes as documents, and how they are recorded."""

from collections.abc import Sequence
from datetime import datetime

from canary.alert.message import describe_change
from canary.desk.ground import Ground
from canary.pipeline.declared import keep_change
from canary.records import Act, AuditEntry, Change, Scope
from canary.store.base import Transaction


def listed(tx: Transaction, since: datetime, scope: Scope) -> list[Change]:
    """Those that may have touched the scope since then, newest last."""
    return [change for change in tx.changes(since=since) if change.scope.overlaps(scope)]


def record(tx: Transaction, changes: Sequence[Change], who: str, now: datetime) -> list[bool]:
    """Keep them; whether each was new. What was known already is left as it is."""
    new = [keep_change(tx, change) for change in changes]
    for change, first in zip(changes, new, strict=True):
        if first:
            tx.note(AuditEntry(now, who, Act.CHANGE, change.id, f"{change.kind.value} on {change.scope.name}"))
    return new


def told(ground: Ground, change: Change, *, new: bool) -> dict[str, object]:
    """What became of it, and which targets it touches."""
    return {**describe_change(change), "recorded": new, "targets": ground.within(change.scope)}
