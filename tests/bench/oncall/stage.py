"""The running product around a scenario: the lab as a process, golden answers, the daemon, Prometheus, Alertmanager."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from canary.clock import SystemClock
from canary.drill.scenario import Scenario
from tests import postgres, programs
from tests.acceptance.stage import Daemon, Place
from tests.bench.oncall.pages import ALERTMANAGER, HEARTBEAT, OWN, Pages
from tests.integration.strict import serving

RULES = Path(__file__).parents[3] / "deploy" / "prometheus" / "rules.yaml"
HEALTHY = 86_400.0
"""Seconds until the scenario begins, for a lab of which golden answers are recorded."""
LEAD = 30.0
"""The same for the lab that is watched: the daemon has to have started."""
GOLDEN = 2_900
"""Answers of a target, so many that each series is armed to find the scenario's smallest share."""
CONCURRENCY = 8
"""Requests to a pool at a time."""


def now() -> datetime:
    return SystemClock().now()


@dataclass(frozen=True)
class Stage:
    """What runs. The scenario begins at `begins`, and passes `speed` times as fast as real time."""

    scenario: Scenario
    speed: float
    begins: datetime
    place: Place
    daemon: Daemon
    prometheus: programs.Server
    pages: Pages

    def real(self, moment: datetime) -> datetime:
        """When a moment of the scenario comes."""
        return self.begins + (moment - self.scenario.begin) / self.speed


@contextmanager
def stage(scenario: Scenario, speed: float, folder: Path) -> Iterator[Stage]:
    """Everything, on loopback; it ends with the block."""
    place, pages, port = Place(folder), Pages(now), programs.free_port()
    with postgres.served() as database, serving(pages.take) as hook:
        store = database.new_database()
        with _lab(scenario, speed, port, HEALTHY, folder):
            _configure(place, store, hook)
            place.canary("baseline", "record", "--promote", "-n", str(GOLDEN), within=900)
        with (
            _lab(scenario, speed, port, LEAD, folder) as begins,
            _watching(place, store, hook) as daemon,
            programs.alertmanager(folder, hook + ALERTMANAGER) as alertmanager,
            programs.prometheus(
                folder, [_host(daemon.base)], rules=RULES, alertmanager=_host(alertmanager.url)
            ) as ours,
        ):
            running = Stage(scenario, speed, begins, place, daemon, ours, pages)
            with _changing(running):
                yield running


@contextmanager
def _lab(scenario: Scenario, speed: float, port: int, lead: float, folder: Path) -> Iterator[datetime]:
    """The fleet; gives the moment in which its scenario begins."""
    words = ("lab", "serve", str(scenario.path), "--speed", str(speed), "--lead", str(lead), "--port", str(port))
    command = (sys.executable, "-m", "canary", *words, "--write-config", str(folder / "canary.yaml"), "--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield datetime.fromisoformat(_document(process)["begins"])
        finally:
            process.terminate()


def _document(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """The JSON that a process begins with; it goes on running."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            break
    found: dict[str, Any] = json.loads("".join(lines))
    return found


@contextmanager
def _watching(place: Place, store: str, hook: str) -> Iterator[Daemon]:
    _configure(place, store, hook)  # the lab wrote its own again
    with place.daemon() as daemon:
        yield daemon


def _configure(place: Place, store: str, hook: str) -> None:
    """What the lab wrote, with a store and a receiver of ours."""
    config = json.loads(place.path.read_text("utf-8"))
    config["store"] = {"url": store}
    config["web"] = {"port": 0}
    config["endpoints"][0]["limits"]["concurrency"] = CONCURRENCY
    config["heartbeat"] = {"url": hook + HEARTBEAT, "every": "10s"}
    config["receivers"] = [
        {"name": "pager", "kind": "webhook", "url": hook + OWN, "secret": "${CANARY_TEST_SECRET}"},
    ]
    place.write(config)


@contextmanager
def _changing(running: Stage) -> Iterator[None]:
    """Record the scenario's changes as they are made."""
    over = threading.Event()

    def record() -> None:
        for change in running.scenario.changes:
            if over.wait(max(0.0, (running.real(change.at) - now()) / timedelta(seconds=1))):
                return
            words = ("--id", change.id, "--scope", change.scope.name, "--author", "deploys")
            running.place.canary("change", "add", change.kind.value, change.summary, *words)

    thread = threading.Thread(target=record)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _host(url: str) -> str:
    return url.removeprefix("http://")
