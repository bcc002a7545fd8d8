"""Golden noise of every scorer on a real inference engine, and which fault each of them sees.

    CANARY_ENGINE_DIR=... python -m tests.bench.engine_noise

Over a healthy engine under 8 parallel requests: 20 answers of each prompt become the reference, 2,000 more give the
golden noise. Then come 500 answers of each: the same engine again, and four faults. An answer is seen by a scorer when
its value lies beyond every golden one (where a threshold is per probe: every golden one of its probe). The alternatives
judge the same answers.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

import httpx
import numpy as np

from canary.baseline import references
from canary.clock import SystemClock
from canary.config import load_probes
from canary.http import HttpClient
from canary.probe.client import ProbeClient
from canary.records import (
    Dialect,
    Endpoint,
    Limits,
    Observation,
    Probe,
    Purpose,
    Reference,
    Run,
    Score,
    Target,
)
from canary.resources import data_folder
from canary.score import SCORERS, Scorer, score, stratified
from tests.bench.alternatives import ALTERNATIVES
from tests.bench.table import ANY, Table
from tests.engine import LONG_CONTEXT, engine

GOLDEN, FRESH, EACH = 2_000, 500, 20
PARALLEL = 8
SLOT = datetime(2026, 1, 1, tzinfo=UTC)
THAI = "สวัสดีครับ ขอบคุณมาก ประเทศไทย กรุงเทพ"
BIAS = 5.0
"""Nats that a Thai token gets more."""
JUDGES: Mapping[str, Scorer] = {**SCORERS, **ALTERNATIVES}
STRATIFIED = stratified(JUDGES)


class Answer(NamedTuple):
    probe: str
    ordinal: int


Scores = Mapping[str, Sequence[tuple[Answer, float]]]
"""Of each scorer: every answer that it judged, with the value."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a server (flags) or with a request (bias).

    XTC drops all but the last of the tokens above its threshold, each time with its probability. The default threshold
    of 0.05 leaves a small, certain model nothing to drop, so it is 0.005 here.
    """

    name: str
    flags: tuple[str, ...] = ()
    bias: float = 0.0


FAULTS = (
    Fault("healthy"),
    Fault("YaRN x 32", LONG_CONTEXT),
    Fault("RoPE 20000", ("--freq-base", "20000")),
    Fault("XTC 0.02", ("--xtc-prob", "0.02", "--xtc-thr", "0.005")),
    Fault("Thai bias", bias=BIAS),
)


def main() -> None:
    began = time.monotonic()
    print(measured())
    print(f"\n{time.monotonic() - began:.0f} s")


def measured() -> Table:
    """The share of answers that each scorer sees, by fault; prints the golden noise on the way."""
    probes = tiny_probes()
    with engine() as base_url:
        fired = fire(base_url, [(p, salt) for p in probes for salt in salts(p) for _ in range(EACH)])
        known = {(one.probe_digest, one.salt): one for one in references(fired)}
        golden = judge(probes, fire(base_url, drawn(probes, GOLDEN, seed=1)), known)
        report_noise(golden)
        columns = [column(base_url, fault, probes, known) for fault in FAULTS if not fault.flags]
    for fault in FAULTS:
        if fault.flags:
            with engine(*fault.flags) as base_url:
                columns.append(column(base_url, fault, probes, known))
    return matrix(golden, {fault.name: dict(columns)[fault.name] for fault in FAULTS})


def tiny_probes() -> tuple[Probe, ...]:
    """The probes for small contexts, each judged by every scorer.

    Without their seed, which is nothing to a greedy answer: faults that are drawn at random would else be drawn alike.
    """
    loaded = load_probes([data_folder("probes") / "tiny"])
    return tuple(replace(one, scorers=tuple(JUDGES), sampling=replace(one.sampling, seed=None)) for one in loaded)


def salts(probe: Probe) -> range:
    return range(max(1, len(probe.salts)))


def drawn(probes: Sequence[Probe], n: int, *, seed: int) -> list[tuple[Probe, int]]:
    """Probe and salt at random, as in production."""
    rng = np.random.default_rng(seed)
    picked = [probes[int(rng.integers(len(probes)))] for _ in range(n)]
    return [(probe, int(rng.integers(len(salts(probe))))) for probe in picked]


def column(
    base_url: str, fault: Fault, probes: Sequence[Probe], known: Mapping[tuple[str, int], Reference]
) -> tuple[str, Scores]:
    body = {"logit_bias": dict.fromkeys(thai_tokens(base_url), fault.bias)} if fault.bias else {}
    return fault.name, judge(probes, fire(base_url, drawn(probes, FRESH, seed=2), body), known)


def thai_tokens(base_url: str) -> list[str]:
    """The ids of the tokens that Thai is written with, as a request names them."""
    answer = httpx.post(f"{base_url}/tokenize", json={"content": THAI}, timeout=10).json()
    return sorted({str(token) for token in answer["tokens"]})


def fire(
    base_url: str, asked: Sequence[tuple[Probe, int]], body: Mapping[str, object] | None = None
) -> list[Observation]:
    """All of it, eight at a time, in order."""
    endpoint = Endpoint(Dialect.OPENAI_CHAT, base_url, "tiny", extra_body=body or {})
    target = Target("tiny", "cpu", "a", endpoint, Limits(PARALLEL, rate_per_second=10_000))
    runs = [
        Run(probe, target, "here", SLOT, ordinal, salt, Purpose.GOLDEN) for ordinal, (probe, salt) in enumerate(asked)
    ]
    return asyncio.run(fire_all(runs))


async def fire_all(runs: Sequence[Run]) -> list[Observation]:
    http, todo = HttpClient(), iter(runs)
    client = ProbeClient(http, SystemClock())
    seen: list[Observation] = []

    async def work() -> None:
        seen.extend([await client.fire(run) for run in todo])

    try:
        await asyncio.gather(*(work() for _ in range(PARALLEL)))
    finally:
        await http.aclose()
    return sorted(seen, key=lambda one: one.ordinal)


def judge(probes: Sequence[Probe], seen: Sequence[Observation], known: Mapping[tuple[str, int], Reference]) -> Scores:
    by_digest = {probe.digest: probe for probe in probes}
    values: dict[str, list[tuple[Answer, float]]] = defaultdict(list)
    for one in seen:
        reference = known.get((one.probe_digest, one.salt))
        for verdict in score(by_digest[one.probe_digest], one, reference, JUDGES):
            if isinstance(verdict, Score):
                values[verdict.signal].append((Answer(one.probe_id, one.ordinal), verdict.value))
    return values


def report_noise(golden: Scores) -> None:
    print(f"golden noise of {GOLDEN:,} answers\n")
    print(f"{'scorer':<22}{'judged':>8}{'above 0':>10}{'median':>10}{'p99':>10}{'most':>10}")
    for name in judged(golden):
        values = np.array([value for _, value in golden[name]])
        shown = "".join(f"{figure:>10.3g}" for figure in (np.median(values), np.quantile(values, 0.99), values.max()))
        print(f"{name:<22}{len(values):>8}{(values > 0).mean():>10.2%}{shown}")
    print()


def matrix(golden: Scores, columns: Mapping[str, Scores]) -> Table:
    ours, others = judged(golden, (*SCORERS, "availability")), judged(golden, ALTERNATIVES)
    rows = {name: {fault: seen(golden, scores, [name]) for fault, scores in columns.items()} for name in ours}
    rows[ANY] = {fault: seen(golden, scores, ours) for fault, scores in columns.items()}
    rows |= {name: {fault: seen(golden, scores, [name]) for fault, scores in columns.items()} for name in others}
    return Table(f"share of {FRESH} answers beyond every golden one", tuple(columns), rows)


def judged(golden: Scores, names: Iterable[str] = (*JUDGES, "availability")) -> list[str]:
    return [name for name in names if golden.get(name)]


def seen(golden: Scores, scores: Scores, names: Sequence[str]) -> float:
    """The share of answers that one of these scorers sees."""
    found = {ordinal for name in names for ordinal, flag in flags(golden, scores, name).items() if flag}
    return len(found) / FRESH


def flags(golden: Scores, scores: Scores, name: str) -> dict[int, bool]:
    """By ordinal, whether the answer lies beyond the golden ones that it is compared with."""
    limits: dict[str, float] = defaultdict(float)
    for answer, value in golden[name]:
        key = answer.probe if name in STRATIFIED else ""
        limits[key] = max(limits[key], value)
    return {
        answer.ordinal: value > limits[answer.probe if name in STRATIFIED else ""]
        for answer, value in scores.get(name, ())
    }


if __name__ == "__main__":
    main()
