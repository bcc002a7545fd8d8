from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from canary.baseline import calibrate, plan_recording, references
from canary.baseline.calibration import Judged
from canary.errors import BaselineError
from canary.records import Baseline, BaselineStatus, Observation, Score, SeriesKey, Unscored, UnscoredReason
from tests.unit.baseline.golden import AT, RECORDING, SIGNALS, TARGET, answer, atom, failed, probe, score

FIRST, SECOND = probe("first"), probe("second")
K = 4
RUNS = plan_recording(RECORDING, TARGET, {"prose": [FIRST, SECOND]}, k=K)
ANSWERS = [answer(run) for run in RUNS]
REFERENCE, CALIBRATION = ANSWERS[: 2 * K], ANSWERS[2 * K :]


def proposed(judged: list[Judged]) -> dict[str, Baseline]:
    found = calibrate(RECORDING, judged, SIGNALS, stratified={"syntax"}, now=AT, k=K)
    return {baseline.series.signal: baseline for baseline in found}


def judged_by(scores: Callable[[Observation], list[Score | Unscored]]) -> list[Judged]:
    return [(observation, scores(observation)) for observation in ANSWERS]


def test_a_baseline_is_proposed_for_the_series_and_epoch_of_the_recording():
    baseline = proposed(judged_by(lambda _: [score("script", 0.0)]))["script"]
    assert baseline.series == SeriesKey(TARGET.name, "eu", "prose", "script")
    assert (baseline.status, baseline.epoch, baseline.created_at) == (BaselineStatus.PROPOSED, 3, AT)
    assert baseline.scorer_version == SIGNALS["script"].version


def test_only_the_calibration_part_is_counted():
    baseline = proposed(judged_by(lambda each: [score("script", float(each in REFERENCE), 100.0)]))["script"]
    assert (baseline.n, baseline.exposure, baseline.events) == (50, 50.0, 0)


def test_events_are_values_above_the_threshold():
    baseline = proposed(judged_by(lambda each: [score("script", float(each.ordinal % 10 == 0))]))["script"]
    assert baseline.events == sum(each.ordinal % 10 == 0 for each in CALIBRATION)


def test_a_stratified_signal_counts_what_is_worse_than_the_probes_own_reference():
    def scores(each: Observation) -> list[Score | Unscored]:
        usual = 3.0 if each.probe_digest == FIRST.digest else 0.0
        return [score("syntax", usual + (each is CALIBRATION[7]))]

    baseline = proposed(judged_by(scores))["syntax"]
    assert {part.probe_digest: part.threshold for part in baseline.parts} == {FIRST.digest: 3.0, SECOND.digest: 0.0}
    assert baseline.events == 1


def test_other_signals_have_the_threshold_zero_whatever_the_reference_part_showed():
    baseline = proposed(judged_by(lambda each: [score("script", float(each in REFERENCE))]))["script"]
    assert {part.threshold for part in baseline.parts} == {0.0}


def test_distances_are_kept_sorted_and_are_no_events():
    baseline = proposed(judged_by(lambda each: [score("logprob", each.ordinal * 7 % 50 / 100)]))["logprob"]
    assert list(baseline.calibration) == sorted(each.ordinal * 7 % 50 / 100 for each in CALIBRATION)
    assert baseline.events == 0


def test_distances_are_pooled_standardised_and_kept_by_probe_in_their_unit():
    judged = judged_by(lambda each: [score("logprob", 0.4 if each.probe_digest == FIRST.digest else 0.1)])
    scales = {(FIRST.digest, "logprob"): 2.0, (SECOND.digest, "logprob"): 0.5}
    (baseline,) = calibrate(RECORDING, judged, SIGNALS, stratified=(), now=AT, k=K, scales=scales)
    assert {value for part in baseline.parts for value in part.calibration} == set(baseline.golden) == {0.1, 0.4}
    assert set(baseline.calibration) == {0.2}


def test_what_is_no_distance_has_no_scale():
    scales = {(FIRST.digest, "script"): 2.0}
    judged = judged_by(lambda _: [score("script", 1.0)])
    (baseline,) = calibrate(RECORDING, judged, SIGNALS, stratified=(), now=AT, k=K, scales=scales)
    assert {part.scale for part in baseline.parts} == {1.0}


def test_parts_say_how_many_answers_each_probe_gave():
    baseline = proposed(judged_by(lambda _: [score("script", 0.0)]))["script"]
    assert {part.probe_digest: part.n for part in baseline.parts} == Counter(each.probe_digest for each in CALIBRATION)


def test_unscored_answers_are_no_golden_data():
    blank = Unscored("script", 1, UnscoredReason.EMPTY)
    baseline = proposed(judged_by(lambda each: [blank if each.ordinal % 2 else score("script", 0.0)]))["script"]
    assert baseline.n == sum(each.ordinal % 2 == 0 for each in CALIBRATION)


def test_calibrating_twice_proposes_the_same():
    judged = judged_by(lambda _: [score("script", 0.0)])
    assert proposed(judged) == proposed(judged[::-1])


def test_a_recording_in_which_nothing_could_be_judged_is_refused():
    with pytest.raises(BaselineError, match="no answer that could be judged"):
        proposed(judged_by(lambda _: [Unscored("script", 1, UnscoredReason.FAILED)]))


@pytest.mark.parametrize("other", [Score("script", 9, 0.0), Score("unheard-of", 1, 0.0)])
def test_scores_of_another_version_or_signal_are_refused(other):
    with pytest.raises(BaselineError, match="record again"):
        proposed(judged_by(lambda _: [other]))


def test_references_are_the_distinct_answers_of_the_reference_part():
    answers = [answer(run, atom(run.ordinal % 2)) for run in RUNS[: 2 * K]] + [
        answer(run, atom(9)) for run in RUNS[2 * K :]
    ]
    found = references(answers, k=K)
    assert {each.probe_digest for each in found} == {FIRST.digest, SECOND.digest}
    assert all(
        set(each.logprobs) <= {atom(0), atom(1)} and len(set(each.logprobs)) == len(each.logprobs) for each in found
    )


def test_salts_have_references_of_their_own():
    salted = probe("salted", salts=("a", "b"))
    runs = plan_recording(RECORDING, TARGET, {"prose": [salted]}, k=K)
    found = references([answer(run, atom(run.salt)) for run in runs], k=K)
    assert [(each.salt, each.logprobs) for each in found] == [(0, (atom(0),)), (1, (atom(1),))]


def test_a_failed_reference_run_is_not_replaced_by_a_calibration_run():
    answers = [answer(run, atom(run.ordinal)) for run in RUNS]
    found = references([failed(answers[0]), *answers[1:]], k=K)
    assert sum(len(each.logprobs) for each in found) == 2 * K - 1


def test_answers_without_logprobs_make_references_without_logprobs():
    assert {reference.logprobs for reference in references(ANSWERS, k=K)} == {()}


def test_a_recording_keeps_its_baselines_apart_from_those_of_another():
    judged = judged_by(lambda _: [score("script", 0.0)])
    other = calibrate(replace(RECORDING, id="rec-2"), judged, SIGNALS, stratified=(), now=AT, k=K)
    assert other[0].id != proposed(judged)["script"].id
