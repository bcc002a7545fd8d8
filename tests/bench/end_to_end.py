"""What a probe costs from the socket to the detector, beside a bare httpx call and `json.loads` of the same answer.

    python -m tests.bench.end_to_end

Ours fires over HTTP, parses, scores five signals against 20 golden answers, keeps everything in SQLite and steps armed
detectors: the parts of the daemon as they are. The server is a process of its own. CPU is that of this whole process.
Once every text is new to the scorers, and once it is one of sixteen that they have seen, as at temperature 0.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from canary import score
from canary.clock import SystemClock
from canary.http import HttpClient
from canary.pipeline.ledger import Fired
from canary.pipeline.remembered import remembered
from canary.pipeline.tell import Audience
from canary.pipeline.watch import Rhythm, Terms, Watch, muster
from canary.pipeline.writer import Writer, weight
from canary.probe.client import ProbeClient
from canary.records import (
    Baseline,
    BaselinePart,
    BaselineStatus,
    Dialect,
    Endpoint,
    Limits,
    Logprobs,
    Response,
    Run,
    SeriesKey,
    Target,
)
from canary.score import SIGNALS, Scorer
from canary.store import Store, open_store
from tests.bench import answers
from tests.bench.load import CROWDED, FLAT_OUT, Load, served
from tests.bench.meter import MeteredLedger, MeteredStore, lag

SCORERS = ("script", "language", "syntax", "logprob", "greedy")
PROBE = replace(answers.probe(), scorers=SCORERS, sampling=replace(answers.probe().sampling, logprobs=5))
LIMITS = Limits(concurrency=1_000, rate_per_second=100_000.0)
REGION, SLOT, MINUTE = "here", datetime(2025, 8, 5, tzinfo=UTC), timedelta(minutes=1)
TARGETS, GOLDEN, CHARACTERS = 16, 20, 1_200
REQUESTS = {FLAT_OUT: (1_000, 1_000), CROWDED: (600, 2_400)}  # of the bare client, of ours
ROUNDS = {FLAT_OUT: 5, CROWDED: 2}
STAGES = ("fire and decode", "score", "store", "detect")

Ask = Callable[[int], Awaitable[None]]


@dataclass(frozen=True)
class Cost:
    """Of one request: CPU seconds of this process, seconds, CPU seconds by stage; and the event loop's lateness."""

    cpu: float
    wall: float
    stages: tuple[float, ...] = ()
    late: float = 0.0


def body(response: Response) -> bytes:
    """The response as a server of chat completions writes it."""
    assert response.logprobs is not None
    message = {"role": "assistant", "content": response.text}
    content = {"content": _content(response.logprobs)}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": content}
    usage = {"prompt_tokens": 9, "completion_tokens": 300, "total_tokens": 309}
    answer = {"id": "x", "model": "bench", "choices": [choice], "usage": usage}
    return json.dumps(answer, separators=(",", ":")).encode()


def _content(logprobs: Logprobs) -> list[dict[str, object]]:
    rows = zip(logprobs.chosen, logprobs.chosen_logprob, logprobs.top, logprobs.top_logprob, strict=True)
    return [
        {**_entry(token, value), "top_logprobs": [_entry(*pair) for pair in zip(top, values, strict=True)]}
        for token, value, top, values in rows
    ]


def _entry(token: object, logprob: float) -> dict[str, object]:
    return {"id": token, "token": "wo", "bytes": [*b"wo"], "logprob": round(logprob, 5)}


async def spent(ask: Ask, load: Load, requests: int, finish: Callable[[], Awaitable[None]]) -> Cost:
    """Ask that often, so many at a time, and finish."""
    numbers = iter(range(requests))

    async def worker() -> None:
        for number in numbers:
            await ask(number)

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(load.in_flight)))
    await finish()
    return Cost((time.process_time() - cpu) / requests, (time.perf_counter() - wall) / requests)


async def bare(url: str, load: Load, requests: int) -> Cost:
    async with httpx.AsyncClient(timeout=60) as client:

        async def ask(_: int) -> None:
            answer = await client.post(f"{url}{load.path}/chat/completions", json={"messages": []})
            json.loads(answer.content)

        await asyncio.gather(*(ask(0) for _ in range(load.in_flight)))  # connections
        return await spent(ask, load, requests, _nothing)


