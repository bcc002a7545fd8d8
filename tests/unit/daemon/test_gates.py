"""Gates in processes of their own: few at a time, each within its time, each known by its target and key."""

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from canary.daemon import gates
from canary.daemon.gates import KEPT, MOST, ProcessGates
from canary.testing import FakeClock
from canary.web.gates import Asked, Busy, Differs

pytestmark = pytest.mark.anyio
PATIENT, IMPATIENT = timedelta(seconds=30), timedelta(0)
ECHO = "import json, os, sys; print(json.dumps({'verdict': 'pass', 'words': sys.argv[1:], 'pid': os.getpid()}))"
HANGING = "import time; time.sleep(60)"


def asked(key: str = "k", **more: Any) -> Asked:
    return Asked(**{"target": "mid/api/short", "key": key, "within": timedelta(seconds=90), "max_probes": 40, **more})


def running(code: str, clock: FakeClock | None = None) -> ProcessGates:
    return ProcessGates(Path("canary.yaml"), os.environ, clock or FakeClock(), (sys.executable, "-c", code))


async def test_it_runs_the_command_with_what_was_asked() -> None:
    gate = await running(ECHO).ask(asked(against="mid/api/long", share=0.02), "token:ci", PATIENT)
    assert gate.verdict == "pass"
    assert gate.report is not None
    assert gate.report["words"] == [
        "-c",
        "canary.yaml",
        "gate",
        "--json",
        "--target=mid/api/short",
        "--against=mid/api/long",
        "--share=0.02",
        "--max-probes=40",
        "--max-time=90s",
        "--by=token:ci",
    ]


async def test_the_same_key_is_the_same_gate() -> None:
    several = running(ECHO)
    first, again, other = [await several.ask(asked(key), "ada", PATIENT) for key in ("a", "a", "b")]
    assert first == again
    assert first.report != other.report


async def test_two_who_ask_at_once_wait_for_one_gate() -> None:
    several = running(ECHO)
    one, other = await asyncio.gather(*(several.ask(asked(), "ada", PATIENT) for _ in range(2)))
    assert one.report == other.report


async def test_who_is_not_patient_is_told_that_it_runs() -> None:
    several = running(HANGING)
    gate = await several.ask(asked(), "ada", IMPATIENT)
    known = several.known("mid/api/short", "k")
    await several.stop()
    assert gate.running
    assert known is not None
    assert known.running


async def test_no_more_than_two_run_at_once() -> None:
    several = running(HANGING)
    for n in range(MOST):
        await several.ask(asked(str(n)), "ada", IMPATIENT)
    with pytest.raises(Busy):
        await several.ask(asked("one more"), "ada", IMPATIENT)
    await several.stop()


async def test_one_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "GRACE", timedelta(seconds=0.2))
    gate = await running(HANGING).ask(asked(within=timedelta(0)), "ada", PATIENT)
    assert (gate.verdict, gate.trouble) == (None, "it did not end in its time")


async def test_stopping_leaves_no_process_behind(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    several = running(
        f"import os, pathlib, time; pathlib.Path({str(pid)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    await several.ask(asked(), "ada", IMPATIENT)
    while not pid.exists() or not pid.read_text():
        await asyncio.sleep(0.01)
    await several.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_an_error_of_the_command_is_told_in_its_words() -> None:
    code = "import sys; print('canary: no series is armed', file=sys.stderr); sys.exit(2)"
    gate = await running(code).ask(asked(), "ada", PATIENT)
    assert (gate.running, gate.verdict, gate.trouble) == (False, None, "no series is armed")


async def test_a_crash_tells_nothing_of_itself() -> None:
    gate = await running("raise ValueError('secret')").ask(asked(), "ada", PATIENT)
    assert gate.trouble == "it ended without a verdict"


async def test_what_went_wrong_is_told_once_and_tried_again_when_it_is_asked_for_again() -> None:
    several = running("import sys; sys.exit(3)")
    await several.ask(asked(), "ada", PATIENT)
    assert several.known("mid/api/short", "k") is None


async def test_a_key_is_not_that_of_a_gate_that_is_asked_otherwise() -> None:
    several = running(ECHO)
    await several.ask(asked(), "ada", PATIENT)
    with pytest.raises(Differs):
        await several.ask(asked(max_probes=400), "ada", PATIENT)


async def test_an_ended_gate_is_forgotten_after_its_time() -> None:
    clock = FakeClock()
    several = running(ECHO, clock)
    await several.ask(asked(), "ada", PATIENT)
    clock.advance(KEPT)
    kept = several.known("mid/api/short", "k")
    clock.advance(timedelta(seconds=1))
    assert (kept is None, several.known("mid/api/short", "k")) == (False, None)


def test_a_report_is_read_as_the_command_writes_it() -> None:
    gate = gates._read(asked(), json.dumps({"verdict": "inconclusive"}).encode(), b"canary: warning\n")
    assert gate.verdict == "inconclusive"
