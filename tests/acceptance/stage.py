"""The stage of the acceptance tests: the real daemon as a process, a lab fleet, and a receiver of webhooks."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import uvicorn
from typing_extensions import override

from canary.alert.receivers.webhook import SIGNATURE, TIMESTAMP, verify
from canary.lab.fleet import Fleet
from canary.lab.server import LabApp, Receive, Scope, Send
from canary.lab.spec import FleetSpec, Platform, Pool
from canary.probe.affinity import affinity_key
from canary.records import Incident, Observation
from canary.store import StateKind, Store, open_store

SHORT, LONG, CLOUD = "mid/api/short", "mid/api/long", "mid/cloud/short"
SPEC = FleetSpec(
    models=("mid",),
    platforms=(
        Platform("api", (Pool("short", latency=0.01), Pool("long", scaling=0.2, context=1_000_000, latency=0.01))),
        Platform("cloud", (Pool("short", latency=0.01),)),
    ),
)
SECRET = "whsec-marker-5f0c2a"
TOKEN = "token-marker-91b7de"
PROMPTS = {
    "sky": "Why is the sky blue?",
    "tides": "What causes the tides?",
    "rain": "How does rain form?",
    "bees": "How do bees make honey?",
}
MAX_TOKENS = 24
GOLDEN = 4_000
"""Answers a target: when no series shows an event in them, its healthy rate is at most 0.14 %."""

Config = dict[str, Any]


def config(lab: str, *, hook: str = "http://127.0.0.1:1/none", interval: str = "100ms", **changes: Any) -> Config:
    """A config of the lab's three targets."""
    endpoint = {
        "base_url": f"{lab}/{{platform}}/{{pool}}/v1",
        "token": "${CANARY_TEST_TOKEN}",
        "affinity_header": "x-session-id",
        "replica_header": "x-replica",
        "limits": {"concurrency": 8, "rate_per_second": 500, "timeout": "5s"},
    }
    return {
        "version": 1,
        "region": "here",
        "detect": {"smallest_share": 0.02},
        "models": ["mid"],
        "platforms": ["api", "cloud"],
        "pools": ["short", "long"],
        "exclude": [{"platform": "cloud", "pool": "long"}],
        "endpoints": [endpoint],
        "probes": {"builtin": False, "folders": ["probes"]},
        "suites": [{"name": "all", "interval": interval, "jitter": "10ms"}],
        "receivers": [{"name": "hook", "kind": "webhook", "url": hook, "secret": "${CANARY_TEST_SECRET}"}],
        "web": {"port": 0},
        **changes,
    }


def probe(name: str, prompt: str) -> dict[str, Any]:
    return {
        "id": f"brief-{name}",
        "family": "brief",
        "why": "a short answer, so that many fit into a minute",
        "messages": [{"role": "user", "content": prompt}],
        "sampling": {"max_tokens": MAX_TOKENS, "temperature": 0, "logprobs": 3},
        "scorers": ["script", "logprob", "greedy"],
        "expect": {"language": "en", "scripts": ["Latn"]},
    }


@dataclass
class Place:
    """A folder with a config, its probes and its store."""

    folder: Path

    def __post_init__(self) -> None:
        probes = self.folder / "probes"
        probes.mkdir(parents=True, exist_ok=True)
        for name, prompt in PROMPTS.items():
            (probes / f"{name}.yaml").write_text(json.dumps(probe(name, prompt)), encoding="utf-8")

    @property
    def path(self) -> Path:
        return self.folder / "canary.yaml"

    @property
    def environ(self) -> Mapping[str, str]:
        return {**os.environ, "CANARY_TEST_SECRET": SECRET, "CANARY_TEST_TOKEN": TOKEN}

    def write(self, config: Config) -> None:
        self.path.write_text(json.dumps(config), encoding="utf-8")

    def take_golden(self, golden: Path) -> None:
        """Start from a store in which baselines are recorded and active."""
        shutil.copy(golden, self.folder / "canary.db")

    def canary(self, *words: str, within: float = 300) -> str:
        """Run a command to its end; its output."""
        command = [sys.executable, "-m", "canary", "-c", str(self.path), *words]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False, timeout=within)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @cached_property
    def store_url(self) -> str:
        given = json.loads(self.path.read_text("utf-8")).get("store", {})
        return str(given.get("url", f"sqlite:///{self.folder}/canary.db"))

    @contextmanager
    def store(self) -> Iterator[Store]:
        opened = open_store(self.store_url)
        try:
            yield opened
        finally:
            opened.close()

    def incidents(self) -> list[Incident]:
        with self.store() as store, store.reading() as tx:
            return list(tx.incidents())

    def observations(self, target: str | None = None, *, bodies: bool = False) -> list[Observation]:
        with self.store() as store, store.reading() as tx:
            return list(tx.observations(target=target, bodies=bodies))

    def fed(self) -> dict[tuple[str, str], int]:
        """How many scores each detector was fed, by target and signal."""
        with self.store() as store, store.reading() as tx:
            states = tx.states(StateKind.ALARM)
        return {(series.target, series.signal): state.n for series, state in states.items()}

    def sessions(self) -> set[str]:
        """The session keys of all that is kept."""
        return {affinity_key(one.slot_id) for one in self.observations()}

    @contextmanager
    def daemon(self, log: str = "daemon.log") -> Iterator["Daemon"]:
        """The daemon, ready; at the end it is terminated, and has to end well if it still runs."""
        running = self.start(log)
        try:
            yield running
        except BaseException:
            running.process.kill()
            running.process.wait()
            raise
        if running.process.poll() is None:
            assert running.stop() == 0, running.log_text()[-3_000:]

    def start(self, log: str = "daemon.log") -> "Daemon":
        out = (self.folder / log).open("ab")
        begun = out.tell()
        command = [sys.executable, "-m", "canary", "-c", str(self.path), "run"]
        process = subprocess.Popen(command, stdout=out, stderr=out, env=self.environ)
        out.close()
        daemon = Daemon(process, self.folder / log, begun)
        until(lambda: daemon.event("started") or process.poll() is not None, within=30)
        assert process.poll() is None, daemon.log_text()[-3_000:]
        return daemon


