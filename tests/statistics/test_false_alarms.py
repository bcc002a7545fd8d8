"""The promise: on average no more false alarms than the budget spent."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.special import betaincinv, gammaincinv

from canary.detect import (
    DistanceDetector,
    EsrState,
    EventDetector,
    evidence,
    hierarchy,
    log_budget,
    lower_share,
    reset,
    start,
    step,
    tail_bounds,
    upper_share,
)
from canary.detect.distance import ranks
from canary.detect.escalation import Levels
from tests.statistics.simulate import alarm_counts, bernoulli, outcomes

AT = datetime(2025, 8, 25, tzinfo=UTC)
SURE = 1e-4  # a right program fails each test with at most this probability


def spacing(rng: np.random.Generator, slots: int) -> list[float]:
    """Ln b of unequal slots, one in five of them late, over two weeks and more."""
    latest, budgets = AT, []
    for minutes in rng.choice([1.0, 10.0, 60.0, 600.0, -30.0], size=slots):
        at = latest + timedelta(minutes=float(minutes))
        budgets.append(
            log_budget(per_week=0.02, share=0.5, slot_time=at, previous=latest, interval=timedelta(minutes=1))
        )
        latest = max(latest, at)
    return budgets


@pytest.mark.parametrize("p0", [1e-3, 0.02, 0.3])
def test_rare_events_at_the_worst_healthy_rate_keep_the_budget_over_unequal_and_late_slots(p0):
    detector = EventDetector(-np.log1p(-p0))
    log_b = np.array(spacing(np.random.default_rng(1), 600))
    budget, series = float(np.exp(log_b).sum()), 4000
    alarms = alarm_counts(outcomes(detector, [0.0, 1.0]), bernoulli(p0), log_b, series, seed=2)
    assert lower_share(int((alarms > 0).sum()), series, SURE) <= budget
    assert alarms.mean() <= budget + 4 * np.sqrt(budget / series)
    assert alarms.mean() >= 0.1 * budget  # not kept by never alarming


@pytest.mark.parametrize("p0", [1e-3, 0.02, 0.3])
def test_without_wasted_overshoot_unequal_and_late_slots_keep_the_budget_and_use_it(p0):
    detector = EventDetector(-np.log1p(-p0))
    log_b = np.array(spacing(np.random.default_rng(1), 600))
    budget, series = float(np.exp(log_b).sum()), 4000
    known = detector.outcomes(1.0)
    alarms = alarm_counts(outcomes(detector, [0.0, 1.0]), bernoulli(p0), log_b, series, 2, known)
    assert alarms.mean() <= budget + 4 * np.sqrt(budget / series)
    assert upper_share(int((alarms > 0).sum()), series, SURE) >= 0.35 * budget


@pytest.mark.parametrize(("saves", "least"), [(False, 0.1), (True, 0.35)])
def test_a_scope_of_series_heard_in_turn_keeps_its_budget_at_the_worst_healthy_rate(saves, least):
    """Four series with rates of their own; one slot in five has no answer. Saving overshoot, it uses the budget too."""
    rates, scopes, slots, budget, rng = (0.001, 0.01, 0.05, 0.3), 3000, 150, 0.1, np.random.default_rng(9)
    state, alarms = hierarchy.start((scopes,)), np.zeros(scopes)
    for _ in range(slots):
        for rate in rates:
            detector = EventDetector(-np.log1p(-rate))
            bets = np.array([detector.bet(value, 1.0, 0.0) for value in (0.0, 1.0)])
            heard = rng.random(scopes) >= 0.2
            bet = bets[(rng.random(scopes) < rate).astype(int)]
            log_b = np.full(scopes, np.log(budget / 0.8 / slots / len(rates)))
            after = hierarchy.step(state, bet, log_b, detector.bet_outcomes(1.0) if saves else None)
            state = EsrState(np.where(heard[:, None], after.log_r, state.log_r), np.where(heard, after.n, state.n))
            over = evidence(state) >= 0.0
            alarms, state = alarms + over, reset(state, over)
    assert lower_mean(int(alarms.sum())) <= scopes * budget
    assert alarms.mean() >= least * budget


def test_a_rate_below_the_bound_alarms_less():
    detector, log_b = EventDetector(0.02), np.full(600, np.log(1e-4))
    log_e = outcomes(detector, [0.0, 1.0])
    worst, better = (alarm_counts(log_e, bernoulli(p), log_b, 3000, seed=3).sum() for p in (0.0198, 0.01))
    assert better < worst


def test_a_slot_rate_that_follows_the_evidence_keeps_the_budget():
    """Escalation: a series with evidence is probed ten times as often, each slot paying for its own time only."""
    p0, series, rng = 0.02, 4000, np.random.default_rng(4)
    log_e = outcomes(EventDetector(-np.log1p(-p0)), [0.0, 1.0])
    state, alarms, spent = start(log_e.shape[1], (series,)), np.zeros(series), np.zeros(series)
    for _ in range(600):
        b = np.where(evidence(state) > np.log(1e-3), 2e-5, 2e-4)
        state = step(state, log_e[(rng.random(series) < p0).astype(int)], np.log(b))
        alarmed = evidence(state) >= 0.0
        alarms, spent, state = alarms + alarmed, spent + b, reset(state, alarmed)
    assert alarms.mean() <= spent.mean() + 4 * np.sqrt(spent.mean() / series)


@pytest.mark.parametrize("atoms", [0.0, 0.9])
def test_distances_keep_the_budget_though_every_series_keeps_its_one_golden_set(atoms):
    """Golden sets are drawn once per series and reused: the case in which plain conformal p-values drift."""
    rng, series, slots, delta, budget = np.random.default_rng(5), 1200, 2000, 0.02, 0.05

    def draw(*shape: int) -> np.ndarray:
        return np.where(rng.random(shape) < atoms, 0.0, rng.exponential(size=shape))

    detectors = [DistanceDetector.from_golden(golden.tolist(), delta) for golden in draw(series, 150)]
    tables = np.stack([_by_cell(detector) for detector in detectors])
    edges = np.array([detector.edges for detector in detectors])
    state, alarmed = start(tables.shape[2], (series,)), np.zeros(series, dtype=bool)
    for _ in range(slots):
        cells = (edges >= draw(series)[:, None]).sum(axis=1)
        state = step(state, tables[np.arange(series), cells], np.full(series, np.log(budget / slots)))
        alarmed |= evidence(state) >= 0.0
    assert lower_share(int(alarmed.sum()), series, SURE) <= budget + delta


def _by_cell(detector: DistanceDetector) -> np.ndarray:
    """Ln e by the number of edges that are >= the value."""
    distinct = DistanceDetector(detector.n, tuple(-float(at) for at in range(len(detector.edges))), detector.tails)
    return outcomes(distinct, [1.0, *distinct.edges])


@pytest.mark.parametrize("delta", [0.02, 0.2])
@pytest.mark.parametrize("n", [10, 100, 700])
def test_all_bounds_of_the_golden_tail_hold_together_with_the_promised_probability(n, delta):
    sets = 20_000
    order = np.sort(np.random.default_rng(n).random((sets, n)), axis=1)[:, [rank - 1 for rank in ranks(n)]]
    broken = int((order > np.array(tail_bounds(n, delta))).any(axis=1).sum())
    assert betaincinv(max(broken, 1), sets - broken + 1, SURE) <= delta
    assert broken / sets >= delta / 2 * 0.8  # the half of delta on the largest value is not wasted


def test_probing_faster_what_is_past_its_warning_keeps_the_promises_on_alarms_and_on_warnings():
    """Each series has its own clock: a minute to the next slot, or a twelfth of it while it is past its warning."""
    p0, per_week, minutes, series = 0.02, 400.0, 60, 4000
    levels, rng = Levels(-3.0), np.random.default_rng(6)
    detector = EventDetector(-np.log1p(-p0))
    log_e, known = outcomes(detector, [0.0, 1.0]), detector.outcomes(1.0)
    state, passed = start(log_e.shape[1], (series,)), np.zeros(series, dtype=bool)
    clock, spent, alarms, warnings, slots = (np.zeros(series) for _ in range(5))
    while (active := clock < minutes).any():
        gap = np.where(passed, 1 / 12, 1.0)
        b = per_week * gap / (7 * 24 * 60)
        after = step(state, log_e[(rng.random(series) < p0).astype(int)], np.log(b), known)
        reached = evidence(after)
        alarmed = active & (reached >= 0.0)
        now = (reached >= np.where(passed, levels.fallback, levels.warning)) & ~alarmed
        warnings += active & (now | alarmed) & ~passed
        clock, spent, slots = clock + active * gap, spent + active * b, slots + active
        alarms, passed, state = alarms + alarmed, now, reset(after, alarmed)  # past its hour a series counts no more
    assert slots.mean() > 1.05 * minutes  # else nothing was tried
    assert lower_mean(int(alarms.sum())) <= spent.sum()
    bound = (spent.sum() + series * np.exp(levels.fallback)) / (np.exp(levels.warning) - np.exp(levels.fallback))
    assert lower_mean(int(warnings.sum())) <= bound
    assert spent.max() <= per_week * (minutes + 1) / (7 * 24 * 60)


def lower_mean(count: int) -> float:
    """Lower bound of the mean of a Poisson count; alarms of independent series vary no more."""
    return float(gammaincinv(count, SURE)) if count else 0.0