async def ours(url: str, load: Load, requests: int, folder: Path, scorers: Mapping[str, Scorer]) -> Cost:
    targets = [_target(url + load.path, pool) for pool in range(TARGETS)]
    store = MeteredStore(open_store(f"sqlite:///{folder / 'canary.db'}", create=True))
    watch = armed(store, targets, scorers)
    clock, http = SystemClock(), HttpClient()
    ledger = MeteredLedger(store, watch, Audience(), clock)
    client, writer = (
        ProbeClient(http, clock),
        Writer(ledger.keep, clock, weigh=lambda fired: weight(fired.observations)),
    )
    running = asyncio.create_task(writer.run())

    async def ask(number: int) -> None:
        minute, pool = divmod(number, TARGETS)
        observation = await client.fire(Run(PROBE, targets[pool], REGION, SLOT + minute * MINUTE))
        if observation.response is None:
            raise RuntimeError(str(observation.failure))
        await writer.put(Fired(PROBE, (observation,)))

    await asyncio.gather(*(ask(-1 - n) for n in range(load.in_flight)))  # connections, references, tables
    await writer.drained()
    ledger.clear()
    late: list[float] = []
    watching = asyncio.create_task(lag(late))
    cost = await spent(ask, load, requests, writer.drained)
    for task in (running, watching):
        task.cancel()
    await http.aclose()
    store.close()
    judged, kept, detect = (seconds / requests for seconds in ledger.seconds)
    stages = (cost.cpu - judged - kept - detect, judged, kept, detect)
    return replace(cost, stages=stages, late=statistics.quantiles(late, n=100)[98])


def armed(store: Store, targets: Sequence[Target], scorers: Mapping[str, Scorer]) -> Watch:
    """All series of the targets, armed; their golden answers in the store."""
    rhythms = [Rhythm(target.name, PROBE.group, (PROBE,), MINUTE) for target in targets]
    golden = [
        baseline(SeriesKey(rhythm.target, REGION, rhythm.group, signal.name))
        for rhythm in rhythms
        for signal in rhythm.signals
    ]
    reference = replace(answers.golden(GOLDEN), probe_digest=PROBE.digest)
    with store.transaction() as tx:
        for target in targets:
            tx.put_references(target.name, 1, [reference])
    watch = muster(rhythms, golden, Terms(0.25, 0.05, 0.05), REGION, scorers)
    assert len(watch.armed) == len(golden)
    return watch


def baseline(series: SeriesKey, n: int = 3_000) -> Baseline:
    calibration = tuple(i / n for i in range(n)) if series.signal == "logprob" else ()
    parts = (BaselinePart(PROBE.digest, n),)
    identity, created, version = f"{series.target}/{series.signal}", SLOT - MINUTE, SIGNALS[series.signal].version
    return Baseline(identity, series, 1, BaselineStatus.ACTIVE, version, created, n, n, 0, parts, calibration)


def _target(url: str, pool: int) -> Target:
    return Target("bench", "cpu", str(pool), Endpoint(Dialect.OPENAI_CHAT, url, "bench"), LIMITS)


async def _nothing() -> None:
    pass


def measure(url: str, load: Load) -> list[tuple[Cost, Cost, Cost]]:
    """Rounds of the bare client, of ours with new texts, and of ours with texts seen before."""
    rounds = []
    for _ in range(ROUNDS[load]):
        theirs = asyncio.run(bare(url, load, REQUESTS[load][0]))
        fresh, seen = (_ours(url, load, scorers) for scorers in (score.SCORERS, remembered(score.SCORERS)))
        rounds.append((theirs, fresh, seen))
    return rounds


def _ours(url: str, load: Load, scorers: Mapping[str, Scorer]) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(ours(url, load, REQUESTS[load][1], Path(folder), scorers))


def report(load: Load, rounds: Sequence[tuple[Cost, Cost, Cost]]) -> None:
    columns = list(zip(*rounds, strict=True))
    names = ("httpx + json.loads", "canary, every text new", "canary, texts seen before")
    print(f"\n| {load.name} | CPU us/probe | x | probes/s | x | {' | '.join(STAGES)} | event loop late, p99 |")
    print("| --- |" + " ---: |" * 9)
    for name, costs in zip(names, columns, strict=True):
        print(f"| {name} | {_totals(columns[0], costs)} | {_details(costs)} |")


def _totals(theirs: Sequence[Cost], costs: Sequence[Cost]) -> str:
    pairs = list(zip(theirs, costs, strict=True))
    cpu = statistics.median(mine.cpu / bare.cpu for bare, mine in pairs)
    rate = statistics.median(bare.wall / mine.wall for bare, mine in pairs)
    return (
        f"{_median(c.cpu for c in costs):,.0f} | {cpu:.2f} | {1e6 / _median(c.wall for c in costs):,.0f} | {rate:.2f}"
    )


def _details(costs: Sequence[Cost]) -> str:
    stages = [f"{_median(seconds):,.0f}" for seconds in zip(*(cost.stages for cost in costs), strict=True)]
    late = f"{1e3 * statistics.median(cost.late for cost in costs):.0f} ms"
    return " | ".join([*stages, late] if stages else [""] * (len(STAGES) + 1))


def _median(seconds: Iterable[float]) -> float:
    """In microseconds."""
    return 1e6 * statistics.median(seconds)


def main() -> None:
    bodies = [body(answers.answer(CHARACTERS, seed)) for seed in range(100, 116)]
    print(f"answer: {len(bodies[0]):,} bytes")
    with served(bodies) as url:
        for load in (FLAT_OUT, CROWDED):
            report(load, measure(url, load))


if __name__ == "__main__":
    main()
