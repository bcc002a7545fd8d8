"""What armed series and their scopes can find."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from canary.pipeline.sight import SERIES, SHARES, Sight, ears, sights
from tests.unit.pipeline.stage import MINUTE, TERMS, watch

POOLS = [f"pool-{n}" for n in range(8)]


def of_level(found: Sequence[Sight], level: str) -> Sight:
    (one,) = [sight for sight in found if sight.level == level]
    return one


def time_to(sight: Sight, share: float) -> timedelta:
    (time,) = [delay.time for delay in sight.delays if delay.share == share]
    assert time is not None
    return time


def test_false_alarms_of_all_detectors_come_to_the_budget() -> None:
    found = sights(watch(POOLS, groups=("prose", "code")))
    assert len(found) > 2
    assert sum(one.detectors * (timedelta(weeks=1) / one.arl) for one in found) == pytest.approx(0.25)


def test_a_weightier_signal_has_false_alarms_more_often() -> None:
    terms = replace(TERMS, weights={"script": 3.0})
    arls = {one.signal: one.arl for one in sights(watch(POOLS, terms), by_signal=True) if one.level == SERIES}
    assert arls["availability"] / arls["script"] == pytest.approx(3.0)


def test_an_arl_in_probes_takes_its_time() -> None:
    for one in sights(watch(POOLS, groups=("prose", "code"))):
        assert one.arl_probes * one.interval / one.arl == pytest.approx(1.0, rel=1e-4)


def test_a_scope_hears_as_often_as_its_members_together() -> None:
    found = sights(watch(POOLS, groups=("prose", "code")))
    assert of_level(found, SERIES).interval == MINUTE
    assert of_level(found, "pool").interval == MINUTE / 2
    assert of_level(found, "model_on_platform").interval == MINUTE / 16


def test_a_wider_scope_finds_what_touches_all_of_it_sooner() -> None:
    found = sights(watch(POOLS, groups=("prose", "code")))
    times = [time_to(of_level(found, level), 0.05) for level in (SERIES, "pool", "model_on_platform")]
    assert times == sorted(times, reverse=True)
    assert times[0] > 10 * times[-1]


def test_a_lone_series_has_no_scope() -> None:
    assert {one.level for one in sights(watch(["long"]))} == {SERIES}


def test_a_share_that_is_not_seen_says_what_it_takes() -> None:
    found = sights(watch(["long"], n=800))
    seen = {delay.share: delay for delay in found[0].delays}
    assert seen[0.0018].probes is None
    assert seen[0.0018].time is None
    needed = seen[0.0018].needed
    more = {delay.share: delay for delay in sights(watch(["long"], n=needed))[0].delays}
    assert more[0.0018].probes is not None


def test_the_least_share_lies_between_what_is_seen_and_what_is_not() -> None:
    (one,) = sights(watch(["long"], n=800))
    unseen = [delay.share for delay in one.delays if delay.probes is None]
    seen = [delay.share for delay in one.delays if delay.probes is not None]
    assert one.not_below is not None
    assert max(unseen) < one.not_below <= min(seen)
    assert {*seen, *unseen} == set(SHARES)


def test_nothing_is_seen_where_nothing_is_armed() -> None:
    assert sights(watch(POOLS, n=10)) == ()


def test_ears_are_of_every_series_and_scope_and_spend_the_budget_together() -> None:
    on = watch(["long", "short"], groups=("prose", "code"))
    found = list(ears(on))
    assert sum(ear.per_week for ear in found) == pytest.approx(TERMS.false_alarms_per_week)
    assert [list(ear.series) for ear in found if not ear.scope] == [[key] for key in on.armed]
    assert {key for ear in found if ear.scope for key in ear.series} == set(on.armed)
