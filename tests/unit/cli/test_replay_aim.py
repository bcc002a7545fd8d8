"""Which probe groups the replay of an incident fires."""

from dataclasses import replace

import pytest

from canary.cli.replay import _concerns
from canary.records import Blame, Incident, IncidentState, Place, Scope
from tests.unit.alert.findings import START, finding
from tests.unit.pipeline.stage import PROBE


def incident(signal: str, group: str, where: Place | None = None) -> Incident:
    found = finding(signal, target="mid/api/*")
    found = replace(found, series=replace(found.series, group=group))
    found = replace(found, blame=Blame(where, "mid/api/a") if where else None)
    return Incident("i", IncidentState.OPEN, "mid", "api", "*", START, START, (found,))


@pytest.mark.parametrize(
    ("of", "fired"),
    [
        (incident("script", "*"), True),  # a part of the fleet is of all groups that are scored for its signal
        (incident("kl", "*"), False),
        (incident("script", "*", Place(Scope("mid", "api"), "prose")), True),
        (incident("script", "*", Place(Scope("mid", "api"), "code")), False),
        (incident("script", "*@r7", Place(Scope("mid", "api", "a"), replica="r7")), True),
        (incident("availability", "*"), True),
    ],
)
def test_a_part_of_the_fleet_is_replayed_with_the_groups_that_it_hears(of: Incident, fired: bool) -> None:
    assert _concerns(of, "prose", (PROBE,)) is fired
