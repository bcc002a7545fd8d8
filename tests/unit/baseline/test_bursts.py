"""Golden data of bursts: a burst is fired as one, and counts as one."""

from collections import Counter

from canary.baseline import calibrate, plan_recording, reference_part, references
from canary.baseline.calibration import Judged
from canary.records import Baseline, Observation, Run, Unscored, UnscoredReason
from tests.unit.baseline.golden import AT, RECORDING, SIGNALS, TARGET, answer, atom, failed, probe, score

K, SIZE = 4, 8
PROBE = probe("first")
GROUPS = {"prose": [PROBE], "prose@8": [PROBE]}
RUNS = plan_recording(RECORDING, TARGET, GROUPS, k=K)
BURSTS = [run for run in RUNS if run.burst == SIZE]
ANSWERS = [answer(run) for run in BURSTS]
CALIBRATION = ANSWERS[K * SIZE :]
SILENT = Unscored("logprob", 1, UnscoredReason.FAILED)


def proposed(judged: list[Judged], signal: str) -> Baseline:
    found = calibrate(RECORDING, judged, SIGNALS, stratified={"syntax"}, now=AT, k=K)
    return next(baseline for baseline in found if baseline.series.signal == signal)


def test_a_group_of_bursts_is_fired_as_often_as_a_lone_one_but_in_bursts():
    assert Counter(run.burst for run in RUNS) == {1: K + RECORDING.n, SIZE: SIZE * (K + RECORDING.n)}


def test_the_runs_of_a_burst_stand_side_by_side_with_the_same_probe_and_salt():
    at = 0
    while at < len(RUNS):
        volley = RUNS[at : at + RUNS[at].burst]
        assert volley == volley[0].volley
        at += len(volley)


def test_every_run_of_a_recording_with_bursts_has_a_slot_of_its_own():
    assert len({run.slot_id for run in RUNS}) == len(RUNS)


def test_the_reference_part_is_the_first_k_bursts():
    part = reference_part([answer(run) for run in reversed(RUNS)], k=K)
    wanted = [run for burst in (1, SIZE) for run in [r for r in RUNS if r.burst == burst][: K * burst]]
    assert part == {run.slot_id for run in wanted}


def test_a_burst_counts_as_one_golden_answer():
    baseline = proposed([(each, [score("script", 0.0)]) for each in ANSWERS], "script")
    assert (baseline.series.group, baseline.n, baseline.exposure) == ("prose@8", RECORDING.n, RECORDING.n)


def test_a_burst_with_one_bad_answer_or_with_eight_is_one_event():
    bad = {*CALIBRATION[3:4], *CALIBRATION[SIZE : 2 * SIZE]}
    baseline = proposed([(each, [score("script", float(each in bad))]) for each in ANSWERS], "script")
    assert baseline.events == 2


def test_the_golden_distance_of_a_burst_is_that_of_its_farthest_answer():
    judged: list[Judged] = [(each, [score("logprob", each.ordinal % SIZE / 10)]) for each in ANSWERS]
    assert proposed(judged, "logprob").calibration == (0.7,) * RECORDING.n


def test_a_golden_burst_with_a_failed_run_is_judged_by_its_others():
    judged: list[Judged] = [(each, [SILENT if each.leads else score("logprob", 0.1)]) for each in ANSWERS]
    assert proposed(judged, "logprob").n == RECORDING.n


def test_the_threshold_of_a_stratified_signal_is_the_worst_answer_of_the_reference_bursts():
    worst = ANSWERS[SIZE + 5]
    judged: list[Judged] = [(each, [score("syntax", 3.0 if each is worst else 1.0)]) for each in ANSWERS]
    assert [part.threshold for part in proposed(judged, "syntax").parts] == [3.0]


def test_of_a_burst_the_first_answer_is_a_reference():
    observations = [answer(run, atom(run.ordinal % SIZE)) for run in BURSTS]
    (reference,) = references(observations, k=K)
    assert reference.logprobs == (atom(0),)
    assert reference.answers[0][1] == K


def test_a_burst_whose_first_run_failed_leaves_no_reference():
    observations = [failed(answer(run)) if run.ordinal % SIZE == 0 else answer(run) for run in BURSTS]
    assert references(observations, k=K) == ()


def test_alone_and_in_bursts_a_variant_has_one_reference():
    def recorded(run: Run) -> Observation:
        return answer(run, atom(run.burst))

    (reference,) = references([recorded(run) for run in RUNS], k=K)
    assert set(reference.logprobs) == {atom(1), atom(SIZE)}


def test_a_recording_of_lone_groups_is_planned_as_if_there_were_no_bursts():
    lone = plan_recording(RECORDING, TARGET, {"prose": [PROBE]}, k=K)
    assert [run.ordinal for run in lone] == list(range(len(lone)))
    assert {run.burst for run in lone} == {1}
