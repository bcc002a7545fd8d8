"""What would have been raised against what was, and both against changes."""

from datetime import UTC, datetime, timedelta

from canary.alert.incident import Policy
from canary.hindsight.verdicts import Comparison, Found, Pair, Side, compare
from canary.records import (
    Alarm,
    Change,
    ChangeKind,
    Finding,
    Incident,
    IncidentState,
    Interval,
    Scope,
    SeriesKey,
    Size,
    Symptom,
)

START = datetime(2025, 8, 25, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WEEK = timedelta(weeks=1)
DEPLOY = Change("c1", ChangeKind.DEPLOY, START + 60 * MINUTE, "kernel 7", Scope(platform="api"))
ELSEWHERE = Change("c2", ChangeKind.DEPLOY, START + 60 * MINUTE, "kernel 7", Scope(platform="cloud"))


def series(target: str = "mid/api/short") -> SeriesKey:
    return SeriesKey(target, "eu", "prose", "script")


def alarm(minute: int, target: str = "mid/api/short") -> Alarm:
    return Alarm(f"{target}-{minute}", series(target), f"slot{minute}", START + minute * MINUTE, 1.0, "d1")


def incident(
    onset: int, opened: int, target: str = "mid/api/short", resolved: int | None = None, name: str = "i"
) -> Incident:
    began = Interval(START + (onset - 1) * MINUTE, START + onset * MINUTE, START + (onset + 1) * MINUTE)
    finding = Finding(series(target), Symptom.CORRUPTION, 1, began, Size(0.1, 0.2, 0.3, 0.95, 9), ("slot",))
    over = None if resolved is None else START + resolved * MINUTE
    state = IncidentState.OPEN if resolved is None else IncidentState.RESOLVED
    at = START + opened * MINUTE
    return Incident(name, state, *target.split("/"), at, at, (finding,), resolved_at=over)


def against(would: Side, live: Side, *changes: Change, per_week: float = 0.25) -> Comparison:
    return compare(would, live, changes, per_week=per_week, lasted=2 * WEEK, policy=Policy())


SOON = Side((alarm(70), alarm(75)), (incident(61, 70),))
LATE = Side((alarm(90),), (incident(62, 90, name="j"),))
NOTHING = Side((), ())


def test_the_delay_of_a_change_is_the_time_to_the_first_alarm_that_began_with_it() -> None:
    assert against(SOON, LATE, DEPLOY).found == (Found(DEPLOY, 10 * MINUTE, 30 * MINUTE),)


def test_a_change_elsewhere_explains_nothing() -> None:
    compared = against(SOON, NOTHING, ELSEWHERE)
    assert compared.found == (Found(ELSEWHERE, None, None),)
    assert compared.unexplained_would == 2


def test_alarms_that_began_with_a_change_are_no_false_ones() -> None:
    compared = against(SOON, LATE, DEPLOY)
    assert (compared.unexplained_would, compared.unexplained_live) == (0, 0)


def test_an_alarm_long_after_a_change_is_not_explained_by_it() -> None:
    assert against(Side((alarm(500),), (incident(490, 500),)), NOTHING, DEPLOY).unexplained_would == 1


def test_an_incident_is_set_beside_the_one_it_was() -> None:
    assert against(SOON, LATE).pairs == (Pair(SOON.incidents[0], LATE.incidents[0]),)


def test_incidents_of_other_targets_stand_alone() -> None:
    other = Side((alarm(70, "mid/api/long"),), (incident(61, 70, "mid/api/long"),))
    assert against(SOON, other).pairs == (Pair(SOON.incidents[0], None), Pair(None, other.incidents[0]))


def test_an_incident_that_was_over_before_is_another_one() -> None:
    over = Side((alarm(10),), (incident(8, 10, resolved=30),))
    assert against(SOON, over).pairs == (Pair(SOON.incidents[0], None), Pair(None, over.incidents[0]))


def test_the_budget_is_that_of_the_whole_span() -> None:
    assert against(NOTHING, NOTHING, per_week=0.25).budget == 0.5


def test_the_same_alarms_in_another_order_are_the_same() -> None:
    assert against(SOON, Side(SOON.alarms[::-1], ())).same
    assert not against(SOON, LATE).same
