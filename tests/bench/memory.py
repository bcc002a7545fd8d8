"""What a fleet of 1,000 targets x 20 probes costs: memory of the real daemon, and the work that grows with the fleet.

    python -m tests.bench.memory

The daemon is a process of its own; it probes a local server, ten runs a second, first with every series armed, then
with none. Afterwards the same fleet's single steps are timed in a process of their own.
"""

import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import httpx

from canary.config import Config, load
from canary.daemon import assembly
from canary.daemon.board import Board
from canary.metrics import Metrics
from canary.pipeline.references import References
from canary.pipeline.watch import Watch
from canary.records import Baseline, BaselinePart, BaselineStatus, Observation, Run, SeriesKey, SignalKind
from canary.resources import data_folder
from canary.schedule.plan import Plan
from canary.score import SIGNALS
from canary.store import Store, open_store
from canary.testing import FakeClock
from tests.bench import answers
from tests.bench.end_to_end import body
from tests.bench.load import served

T = TypeVar("T")

AXIS = 10  # models, platforms and pools: 1,000 targets
GOLDEN = 3_000
SECONDS = 30
CONFIG = """\
version: 1
models: [{models}]
platforms: [{platforms}]
pools: [{pools}]
endpoints: [{{base_url: "{url}/50"}}]
suites: [{{name: all, interval: 500s, probes: [{probes}]}}]
detect: {{smallest_share: 0.1}}
web: {{port: 0}}
"""
CREATED = datetime(2025, 8, 5, tzinfo=UTC)


def config_text(url: str, probes: list[str]) -> str:
    axes = {axis: ", ".join(f"{axis[:-1]}-{i}" for i in range(AXIS)) for axis in ("models", "platforms", "pools")}
    return CONFIG.format(**axes, url=url, probes=", ".join(probes))


def twenty(folder: Path) -> list[str]:
    """Four probes of each of five families."""
    chosen: list[str] = []
    for family in ("code", "copy", "multilingual", "prose", "tiny"):
        chosen += sorted(path.stem for path in (folder / family).glob("*.yaml"))[:4]
    return chosen


