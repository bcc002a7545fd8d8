"""Scales come of the reference part alone, each answer of it judged by the others."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from canary.baseline import Scales, plan_recording, scales_of
from canary.records import Finish, Observation, Response, Run, Signal, SignalKind, Symptom
from canary.score import Case, Judgement, Measure, Scorer
from tests.unit.baseline.golden import RECORDING, TARGET, answer, probe

K = 6
QUIET, LOUD, SALTED = (
    replace(probe(name, salts=salts), scorers=("length", "apart", "empty"))
    for name, salts in (("quiet", ()), ("loud", ()), ("salted", ("a", "b")))
)
PROBES = {each.digest: each for each in (QUIET, LOUD, SALTED)}
RUNS = plan_recording(RECORDING, TARGET, {"prose": tuple(PROBES.values())}, k=K)
REFERENCE = RUNS[: 4 * K]
Tokens = Callable[[Run, int], int]


def apart(case: Case) -> Judgement:
    """How far the answer's length is from the nearest golden one."""
    assert case.reference is not None
    tokens = case.response.completion_tokens or 0
    return Measure(float(min(abs(tokens - length) for length in case.reference.lengths)), 1.0)


def empty(_: Case) -> Judgement:
    raise AssertionError("no distance: not asked for")


SCORERS = {
    "apart": Scorer(Signal("apart", 1, SignalKind.DISTANCE, Symptom.SHAPE, "tokens", "answers"), apart),
    "empty": Scorer(Signal("empty", 1, SignalKind.EVENT, Symptom.SHAPE, "answers", "answers"), empty),
}


def nth(run: Run) -> int:
    """The how manyeth answer of its probe and salt it is."""
    same = [one for one in RUNS if (one.probe, one.salt) == (run.probe, run.salt)]
    return same.index(run)


def tokens(run: Run) -> int:
    """Those of the loud probe are sixteen times as far apart as those of the quiet one."""
    steps = {QUIET.digest: 1, SALTED.digest: 4, LOUD.digest: 16}
    return 1_000 + steps[run.probe.digest] * nth(run) * (1 + nth(run) % 2)


def observed(run: Run, count: int) -> Observation:
    return replace(answer(run), response=Response("fine", Finish.STOP, completion_tokens=count))


ANSWERS = [observed(run, tokens(run)) for run in RUNS]


def scales(answers: list[Observation]) -> Scales:
    return scales_of(answers, PROBES, SCORERS, k=K)


def test_a_probe_whose_answers_are_farther_from_each_other_has_a_larger_scale():
    found = scales(ANSWERS)
    assert found.keys() == {(digest, "apart") for digest in PROBES}
    assert found[LOUD.digest, "apart"] / found[QUIET.digest, "apart"] > 6.0
    assert found[QUIET.digest, "apart"] < found[SALTED.digest, "apart"] < found[LOUD.digest, "apart"]


def test_answers_of_the_calibration_part_have_no_say():
    wild = [observed(run, 7 ** (run.ordinal % 9)) for run in RUNS[len(REFERENCE) :]]
    assert scales([*ANSWERS[: len(REFERENCE)], *wild]) == scales(ANSWERS)


def test_the_order_in_which_the_store_gives_them_has_no_say():
    assert scales(ANSWERS[::-1]) == scales(ANSWERS)


def test_answers_are_compared_with_those_of_their_own_salt():
    """Two salts a long way from each other, each of them as quiet as the quiet probe."""
    far = [
        observed(
            run, tokens(run) if run.probe is not SALTED else 5_000 * run.salt + 1_000 + nth(run) * (1 + nth(run) % 2)
        )
        for run in RUNS
    ]
    found = scales(far)
    assert found[SALTED.digest, "apart"] == pytest.approx(found[QUIET.digest, "apart"], rel=0.2)


def test_answers_that_are_alike_are_not_away_from_each_other():
    alike = [observed(run, 1_000) for run in RUNS]
    assert set(scales(alike).values()) == {1.0}


def test_a_failed_reference_run_has_no_say():
    failed = [replace(one, response=None) if nth(run) == 2 else one for run, one in zip(RUNS, ANSWERS, strict=True)]
    left = [one for run, one in zip(RUNS, ANSWERS, strict=True) if nth(run) != 2]
    assert scales(failed) == scales_of(left, PROBES, SCORERS, k=K - 1)


def test_probes_without_a_distance_signal_have_no_scale():
    plain = {digest: replace(each, scorers=("empty",)) for digest, each in PROBES.items()}
    assert scales_of(ANSWERS, plain, SCORERS, k=K) == {}
