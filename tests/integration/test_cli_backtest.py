"""`canary backtest`: what it says of what it leaves out."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from canary.records import Purpose
from canary.store import open_store
from tests.integration.kept import an_observation, desk_in
from tests.integration.test_cli import SHORT, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = desk_in(tmp_path)
    store = open_store(made.store_url, create=True)
    reported = replace(an_observation(9), group="feedback:garbled", purpose=Purpose.REPORTED)
    with store.transaction() as tx:
        tx.add_observations([*(an_observation(nth) for nth in range(5)), reported])
    store.close()
    return made


def test_it_names_the_series_that_it_left_out_and_why(desk: Desk) -> None:
    said = desk("backtest").stdout.splitlines()[-1]
    assert said == (
        f"left out, with their alarms: 1 observations of {SHORT} feedback:garbled: "
        "handed in, not probed, and judged as it came"
    )


def test_its_json_names_them_too(desk: Desk) -> None:
    (left,) = json.loads(desk("backtest", "--json").stdout)["left_out"]
    assert (left["target"], left["group"], left["observations"]) == (SHORT, "feedback:garbled", 1)
