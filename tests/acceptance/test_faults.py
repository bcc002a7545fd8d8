"""Faults of the serving fleet, switched on in the lab, found by the real daemon."""

import pytest

from canary.records import IncidentState, Symptom
from tests.acceptance.stage import LONG, SHORT, Hook, Place, switch, until

pytestmark = pytest.mark.slow

SOON = 90.0
POOL = {"model": "mid", "platform": "api", "pool": "short"}
MISROUTING = {"kind": "misrouting", **POOL, "share": 0.16, "to_pool": "long"}
DROPPED_TOP = {"kind": "dropped_top", **POOL, "share": 0.2, "rate": 0.1}
UNREACHABLE = {"kind": "unreachable", **POOL}
CORRUPTION_ELSEWHERE = {"kind": "corruption", "platform": "cloud", "share": 0.2, "rate": 0.1}


def signals(place: Place, target: str) -> set[str]:
    return {f.series.signal for one in place.incidents() if one.target == target for f in one.findings}


def runs_told(place: Place, target: str) -> str:
    (incident,) = (one for one in place.incidents() if one.target == target)
    return f"{incident.findings[0].size.answers} answers from the onset to the alarm, by {signals(place, target)}"


def test_a_sixth_of_the_sessions_misrouted_is_found_by_logprobs(place: Place, lab: str, webhook: Hook) -> None:
    with place.daemon() as daemon:
        until(lambda: daemon.answers(pool="long") > 30, SOON)
        switch(lab, MISROUTING)
        until(lambda: webhook.bodies, SOON)
    print(f"\nmisrouting: {runs_told(place, SHORT)}")
    assert [incident.target for incident in place.incidents()] == [SHORT]
    assert "logprob" in signals(place, SHORT)
    assert "script" not in signals(place, SHORT)


def test_a_dropped_top_token_at_temperature_0_is_found_as_a_fault_of_selection(
    place: Place, lab: str, webhook: Hook
) -> None:
    with place.daemon() as daemon:
        until(lambda: daemon.answers(pool="long") > 30, SOON)
        switch(lab, DROPPED_TOP)
        until(lambda: "greedy" in signals(place, SHORT), SOON)
        until(lambda: webhook.bodies, SOON)
    print(f"\ndropped top token: {runs_told(place, SHORT)}")
    assert {incident.target for incident in place.incidents()} == {SHORT}
    assert Symptom.SELECTION.value in {symptom for body in webhook.bodies for symptom in body["symptoms"]}


def test_an_unreachable_pool_is_told_and_resolved_and_keeps_nobody_else_quiet(
    place: Place, lab: str, webhook: Hook
) -> None:
    with place.daemon() as daemon:
        until(lambda: daemon.answers(pool="long") > 30, SOON)
        switch(lab, UNREACHABLE, CORRUPTION_ELSEWHERE)
        until(lambda: {body["target"]["platform"] for body in webhook.bodies} == {"api", "cloud"}, SOON)
        switch(lab, CORRUPTION_ELSEWHERE)
        seconds = until(lambda: "resolve" in webhook.kinds(), SOON)
        assert daemon.get("/readyz")[0] == 200
    print(f"\nrecovery shown {seconds:.0f} s after the pool came back")
    ours = [body for body in webhook.bodies if body["target"] == POOL]
    assert [body["kind"] for body in ours if body["kind"] in {"trigger", "resolve"}] == ["trigger", "resolve"]
    assert {symptom for body in ours for symptom in body["symptoms"]} == {"availability"}
    by_target = {incident.target: incident for incident in place.incidents()}
    assert LONG not in by_target
    assert by_target[SHORT].state is IncidentState.RESOLVED
    assert by_target["mid/cloud/short"].suppressed_by is None
