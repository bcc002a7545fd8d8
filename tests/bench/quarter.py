"""A healthy quarter of a large fleet: false alarms counted against the bound. Then three faults that overlap.

    python -m tests.bench.quarter

Each of 2,048 series gets an answer every few minutes for 13 weeks, and every answer is heard in all scopes of the
hierarchy. Detectors are armed by golden sets drawn at random, of several sizes. In one quarter ("bounds") every series
is as bad as its golden set allows: its rate of events is the bound itself, its distances follow the tails. The promise
holds for these too, and with a budget of 200 it could be seen to fail. In the other ("golden") the series are healthy
as their golden sets were.
"""

import argparse
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from canary.alert.gist import first_onset, last_worsening
from canary.alert.suspects import Suspect
from canary.detect import Armed, Detector, DistanceDetector, EsrState, EventDetector, arm, esr, hierarchy
from canary.pipeline.scopes import Hierarchy, hierarchy_of, scope_of
from canary.pipeline.suspects import suspects
from canary.records import Baseline, BaselinePart, BaselineStatus, Interval, SeriesKey, SignalKind
from canary.store import MemoryStore
from tests.statistics.overlap import INTERVAL, REGION, START, changes, incident, play, targets

QUARTER = timedelta(weeks=13)
BUDGETS = (1.0, 200.0)
DELTA = 0.05
GOLDEN = (3_000, 6_000, 12_000)
SIGNALS = {"script": 0.0, "greedy": 5e-5, "syntax": 2e-4, "logprob": math.nan}
"""Healthy rates of events; nan for distances."""
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Member:
    """A series: its detector, and the probability of each answer it may get.

    `outcomes` are the rows of `log_e` and the entries of `bets`.
    """

    detector: Detector
    law: NDArray[np.float64]
    log_e: NDArray[np.float64]
    bets: NDArray[np.float64]


def fleet() -> list[SeriesKey]:
    """2,048 series: 8 regions, 2 models, 2 platforms, 4 pools, 4 probe groups, 4 signals."""
    places = product(range(8), range(2), range(2), range(4), range(4), SIGNALS)
    return [SeriesKey(f"m{m}/p{p}/s{s}", f"r{r}", f"g{g}", signal) for r, m, p, s, g, signal in places]


def member(key: SeriesKey, nth: int, series: int, rng: np.random.Generator, *, worst: bool) -> Member:
    """Armed by a golden set of its own; the `worst` is as bad as its bound allows."""
    n, rate = GOLDEN[nth % len(GOLDEN)], SIGNALS[key.signal]
    distance = math.isnan(rate)
    values = tuple(sorted(rng.exponential(size=n).tolist())) if distance else ()
    golden = Baseline(
        id=str(nth),
        series=key,
        epoch=1,
        status=BaselineStatus.ACTIVE,
        scorer_version=1,
        created_at=START,
        n=n,
        exposure=float(n),
        events=0 if distance else int(rng.binomial(n, rate)),
        parts=(BaselinePart("probe", n),),
        calibration=values,
    )
    kind = SignalKind.DISTANCE if distance else SignalKind.EVENT
    status = arm(golden, kind, delta=DELTA / series, smallest_share=0.05)
    if not isinstance(status, Armed):
        raise TypeError(f"{key} is not armed by {n} golden answers")
    if isinstance(status.detector, DistanceDetector):
        return _distance(status.detector, worst=worst)
    return _event(status.detector, rate, worst=worst)


def _event(detector: EventDetector, rate: float, *, worst: bool) -> Member:
    p = detector.healthy_event_rate(1.0) if worst else rate
    return _member(detector, np.array([1.0 - p, p]), (0.0, 1.0))


def _distance(detector: DistanceDetector, *, worst: bool) -> Member:
    """Its values fall between golden ones as the bounds allow at most, or as the exponential law says."""
    edges = np.array(detector.edges)
    tails = np.array(detector.tails) if worst else np.exp(-edges)
    law = np.diff(np.r_[0.0, tails, 1.0])
    return _member(detector, law, (edges[0] + 1.0, *edges))


def _member(detector: Detector, law: NDArray[np.float64], values: Sequence[float]) -> Member:
    return Member(
        detector,
        law,
        np.stack([detector.log_e(float(value), 1.0, 0.5) for value in values]),
        np.array([detector.bet(float(value), 1.0, 0.5) for value in values]),
    )


