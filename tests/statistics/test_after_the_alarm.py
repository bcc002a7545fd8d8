"""Onset intervals cover, sizes cover, recovery is proven only when it is there, forecasts and verdicts hold."""

import math

import numpy as np
import pytest

from canary.detect import (
    DistanceDetector,
    EventDetector,
    Judgement,
    RecoveryTest,
    Rule,
    Verdict,
    delay,
    judge,
    lower_share,
    onset,
    sequential,
    size,
    size_since_onset,
    spell,
    upper_share,
)
from tests.statistics.simulate import bernoulli, first_alarms, outcomes

SURE = 1e-4


def alarmed_history(log_e: np.ndarray, p0: float, q: float, change: int, rng: np.random.Generator):
    """Outcomes since R was last 0 up to the alarm on a fault that begins at `change`, and where in them it begins."""
    e, b = np.exp(log_e), 1e-6 / log_e.shape[1]
    r, seen = np.zeros(log_e.shape[1]), []
    slot = since = 0
    while True:
        seen.append(int(rng.random() < (p0 if slot < change else q)))
        r, slot = (r + b) * e[seen[-1]], slot + 1
        if r.sum() >= 1.0:
            if slot > change:
                return np.array(seen[since:]), change - since
            r, since = np.zeros_like(r), slot


@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize(("p0", "q"), [(1e-3, 0.01), (5e-4, 0.16), (0.02, 0.2)])
def test_the_onset_interval_covers_the_true_onset_as_often_as_it_says(p0, q, confidence):
    log_e, rng, runs = outcomes(EventDetector(-np.log1p(-p0)), [0.0, 1.0]), np.random.default_rng(8), 300
    covered = 0
    for _ in range(runs):
        seen, change = alarmed_history(log_e, p0, q, int(rng.integers(100, 400)), rng)
        found = onset(log_e[seen], confidence=confidence)
        covered += found.low <= change <= found.high
    assert covered / runs >= confidence - 0.01


@pytest.mark.parametrize("share", [0.02, 0.16, 0.5])
def test_a_fault_that_goes_on_is_called_over_no_more_often_than_said(share):
    log_e, rng, runs = outcomes(EventDetector(1e-3), [0.0, 1.0]), np.random.default_rng(18), 500
    histories = (np.r_[rng.random(300) < 1e-3, rng.random(600) < share].astype(int) for _ in range(runs))
    over = sum(spell(log_e[seen], confidence=0.9).over for seen in histories)
    assert lower_share(over, runs, SURE) <= 0.1


@pytest.mark.parametrize("share", [0.16, 0.5])
def test_a_bad_hour_is_called_over_once_the_next_hours_are_good(share):
    log_e, rng, runs = outcomes(EventDetector(1e-3), [0.0, 1.0]), np.random.default_rng(19), 200
    over = 0
    for _ in range(runs):
        seen = np.r_[rng.random(300) < 1e-3, rng.random(60) < share, rng.random(300) < 1e-3].astype(int)
        over += spell(log_e[seen], confidence=0.9).over
    assert over / runs >= 0.95


def test_the_size_interval_covers_the_true_share_as_often_as_it_says():
    rng, share, healthy, runs = np.random.default_rng(9), 0.1, 0.01, 2000
    detector = EventDetector(-np.log1p(-2 * healthy))
    covered = 0
    for events in rng.random((runs, 200)) < healthy + share * (1 - healthy):
        found = size(detector, events.tolist(), [1.0] * 200)
        covered += found.low <= share <= found.high
    assert upper_share(covered, runs, SURE) >= 0.95


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_the_size_that_an_alarm_tells_covers_the_true_share_as_often_as_it_says(share):
    """Though its answers begin where they make the fault most likely, and end where it alarmed."""
    detector, rng, runs = EventDetector(1e-3), np.random.default_rng(20), 600
    log_e, covered = outcomes(detector, [0.0, 1.0]), 0
    for _ in range(runs):
        seen, _ = alarmed_history(log_e, 2.5e-4, share, int(rng.integers(100, 400)), rng)
        events = (seen[onset(log_e[seen]).best :] > 0).tolist()
        found = size_since_onset(detector, events, [1.0] * len(events))
        covered += found.low <= share <= found.high
    assert upper_share(covered, runs, SURE) >= 0.95


def ends(test: RecoveryTest, p: float, answers: int, runs: int, seed: int) -> np.ndarray:
    """Answers until recovery is called (inf: not within `answers`), the events drawn at the rate p."""
    return np.array([_end(test, events) for events in np.random.default_rng(seed).random((runs, answers)) < p])


def _end(test: RecoveryTest, events: np.ndarray) -> float:
    state = test.start()
    for at, event in enumerate(events.tolist()):
        state = test.step(state, event=event)
        if test.recovered(state):
            return at + 1
    return math.inf


