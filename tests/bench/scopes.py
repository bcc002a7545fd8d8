"""Many series heard together, sticky sessions, and validity where noise is not as in a textbook."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from typing_extensions import override

from canary.detect import EsrState, EventDetector, Outcomes, evidence, start, step, tail_bounds
from canary.detect._mixing import contaminated
from canary.detect.distance import DistanceDetector, ranks
from canary.pipeline.hearing import Bet, Hearing
from canary.pipeline.scopes import Hierarchy, hierarchy_of
from canary.records import Score, SeriesKey
from canary.store.base import ScoreRow
from tests.bench.intervals import Count, Median
from tests.statistics.simulate import bernoulli, first_alarms

_POOLS = 16
_HEALTHY, _DETECTOR = 1e-4, EventDetector(-math.log1p(-1e-4))
_HIERARCHY = hierarchy_of(
    [SeriesKey(f"m/p/{pool}", "r", group, "s") for pool in range(_POOLS) for group in "abcde"], replicas=False
)
"""Of 16 pools of one model on one platform, with five probe groups: what one level may spend."""
_FLEETS, _WARM, _SCOPES = 200, 300, 1000
_SERIES = 1000
_SLOTS = 1500
_BUDGET = 0.1  # false alarms per series over all slots
_DELTA = 0.01
_NOW = datetime(2025, 8, 25, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rounds:
    """Rounds to alarm, one probe of each pool in a round: medians, with the ranks that hold them with 95 %."""

    share: float
    c: float
    one: Median
    undivided: Median
    first: Median
    scope: Median
    told: Median

    @override
    def __str__(self) -> str:
        sooner = (self.undivided.value / self.scope.value, self.first.value / self.scope.value)
        cells = "".join(f"{each!s:>20}" for each in (self.one, self.undivided, self.first, self.scope, self.told))
        return f"{self.share:7.2%} {self.c:6.0e}{cells}{sooner[0]:9.1f}{sooner[1]:9.1f}"


def measured_scopes() -> Iterator[Rounds]:
    print(f"\n{_POOLS} pools, p0 = 1e-4, a fault in all, budget {_POOLS} / c a round for all detectors: median rounds")
    print(
        f"\none pool, the first of {_POOLS} and their scope share it as in the product: half for the pools, and "
        f"{_HIERARCHY.weight / 2:.2f} for\nthe scope, as one of {len(_HIERARCHY.levels)} levels; 'no scope' is the "
        "first of the pools when there are no scopes, so that all is theirs; 'told' is a scope that knows the share\n"
    )
    names = ("one pool", "no scope, first", f"first of {_POOLS}", "scope", "told")
    print(f"{'share':>7} {'c':>6}" + "".join(f"{name:>20}" for name in names) + "   times sooner")
    for c in (1e5, 2e7):
        for share in (0.0018, 0.008, 0.05):
            yield _rounds(share, c)


def print_hearing() -> None:
    """Answers of six signals, each heard in its scopes: a healthy fleet, and one that a fault touches everywhere."""
    print("\nmicroseconds of CPU to hear an answer of six signals in its scopes\n")
    print(f"{'bad answers':>12} {'outcomes unknown':>18} {'known':>8} {'ratio':>7}")
    for share in (0.0, 0.008, 0.3):
        plain, saving = (min(_hearing(share, known=known) for _ in range(5)) for known in (False, True))
        print(f"{share:12.1%} {plain:18.0f} {saving:8.0f} {saving / plain:7.2f}", flush=True)


def _hearing(share: float, *, known: bool, answers: int = 2_000) -> float:
    rng, hearing = np.random.default_rng(6), Hearing()
    fleet = [SeriesKey(f"{m}/{p}/{pool}", "r", g, "") for m in "ab" for p in "cd" for pool in "efgh" for g in "xyz"]
    tree = hierarchy_of(fleet, replicas=True)
    told = [list(_bets(fleet[rng.integers(len(fleet))], tree, share, rng, known=known)) for _ in range(answers)]
    began = time.process_time()
    for bets in told:
        hearing.hear(bets, _NOW)
    return 1e6 * (time.process_time() - began) / answers


def _bets(series: SeriesKey, tree: Hierarchy, share: float, rng: np.random.Generator, *, known: bool) -> Iterator[Bet]:
    bad, replica = rng.random() < share, f"r{rng.integers(8)}"
    for nth in range(6):
        detector, key = EventDetector(0.01 / 3.0**nth), replace(series, signal=f"s{nth}")
        event = float(bad or rng.random() < detector.healthy_event_rate(1.0))
        row = ScoreRow("s", key, _NOW, Score(key.signal, 1, event), log_budget=-16.0, replica=replica)
        yield Bet(row, detector.bet(event, 1.0, 0.0), tree, detector.bet_outcomes(1.0) if known else None)


def print_sticky() -> None:
    print("\nsticky sessions, 0.8 % of servers bad, p0 = 1e-4, c = 1e5: median probes to alarm\n")
    for length in (1, 5, 20):
        print(f"{length:3} probes a session {_sticky(length):8.0f}", flush=True)


def _rounds(share: float, c: float) -> Rounds:
    def pools(log_b: float) -> NDArray[np.float64]:
        return _times(_DETECTOR.outcomes(1.0), share, log_b, _FLEETS * _POOLS, _WARM).reshape(_FLEETS, _POOLS)

    def scope(heard: Outcomes) -> NDArray[np.float64]:
        return _times(heard, share, _HIERARCHY.log_weight - math.log(2.0 * c), _SCOPES, _WARM * _POOLS) / _POOLS

    divided, undivided, heard = pools(-math.log(2.0 * c)), pools(-math.log(c)), _DETECTOR.bet_outcomes(1.0)
    told = Outcomes(heard.log_law, contaminated([_DETECTOR.bet(value, 1.0, 0.0) for value in (1.0, 0.0)], [share]))
    samples = (divided.ravel(), undivided.min(axis=1), divided.min(axis=1), scope(heard), scope(told))
    return Rounds(share, c, *map(Median.of, samples))


def _times(known: Outcomes, share: float, log_b: float, series: int, warmup: int) -> NDArray[np.float64]:
    """Of what an event and none bring, in this order."""
    faulty, healthy = bernoulli(share), bernoulli(_HEALTHY)
    return first_alarms(known.log_e[::-1], faulty, log_b, series, 3, warm=healthy, warmup=warmup, known=known)


def _sticky(length: int, share: float = 0.008) -> float:
    detector, rng, log_b, series = EventDetector(1e-4), np.random.default_rng(4), math.log(1e-5), 400
    table, known = detector.outcomes(1.0).log_e[::-1], detector.outcomes(1.0)
    state, times, at, bad = start(detector.alternatives, (series,)), np.full(series, np.inf), 0, np.zeros(series, int)
    while np.isfinite(times).mean() < 0.55:
        bad = (rng.random(series) < share).astype(int) if at % length == 0 else bad
        state, at = step(state, table[bad], np.full(series, log_b), known), at + 1
        times = np.where((evidence(state) >= 0.0) & np.isinf(times), at, times)
    return float(np.median(times))


@dataclass(frozen=True, slots=True)
class Mess:
    """How many of the healthy series alarmed; `bound` is what the theory allows, where it covers the noise."""

    noise: str
    golden: int
    alarmed: Count
    bound: int
    is_covered: bool

    @override
    def __str__(self) -> str:
        low, high = self.alarmed.interval
        within = ("yes" if low <= self.bound else "NO") + ("" if self.is_covered else ", not covered by theory")
        alarmed = f"{self.alarmed.events:7} {low:5.0f} to {high:3.0f}"
        return f"{self.noise:<44} {self.golden:7} {alarmed} {self.bound:6}  {within}"


def measured_mess() -> Iterator[Mess]:
    """Each series has its own golden set, drawn once, and is healthy. Scores are given by their healthy tail u."""
    print(f"\nfalse alarms of {_SERIES} healthy series over {_SLOTS} slots, budget {_BUDGET} each, delta {_DELTA}")
    print(f"\n{'noise':<44} {'golden':>7} {'alarms':>7} {'95 %':>9} {'bound':>6}  within")
    covered = {"independent": _independent, "21 atoms": _atoms, "sessions of 5, a fresh effect each, one unit": _units}
    for name, noise in covered.items():
        for n in (3_000, 20_000, 100_000):
            yield _mess(name, n, noise, is_covered=True)
    beyond = {
        "AR(1), rho 0.2": _ar1,
        "sessions of 5 fed answer by answer": _sessions,
        "prompts in turn, not drawn": _turns,
    }
    for name, noise in beyond.items():  # given the past, u is not as in the golden set
        yield _mess(name, 20_000, noise, is_covered=False)


def _mess(name: str, n: int, noise, *, is_covered: bool) -> Mess:
    return Mess(name, n, Count(_alarms(noise, n), _SERIES), round(_SERIES * (_BUDGET + _DELTA)), is_covered)


def _alarms(noise, n: int) -> int:
    """How many series alarmed. Golden values are order statistics of uniform tails, drawn without the others."""
    rng = np.random.default_rng(5)
    at = np.array(ranks(n))
    arrivals = np.cumsum(rng.gamma(np.diff(np.r_[0, at, n + 1]), size=(_SERIES, len(at) + 1)), axis=1)
    tails, golden = tail_bounds(n, _DELTA), arrivals[:, :-1] / arrivals[:, -1:]
    law = DistanceDetector(n, tuple(-float(rank) for rank in at), tails).outcomes(1.0)
    state, alarmed = start(law.log_e.shape[1], (_SERIES,)), np.zeros(_SERIES, bool)
    spend = np.full(_SERIES, math.log(_BUDGET / _SLOTS))
    lattice = _atom if noise is _atoms else (lambda u: u)
    edges = lattice(golden)
    for u in noise(rng):
        state = step(state, law.log_e[(edges <= lattice(u)[:, np.newaxis]).sum(axis=1)], spend, law)
        alarmed |= evidence(state) >= 0.0
        state = EsrState(np.where(alarmed[:, np.newaxis], -np.inf, state.log_r), state.n)
    return int(alarmed.sum())


def _atom(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """21 values, each 1.6 times rarer than the one before."""
    return np.minimum(np.floor(-np.log(u) / math.log(1.6)), 20.0) * -1.0


def _independent(rng: np.random.Generator):
    for _ in range(_SLOTS):
        yield rng.random(_SERIES)


def _atoms(rng: np.random.Generator):
    return _independent(rng)


def _units(rng: np.random.Generator):
    """A session is one score: its tail is uniform whatever the effect, for golden units are of the same make."""
    return _independent(rng)


def _ar1(rng: np.random.Generator, rho: float = 0.2):
    z = rng.normal(size=_SERIES)
    for _ in range(_SLOTS):
        z = rho * z + math.sqrt(1 - rho**2) * rng.normal(size=_SERIES)
        yield ndtr(-z)


def _sessions(rng: np.random.Generator, length: int = 5):
    effect = np.zeros(_SERIES)
    for slot in range(_SLOTS):
        effect = rng.normal(size=_SERIES) if slot % length == 0 else effect
        yield ndtr(-(math.sqrt(0.3) * effect + math.sqrt(0.7) * rng.normal(size=_SERIES)))


def _turns(rng: np.random.Generator):
    """Every other prompt is the noisy one: half of the slots have all the large scores."""
    for slot in range(_SLOTS):
        yield rng.random(_SERIES) / 2 + (0.0 if slot % 2 == 0 else 0.5)
