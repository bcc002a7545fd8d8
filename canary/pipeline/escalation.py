"""Which probe groups on which targets are worth extra runs: those of series and scopes past their warning.

All follows from detector states that are committed, so a restarted daemon sees the same from the store. (It cannot
see how a series came to lie between fallback and warning, and takes it to be past.)
"""

import math
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from canary.detect.budget import MOST_INTERVALS
from canary.detect.escalation import Levels
from canary.pipeline.scopes import is_scope, members, place_of
from canary.pipeline.watch import Watch, Watched
from canary.records import SeriesKey
from canary.store.base import StoredState

Key = tuple[str, str]
"""(target name, probe group)."""


class Escalation:
    """Follows the states that batches leave. `states` are those of the store, some of them perhaps long out of use."""

    def __init__(self, watch: Watch, levels: Levels, states: Iterable[StoredState] = ()) -> None:
        self._watch = watch
        self._levels = levels
        self._evidence = dict.fromkeys(watch.armed, -math.inf)
        self._past: dict[SeriesKey, StoredState] = {}
        self._members: dict[SeriesKey, Sequence[SeriesKey]] = {}
        for state in states:
            self._take(state, before=True)

    def heed(self, states: Iterable[StoredState]) -> None:
        """A batch left these."""
        for state in states:
            self._take(state, before=state.series in self._past)

    def wanted(self, now: datetime, reported: Collection[SeriesKey] = ()) -> tuple[Key, ...]:
        """Those with the most evidence first; members of a scope by that of the scope, then by their own.

        What has a place in common with those `reported` by an incident has said what it had to say. Evidence that
        nothing has renewed for as long as a slot may spend budget for, of a replica that is gone, say, does not count.
        """
        rank: dict[Key, tuple[float, float]] = {}
        for series, state in self._past.items():
            for member in () if _explained(series, reported) else self._hears(series):
                if _renewed(state, self._watch.armed[member], now):
                    key, strength = (member.target, member.group), (state.evidence, self._evidence[member])
                    rank[key] = max(rank.get(key, strength), strength)
        return tuple(sorted(rank, key=lambda key: (rank[key], key), reverse=True))

    def _take(self, state: StoredState, *, before: bool) -> None:
        series = state.series
        if series in self._evidence:
            self._evidence[series] = state.evidence
        if self._in_use(state) and self._levels.passed(state.evidence, before=before):
            self._past[series] = state
        else:
            self._past.pop(series, None)

    def _in_use(self, state: StoredState) -> bool:
        """Not of an older epoch, nor of a scope that nothing is heard in any more."""
        if is_scope(state.series):
            return state.detector == self._watch.hierarchy.digest
        watched = self._watch.armed.get(state.series)
        return watched is not None and state.detector == watched.digest

    def _hears(self, series: SeriesKey) -> Sequence[SeriesKey]:
        if series not in self._members:
            self._members[series] = members(series, self._watch.armed)
        return self._members[series]


def _explained(series: SeriesKey, reported: Collection[SeriesKey]) -> bool:
    """Whether an incident tells of this signal in a part of it, or in a part that it lies in."""
    place = place_of(series).scope
    return any(
        (one.signal, one.region) == (series.signal, series.region) and place.overlaps(place_of(one).scope)
        for one in reported
    )


def _renewed(state: StoredState, member: Watched, now: datetime) -> bool:
    return state.slot_time is not None and now - state.slot_time <= MOST_INTERVALS * member.interval
