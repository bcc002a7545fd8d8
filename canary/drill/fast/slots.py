"""All slots of a scenario in the order in which they are fired, with what each got."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from canary.drill.fast.deal import Dealer, Track
from canary.drill.fast.odds import Floats, Ints, Weather
from canary.drill.scenario import Scenario
from canary.lab.faults import OF_BATCHES, Fault
from canary.schedule.plan import Plan

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_HOUR, _DAY = 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """n units, in the order in which they are fired; times in milliseconds since the Unix epoch.

    `vectors` says by track what its units got, in order, shape (n of the track, burst).
    """

    fired: Ints
    slot: Ints
    track: NDArray[np.int32]
    nth: Ints  # of its track
    vectors: Sequence[Ints]


@dataclass(frozen=True, slots=True, eq=False)
class Dealt:
    """What one track got: when its units are fired and their slot times, ascending, and vectors, (n, burst)."""

    fired: Ints
    slot: Ints
    vectors: Ints


async def deal(scenario: Scenario, plan: Plan, track: Track, dealer: Dealer) -> Dealt:
    """All slots of a track."""
    fired, slot = _times(plan, track, scenario, dealer.rng)
    return Dealt(fired, slot, await _dealt(scenario, track, fired, dealer))


def in_order(dealt: Sequence[Dealt]) -> Slots:
    """Of all tracks together."""
    fired, slot = (np.concatenate(parts) for parts in ([one.fired for one in dealt], [one.slot for one in dealt]))
    track = np.repeat(np.arange(len(dealt), dtype=np.int32), [len(one.fired) for one in dealt])
    nth = np.concatenate([np.arange(len(one.fired)) for one in dealt])
    order = np.lexsort((track, fired))
    return Slots(fired[order], slot[order], track[order], nth[order], [one.vectors for one in dealt])


def moment(milliseconds: int) -> datetime:
    """Of a time as `Slots` has it."""
    return _EPOCH + milliseconds * _MILLISECOND


def milliseconds(when: datetime) -> int:
    """As `Slots` has times."""
    return (when - _EPOCH) // _MILLISECOND


def hours(fired: Ints) -> Floats:
    """The hour of the day (UTC)."""
    return np.asarray(fired % _DAY / _HOUR)


def _times(plan: Plan, track: Track, scenario: Scenario, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """When the units of a track are fired, ascending, and their slot times."""
    interval, jitter = (one // _MILLISECOND for one in (track.entry.interval, track.entry.jitter))
    begin, end, phase = milliseconds(scenario.begin), milliseconds(scenario.end), plan.phase(track.entry)
    first = (begin - jitter - phase) // interval
    slot = phase + interval * np.arange(first, (end - phase) // interval + 1, dtype=np.int64)
    fired = slot + rng.integers(jitter + 1, size=len(slot))
    due = (begin < fired) & (fired <= end)
    return fired[due], slot[due]


async def _dealt(scenario: Scenario, track: Track, fired: Ints, dealer: Dealer) -> Ints:
    edges = _edges(scenario)
    at = np.searchsorted(fired, edges)
    parts = [np.zeros((0, track.entry.burst), dtype=np.int64)]
    for begin, end, low, high in zip(edges, edges[1:], at, at[1:], strict=False):
        ours = fired[low:high]
        if len(ours):
            weather = _weather(scenario, track, ours, (begin, end))
            parts.append(await dealer.deal(track, weather, track.chosen(len(ours), dealer.rng)))
    return np.concatenate(parts)


def _edges(scenario: Scenario) -> list[int]:
    """Between two of these, shares stay or change evenly, and rates stay."""
    begin, end = milliseconds(scenario.begin), milliseconds(scenario.end) + 1
    stages = [stage for truth in scenario.truths for stage in truth.stages]
    turns = {milliseconds(at + late) for at, stage in stages for late in (timedelta(0), stage.over)}
    return sorted({begin, end, *(turn for turn in turns if begin < turn < end)})


def _weather(scenario: Scenario, track: Track, fired: Ints, span: tuple[int, int]) -> Weather:
    begin, end, middle = moment(span[0]), moment(span[1] - 1), moment(sum(span) // 2)
    found: list[tuple[Fault, Floats]] = []
    gathered = False
    for truth in scenario.truths:
        now = truth.at(middle)
        gathered = gathered or any(fault.batch != 1 or fault.kind in OF_BATCHES for fault in now)
        way = np.clip((fired - span[0]) / max(1, span[1] - 1 - span[0]), 0.0, 1.0)
        share = truth.share(begin) + (truth.share(end) - truth.share(begin)) * way
        found += [(replace(fault, share=1.0), share) for fault in now if track.odds.concern(fault)]
    shares = np.array([share for _, share in found]).reshape(len(found), len(fired))
    return Weather(tuple(fault for fault, _ in found), shares, hours(fired), gathered)


def calm(fired: Ints) -> Weather:
    """Nothing is wrong."""
    return Weather((), np.zeros((0, len(fired))), hours(fired))