def test_a_persisting_fault_is_called_recovered_with_at_most_probability_alpha():
    test = RecoveryTest(healthy=0.02, persisting=0.1, alpha=0.05)
    wrong = int(np.isfinite(ends(test, 0.1, 1500, 300, seed=10)).sum())
    assert lower_share(wrong, 300, SURE) <= 0.05


@pytest.mark.parametrize("p", [0.0, 0.01, 0.02])
def test_a_recovered_series_is_called_so_in_time(p):
    test = RecoveryTest(healthy=0.02, persisting=0.1)
    assert np.quantile(ends(test, p, 1500, 100, seed=11), 0.9) <= 400


@pytest.mark.parametrize(("rate", "share"), [(1e-4, 0.008), (1e-4, 0.05), (1e-4, 0.16), (1e-3, 0.01), (4e-3, 0.05)])
def test_the_forecast_of_event_delay_is_within_a_factor_of_simulation(rate, share):
    detector, log_b = EventDetector(rate), math.log(1e-5)
    times = first_alarms(
        outcomes(detector, [0.0, 1.0]), bernoulli(share), log_b, 400, seed=12, warm=bernoulli(0.0), warmup=1000
    )
    assert 1 / 1.3 <= delay(detector, share, 1.0, log_b) / np.median(times) <= 1.3


@pytest.mark.parametrize("share", [0.03, 0.16, 1.0])
def test_the_forecast_of_distance_delay_is_within_a_factor_of_simulation(share):
    golden = np.sort(np.random.default_rng(13).exponential(size=2000))
    detector, log_b = DistanceDetector.from_golden(golden.tolist(), 1e-3), math.log(1e-5)
    log_e = outcomes(detector, [1e9, *golden.tolist()])

    def healthy(rng: np.random.Generator, series: int) -> np.ndarray:
        return rng.integers(1, len(golden) + 1, size=series)

    def faulty(rng: np.random.Generator, series: int) -> np.ndarray:
        return np.where(rng.random(series) < share, 0, healthy(rng, series))

    times = first_alarms(log_e, faulty, log_b, 400, seed=14, warm=healthy, warmup=500)
    assert 1 / 1.3 <= delay(detector, share, 1.0, log_b) / np.median(times) <= 1.3


def verdicts(p: float, runs: int, seed: int) -> list[Verdict]:
    rule, detector = Rule(share=0.05, alpha=0.05, beta=0.05), EventDetector(0.01)
    detectors, rng = {"script": detector, "syntax": detector}, np.random.default_rng(seed)
    return [_verdict(rule, detectors, rng.random((300, 2)) < [p, 0.002]) for _ in range(runs)]


def _verdict(rule: Rule, detectors: dict[str, EventDetector], answers: np.ndarray) -> Verdict:
    states = {signal: sequential.start(detector) for signal, detector in detectors.items()}
    for answer in answers:
        for signal, event in zip(detectors, answer, strict=True):
            states[signal] = sequential.step(rule, detectors[signal], states[signal], float(event), 1.0, 0.0)
        soundness = min(state.log_sound for state in states.values())
        if answer.any() or soundness >= -math.log(rule.beta):  # nothing else can bring a verdict
            verdict = judge(rule, detectors, states).verdict
            if verdict is not Verdict.INCONCLUSIVE:
                return verdict
    return Verdict.INCONCLUSIVE


def test_a_fault_of_the_share_passes_with_at_most_probability_beta():
    passed = verdicts(0.05, 300, seed=15).count(Verdict.PASS)
    assert lower_share(passed, 300, SURE) <= 0.05


def test_a_healthy_target_fails_with_at_most_probability_alpha_and_mostly_passes():
    found = verdicts(-math.expm1(-0.01), 300, seed=16)
    assert lower_share(found.count(Verdict.FAIL), 300, SURE) <= 0.05
    assert found.count(Verdict.PASS) >= 200


def test_the_visible_share_would_have_failed_with_about_the_stated_power():
    rule, detector, rng, runs, n = Rule(share=0.05), EventDetector(1e-3), np.random.default_rng(17), 500, 60
    detectors = {"script": detector, "syntax": detector}

    def after(events: np.ndarray) -> Judgement:
        states = {}
        for signal, shown in zip(detectors, (events, np.zeros(n)), strict=True):
            states[signal] = sequential.start(detector)
            for event in shown:
                states[signal] = sequential.step(rule, detector, states[signal], float(event), 1.0, 0.0)
        return judge(rule, detectors, states)

    visible = after(np.zeros(n)).visible
    failed = sum(after(events).verdict is Verdict.FAIL for events in rng.random((runs, n)) < visible)
    assert 0.86 <= failed / runs <= 0.94
