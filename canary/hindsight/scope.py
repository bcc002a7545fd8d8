"""Which scores are an observation's own, and which recorded changes concern a place."""

from collections.abc import Iterable
from dataclasses import replace

from canary.records import Change, Scope, SeriesKey
from canary.store.base import Kept, ScoreRow


def own_rows(kept: Kept) -> tuple[ScoreRow, ...]:
    """Those of its own target and group: what feeds wider series, the pipeline makes of these."""
    seen = kept.observation
    return tuple(
        row for row in kept.scores if row.series == SeriesKey(seen.target, seen.region, seen.group, row.score.signal)
    )


def concerns(change: Change, target: str, region: str = "") -> bool:
    """Whether the change's scope has something in common with the target, or the part of the fleet named with "*".

    >>> from datetime import UTC, datetime
    >>> from canary.records import ChangeKind
    >>> change = Change("c1", ChangeKind.DEPLOY, datetime(2025, 8, 25, tzinfo=UTC), "kernel 7", Scope(platform="api"))
    >>> concerns(change, "mid/api/short"), concerns(change, "mid/cloud/short"), concerns(change, "mid/*/*")
    (True, False, True)
    """
    return change.scope.overlaps(replace(Scope.of(target), region=region or None))


def concerning(changes: Iterable[Change], target: str, region: str = "") -> tuple[Change, ...]:
    """Those of the changes that concern the target."""
    return tuple(change for change in changes if concerns(change, target, region))
