"""The daemon against two pools of a real inference engine, one of which is restarted as if for a long context."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from canary.config import load
from canary.daemon.assembly import store_url
from canary.records import Incident, Observation, Purpose
from canary.resources import data_folder
from canary.store import Store, open_store
from tests.engine import LONG_CONTEXT, engine, require_engine

pytestmark = [pytest.mark.engine, pytest.mark.slow]

HEALTHY_RUNS = int(os.environ.get("CANARY_ENGINE_RUNS", "5000"))
GROUPS = 4
CONFIG = """\
version: 1
region: here
store: {{url: "sqlite:///canary.db"}}
detect: {{smallest_share: 0.1}}
models: [tiny]
platforms: [cpu]
pools: [short, other]
endpoints:
  - match: {{pool: short}}
    base_url: {short}/v1
    limits: {{concurrency: 4, rate_per_second: 500, timeout: 20s}}
  - match: {{pool: other}}
    base_url: {other}/v1
    limits: {{concurrency: 4, rate_per_second: 500, timeout: 20s}}
probes: {{builtin: false, folders: [probes]}}
suites: [{{name: all, interval: 200ms, jitter: 50ms}}]
receivers: [{{name: console, kind: console}}]
web: {{port: 0}}
"""


def test_a_pool_restarted_for_another_context_is_found_by_its_logprobs_and_no_other_is(tmp_path: Path) -> None:
    require_engine()
    copy_probes(tmp_path / "probes")
    with engine() as short:
        with engine() as other:
            port = urlsplit(other).port
            (tmp_path / "canary.yaml").write_text(CONFIG.format(short=short, other=other), encoding="utf-8")
            canary(tmp_path, "baseline", "record", "--promote")
            with daemon(tmp_path):
                healthy = wait_for_runs(tmp_path, HEALTHY_RUNS)
            assert incidents(tmp_path) == [], "an incident while all was healthy"
        with engine(*LONG_CONTEXT, port=port or 0), daemon(tmp_path):
            found = wait_for_incident(tmp_path)
            time.sleep(15)  # would it name another pool, or the same one twice?
    every = incidents(tmp_path)
    to_incident = runs_until(tmp_path, found, len(healthy))
    print(f"\n{len(healthy)} healthy runs without an incident; {to_incident} runs of the faulty pool to the incident")
    assert [incident.target for incident in every] == ["tiny/cpu/other"]
    assert "logprob" in {finding.series.signal for finding in found.findings}
    assert "TRIGGER" in (tmp_path / "out.log").read_text(encoding="utf-8")


def copy_probes(folder: Path) -> None:
    """The probes for small contexts, in four probe groups instead of one, so that more of them are fired."""
    folder.mkdir()
    for index, path in enumerate(sorted((data_folder("probes") / "tiny").glob("*.yaml"))):
        text = re.sub(
            r"^family: .*$", f"family: tiny-{index % GROUPS}", path.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        (folder / path.name).write_text(text, encoding="utf-8")


def canary(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "canary", "-c", str(folder / "canary.yaml"), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout


@contextmanager
def daemon(folder: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "canary", "-c", str(folder / "canary.yaml"), "run"]
    with (
        (folder / "out.log").open("ab") as out,
        (folder / "err.log").open("ab") as err,
        subprocess.Popen(command, stdout=out, stderr=err) as process,
    ):
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, (folder / "err.log").read_text(encoding="utf-8")[-2000:]


@contextmanager
def store(folder: Path) -> Iterator[Store]:
    opened = open_store(store_url(load(folder / "canary.yaml", {})))
    try:
        yield opened
    finally:
        opened.close()


def observations(folder: Path, target: str | None = None) -> list[Observation]:
    with store(folder) as opened, opened.reading() as tx:
        return list(tx.observations(target=target, purpose=Purpose.SCHEDULED))


def incidents(folder: Path) -> Sequence[Incident]:
    with store(folder) as opened, opened.reading() as tx:
        return list(tx.incidents())


def wait_for_runs(folder: Path, n: int) -> list[Observation]:
    deadline = time.monotonic() + 60 + n / 10
    while len(seen := observations(folder)) < n:
        assert time.monotonic() < deadline, f"only {len(seen)} of {n} runs in time"
        time.sleep(2)
    return seen


def wait_for_incident(folder: Path) -> Incident:
    deadline = time.monotonic() + 120
    while not (found := incidents(folder)):
        assert time.monotonic() < deadline, "the pool that was restarted wrongly was not found"
        time.sleep(0.5)
    return found[0]


def runs_until(folder: Path, incident: Incident, healthy: int) -> int:
    """Runs of the faulty pool, from its restart to the incident."""
    known = {seen.slot_id for seen in observations(folder)[:healthy]}
    after = (seen for seen in observations(folder, "tiny/cpu/other") if seen.slot_id not in known)
    return sum(seen.started_at <= incident.opened_at for seen in after)
