"""How much our HTTP costs, beside a bare httpx client, in one run: `python -m tests.bench.http`.

The server is a process of its own and answers with 100 tokens of top-5 logprobs. The bare clients only parse the JSON;
ours fires whole runs: pacing, request, decode, observation.
"""

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import httpx

from canary.clock import SystemClock
from canary.http import HttpClient
from canary.probe.client import ProbeClient
from canary.records import Dialect, Endpoint, Limits, Message, Probe, Run, Sampling, Target
from tests.bench.load import CROWDED, FLAT_OUT, Load, served

Ask = Callable[[int], Awaitable[object]]

SLOT = datetime(2025, 8, 5, tzinfo=UTC)
PROBE = Probe("bench", "bench", (Message("user", "Go on."),), Sampling(300, logprobs=5), (), "to be timed")
LIMITS = Limits(concurrency=1_000, rate_per_second=100_000.0)
DEFAULT = httpx.Limits(max_connections=100, max_keepalive_connections=20)  # httpx's own
UNLIMITED = httpx.Limits(max_connections=None, max_keepalive_connections=None)


LOADS = (FLAT_OUT, CROWDED)
WARM_UP, WINDOW = 2.0, 6.0  # seconds


def answer() -> bytes:
    """A chat answer of 300 tokens, the first 100 with top-5 logprobs: about 39 KB."""
    entry = {"id": 123, "token": "wo", "bytes": [*b"wo"], "logprob": -0.01234}
    top = [{**entry, "id": 123 + rank, "logprob": round(-0.01234 - 3 * rank, 5)} for rank in range(5)]
    content = [{**entry, "top_logprobs": top} for _ in range(100)]
    choice = {
        "index": 0,
        "finish_reason": "length",
        "message": {"role": "assistant", "content": " word" * 300},
        "logprobs": {"content": content},
    }
    usage = {"prompt_tokens": 9, "completion_tokens": 300, "total_tokens": 309}
    return json.dumps(
        {"id": "x", "model": "bench", "choices": [choice], "usage": usage}, separators=(",", ":")
    ).encode()


async def drive(ask: Ask, load: Load) -> tuple[float, float]:
    """CPU seconds of this process per request, and requests per second, once the load is steady."""
    done = 0

    async def worker(first: int) -> None:
        nonlocal done
        await asyncio.sleep(load.latency * first / load.in_flight)
        for number in itertools.count(first, load.in_flight):
            await ask(number)
            done += 1

    async with asyncio.TaskGroup() as group:
        workers = [group.create_task(worker(first)) for first in range(load.in_flight)]
        await asyncio.sleep(WARM_UP)
        before, cpu, wall = done, time.process_time(), time.perf_counter()
        await asyncio.sleep(WINDOW)
        figures = (time.process_time() - cpu) / (done - before), (done - before) / (time.perf_counter() - wall)
        for task in workers:
            task.cancel()
    return figures


async def bare(url: str, load: Load, limits: httpx.Limits) -> tuple[float, float]:
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:

        async def ask(_: int) -> object:
            answer = await client.post(f"{url}{load.path}/chat/completions", json={"messages": []})
            return json.loads(answer.content)

        return await drive(ask, load)


async def ours(url: str, load: Load) -> tuple[float, float]:
    http = HttpClient()
    client = ProbeClient(http, SystemClock())
    target = Target("bench", "cpu", "a", Endpoint(Dialect.OPENAI_CHAT, url + load.path, "bench"), LIMITS)

    async def ask(number: int) -> object:
        observation = await client.fire(Run(PROBE, target, "here", SLOT, ordinal=number))
        if observation.response is None:
            raise RuntimeError(str(observation.failure))
        return observation

    figures = await drive(ask, load)
    await http.aclose()
    return figures


async def table(url: str) -> None:
    print(f"answer: {len(answer()):,} bytes")
    print(f"{'load':<32}{'client':<24}{'CPU us/request':>15}{'requests/s':>12}{'x requests':>12}{'x CPU':>8}")
    for load in LOADS:
        rows = {
            "httpx as it comes": await bare(url, load, DEFAULT),
            "httpx without limits": await bare(url, load, UNLIMITED),
            "canary, whole runs": await ours(url, load),
        }
        bare_cpu, bare_rate = rows["httpx as it comes"]
        for name, (cpu, rate) in rows.items():
            figures = f"{cpu * 1e6:>15,.0f}{rate:>12,.1f}{rate / bare_rate:>12.1f}{cpu / bare_cpu:>8.2f}"
            print(f"{load.name:<32}{name:<24}{figures}")


def main() -> None:
    with served([answer()]) as url:
        asyncio.run(table(url))


if __name__ == "__main__":
    main()
