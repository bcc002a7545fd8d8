"""Which baselines judged when, by the detectors that the fed scores name.

The store says which baselines are active, not since when they were. But each fed score keeps its detector, and that its
epoch: a group (of probes, on a target) was judged by an epoch from its first score of that epoch on.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache

from canary.detect.budget import MOST_INTERVALS
from canary.hindsight.scope import own_rows
from canary.pipeline.watch import Rhythm, revive
from canary.store.base import Kept, Store

PAGE = 500
Group = tuple[str, str]
"""A target and a probe group."""
Epochs = Mapping[Group, int]
Pages = Iterator[tuple[Kept, ...]]


@dataclass(frozen=True, slots=True)
class Switch:
    """From the observation `seq` on, of this slot time, the epoch judged the group.

    `after` is the seq of the group's observation before that: the daemon took the epoch up somewhere in between.
    """

    seq: int
    at: datetime
    group: Group
    epoch: int
    after: int = 0


@dataclass(frozen=True, slots=True)
class Past:
    """What a span of the store holds."""

    answers: int = 0
    first: datetime | None = None
    last: datetime | None = None
    switches: tuple[Switch, ...] = ()


class Reign:
    """The epochs in force, as the observations pass.

    A daemon takes up all that was promoted at once, but then hears of each group in turn: switches that may have been
    one count as one, so that the budget is divided as it was. What nothing judged at all is judged by `active`, the
    epochs of the active baselines.
    """

    def __init__(self, past: Past, rhythms: Iterable[Rhythm], active: Epochs) -> None:
        judged = {switch.group for switch in past.switches}
        self.epochs: dict[Group, int] = {group: epoch for group, epoch in active.items() if group not in judged}
        self._left = deque(_together(past, {(rhythm.target, rhythm.group): rhythm.interval for rhythm in rhythms}))
        self._since: dict[Group, int] = {}
        for switch in self._left:
            self._since.setdefault(switch.group, switch.seq)

    def reach(self, seq: int) -> bool:
        """Go on to this observation; whether other epochs are in force from it on."""
        changed = False
        while self._left and self._left[0].seq <= seq:
            switch = self._left.popleft()
            self.epochs[switch.group] = switch.epoch
            changed = True
        return changed

    def judges(self, kept: Kept) -> bool:
        """Whether the group of the observation was judged by then."""
        return kept.seq >= self._since.get((kept.observation.target, kept.observation.group), 0)


def pages(store: Store, since: datetime | None, until: datetime | None) -> Pages:
    """The scheduled observations of a span, each page in a transaction of its own, so that nobody waits for us."""
    after = 0
    while True:
        with store.reading() as tx:
            page = tx.kept(after=after, since=since, until=until, limit=PAGE)
        if not page:
            return
        yield tuple(page)
        after = page[-1].seq


def survey(store: Store, region: str, since: datetime | None, until: datetime | None) -> Past:
    """Go through a span once, to learn how much it holds and what judged it."""
    census = _Census(region, _epochs(store))
    answers, first, last = 0, None, None
    for page in pages(store, since, until):
        answers += len(page)
        moments = [kept.observation.slot_time for kept in page]
        first, last = min([*moments, first or moments[0]]), max([*moments, last or moments[0]])
        for kept in page:
            census.note(kept)
    return Past(answers, first, last, tuple(census.switches))


@dataclass(slots=True)
class _Census:
    """Watches the epochs change."""

    region: str
    epoch_of: Callable[[str], int]
    switches: list[Switch] = field(default_factory=list)
    _known: dict[Group, int] = field(default_factory=dict)
    _latest: dict[Group, int] = field(default_factory=dict)  # seq of each group's last observation

    def note(self, kept: Kept) -> None:
        seen = kept.observation
        if seen.region != self.region:
            return
        group = (seen.target, seen.group)
        own = (row.detector for row in own_rows(kept) if row.detector)
        epoch = next(map(self.epoch_of, own), None)
        if epoch is not None and self._known.get(group) != epoch:
            self._known[group] = epoch
            self.switches.append(Switch(kept.seq, seen.slot_time, group, epoch, self._latest.get(group, 0)))
        self._latest[group] = kept.seq


def _together(past: Past, intervals: Mapping[Group, timedelta]) -> Iterator[Switch]:
    """The switches in order; one that may have come with an earlier one, or with the beginning, is put there."""
    at, seq = past.first, 1
    for switch in past.switches:
        reach = MOST_INTERVALS * intervals.get(switch.group, timedelta(0))
        if at is None or switch.after >= seq or switch.at - at > reach:
            at, seq = switch.at, switch.seq
        yield replace(switch, seq=seq)


def _epochs(store: Store) -> Callable[[str], int]:
    @cache
    def epoch_of(digest: str) -> int:
        with store.reading() as tx:
            return revive(tx.detector(digest))[1]

    return epoch_of
