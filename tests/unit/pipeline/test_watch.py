from dataclasses import replace
from datetime import timedelta

from canary.pipeline.watch import Rhythm, muster, revive
from canary.records import BaselinePart, SeriesKey
from tests.unit.pipeline.stage import MINUTE, PROBE, TERMS, baseline, target, watch

RHYTHM = Rhythm(target("long").name, "prose", (PROBE,), MINUTE)
SERIES = SeriesKey(RHYTHM.target, "eu", "prose", "script")


def test_equal_series_share_one_detector_and_its_thresholds() -> None:
    armed = watch(["a", "b"]).armed
    first, second = (armed[SeriesKey(target(pool).name, "eu", "prose", "script")] for pool in "ab")
    assert first.detector is second.detector
    assert first.thresholds is second.thresholds


def test_what_a_series_wrote_down_gives_its_detector_epoch_and_hierarchy_back() -> None:
    watched = watch(["long", "short"], epoch=3).armed[SERIES]
    assert watched.hierarchy.levels
    assert revive(watched.parameters) == (watched.detector, 3, watched.hierarchy)


def test_a_signal_of_four_times_the_weight_gets_four_times_the_budget() -> None:
    on = watch(["long"], terms=replace(TERMS, weights={"script": 4.0}))
    assert on.armed[SERIES].share == 4 * on.armed[replace(SERIES, signal="availability")].share


def test_another_epoch_of_equal_golden_data_has_another_digest() -> None:
    first, second = (watch(["long"], epoch=epoch).armed[SERIES] for epoch in (1, 2))
    assert first.digest != second.digest


def test_of_two_baselines_of_a_series_the_later_counts() -> None:
    enough, few = baseline(SERIES), baseline(SERIES, n=50, epoch=2)
    on = muster([RHYTHM], [enough, few], TERMS, "eu")
    assert SERIES not in on.armed
    assert on.learning[SERIES].n == 50


def test_a_series_without_a_baseline_is_learning_and_says_what_it_needs() -> None:
    on = muster([RHYTHM], [], TERMS, "eu")
    armed_by = on.learning[SERIES].needed
    assert not on.armed
    assert SERIES in muster([RHYTHM], [baseline(SERIES, n=armed_by)], TERMS, "eu").armed


def test_a_baseline_of_a_series_that_the_config_lacks_takes_no_budget() -> None:
    gone = SeriesKey(target("gone").name, "eu", "prose", "script")
    on = muster([RHYTHM], [baseline(SERIES), baseline(gone)], TERMS, "eu")
    assert {key: one.share for key, one in on.armed.items()} == {SERIES: 1.0}


def test_a_series_keeps_the_interval_of_its_rhythm() -> None:
    hourly = Rhythm(RHYTHM.target, "prose", (PROBE,), timedelta(hours=1))
    assert muster([hourly], [baseline(SERIES)], TERMS, "eu").armed[SERIES].interval == timedelta(hours=1)


def test_the_rate_of_a_group_that_lost_a_probe_is_bounded_by_the_answers_of_the_others() -> None:
    gone = BaselinePart("gone", 3_000)
    left = BaselinePart(PROBE.digest, 3_000, events=20)
    whole = replace(baseline(SERIES), n=6_000, exposure=6_000.0, events=20, parts=(gone, left))
    alone = replace(whole, n=3_000, exposure=3_000.0, parts=(left,))
    assert muster([RHYTHM], [whole], TERMS, "eu").armed[SERIES] == muster([RHYTHM], [alone], TERMS, "eu").armed[SERIES]


def test_a_baseline_of_edited_probes_alone_arms_nothing() -> None:
    stale = replace(baseline(SERIES), parts=(BaselinePart("edited", 3_000),))
    assert SERIES in muster([RHYTHM], [stale], TERMS, "eu").learning
