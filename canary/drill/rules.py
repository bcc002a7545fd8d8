"""Common alert rules, on the very scores that the detectors were fed: what would they have said, and when?

Each looks at one series (a signal of a probe group on a target) after each of its scores, as dashboards do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from canary.drill.scenario import Scenario, Truth
from canary.drill.stage import Played
from canary.records import BaselineStatus, Score, SeriesKey
from canary.store.base import Store, Transaction

_GOLDEN = 200
_RECENT = 50
_HUNDRED = 100
_WIDTH = 24

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Series:
    """Its scores in order: whether each was an event, its value, and golden values, where its kind has them.

    `moments` are their slot times.
    """

    events: NDArray[np.float64]
    values: NDArray[np.float64]
    golden: NDArray[np.float64]
    moments: Sequence[datetime] = ()


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What a rule made of the drill: time from a fault's start to its first alarm, by fault; and its false alarms."""

    rule: str
    delays: Mapping[str, timedelta | None]
    false_alarms: int


Read = Callable[[Transaction, SeriesKey], tuple[NDArray[np.bool_], NDArray[np.float64], Sequence[datetime]]]
"""The scores that a series was fed: whether each was an event, its value, its slot time."""


def read_rows(tx: Transaction, series: SeriesKey) -> tuple[NDArray[np.bool_], NDArray[np.float64], Sequence[datetime]]:
    """From the rows of any store."""
    rows = tx.scores(series)
    values = [row.score.value for row in rows if isinstance(row.score, Score)]
    events = np.array([bool(row.event) for row in rows], dtype=np.bool_)
    return events, np.array(values, dtype=np.float64), [row.slot_time for row in rows]


def compare(played: Played, store: Store, read: Read = read_rows) -> tuple[RuleOutcome, ...]:
    """Every rule over every armed series."""
    scenario = played.scenario
    raised: dict[str, list[tuple[str, datetime]]] = {name: [] for name in RULES}
    with store.reading() as tx:
        golden = {
            baseline.series: baseline.golden
            for target in scenario.targets
            for baseline in tx.baselines(target=target, status=BaselineStatus.ACTIVE)
        }
        for key in sorted(played.watch.armed):
            events, values, moments = read(tx, key)
            spread = golden.get(key, ())[:: max(1, len(golden.get(key, ())) // _GOLDEN)]
            series = Series(events.astype(np.float64), values, np.array(spread), moments)
            for name, begun in _alarms(series):
                raised[name] += [(key.target, moment) for moment in begun]
    return tuple(_outcome(scenario, name, alarms) for name, alarms in raised.items())


def _alarms(series: Series) -> Iterator[tuple[str, list[datetime]]]:
    for name, rule in RULES.items():
        over = rule(series) if len(series.events) else np.zeros(0, dtype=bool)
        begun = np.flatnonzero(over & ~np.concatenate([[False], over[:-1]]))
        yield name, [series.moments[int(at)] for at in begun]


def _outcome(scenario: Scenario, name: str, alarms: Sequence[tuple[str, datetime]]) -> RuleOutcome:
    real = [truth for truth in scenario.truths if not truth.plan.benign]
    names = dict.fromkeys(truth.name for truth in real)
    delays = {name: _first([truth for truth in real if truth.name == name], alarms) for name in names}
    false = sum(not any(_caused(truth, target, at) for truth in real) for target, at in alarms)
    return RuleOutcome(name, delays, false)


def _first(parts: Sequence[Truth], alarms: Sequence[tuple[str, datetime]]) -> timedelta | None:
    """Of a fault, in any of its parts of the fleet."""
    began = min(part.began for part in parts)
    return min((at - began for target, at in alarms if any(_caused(part, target, at) for part in parts)), default=None)


def _caused(truth: Truth, target: str, at: datetime) -> bool:
    return target in truth.targets and truth.began <= at <= truth.ended


def _windowed(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Sum over the last `width` values; fewer at the start."""
    sums = np.cumsum(values)
    sums[width:] = sums[width:] - sums[:-width]
    return sums


def _three_in_a_row(series: Series) -> Flags:
    over: Flags = _windowed(series.events, 3) >= 3.0
    return over


def _below_95(series: Series) -> Flags:
    over: Flags = _windowed(series.events, _HUNDRED) > 0.05 * _HUNDRED
    return over


def _z_score(series: Series) -> Flags:
    """Mean of the last 24 against mean and standard error of the 24 before, beyond 3."""
    over = np.zeros(len(series.values), dtype=bool)
    if len(over) <= 2 * _WIDTH:
        return over
    mean = _windowed(series.values, _WIDTH) / _WIDTH
    squares = _windowed(series.values**2, _WIDTH) / _WIDTH
    spread = np.sqrt(np.maximum(squares - mean**2, 1e-12) / _WIDTH)
    over[2 * _WIDTH :] = (mean[2 * _WIDTH :] - mean[_WIDTH:-_WIDTH]) > 3.0 * spread[_WIDTH:-_WIDTH]
    return over


def _mann_whitney(series: Series) -> Flags:
    """The last 50 against golden values at 1 %, looked at after every score."""
    over = np.zeros(len(series.values), dtype=bool)
    n = len(series.golden)
    if not n or len(over) < _RECENT:
        return over
    below, upto = (np.searchsorted(series.golden, series.values, side) for side in ("left", "right"))
    u = _windowed((below + upto) / 2.0, _RECENT)
    z = (u - _RECENT * n / 2) / np.sqrt(_RECENT * n * (_RECENT + n + 1) / 12)
    over[_RECENT:] = z[_RECENT:] > 2.33
    return over


RULES: Mapping[str, Callable[[Series], Flags]] = {
    "three failures in a row": _three_in_a_row,
    "success below 95 % of 100": _below_95,
    "z-score, 24 against 24, beyond 3": _z_score,
    "Mann-Whitney, last 50, at 1 %": _mann_whitney,
}
"""By name, with what dashboards usually set them to."""
