"""Real programs for tests: Prometheus, Alertmanager and their tools, as Debian packs them."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

_PATIENCE = 30.0


def program(*names: str) -> str:
    """The path of the first that is there. In CI it has to be; on a user's machine the test is skipped without it."""
    for name in names:
        if found := shutil.which(name):
            return found
    reason = f"no {names[0]} on this machine: install it (apt-get install prometheus prometheus-alertmanager has most)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def run(*command: str | Path) -> str:
    """Both outputs of a command that ends well."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


@dataclass(frozen=True)
class Server:
    """A running Prometheus or Alertmanager."""

    url: str

    def get(self, path: str, **query: str) -> Any:
        answer = httpx.get(self.url + path, params=query, timeout=10, trust_env=False)
        return answer.json()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant. An AssertionError when it cannot be evaluated."""
        answer = self.get("/api/v1/query", query=expression)
        assert answer["status"] == "success", (expression, answer)
        result = answer["data"]["result"]
        return result if answer["data"]["resultType"] == "vector" else [result]


@contextmanager
def prometheus(
    folder: Path, scraped: Sequence[str], *, rules: Path | None = None, alertmanager: str = ""
) -> Iterator[Server]:
    """One that scrapes these (HOST:PORT) as the job `canary`, and evaluates, each second."""
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "scrape_configs": [{"job_name": "canary", "static_configs": [{"targets": list(scraped)}]}],
        "rule_files": [str(rules)] if rules else [],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]} if alertmanager else {},
    }
    file = _written(folder / "prometheus.yml", config)
    port = free_port()
    command = [
        program("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=exemplar-storage",
        "--log.level=warn",
    ]
    with _served(command, port, folder / "prometheus.log") as server:
        yield server


PAGES: Mapping[str, Any] = {
    "receiver": "nobody",
    "group_by": ["..."],
    "group_wait": "0s",
    "group_interval": "1s",
    "routes": [{"receiver": "hook", "matchers": ['severity="page"']}],
}
"""What pages goes to the webhook, without waiting for more."""


@contextmanager
def alertmanager(folder: Path, webhook: str, route: Mapping[str, Any] = PAGES) -> Iterator[Server]:
    """One whose receiver "hook" is a webhook."""
    receivers = [{"name": "nobody"}, {"name": "hook", "webhook_configs": [{"url": webhook}]}]
    file = _written(folder / "alertmanager.yml", {"route": route, "receivers": receivers})
    port = free_port()
    command = [
        program("alertmanager", "prometheus-alertmanager"),
        f"--config.file={file}",
        f"--storage.path={folder}/alertmanager",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    with _served(command, port, folder / "alertmanager.log") as server:
        yield server


@contextmanager
def _served(command: Sequence[str], port: int, log: Path) -> Iterator[Server]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        server = Server(f"http://127.0.0.1:{port}")
        began = time.monotonic()
        while not _ready(server):
            assert process.poll() is None, log.read_text("utf-8", "replace")[-2_000:]
            assert time.monotonic() - began < _PATIENCE, "it does not become ready"
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait(20)


def _ready(server: Server) -> bool:
    try:
        return httpx.get(f"{server.url}/-/ready", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _written(path: Path, config: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    return path
