"""What is due: a pure function of the plan and an interval of time.

Each entry has a slot at `phase + k * interval` since the Unix epoch, its phase drawn from (region, target, group), so
that two daemons and a restarted one agree on every slot, and no entry moves another. What a slot holds (probe, salt,
jitter) is drawn by hash from the slot itself, so nothing has to be remembered and it does not matter who asks when.
All times are whole milliseconds.

An escalated entry has extra slots, which part each of its intervals evenly. They too lie where they lie whoever asks;
who is escalated only decides which of them are due, and no regular slot knows of it.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import blake2b

from canary.records import Probe, Run, Target

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

MOST_FACTOR = 20
"""Extra slots of the shortest interval, 100 ms, are still whole milliseconds apart."""

Key = tuple[str, str]
"""(target name, probe group): what has one rhythm."""


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One of `probes` at `target` in each `interval`, up to `jitter` (shorter than it) after its slot.

    It is fired `burst` times at once; `group` is the probe group of that burst size.
    """

    suite: str
    target: Target
    group: str
    probes: tuple[Probe, ...]
    interval: timedelta
    jitter: timedelta = timedelta(0)
    burst: int = 1

    def __post_init__(self) -> None:
        if not self.probes or not timedelta(0) <= self.jitter < self.interval or self.burst < 1:
            raise ValueError(f"{self.key}: an entry needs probes, 0 <= jitter < interval, and burst >= 1")

    @property
    def key(self) -> Key:
        return (self.target.name, self.group)


@dataclass(frozen=True, slots=True)
class Planned:
    """What one slot holds and the moment at which it is to be fired: the slot time plus jitter.

    `run` is the run of a lone probe, and the first one of a burst. An `extra` slot is one of escalation.
    """

    run: Run
    fire_at: datetime
    extra: bool = False

    @property
    def key(self) -> Key:
        return (self.run.target.name, self.run.group)

    @property
    def runs(self) -> tuple[Run, ...]:
        """All that is fired at once."""
        return self.run.volley


@dataclass(frozen=True, slots=True)
class _Lane:
    """The entries of one rhythm, ordered by phase."""

    interval: int
    jitter: int
    phases: tuple[int, ...]
    entries: tuple[PlanEntry, ...]
    extra: bool = False

    def slots(self, first: int, last: int) -> Iterator[tuple[PlanEntry, int]]:
        """All slots with first <= slot <= last."""
        for cycle in range(first // self.interval, last // self.interval + 1):
            start = cycle * self.interval
            low, high = bisect_left(self.phases, first - start), bisect_right(self.phases, last - start)
            for phase, entry in zip(self.phases[low:high], self.entries[low:high], strict=True):
                yield entry, start + phase


@dataclass(frozen=True)
class Plan:
    """All entries of one prober. `seed` is the fleet's: it decides which probe, salt and jitter a slot gets.

    An interval of an escalated entry holds `factor` slots.
    """

    entries: tuple[PlanEntry, ...]
    region: str
    seed: str = ""
    factor: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.factor <= MOST_FACTOR:
            raise ValueError(f"an interval cannot hold {self.factor} slots: 1 to {MOST_FACTOR}")
        if len({entry.key for entry in self.entries}) < len(self.entries):
            raise ValueError("two entries cover one probe group on one target")

    @cached_property
    def keys(self) -> frozenset[Key]:
        return frozenset(entry.key for entry in self.entries)

    @cached_property
    def jitter(self) -> timedelta:
        """The longest jitter of all entries."""
        return max((entry.jitter for entry in self.entries), default=timedelta(0))

    @cached_property
    def rate(self) -> float:
        """Slots per second."""
        return sum(1 / entry.interval.total_seconds() for entry in self.entries)

    def due(self, after: datetime, until: datetime, escalated: Collection[Key] = ()) -> tuple[Planned, ...]:
        """The slots with after < fire_at <= until, by fire_at; the extra ones of those entries that are `escalated`."""
        first, last = _milliseconds(after), _milliseconds(until)
        found = [
            (fire_at, entry.key, lane.extra, entry, slot)
            for lane in (*self._lanes, *self._extra_lanes(escalated))
            for entry, slot in lane.slots(first - lane.jitter, last)
            if first < (fire_at := slot + self._jitter(entry, slot, lane.jitter)) <= last
        ]
        found.sort(key=lambda item: item[:3])
        return tuple(
            Planned(self._run(entry, slot), _moment(fire_at), extra) for fire_at, _, extra, entry, slot in found
        )

    def _extra_lanes(self, escalated: Collection[Key]) -> Iterator[_Lane]:
        for key in escalated if self.factor > 1 else ():
            if (entry := self._by_key.get(key)) is not None:
                interval = entry.interval // _MILLISECOND
                steps = (nth * interval // self.factor for nth in range(1, self.factor))
                phases = sorted((self.phase(entry) + step) % interval for step in steps)
                jitter = entry.jitter // _MILLISECOND // self.factor
                yield _Lane(interval, jitter, tuple(phases), (entry,) * len(phases), extra=True)

    @cached_property
    def _by_key(self) -> dict[Key, PlanEntry]:
        return {entry.key: entry for entry in self.entries}

    def phase(self, entry: PlanEntry) -> int:
        """Where the slots of an entry lie in its interval, in milliseconds since the Unix epoch."""
        return _draw(self.region, *entry.key) % (entry.interval // _MILLISECOND)

    @cached_property
    def _lanes(self) -> tuple[_Lane, ...]:
        rhythms: dict[tuple[int, int], list[tuple[int, Key, PlanEntry]]] = defaultdict(list)
        for entry in self.entries:
            rhythm = entry.interval // _MILLISECOND, entry.jitter // _MILLISECOND
            rhythms[rhythm].append((self.phase(entry), entry.key, entry))
        return tuple(
            _Lane(interval, jitter, tuple(phase for phase, _, _ in ordered), tuple(entry for _, _, entry in ordered))
            for (interval, jitter), rows in rhythms.items()
            for ordered in [sorted(rows, key=lambda row: row[:2])]
        )

    def _jitter(self, entry: PlanEntry, slot: int, most: int) -> int:
        return _draw(self.seed, *entry.key, slot, "jitter") % (most + 1) if most else 0

    def _run(self, entry: PlanEntry, slot: int) -> Run:
        """Rendezvous hashing: each probe bids for the slot, so that a new probe takes its share and moves no other."""
        probe = max(entry.probes, key=lambda probe: _draw(self.seed, *entry.key, slot, "probe", probe.id))
        run = Run(probe, entry.target, self.region, _moment(slot), burst=entry.burst)
        salts = len(probe.salts)
        return replace(run, salt=_draw(self.seed, *entry.key, slot, "salt") % salts) if salts else run


def _draw(*facts: str | int) -> int:
    """A number drawn evenly from [0, 2^64) by hash."""
    return int.from_bytes(blake2b("\n".join(map(str, facts)).encode(), digest_size=8).digest())


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + milliseconds * _MILLISECOND
