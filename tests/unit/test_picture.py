"""The picture of the scorers."""

import json
from pathlib import Path

from tests.bench.picture import draw
from tests.bench.table import ANY, Table

DOCS = Path(__file__).parents[2] / "deploy" / "docs"


def test_the_picture_shows_the_recorded_figures() -> None:
    figures = json.loads((DOCS / "scorers.json").read_text("utf-8"))
    drawn = draw([Table(**table) for table in figures["tables"]], figures["micros"])
    assert drawn == (DOCS / "scorers.svg").read_text("utf-8")


def test_without_an_engine_the_picture_has_one_half() -> None:
    shares = {"clean": 0.0, "loop": 0.5}
    table = Table("shares", tuple(shares), dict.fromkeys(("loop", ANY, "regex scan"), shares))
    assert "real engine" not in draw([table], {"loop": 10.0})
