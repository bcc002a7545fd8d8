"""Which scores are an observation's own, and which recorded changes concern a place."""

from collections.abc import Iterable

from canary.records import Change, Score, SeriesKey, Unscored
from canary.store.base import Kept


def own_scores(kept: Kept) -> tuple[Score | Unscored, ...]:
    """Those of its own target and group: what feeds wider series, the pipeline makes of these."""
    seen = kept.observation
    return tuple(
        row.score
        for row in kept.scores
        if row.series == SeriesKey(seen.target, seen.region, seen.group, row.score.signal)
    )


def concerns(change: Change, target: str, region: str = "") -> bool:
    """Whether the change's scope holds the target; what a scope leaves empty, it holds all of.

    >>> from datetime import UTC, datetime
    >>> change = Change("c1", "deploy", datetime(2025, 8, 25, tzinfo=UTC), "kernel 7", platform="api")
    >>> concerns(change, "mid/api/short"), concerns(change, "mid/cloud/short")
    (True, False)
    """
    model, platform, pool = target.rsplit("/", 2)
    asked = ((change.model, model), (change.platform, platform), (change.pool, pool), (change.region, region))
    return all(wanted in ("", found) or not found for wanted, found in asked)


def concerning(changes: Iterable[Change], target: str, region: str = "") -> tuple[Change, ...]:
    """Those of the changes that concern the target."""
    return tuple(change for change in changes if concerns(change, target, region))
