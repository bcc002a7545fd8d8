from dataclasses import replace

import pytest

from canary.baseline import promote
from canary.errors import BaselineError
from canary.records import Baseline, BaselineStatus, SeriesKey
from tests.unit.baseline.golden import AT, SIGNALS


def baseline(name: str, signal: str = "script", status: BaselineStatus = BaselineStatus.PROPOSED) -> Baseline:
    series = SeriesKey("m/p/q", "eu", "prose", signal)
    return Baseline(name, series, 1, status, SIGNALS[signal].version, AT, n=100, exposure=100.0, events=0, parts=())


def statuses(changed: tuple[Baseline, ...]) -> dict[str, BaselineStatus]:
    return {each.id: each.status for each in changed}


def test_the_proposed_becomes_active_and_the_old_retires():
    changed = promote([baseline("old", status=BaselineStatus.ACTIVE)], [baseline("new")], SIGNALS)
    assert statuses(changed) == {"old": BaselineStatus.RETIRED, "new": BaselineStatus.ACTIVE}


@pytest.mark.parametrize("elsewhere", [{"group": "code"}, {"target": "m/p/r"}, {"region": "us"}])
def test_the_active_baseline_of_another_group_target_or_region_stays(elsewhere):
    other = baseline("other", status=BaselineStatus.ACTIVE)
    other = replace(other, series=replace(other.series, **elsewhere))
    assert statuses(promote([other], [baseline("new")], SIGNALS)) == {"new": BaselineStatus.ACTIVE}


def test_a_signal_that_the_new_recording_could_not_judge_retires_with_its_group():
    other = baseline("other", "syntax", BaselineStatus.ACTIVE)
    changed = promote([other], [baseline("new")], SIGNALS)
    assert statuses(changed) == {"other": BaselineStatus.RETIRED, "new": BaselineStatus.ACTIVE}


def test_nothing_to_promote_is_refused():
    with pytest.raises(BaselineError, match="no baseline is proposed"):
        promote([], [], SIGNALS)


def test_two_baselines_of_one_series_are_refused():
    with pytest.raises(BaselineError, match="two baselines"):
        promote([], [baseline("one"), baseline("two")], SIGNALS)


@pytest.mark.parametrize(
    ("unfit", "why"),
    [
        (replace(baseline("new"), scorer_version=7), "scored at version 7 but is at version 1 now"),
        (replace(baseline("new"), n=0), "no judged answer"),
        (replace(baseline("new"), status=BaselineStatus.RETIRED), "not proposed"),
    ],
)
def test_an_unfit_baseline_is_refused_with_the_reason(unfit, why):
    with pytest.raises(BaselineError, match=why):
        promote([], [unfit], SIGNALS)


def test_a_signal_that_is_not_scored_any_more_is_refused():
    with pytest.raises(BaselineError, match="not scored any more"):
        promote([], [baseline("new")], {})
