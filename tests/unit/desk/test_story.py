"""How the story of an incident names what it speaks of."""

from canary.desk.story import watching
from tests.unit.alert.findings import TARGET, series


def test_the_target_of_a_series_goes_without_saying_where_the_incident_is_of_that_target() -> None:
    assert watching(series("script"), TARGET) == "prose/script"


def test_a_series_of_a_wider_incident_names_its_target() -> None:
    assert watching(series("script"), "opus/*/*") == f"{TARGET} prose/script"
