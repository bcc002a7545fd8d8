"""The console script as a shell meets it: what it imports, how it ends, what it completes."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from time import sleep

import pytest

from canary.clock import SystemClock
from canary.lab.run import in_thread
from canary.lab.spec import default_spec

CANARY = (sys.executable, "-m", "canary")
HEAVY = ("numpy", "scipy", "sqlalchemy", "aiohttp", "pydantic", "rich", "fastapi")


def run(*args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CANARY, *args], capture_output=True, text=True, env={**os.environ, **(env or {})}, cwd=cwd, timeout=60
    )


def completed(words: str, cwd: Path) -> list[str]:
    count = str(len(words.split(" ")) - 1)
    asked = {"_CANARY_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": count}
    code = "from canary.cli import words; words(prog_name='canary')"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **asked}, cwd=cwd, timeout=60
    )
    assert result.stderr == ""
    return [line.removeprefix("plain,") for line in result.stdout.splitlines() if line]


@pytest.fixture
def started(tmp_path: Path) -> Path:
    assert run("init", str(tmp_path)).returncode == 0
    return tmp_path


@pytest.mark.parametrize("args", [["--version"], ["--help"]], ids=" ".join)
def test_a_word_that_needs_nothing_imports_nothing_heavy(args: list[str]) -> None:
    code = f"""
import sys
from canary.cli import words
try:
    words({args!r}, prog_name="canary")
except SystemExit:
    pass
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.splitlines()[-1] == "[]"


def test_a_terminal_that_cannot_show_a_letter_is_no_error(started: Path) -> None:
    result = run("status", cwd=started, env={"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert (result.returncode, result.stderr) == (0, "")


def test_a_reader_that_has_seen_enough_is_no_error(started: Path) -> None:
    shell = f"{sys.executable} -m canary config schema | head -n 1"
    result = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, cwd=started, timeout=60)
    assert (result.stdout, result.stderr) == ("{\n", "")


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("lab", "serve", "--port", str(taken.getsockname()[1]))
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)


def test_ctrl_c_is_neither_pass_nor_fail(started: Path) -> None:
    config = started / "canary.yaml"
    store = started / "canary.db"
    with in_thread(default_spec(latency=1.0)) as url:
        text = config.read_text(encoding="utf-8").replace("http://127.0.0.1:8000/v1", f"{url}/api/short/v1")
        config.write_text(text.replace("my-model", "mid"), encoding="utf-8")
        process = subprocess.Popen(
            [*CANARY, "-c", str(config), "baseline", "record"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while process.poll() is None and not store.exists():
            sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors.splitlines()[-1]) == (130, "canary: stopped")


def test_ctrl_c_within_code_made_from_text_is_130_too(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, types\n"
        "class Interrupted(types.ModuleType):\n"
        "    @property\n"
        "    def command(self):\n"
        "        exec('raise KeyboardInterrupt')\n"
        "sys.modules['canary.cli.db'] = Interrupted('canary.cli.db')\n",
        encoding="utf-8",
    )
    result = run("db", env={"PYTHONPATH": str(tmp_path)})
    assert (result.returncode, result.stderr) == (130, "canary: stopped\n")


def test_the_lab_ends_well_on_ctrl_c() -> None:
    process = subprocess.Popen([*CANARY, "lab", "serve", "--port", "0"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "serving" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0
    process.stdout.close()


def test_a_scenario_that_is_served_says_when_it_begins() -> None:
    command = [*CANARY, "lab", "serve", "misrouting", "--port", "0", "--speed", "60", "--lead", "3600", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    facts = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0
    process.stdout.close()
    ahead = datetime.fromisoformat(facts["begins"]) - SystemClock().now()
    assert timedelta(minutes=55) < ahead < timedelta(hours=1)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script(shell: str) -> None:
    script = run("completion", shell).stdout
    assert "_CANARY_COMPLETE" in script


def test_commands_are_completed(started: Path) -> None:
    assert completed("canary inc", started) == ["incident"]


def test_targets_of_the_config_are_completed(started: Path) -> None:
    assert completed("canary baseline record --target my", started) == ["my-model/local/main"]


def test_probes_of_the_config_are_completed(started: Path) -> None:
    assert completed("canary probe show tid", started) == ["tides"]


def test_another_config_is_completed_from(started: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert completed(f"canary -c {started}/canary.yaml probe show tid", elsewhere) == ["tides"]


@pytest.mark.parametrize(
    "words", ["canary probe show ", "canary incident show ", "canary baseline show ", "canary replay "]
)
def test_without_a_config_nothing_is_completed_and_nothing_is_raised(words: str, tmp_path: Path) -> None:
    assert completed(words, tmp_path) == []


def test_what_is_completed_is_bounded(started: Path) -> None:
    assert len(completed("canary replay ", started)) == 50


def test_status_is_looked_at_again_and_again_until_ctrl_c(started: Path) -> None:
    command = [*CANARY, "status", "--watch", "0.2"]
    process = subprocess.Popen(command, cwd=started, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    looks = 0
    while looks < 2:
        looks += process.stdout.readline().startswith("canary status 20")
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, errors, "\x1b" in out) == (0, "", False)
