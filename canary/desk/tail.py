"""Observations as they are kept, page by page: what was wrong with each, and never an answer's text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypedDict

from canary.records import Score
from canary.store.base import Kept, ScoreRow, Transaction

PAGE = 500
"""Observations that are looked at in one go."""
FURTHEST = 100_000
"""Observations that are looked through for the last ones, where nobody else waits."""
_LATEST = 2**40  # more than a store holds


class Page(TypedDict):
    """As JSON. `next` is where to go on from; `full` says that more is there already."""

    observations: list[dict[str, object]]
    next: int
    full: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which observations, and which of their scores, are shown."""

    targets: Sequence[str] = ()
    signals: Sequence[str] = ()
    events: bool = False

    def scores(self, kept: Kept) -> list[ScoreRow]:
        return [row for row in kept.scores if not self.signals or row.series.signal in self.signals]

    def fits(self, kept: Kept) -> bool:
        seen = kept.observation
        if self.targets and not any(fnmatchcase(seen.target, glob) for glob in self.targets):
            return False
        shown = self.scores(kept)
        if self.signals and not shown:
            return False
        return not self.events or seen.failure is not None or any(row.event for row in shown)


def latest(
    tx: Transaction,
    wanted: Wanted,
    n: int,
    furthest: int = FURTHEST,
    in_time: Callable[[], bool] = lambda: True,
) -> Page:
    """The last n that are wanted.

    They are fewer where `furthest` observations were looked through, or it was not `in_time` any more.
    """
    end = _end(tx)
    found: list[Kept] = []
    begin = end
    while len(found) < n and begin > 0 and end - begin < furthest and in_time():
        begin, until = max(0, begin - PAGE), begin
        page = tx.kept(after=begin, limit=PAGE)
        found = [*(kept for kept in page if kept.seq <= until and wanted.fits(kept)), *found]
    return _told(found[-n:] if n else [], wanted, end, full=False)


def after(tx: Transaction, wanted: Wanted, seq: int) -> Page:
    """Of those that were kept after it, in that order, the ones that are wanted."""
    page = tx.kept(after=seq, limit=PAGE)
    chosen = [kept for kept in page if wanted.fits(kept)]
    return _told(chosen, wanted, page[-1].seq if page else seq, full=len(page) == PAGE)


def _told(found: Sequence[Kept], wanted: Wanted, end: int, *, full: bool) -> Page:
    return {"observations": [_facts(kept, wanted) for kept in found], "next": end, "full": full}


def _end(tx: Transaction) -> int:
    """The last seq, by bisection: each look is one step into an index."""
    low, high = 0, _LATEST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if tx.kept(after=middle - 1, limit=1) else (low, middle)
    return low


def _facts(kept: Kept, wanted: Wanted) -> dict[str, object]:
    seen = kept.observation
    return {
        "seq": kept.seq,
        "slot_id": seen.slot_id,
        "at": seen.slot_time.isoformat(),
        "target": seen.target,
        "region": seen.region,
        "group": seen.group,
        "probe": seen.probe_id,
        "replica": seen.replica,
        "duration_seconds": seen.duration.total_seconds(),
        "failure": None if seen.failure is None else seen.failure.kind.value,
        "failure_detail": None if seen.failure is None else seen.failure.detail,
        "scores": [_score(row) for row in wanted.scores(kept)],
    }


def _score(row: ScoreRow) -> dict[str, object]:
    if not isinstance(row.score, Score):
        return {"signal": row.series.signal, "unscored": row.score.reason.value}
    score = row.score
    return {
        "signal": score.signal,
        "value": score.value,
        "exposure": score.exposure,
        "event": row.event,
        "note": score.note,
    }