def baselines(config: Config) -> Iterator[Baseline]:
    """Enough golden data for every series of the config; each target has golden values of its own."""
    for number, rhythm in enumerate(assembly.rhythms_of(config)):
        parts = tuple(BaselinePart(probe.digest, GOLDEN // len(rhythm.probes)) for probe in rhythm.probes)
        values = tuple((i + number / 10_000) / GOLDEN / 10 for i in range(GOLDEN))
        for signal in rhythm.signals:
            key = SeriesKey(rhythm.target, config.region, rhythm.group, signal.name)
            calibration = values if signal.kind is SignalKind.DISTANCE else ()
            identity = f"{number}-{signal.name}"
            exposure = GOLDEN * (1 + number / 10_000)
            facts = (identity, key, 1, BaselineStatus.ACTIVE, SIGNALS[signal.name].version, CREATED)
            yield Baseline(*facts, GOLDEN, exposure, 0, parts, calibration)


def arm_all(config: Config) -> int:
    """How many series that are."""
    store = open_store(assembly.store_url(config), create=True)
    with store.transaction() as tx:
        for one in baselines(config):
            tx.put_baseline(one)
    store.close()
    return sum(len(rhythm.signals) for rhythm in assembly.rhythms_of(config))


@contextmanager
def daemon(path: Path) -> Iterator[tuple[int, str]]:
    """The process id and the URL of a running daemon."""
    log = path.with_suffix(".log")
    with log.open("wb") as errors:
        process = subprocess.Popen([sys.executable, "-m", "canary", "-c", str(path), "run"], stderr=errors)
    try:
        while not (found := re.search(r'"port": ?(\d+)', log.read_text())):
            if process.poll() is not None:
                raise RuntimeError(log.read_text()[-2_000:])
            time.sleep(0.2)
        yield process.pid, f"http://127.0.0.1:{found[1]}"
    finally:
        process.terminate()
        process.wait()


def status(pid: int) -> tuple[float, float, float]:
    """Megabytes resident now and at most; CPU seconds."""
    facts = Path(f"/proc/{pid}/status").read_text()
    now, most = (int(n) / 1024 for name in ("VmRSS", "VmHWM") for n in re.findall(rf"{name}:\s+(\d+)", facts))
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return now, most, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def live(name: str, path: Path) -> None:
    began = time.perf_counter()
    with daemon(path) as (pid, url):
        ready, starting = time.perf_counter() - began, status(pid)[2]
        time.sleep(SECONDS)
        now, _, cpu = status(pid)
        scrape = timed(lambda: runs(url))
        ran, most = runs(url), status(pid)[1]
    busy = (cpu - starting) / SECONDS
    print(f"| {name} | {ready:.1f} | {starting:.1f} | {ran} | {busy:.0%} | {scrape:.2f} | {now:.0f} | {most:.0f} |")


def runs(url: str) -> int:
    """Answers so far, by the metrics."""
    text = httpx.get(f"{url}/metrics").text
    return sum(int(float(n)) for n in re.findall(r'\ncanary_observations_total\{.*result="response"\} (\S+)', text))


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def steps(path: Path) -> None:
    """In a process of its own."""
    config = load(path, {})
    store = open_store(assembly.store_url(config))
    watch, armed = clocked(lambda: assembly.watch_of(config, store))
    metrics = Metrics(version="0")
    board = Board(metrics, FakeClock(CREATED), lambda: ((), ()))
    plan, planned = clocked(lambda: laid_out(config))
    references = filled(store, config, watch)
    rows = {
        "load the config": clocked(lambda: load(path, {}))[1],
        "arm every series": armed,
        "tell the board": clocked(lambda: board.configure(config, watch))[1],
        "write /metrics": clocked(metrics.text)[1],
        "draw the status": clocked(board.snapshot)[1],
        "lay out the plan": planned,
        "one tick": clocked(lambda: ticked(plan, 100))[1] / 100,
    }
    print("\n| step of the armed fleet | CPU ms |\n| --- | ---: |")
    for name, seconds in rows.items():
        print(f"| {name} | {1e3 * seconds:,.1f} |")
    print(f"references at their most: {references:.0f} MB")
    store.close()


def clocked(work: Callable[[], T]) -> tuple[T, float]:
    began = time.process_time()
    return work(), time.process_time() - began


def laid_out(config: Config) -> Plan:
    plan = assembly.plan_of(config)
    plan.due(CREATED, CREATED)
    return plan


def ticked(plan: Plan, times: int) -> None:
    tick = timedelta(milliseconds=250)
    for i in range(times):
        plan.due(CREATED + i * tick, CREATED + (i + 1) * tick)


def filled(store: Store, config: Config, watch: Watch) -> float:
    """Megabytes of golden references of 20 answers, once there is no room for more."""
    fired = [blank(config, number) for number in range(60)]
    with store.transaction() as tx:
        for each in fired:
            tx.put_references(each.target, 1, [replace(answers.golden(20), probe_digest=each.probe_digest)])
    before, cache = status(os.getpid())[0], References()
    with store.reading() as tx:
        for each in fired:
            cache.of(tx, watch, each)
    return status(os.getpid())[0] - before


def blank(config: Config, number: int) -> Observation:
    """A run of the plan, with nothing in it."""
    one = config.assignments()[number]
    run = Run(one.probes[0], one.target, config.region, CREATED)
    names = (run.slot_id, run.probe.id, run.probe.digest, one.group, run.target.name, run.region)
    return Observation(*names, CREATED, CREATED, timedelta(0))


def main() -> None:
    bodies = [body(answers.answer(1_200, seed)) for seed in range(16)]
    with tempfile.TemporaryDirectory() as folder, served(bodies) as url:
        path = Path(folder) / "canary.yaml"
        path.write_text(config_text(url, twenty(data_folder("probes"))))
        heads = ("s until ready", "CPU s until ready", "answers", "CPU", "s of a scrape", "MB", "MB at most")
        print(f"| daemon, 1,000 targets x 20 probes | {' | '.join(heads)} |")
        print("| --- |" + " ---: |" * len(heads))
        live("learning", path)
        live(f"{arm_all(load(path, {})):,} series armed", path)
        child = multiprocessing.get_context("spawn").Process(target=steps, args=(path,))
        child.start()
        child.join()


if __name__ == "__main__":
    main()