class Stack:
    """Series whose detectors can bring the same outcomes, stepped at once, under every budget."""

    def __init__(self, members: Sequence[Member], log_b: NDArray[np.float64]) -> None:
        self._bounds = np.stack([np.cumsum(member.law) for member in members])
        self._log_e = np.stack([member.log_e for member in members])
        self._bets = np.stack([member.bets for member in members])
        self._outcomes = members[0].detector.outcomes(1.0)
        self._state = esr.start(self._log_e.shape[2], (len(log_b), len(members)))
        self._log_b = np.broadcast_to(log_b[:, np.newaxis], self._state.n.shape)
        self.alarms = np.zeros(len(log_b), dtype=np.int64)

    def slot(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """One answer of each series; the bets that they make."""
        at = np.arange(len(self._bets))
        drawn = np.minimum((rng.random(len(at))[:, np.newaxis] > self._bounds).sum(axis=1), self._bets.shape[1] - 1)
        after = esr.step(self._state, self._log_e[at, drawn], self._log_b, self._outcomes)
        self._state, alarmed = _settled(after)
        self.alarms += alarmed.sum(axis=1)
        return self._bets[at, drawn]


class Scopes:
    """All scopes of the fleet. The series of a region and signal take turns, those of different ones are apart."""

    def __init__(
        self, series: Sequence[SeriesKey], members: Sequence[Member], tree: Hierarchy, log_b: NDArray[np.float64]
    ) -> None:
        names: dict[SeriesKey, int] = {}
        for key in series:
            for scope in tree.scopes(key, ""):
                names.setdefault(scope, len(names))
        turns: dict[tuple[str, str], list[int]] = {}
        for nth, key in enumerate(series):
            turns.setdefault((key.region, key.signal), []).append(nth)
        self.names = names
        self._turns = [np.array(turn) for turn in zip(*turns.values(), strict=True)]
        self._at = [
            np.array([[names[s] for s in tree.scopes(series[nth], "")] for nth in turn]) for turn in self._turns
        ]
        heard = [one.detector.bet_outcomes(1.0) for one in members]
        self._known = [len(log_b) * [heard[nth] for nth in turn for _ in tree.levels] for turn in self._turns]
        self._state = esr.start(len(hierarchy.SHARES), (len(log_b), len(names)))
        self._log_b = log_b[:, np.newaxis, np.newaxis] + tree.log_weight
        self.alarms = np.zeros((len(log_b), len(tree.levels)), dtype=np.int64)

    def slot(self, bets: NDArray[np.float64]) -> None:
        """The answers of one slot are heard one after another."""
        log_e = hierarchy.log_e(bets)[:, np.newaxis, :]
        log_r, n = self._state.log_r, self._state.n
        for turn, at, known in zip(self._turns, self._at, self._known, strict=True):
            whole, flat = log_r[:, at].shape, (-1, log_r.shape[-1])
            fed, spent = np.broadcast_to(log_e[turn], whole), np.broadcast_to(self._log_b, whole[:-1])
            before = EsrState(log_r[:, at].reshape(flat), n[:, at].ravel())
            after, alarmed = _settled(esr.step_each(before, fed.reshape(flat), spent.ravel(), known))
            log_r[:, at], n[:, at] = after.log_r.reshape(whole), after.n.reshape(whole[:-1])
            self.alarms += alarmed.reshape(whole[:-1]).sum(axis=1)


def _settled(after: EsrState) -> tuple[EsrState, NDArray[np.bool_]]:
    """What is left, and who alarmed."""
    if after.log_r.max() < -math.log(after.log_r.shape[-1]):  # no sum of them reaches 1
        return after, np.zeros(after.n.shape, dtype=np.bool_)
    alarmed = esr.evidence(after) >= 0.0
    return esr.reset(after, alarmed), alarmed


@dataclass(frozen=True, slots=True)
class Count:
    """Alarms of one level under each budget, and what it was allowed to spend."""

    level: str
    detectors: int
    alarms: tuple[int, ...]
    bounds: tuple[float, ...]


def quarter(minutes: float, seed: int, *, worst: bool) -> list[Count]:
    """Play it; alarms by level."""
    rng, series = np.random.default_rng(seed), fleet()
    tree = hierarchy_of([key for key in series if key.region == series[0].region], replicas=False)
    slots = round(QUARTER / timedelta(minutes=minutes))
    log_b = np.log(np.array(BUDGETS) / slots / len(series) / tree.total)
    members = [member(key, nth, len(series), rng, worst=worst) for nth, key in enumerate(series)]
    kinds = _alike(members)
    stacks = [Stack([members[nth] for nth in kind], log_b) for kind in kinds]
    scopes = Scopes(series, members, tree, log_b)
    bets = np.zeros(len(series))
    for _ in _shown(range(slots), "at the bounds" if worst else "golden sets"):
        for kind, stack in zip(kinds, stacks, strict=True):
            bets[kind] = stack.slot(rng)
        scopes.slot(bets)
    return list(_counts(series, tree, stacks, scopes))


def _alike(members: Sequence[Member]) -> list[list[int]]:
    kinds: dict[object, list[int]] = {}
    for nth, member in enumerate(members):
        bound = getattr(member.detector, "tails", None) or member.detector.healthy_event_rate(1.0)
        kinds.setdefault(bound, []).append(nth)
    return list(kinds.values())


def _counts(series: Sequence[SeriesKey], tree: Hierarchy, stacks: Sequence[Stack], scopes: Scopes) -> Iterator[Count]:
    own = np.sum([stack.alarms for stack in stacks], axis=0)
    yield Count("series", len(series), tuple(map(int, own)), tuple(b / tree.total for b in BUDGETS))
    for nth, level in enumerate(tree.levels):
        heard = {scope_of(level, key) for key in series}
        bounds = tuple(b * tree.weight / tree.total for b in BUDGETS)
        yield Count(level.value, len(heard), tuple(map(int, scopes.alarms[:, nth])), bounds)
    whole = own + scopes.alarms.sum(axis=1)
    yield Count("all", len(series) + len(scopes.names), tuple(map(int, whole)), BUDGETS)


def _shown(slots: Sequence[int], what: str) -> Iterator[int]:
    every = max(1, len(slots) // _SHOWN)
    for slot in slots:
        if slot % every == 0:
            done = min(_SHOWN, slot // every)
            print(f"\r{what:<14} {'#' * done}{'.' * (_SHOWN - done)}", end="", file=sys.stderr, flush=True)
        yield slot
    print(file=sys.stderr)


def interval(count: int, sure: float = 0.95) -> tuple[float, float]:
    """Of a Poisson mean, exact.

    >>> [round(end, 2) for end in interval(3)]
    [0.62, 8.77]
    """
    half = (1.0 - sure) / 2.0
    low = float(gammaincinv(count, half)) if count else 0.0
    return low, float(gammaincinv(count + 1, 1.0 - half))


def table(counts: Iterable[Count]) -> Iterator[str]:
    yield f"{'':<20}{'detectors':>10}" + "".join(f"{'bound':>9}{'alarms':>8}{'95 %':>16}" for _ in BUDGETS)
    for one in counts:
        cells = "".join(_cell(count, bound) for count, bound in zip(one.alarms, one.bounds, strict=True))
        yield f"{one.level.replace('_', ' '):<20}{one.detectors:>10,}{cells}"


def _cell(count: int, bound: float) -> str:
    low, high = interval(count)
    return f"{bound:>9.2f}{count:>8}{f'{low:.1f} to {high:.1f}':>16}" + ("!" if low > bound else "")


def story(seed: int) -> Iterator[str]:
    """The three faults, within nine days."""
    first, large, worse, end = (round(timedelta(days=day) / INTERVAL) for day in (1, 6, 8, 9))
    store = MemoryStore()
    for _ in play(store, incident(first, large, worse, end), end, seed, changes(first, large, worse)):
        pass
    spots = {(target.name, REGION) for target in targets()}
    with store.reading() as tx:
        for one in tx.incidents():
            found = suspects(tx, one, spots)
            yield f"{one.target:<14} {one.findings[0].symptom.value:<12} opened {_day(one.opened_at)}"
            yield f"    began      {_when(first_onset(one))}   {_first(found.onset)}"
            if (since := last_worsening(one)) is not None:
                yield f"    worsened   {_when(since)}   {_first(found.worsening)}"


def _first(ranked: Sequence[Suspect]) -> str:
    change = ranked[0].change
    return f"first suspect: {change.id if change else 'no recorded change'}, {ranked[0].probability:.0%}"


def _when(when: Interval) -> str:
    return f"{_day(when.best)} ({_day(when.low)} to {_day(when.high)})"


def _day(moment: datetime) -> str:
    return f"{moment:%b %d %H:%M}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.quarter")
    parser.add_argument("--minutes", type=float, default=15.0, help="between the answers of a series")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("bounds", "golden", "faults"))
    asked = parser.parse_args()
    for name, worst in (("bounds", True), ("golden", False)):
        if asked.only in (None, name):
            print(f"\nhealthy quarter, {name}, an answer every {asked.minutes:g} minutes, budgets of 1 and of 200\n")
            print("\n".join(table(quarter(asked.minutes, asked.seed, worst=worst))), flush=True)
    if asked.only in (None, "faults"):
        print("\nthree faults that overlap\n")
        print("\n".join(story(asked.seed)))


if __name__ == "__main__":
    main()
