"""A declared change of a model ends what its golden answers say: they are those of another one.

From the change on, quality is not judged by them, and the series learn until golden answers are recorded anew. Whether
answers come at all is judged as ever, and so is what users complain of: neither is compared with golden answers.
"""

from collections.abc import Iterable

from canary.pipeline.feedback import NAME as FEEDBACK
from canary.pipeline.record import revise
from canary.records import Baseline, Change, ChangeKind
from canary.score import AVAILABILITY
from canary.store.base import Transaction

_KEPT = frozenset({AVAILABILITY.name, FEEDBACK})
"""Signals that golden answers have no say in."""


def keep_change(tx: Transaction, change: Change) -> bool:
    """Record it, so that a running daemon knows; False when its id is known already."""
    new = tx.add_change(change)
    if new and change.kind is ChangeKind.MODEL:
        revise(tx)
    return new


def outdated(baseline: Baseline, changes: Iterable[Change]) -> bool:
    """Whether its target's model was changed since."""
    series = baseline.series
    return series.signal not in _KEPT and any(
        change.kind is ChangeKind.MODEL
        and change.at > baseline.created_at
        and change.scope.covers(series.target, series.region)
        for change in changes
    )
