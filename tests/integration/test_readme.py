"""README's commands work as they stand there."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from canary.alert.receivers.webhook import sign
from canary.clock import SystemClock

pytestmark = pytest.mark.slow

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
RUNNABLE = re.findall(r"<!-- runnable -->\n```sh\n(.*?)```", README, re.DOTALL)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert isinstance(port, int)
    return port


def with_free_ports(script: str) -> str:
    """Where a daemon of the user's may be running, the test makes room."""
    here = f'printf "web: {{port: {free_port()}}}\\n" >> lab.yaml\ncanary check --reach'
    return script.replace("8199", str(free_port())).replace("canary check --reach", here)


def test_the_runnable_blocks_find_the_fault(tmp_path: Path) -> None:
    ends_well = "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n"
    script = "set -e\n" + ends_well + with_free_ports("\n".join(RUNNABLE))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CANARY")}
    result = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path, env={**clean, "PATH": path}, timeout=420
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "corruption on mid/api/short" in result.stdout
    assert "FAIL mid/api/short" in result.stdout
    assert result.stdout.endswith("exit code 1\n")


def test_every_link_leads_to_a_file() -> None:
    root = Path(__file__).resolve().parents[2]
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    assert [link for link in links if not (root / link).exists()] == []


def test_the_receiver_snippet_takes_what_canary_sends() -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    scope: dict[str, Any] = {}
    exec(snippet, scope)  # noqa: S102  it is ours
    stamp = str(int(SystemClock().now().timestamp()))
    headers = {"X-Canary-Timestamp": stamp, "X-Canary-Signature": sign("secret", stamp, b"{}")}
    assert scope["genuine"]("secret", headers, b"{}")
    assert not scope["genuine"]("secret", headers, b"[]")
