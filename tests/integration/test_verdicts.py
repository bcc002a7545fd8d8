"""`compare`, `gate` and `explain` of their verdicts, through the lab over HTTP."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from canary.lab.run import in_thread
from canary.lab.spec import default_spec
from tests.integration.test_cli import CONFIG, SHORT, TOKEN, Desk

LONG = "mid/api/long"
FAULT = {"kind": "corruption", "model": "mid", "platform": "api", "pool": "long", "share": 0.4}


@pytest.fixture(scope="module")
def lab() -> Iterator[str]:
    with in_thread(default_spec(latency=0.0)) as url:
        yield url


@pytest.fixture
def healthy(lab: str) -> str:
    """The lab without a fault."""
    httpx.put(f"{lab}/lab/faults", json=[]).raise_for_status()
    return lab


@pytest.fixture
def faulty(lab: str) -> Iterator[str]:
    """The lab with foreign characters in many answers of the long pool."""
    httpx.put(f"{lab}/lab/faults", json=[FAULT]).raise_for_status()
    yield lab
    httpx.put(f"{lab}/lab/faults", json=[]).raise_for_status()


def a_desk(folder: Path, url: str) -> Desk:
    config = folder / "canary.yaml"
    config.write_text(CONFIG.format(url=url), encoding="utf-8")
    return Desk(config)


@pytest.fixture
def bare(tmp_path: Path, lab: str) -> Desk:
    """A config without a store, and so without a baseline."""
    return a_desk(tmp_path, lab)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, lab: str) -> Desk:
    """A store with active baselines."""
    httpx.put(f"{lab}/lab/faults", json=[]).raise_for_status()
    made = a_desk(tmp_path_factory.mktemp("gate"), lab)
    recorded = made("baseline", "record", "--promote")
    assert recorded.exit_code == 0, recorded.output
    return made


@pytest.mark.usefixtures("healthy")
def test_alike_pools_pass_a_comparison_without_any_baseline(bare: Desk) -> None:
    result = bare("compare", SHORT, LONG)
    assert (result.exit_code, "PASS" in result.stdout, "they need a baseline" in result.stdout) == (0, True, True)


@pytest.mark.usefixtures("faulty")
def test_a_pool_with_a_fault_fails_against_one_without(bare: Desk) -> None:
    found = bare.facts("compare", SHORT, LONG)
    assert (found["verdict"], found["worse"], found["signal"]) == ("fail", LONG, "prose/script")


@pytest.mark.usefixtures("faulty")
def test_with_the_roles_swapped_the_other_one_is_said_to_be_worse(bare: Desk) -> None:
    result = bare("compare", LONG, SHORT, "--share", "0.05")
    assert (result.exit_code, f"{LONG} is worse" in result.stdout) == (0, True), result.output


@pytest.mark.usefixtures("healthy")
def test_a_comparison_of_too_few_pairs_is_inconclusive(bare: Desk) -> None:
    result = bare("compare", SHORT, LONG, "prose-glass", "-n", "3")
    assert (result.exit_code, "INCONCLUSIVE" in result.stdout) == (2, True), result.output


@pytest.mark.usefixtures("healthy")
def test_a_healthy_pool_passes_the_gate_in_one_line(desk: Desk) -> None:
    result = desk("gate", "--target", SHORT, "--suite", "prose")
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1), result.output
    assert result.stdout.startswith(f"PASS {SHORT} after ")


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize("against", [(), ("--against", SHORT)], ids=["baseline", "against"])
def test_a_pool_with_a_fault_fails_the_gate(desk: Desk, against: tuple[str, ...]) -> None:
    result = desk("gate", "--target", LONG, *against)
    assert (result.exit_code, "FAIL" in result.stdout, "prose/script" in result.stdout) == (1, True, True)


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize(
    ("taken", "code"), [((), 2), (("--inconclusive", "pass"), 0), (("--inconclusive", "fail"), 1)], ids=str
)
def test_an_inconclusive_gate_is_what_ci_takes_it_for(desk: Desk, taken: tuple[str, ...], code: int) -> None:
    result = desk("gate", "--target", SHORT, "--max-probes", "4", *taken)
    assert (result.exit_code, "INCONCLUSIVE" in result.stdout) == (code, True), result.output


@pytest.mark.usefixtures("healthy")
def test_a_gate_ends_when_its_time_is_over(desk: Desk) -> None:
    found = desk.facts("gate", "--target", SHORT, "--max-time", "0.001s")
    assert (found["verdict"], found["fired"]) == ("inconclusive", 0)


@pytest.mark.usefixtures("healthy")
def test_a_built_in_suite_is_compared_without_being_scheduled(bare: Desk) -> None:
    found = bare.facts("compare", SHORT, LONG, "--suite", "smoke", "-n", "16")
    assert len({one["group"] for one in found["compared"]}) > 8


def test_a_gate_without_a_baseline_is_an_error_and_no_verdict(bare: Desk) -> None:
    result = bare("gate", "--target", SHORT)
    assert (result.exit_code, "record a baseline first" in result.stderr) == (2, True)
    assert not bare.config.with_name("canary.db").exists()


@pytest.mark.usefixtures("faulty")
def test_a_gate_appends_a_summary_in_markdown_that_marks_the_worst_signal(desk: Desk, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n", encoding="utf-8")
    desk("gate", "--target", LONG, "--markdown", str(summary))
    lines = summary.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["# Before", "### \N{CROSS MARK} canary gate: fail"]
    assert any(line.startswith("| **prose/script** | ") for line in lines)


@pytest.mark.usefixtures("healthy")
def test_a_gate_marks_its_moment_among_the_changes_unless_told_not_to(desk: Desk) -> None:
    marked, unmarked = (
        desk.facts("gate", "--target", SHORT, "--max-probes", "3", "--by", "ci", *more)
        for more in ((), ("--no-change",))
    )
    changes = {one["id"]: one for one in desk.facts("change", "list")}
    assert f"gate:{unmarked['id']}" not in changes
    told = changes[f"gate:{marked['id']}"]
    assert (told["kind"], told["author"], told["scope"]["pool"]) == ("gate", "ci", "short")


@pytest.mark.usefixtures("healthy")
def test_every_gate_is_in_the_audit_log(desk: Desk) -> None:
    identity = desk.facts("gate", "--target", SHORT, "--max-probes", "3", "--by", "ci", "--no-change")["id"]
    last = desk.facts("audit")[-1]
    assert (last["act"], last["who"], last["subject"]) == ("gate", "ci", SHORT)
    assert identity in last["detail"]


@pytest.mark.usefixtures("faulty")
def test_a_failed_gate_is_a_failure_in_its_junit_report(desk: Desk, tmp_path: Path) -> None:
    desk("gate", "--target", LONG, "--junit", str(tmp_path / "gate.xml"))
    suite = ET.parse(tmp_path / "gate.xml").getroot()[0]  # noqa: S314  our own
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert (failed, suite.get("failures")) == (["verdict", "prose/script"], "2")


@pytest.mark.usefixtures("healthy")
def test_an_inconclusive_gate_is_skipped_in_its_junit_report(desk: Desk, tmp_path: Path) -> None:
    desk("gate", "--target", SHORT, "--max-probes", "2", "--junit", str(tmp_path / "gate.xml"))
    suite = ET.parse(tmp_path / "gate.xml").getroot()[0]  # noqa: S314  our own
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "1")


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize(
    "word",
    [("gate", "--target", LONG), ("gate", "--target", LONG, "--against", SHORT), ("replay", "prose", "--target", LONG)],
    ids=["gate", "against", "replay"],
)
def test_a_verdict_comes_again_from_the_store_bit_for_bit(desk: Desk, word: tuple[str, ...]) -> None:
    found = desk.facts(*word)
    again = desk.facts("explain", found["id"])
    assert (again["same"], again["again"]["evidence"]) == (True, found["evidence_nats"])


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize("name", ["verdict.svg", "verdict.png"])
def test_a_verdict_is_drawn_and_told(desk: Desk, tmp_path: Path, name: str) -> None:
    identity = desk.facts("compare", SHORT, LONG)["id"]
    result = desk("explain", identity[:10], "--out", str(tmp_path / name))
    assert (result.exit_code, "bit for bit" in result.stdout, "fail 0" in result.stdout) == (0, True, True)
    assert (tmp_path / name).read_bytes()[:4] in {b"<svg", b"\x89PNG", b"<?xm"}


@pytest.mark.usefixtures("faulty")
def test_a_score_that_was_changed_in_the_store_makes_explain_differ(bare: Desk) -> None:
    identity = bare.facts("compare", SHORT, LONG)["id"]
    with sqlite3.connect(bare.config.with_name("canary.db")) as connection:
        connection.execute("UPDATE scores SET value = 0.0 WHERE value > 0.0")
    connection.close()
    result = bare("explain", identity)
    assert (result.exit_code, "DIFFERS" in result.stdout) == (1, True), result.output


@pytest.mark.usefixtures("healthy")
def test_a_verdict_is_shown_whole(desk: Desk) -> None:
    identity = desk.facts("gate", "--target", SHORT)["id"]
    assert desk("explain", identity, "--since", "1h").exit_code == 2


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (("compare", SHORT, SHORT), "with itself"),
        (("compare", SHORT, LONG, "zzz"), "no probe"),
        (("compare", SHORT, LONG, "prose", "--suite", "prose"), "not both"),
        (("gate", "--target", SHORT, "--suite", "zzz"), "there are prose, smoke"),
        (("gate", "--target", "zzz"), 'no target "zzz"'),
        (("gate", "--target", SHORT, "--max-time", "soon"), "write 90s"),
        (("explain", "zzz"), "no verdict"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_judged_is_exit_code_2_with_a_hint(bare: Desk, args: tuple[str, ...], hint: str) -> None:
    result = bare(*args)
    assert (result.exit_code, hint in result.stderr) == (2, True), result.output


@pytest.mark.usefixtures("healthy")
def test_ctrl_c_gives_the_verdict_so_far(bare: Desk) -> None:
    words = (sys.executable, "-m", "canary", "-c", str(bare.config), "compare", SHORT, LONG, "--share", "0.002")
    words = (*words, "-n", "20000", "--json")
    process = subprocess.Popen(words, env={**os.environ, "TOKEN": TOKEN}, stdout=subprocess.PIPE)
    asyncio.run(_fired(bare))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    found = json.loads(out)
    assert (process.returncode, found["verdict"]) == (2, "inconclusive")
    assert 0 < found["fired"] < found["planned"]
    assert bare.facts("explain", found["id"])["same"] is True


async def _fired(desk: Desk) -> None:
    """Until something is in the store."""
    path = desk.config.with_name("canary.db")
    for _ in range(300):
        await asyncio.sleep(0.1)
        if path.exists() and _observations(path):
            return
    raise AssertionError("nothing was fired in 30 s")


def _observations(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM observations").fetchone()[0])
    except sqlite3.OperationalError:  # no tables yet
        return 0
    finally:
        connection.close()