@dataclass
class Daemon:
    """A running daemon: its log, its web address, its end."""

    process: "subprocess.Popen[bytes]"
    log: Path
    begun: int = 0

    def log_text(self) -> str:
        return self.log.read_bytes()[self.begun :].decode()

    def events(self, name: str) -> list[dict[str, Any]]:
        found = (line for line in self.log_text().splitlines() if f'"event": "{name}"' in line)
        return [json.loads(line) for line in found]

    def event(self, name: str) -> dict[str, Any] | None:
        return next(iter(self.events(name)), None)

    @cached_property
    def base(self) -> str:
        started = self.event("started")
        assert started is not None
        return f"http://127.0.0.1:{started['port']}"

    def get(self, path: str) -> tuple[int, str]:
        return get(self.base + path)

    def metric(self, name: str, **labels: str) -> float:
        """The sum over the samples of `name` that bear these labels; -1 when there is none."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        lines = [line for line in self.get("/metrics")[1].splitlines() if re.match(rf"{name}[ {{]", line)]
        values = [float(line.rsplit(" ", 1)[1]) for line in lines if all(label in line for label in wanted)]
        return sum(values) if values else -1.0

    def answers(self, **labels: str) -> float:
        return self.metric("canary_observations_total", **labels)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self, within: float = 40.0) -> int:
        self.send(signal.SIGTERM)
        return self.process.wait(within)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def rss(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024


@dataclass
class Hook:
    """A receiver of webhooks on loopback; it refuses what is not signed with the secret."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    refused: int = 0

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        self.raw.append(body)
        stamp, signature = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
        fresh = stamp.isdigit() and abs(time.time() - int(stamp)) < 300  # noqa: TID251  as a receiver would
        if not (fresh and verify(SECRET, stamp, body, signature)):
            self.refused += 1
            return 401
        self.bodies.append(json.loads(body))
        return 200

    def kinds(self) -> list[str]:
        return [str(body["kind"]) for body in self.bodies]


@contextmanager
def hook() -> Iterator[Hook]:
    taken = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(taken.take(self.headers, body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taken.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class CountingLab:
    """A lab in this process that counts the requests of each session."""

    def __init__(self) -> None:
        self.sessions: Counter[str] = Counter()
        self.url = ""
        self._app = LabApp(Fleet(SPEC))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "completions" in scope["path"]:
            self.sessions[dict(scope["headers"])[b"x-session-id"].decode()] += 1
        await self._app(scope, receive, send)


@contextmanager
def counting_lab() -> Iterator[CountingLab]:
    lab = CountingLab()
    made = uvicorn.Config(lab, port=0, ws="none", lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(made)
    thread = Thread(target=server.run)
    thread.start()
    until(lambda: server.started, 10)
    lab.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield lab
    finally:
        server.should_exit = True
        thread.join()


def get(url: str) -> tuple[int, str]:
    answer = httpx.get(url, timeout=10, trust_env=False)
    return answer.status_code, answer.text


def switch(lab: str, *faults: dict[str, Any]) -> None:
    """Put these faults, and no others, on the lab."""
    httpx.put(f"{lab}/lab/faults", json=faults, timeout=10, trust_env=False).raise_for_status()


def until(condition: Callable[[], object], within: float) -> float:
    """Wait until the condition holds; how long that took, in seconds. An AssertionError when it never does."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within, f"not within {within:.0f} s"
        time.sleep(0.1)
    return time.monotonic() - began
