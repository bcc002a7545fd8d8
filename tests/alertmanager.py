"""A real Alertmanager to which receivers of ours send, and what it tells its webhook of that."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests import programs
from tests.integration.strict import serving

ROUTE = {
    "receiver": "hook",
    "group_by": ["incident"],
    "group_wait": "0s",
    "group_interval": "1s",
    "repeat_interval": "1h",
}


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

    def identities(self) -> list[dict[str, str]]:
        """The labels of what the webhook was told of, in order."""
        return [alert["labels"] for call in self.calls for alert in call["alerts"]]


@contextmanager
def alertmanager(folder: Path) -> Iterator[RealAlertmanager]:
    calls: list[dict[str, Any]] = []

    def hook(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, str]:
        calls.append(json.loads(body))
        return 200, "text/plain", ""

    with serving(hook) as url, programs.alertmanager(folder, f"{url}/", ROUTE) as server:
        yield RealAlertmanager(server.url, calls)
