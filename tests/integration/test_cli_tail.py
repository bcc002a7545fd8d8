"""`canary tail`: observations as they are kept, line by line."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from canary.records import Purpose
from tests.integration.kept import SECRET, an_observation, desk_in, keep
from tests.integration.test_cli import SHORT, TOKEN, Desk

LONG = "mid/api/long"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Twenty observations: every third of the long pool, one failed, one with a foreign character."""
    made = desk_in(tmp_path)
    every = [an_observation(nth, LONG if nth % 3 == 2 else SHORT, failed=nth == 4) for nth in range(20)]
    keep(made, every, ["slot-000007"])
    return made


def told(desk: Desk, *args: str) -> list[str]:
    result = desk("tail", "--no-follow", *args)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def slots(desk: Desk, *args: str) -> list[str]:
    return [json.loads(line)["slot_id"] for line in told(desk, "--json", *args)]


def test_the_last_lines_of_the_past_come_first(desk: Desk) -> None:
    assert slots(desk, "-n", "3") == ["slot-000017", "slot-000018", "slot-000019"]


def test_a_line_says_what_was_wrong_and_where(desk: Desk) -> None:
    (line,) = (line for line in told(desk, "-n", "20") if "script" in line)
    assert line == f"12:00:07Z {SHORT} prose-glass api-short-1 120 ms script 6 (Thai at 17)"


def test_events_are_failures_and_what_a_detector_takes_for_one(desk: Desk) -> None:
    assert slots(desk, "--events", "-n", "20") == ["slot-000004", "slot-000007"]


def test_a_glob_chooses_targets(desk: Desk) -> None:
    assert slots(desk, "--target", "*/long", "-n", "2") == ["slot-000014", "slot-000017"]


def test_a_signal_shows_its_values_alone(desk: Desk) -> None:
    assert told(desk, "--signal", "language", "-n", "1")[0].endswith("120 ms language 0")


def test_no_answer_is_told(desk: Desk) -> None:
    lines = told(desk, "-n", "20") + told(desk, "-n", "20", "--json")
    assert not any("secret" in line or SECRET[:8] in line for line in lines)


def test_lines_are_found_far_back(desk: Desk) -> None:
    keep(desk, [an_observation(nth) for nth in range(100, 1_300)])
    assert slots(desk, "--events", "-n", "1") == ["slot-000007"]


def test_what_is_off_the_books_is_not_told(desk: Desk) -> None:
    keep(desk, [replace(an_observation(500), purpose=Purpose.REPLAY)])
    assert slots(desk, "-n", "1") == ["slot-000019"]


def test_an_empty_store_tells_nothing(tmp_path: Path) -> None:
    made = desk_in(tmp_path)
    keep(made, [])
    assert told(made) == []


@pytest.mark.parametrize(
    ("args", "hint"), [((), "no store yet"), (("--signal", "scrpt"), 'no signal "scrpt"')], ids=["store", "signal"]
)
def test_what_cannot_be_followed_is_exit_code_2(tmp_path: Path, args: tuple[str, ...], hint: str) -> None:
    result = desk_in(tmp_path)("tail", *args)
    assert (result.exit_code, hint in result.stderr) == (2, True)


def following(desk: Desk, *args: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "canary", "-c", str(desk.config), "tail", "-n", "1", "--interval", "0.1", *args]
    return subprocess.Popen(
        command, env={**os.environ, "TOKEN": TOKEN}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_it_goes_on_with_what_is_committed_and_ends_well_on_ctrl_c(desk: Desk) -> None:
    with following(desk, "--json") as process:
        assert process.stdout is not None
        process.stdout.readline()
        keep(desk, [an_observation(77)])
        assert json.loads(process.stdout.readline())["slot_id"] == "slot-000077"
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    assert (process.returncode, out, errors) == (0, "", "")


def test_a_reader_that_has_seen_enough_ends_it(desk: Desk) -> None:
    with following(desk) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        keep(desk, [an_observation(88)])
        assert process.wait(timeout=60) == 141
        assert process.stderr is not None
        assert process.stderr.read() == ""
