from datetime import UTC, datetime, timedelta

import pytest

from canary.drill.scenario import load, scenario, shipped
from canary.errors import ConfigError, NotFound
from canary.lab.faults import FaultKind
from tests.unit.drill.small import written

START = datetime(2025, 8, 25, tzinfo=UTC)
HOUR = timedelta(hours=1)


def refusal(folder, *edits):
    with pytest.raises(ConfigError) as caught:
        load(written(folder, *edits))
    return str(caught.value)


@pytest.mark.parametrize("name", shipped())
def test_every_scenario_that_ships_fits_together(name):
    assert scenario(name).name == name


def test_a_time_is_a_moment_or_counts_from_the_start(tmp_path):
    found = load(written(tmp_path, ("at: +55m", "at: 2025-08-25T03:55:00+03:00")))
    assert found.changes[0].at == START + timedelta(minutes=55)
    assert found.truths[0].began == START + HOUR


def test_nothing_is_wrong_before_the_first_stage_and_after_the_last(tmp_path):
    found = load(written(tmp_path))
    assert [len(found.faults(START + HOUR * at)) for at in (0.99, 1.0, 1.99, 2.0)] == [0, 1, 1, 0]


def test_a_share_reaches_its_stage_evenly(tmp_path):
    found = load(written(tmp_path, ("share: 0.5, rate: 0.1", "share: 0.5, rate: 0.1, over: 30m")))
    shares = [found.truths[0].share(START + timedelta(minutes=at)) for at in (60, 75, 90, 119)]
    assert shares == pytest.approx([0.0, 0.25, 0.5, 0.5])


def test_a_rate_holds_until_a_stage_gives_another(tmp_path):
    stages = "[{at: +1h, share: 0.5, rate: 0.1}, {at: +2h, share: 0.2}]"
    found = load(written(tmp_path, ("[{at: +1h, share: 0.5, rate: 0.1}, {at: +2h, share: 0}]", stages)))
    (fault,) = found.faults(START + 2.5 * HOUR)
    assert (fault.share, fault.rate) == (0.2, 0.1)


def test_a_glob_becomes_a_fault_for_each_name_that_fits(tmp_path):
    found = load(written(tmp_path, ('where: "*/api/tpu"\n', 'where: "*/api/[tg]pu"\n')))
    assert {fault.pool for fault in found.faults(START + HOUR)} == {"tpu", "gpu"}


def test_the_settings_of_a_kind_reach_the_lab(tmp_path):
    misrouting = ("kind: corruption", "kind: misrouting\n    settings: {to_pool: gpu}")
    (fault,) = load(written(tmp_path, misrouting)).faults(START + HOUR)
    assert (fault.kind, fault.to_pool) == (FaultKind.MISROUTING, "gpu")


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (("kind: corruption", "kind: corrupton"), "faults[0].kind: should be"),
        (("kind: corruption", "kind: misrouting"), "faults[0].settings: misrouting, and nothing else, has a to_pool"),
        (("kind: corruption", "kind: slow\n    settings: {second: 3}"), 'did you mean "seconds"?'),
        (("kind: corruption", "kind: slow\n    settings: {seconds: long}"), "faults[0].settings: Expected `float`"),
        (
            ("kind: corruption", "kind: misrouting\n    settings: {to_pool: tpv}"),
            'there is no pool "tpv"; did you mean',
        ),
        (("lasts: 3h", "lasts: 3"), "small.yaml:4: lasts: should be a duration such as"),
        (("start: 2025-08-25", "start: +3h"), "small.yaml:3: start: should be a moment"),
        (("at: +55m", "at: 2025-08-25T03:00"), "changes[0].at: says no zone"),
        (("at: +55m", "at: +soon"), "changes[0].at: should be a duration after the start"),
        (("{at: +2h, share: 0}", "{at: +30m, share: 0}"), "the timeline is out of order"),
        (("{at: +2h, share: 0}", "{at: 2025-08-25, share: 0}"), "mixes moments and times since the start"),
        (("share: 0.5", "share: 5"), "faults[0].timeline[0].share: should be less than or equal to 1"),
        (("lasts: 3h", "lasts: 3h\nlast: 4h"), 'last: unknown key; did you mean "lasts"?'),
        (
            (
                '{id: kernel, kind: deploy, at: +55m, where: "*/api/tpu"',
                '{id: k, kind: deploy, at: +1h, where: "*/x/*"',
            ),
            'changes[0].where: "*/x/*" is no part of the fleet',
        ),
        (("fault: corruption, symptoms", "fault: corrupt, symptoms"), "expect.incidents[0].fault: there is no fault"),
        (("suspect: kernel", "suspect: kernle"), 'there is no change "kernle"; did you mean "kernel"?'),
        (("symptoms: [corruption]", "symptoms: [corruption], where: [x]"), "is no scope"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_key(tmp_path, edit, told):
    assert told in refusal(tmp_path, edit)


def test_everything_that_does_not_fit_is_told_at_once(tmp_path):
    told = refusal(tmp_path, ("fault: corruption, symptoms", "fault: x, symptoms"), ("suspect: kernel", "suspect: y"))
    assert len(told.splitlines()) == 2


def test_an_unknown_name_is_told_with_the_nearest():
    with pytest.raises(NotFound, match='did you mean "misrouting"'):
        scenario("misroutin")


ELSEWHERE = (
    "timeline: [{at: +1h, share: 0.5, rate: 0.1}, {at: +2h, share: 0}]",
    "timeline: [{at: +1h, share: 0.5, rate: 0.1}, {at: +2h, share: 0}]\n"
    '    elsewhere: [{where: "*/api/gpu", timeline: [{at: +90m, share: 0.1, rate: 0.1}]}]',
)


def test_a_fault_may_be_elsewhere_at_other_times_and_shares(tmp_path):
    found = load(written(tmp_path, ELSEWHERE))
    shares = [{(fault.pool, fault.share) for fault in found.faults(START + at * HOUR)} for at in (1.0, 1.6, 2.5)]
    assert shares == [{("tpu", 0.5)}, {("tpu", 0.5), ("gpu", 0.1)}, {("gpu", 0.1)}]


def test_the_parts_of_a_fault_go_by_its_name(tmp_path):
    found = load(written(tmp_path, ELSEWHERE))
    assert [(truth.name, sorted(truth.targets)) for truth in found.truths] == [
        ("corruption", ["mid/api/tpu"]),
        ("corruption", ["mid/api/gpu"]),
    ]


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (("*/api/gpu", "*/x/gpu"), "faults[0].elsewhere[0].where"),
        (("{at: +90m, share: 0.1, rate: 0.1}", "{at: +90m}, {at: +80m}"), "the timeline is out of order"),
    ],
)
def test_what_is_wrong_with_a_part_is_told(tmp_path, edit, told):
    old, new = ELSEWHERE
    assert told in refusal(tmp_path, (old, new.replace(*edit)))


def test_a_note_on_a_fault_that_is_not_there_is_refused(tmp_path):
    note = ("probing:\n", "history: [{at: +2h, what: it was noticed, fault: corrupt}]\nprobing:\n")
    assert 'history[0].fault: there is no fault "corrupt"; did you mean "corruption"?' in refusal(tmp_path, note)
