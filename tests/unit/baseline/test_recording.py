from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from canary.baseline import plan_recording, reference_part
from canary.errors import BaselineError
from canary.records import Purpose
from tests.unit.baseline.golden import RECORDING, TARGET, answer, probe

SALTED = probe("salted", salts=("a", "b"))
PLAIN = probe("plain")
CODE = probe("code", "code")
GROUPS = {"prose": [SALTED, PLAIN], "code": [CODE]}


def test_the_same_recording_has_the_same_plan_so_that_it_can_be_resumed():
    turned = {"code": [CODE], "prose": [PLAIN, SALTED]}
    assert plan_recording(RECORDING, TARGET, GROUPS) == plan_recording(RECORDING, TARGET, turned)


def test_another_recording_has_another_order():
    other = replace(RECORDING, id="rec-2")
    assert plan_recording(other, TARGET, GROUPS) != plan_recording(RECORDING, TARGET, GROUPS)


def test_every_run_is_a_golden_slot_of_its_own():
    runs = plan_recording(RECORDING, TARGET, GROUPS)
    assert len({run.slot_id for run in runs}) == len(runs)
    assert {(run.purpose, run.slot_time, run.region) for run in runs} == {(Purpose.GOLDEN, RECORDING.started_at, "eu")}
    assert [run.ordinal for run in runs] == list(range(len(runs)))


def test_each_probe_and_salt_has_k_reference_runs_before_the_first_calibration_run():
    first = plan_recording(RECORDING, TARGET, GROUPS, k=5)[: 4 * 5]
    counts = Counter((run.probe.id, run.salt) for run in first)
    assert counts == {("salted", 0): 5, ("salted", 1): 5, ("plain", 0): 5, ("code", 0): 5}


def test_each_group_has_n_calibration_runs_drawn_evenly_over_its_probes():
    runs = plan_recording(replace(RECORDING, n=2000), TARGET, GROUPS, k=5)[4 * 5 :]
    assert Counter(run.probe.group for run in runs) == {"prose": 2000, "code": 2000}
    drawn = Counter((run.probe.id, run.salt) for run in runs)
    assert 900 < drawn["plain", 0] < 1100
    assert 430 < drawn["salted", 0] < 570


def test_neither_part_runs_probe_by_probe():
    runs = plan_recording(RECORDING, TARGET, GROUPS, k=20)
    for part in (runs[:80], runs[80:]):
        changes = sum(one.probe != other.probe for one, other in pairwise(part))
        assert changes > len(part) / 3


def test_the_reference_part_is_the_planned_one_in_whatever_order_answers_are_read():
    runs = plan_recording(RECORDING, TARGET, GROUPS, k=5)
    observations = [answer(run) for run in reversed(runs)]
    assert reference_part(observations, k=5) == {run.slot_id for run in runs[: 4 * 5]}


def test_a_recording_of_another_target_is_refused():
    with pytest.raises(BaselineError, match="not of"):
        plan_recording(replace(RECORDING, target="a/b/c"), TARGET, GROUPS)


def test_a_group_without_probes_is_refused():
    with pytest.raises(BaselineError, match="no probe"):
        plan_recording(RECORDING, TARGET, {"prose": []})
