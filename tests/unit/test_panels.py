"""What the pictures of dashboards are made of."""

import pytest

from tests.bench.panels import Filled, Line, legend, matrix
from tests.bench.panels_svg import drawn, mapped, written
from tests.unit.alert.findings import START, minutes

STATES = {
    "fieldConfig": {
        "defaults": {
            "unit": "none",
            "custom": {},
            "mappings": [{"type": "value", "options": {"5": {"text": "unreachable", "color": "red", "index": 5}}}],
            "thresholds": {"steps": [{"value": None, "color": "green"}]},
        },
        "overrides": [],
    }
}


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.034, "percentunit", "3.4%"),
        (90.0, "s", "1.5 min"),
        (0.0123, "s", "12.3 ms"),
        (0.0, "s", "0"),
        (12.0, "reqps", "12 req/s"),
        (140.0, "suffix: tokens/s", "140 tokens/s"),
        (-17.25, "none", "-17.25"),
    ],
)
def test_numbers_are_written_in_the_unit_of_the_panel(value: float, unit: str, said: str) -> None:
    assert written(value, unit) == said


def test_a_state_has_the_text_and_colour_of_its_mapping() -> None:
    found = mapped(STATES, 5.0)
    assert found is not None
    assert found[0] == "unreachable"


def test_a_legend_is_filled_from_the_labels_of_its_line() -> None:
    assert legend("p99 {{instance}} {{none}}", {"instance": "a:1"}) == "p99 a:1 "


def test_a_matrix_has_a_row_for_each_model_and_a_column_for_each_place() -> None:
    found = [({"model": "mid", "where": "api/gpu"}, 0.0), ({"model": "small", "where": "cloud/gpu"}, 6.0)]
    heads, rows = matrix(found, {"rowField": "model", "columnField": "where"})
    assert heads == ["model\\where", "api/gpu", "cloud/gpu"]
    assert rows == [["mid", 0.0, ""], ["small", "", 6.0]]


def test_a_gap_in_the_metrics_is_a_gap_in_the_line() -> None:
    moments = [START.timestamp() + second for second in (0, 1, 2, 30, 31)]
    panel = {**STATES, "type": "timeseries"}
    line = Line("a", [(moment, 1.0) for moment in moments])
    shown = Filled(panel, "one", {"x": 0, "y": 0, "w": 12, "h": 8}, [line])
    assert drawn("board", [shown], [], START, START + minutes(1)).count("<polyline") == 2


def test_a_panel_without_data_says_so() -> None:
    shown = Filled({**STATES, "type": "timeseries"}, "one", {"x": 0, "y": 0, "w": 12, "h": 8})
    assert "No data" in drawn("board", [shown], [], START, START + minutes(1))
