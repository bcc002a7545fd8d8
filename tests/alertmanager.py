"""A real Alertmanager for tests, on loopback, that calls a webhook of the test."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.integration.strict import serving
from tests.programs import free_port, program

CONFIG = """
route: {{receiver: hook, group_by: [incident], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{url}/", send_resolved: true}}]
"""


@dataclass
class RealAlertmanager:
    url: str
    calls: list[dict[str, Any]] = field(default_factory=list)

    def alerts(self) -> list[dict[str, Any]]:
        """Those that fire now."""
        found: list[dict[str, Any]] = httpx.get(f"{self.url}/api/v2/alerts", timeout=5, trust_env=False).json()
        return found

    def statuses(self) -> list[str]:
        """What the webhook was told of, in order."""
        return [alert["status"] for call in self.calls for alert in call["alerts"]]


@contextmanager
def alertmanager(folder: Path) -> Iterator[RealAlertmanager]:
    command = program("prometheus-alertmanager", "alertmanager")
    found = RealAlertmanager(f"http://127.0.0.1:{free_port()}")

    def hook(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, str]:
        found.calls.append(json.loads(body))
        return 200, "text/plain", ""

    with serving(hook) as url:
        config = folder / "alertmanager.yml"
        config.write_text(CONFIG.format(url=url), encoding="utf-8")
        address = found.url.removeprefix("http://")
        options = [f"--config.file={config}", f"--storage.path={folder}/data", f"--web.listen-address={address}"]
        with (folder / "alertmanager.log").open("wb") as log:
            process = subprocess.Popen([command, *options, "--cluster.listen-address="], stdout=log, stderr=log)
        try:
            _wait(lambda: _ready(found.url), process)
            yield found
        finally:
            process.kill()
            process.wait()


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", timeout=1, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _wait(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    began = time.monotonic()
    while not condition():
        assert process.poll() is None, "Alertmanager ended"
        assert time.monotonic() - began < 30, "Alertmanager does not get ready"
        time.sleep(0.1)
