"""A scenario from its file to a report, and the same for many seeds at once."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from canary.draw import Chart
from canary.drill.fast.read import read_columns
from canary.drill.fast.show import play_fast
from canary.drill.fast.store import FastStore
from canary.drill.judge import Judgement, judge
from canary.drill.progress import Progress
from canary.drill.rules import Read, RuleOutcome, compare, read_rows
from canary.drill.scenario import Scenario, load
from canary.drill.stage import Bursts, Played, play
from canary.hindsight.explain import cases, explain
from canary.hindsight.window import chart, lettered, window
from canary.store import open_store
from canary.store.base import Store

_MOST_CHARTS = 3  # of an incident
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  a place for what is gone at the end


@dataclass(frozen=True, slots=True)
class Picture:
    """Why an incident was opened: the evidence of its series, and what the letters of changes stand for."""

    incident: str
    charts: tuple[Chart, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a drill came to. Tokens are those of prompts and answers.

    `vectors` is how many answers a fast drill fired, and drew all others from; 0 for one that fired them all.
    """

    name: str
    why: str
    seed: int
    begin: datetime
    end: datetime
    targets: int
    armed: int
    learning: int
    runs: int
    tokens: int
    golden_tokens: int
    notifications: int
    judgement: Judgement
    rules: tuple[RuleOutcome, ...]
    bursts: tuple[Bursts, ...] = ()
    vectors: int = 0
    pictures: tuple[Picture, ...] = field(default=(), repr=False)


def of_bursts(report: Report) -> Iterator[str]:
    """A sentence for each size of burst that was fired."""
    for one in report.bursts:
        runs = one.slots * one.size
        share = one.tokens / report.tokens if report.tokens else 0.0
        yield (
            f"{one.slots:,} bursts of {one.size}, each of them one slot of the plan: {runs:,} runs, "
            f"{one.tokens:,} tokens ({share:.0%})"
        )


def perform(
    scenario: Scenario,
    seed: int,
    progress: Progress,
    *,
    pictures: bool = False,
    workers: int = 1,
    fast: bool = False,
) -> Report:
    """Play, judge and compare, in a store that is gone at the end. `workers` as in `play`. Raises: CanaryError."""
    if fast:
        return _perform_fast(scenario, seed, progress, pictures=pictures)
    shelf = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
    with TemporaryDirectory(prefix="canary-drill-", dir=shelf) as name:
        store = open_store(f"sqlite:///{Path(name) / 'drill.db'}", create=True)
        try:
            played = asyncio.run(play(scenario, seed, store, Path(name), progress, workers))
            return _report(played, store, pictures=pictures)
        finally:
            store.close()


def perform_all(path: Path, seeds: Sequence[int], workers: int, *, fast: bool = False) -> Iterator[Report]:
    """The reports of many seeds, in processes of their own, as they come. Raises: CanaryError."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(_perform_quietly, path, seed, fast) for seed in seeds]):
            yield done.result()


def _perform_quietly(path: Path, seed: int, fast: bool) -> Report:  # noqa: FBT001  executors pass places
    return perform(load(path), seed, lambda *_: None, fast=fast)


def _perform_fast(scenario: Scenario, seed: int, progress: Progress, *, pictures: bool) -> Report:
    store = FastStore()
    with TemporaryDirectory(prefix="canary-drill-") as name:
        played, vectors = asyncio.run(play_fast(scenario, seed, store, Path(name), progress))
    return replace(_report(played, store, read_columns, pictures=pictures), vectors=vectors)


def _report(played: Played, store: Store, read: Read = read_rows, *, pictures: bool) -> Report:
    scenario = played.scenario
    judgement = judge(played, store)
    with store.reading() as tx:
        spent = sum(tx.tokens_spent(target=name, since=scenario.begin) for name in scenario.targets)
    return Report(
        name=scenario.name,
        why=scenario.file.why.strip(),
        seed=played.seed,
        begin=scenario.begin,
        end=scenario.end,
        targets=len(scenario.targets),
        armed=len(played.watch.armed),
        learning=len(played.watch.learning),
        runs=played.runs,
        tokens=spent,
        golden_tokens=played.golden_tokens,
        notifications=len(played.notifications),
        judgement=judgement,
        rules=compare(played, store, read),
        bursts=played.bursts,
        pictures=tuple(_pictures(judgement, store)) if pictures else (),
    )


def _pictures(judgement: Judgement, store: Store) -> Iterator[Picture]:
    told = [one for outcome in judgement.outcomes for one in outcome.incidents]
    with store.reading() as tx:
        for one in (*told, *judgement.unexpected, *judgement.false):
            _, found = cases(tx, one.id)
            accounts = [explain(tx, case) for case in found[:_MOST_CHARTS]]
            if accounts:
                shown = window(accounts)
                letters = lettered(accounts, shown)
                notes = tuple(f"{letter}  {change.kind} {change.summary}" for letter, change in letters.values())
                yield Picture(one.id, tuple(chart(account, shown, letters) for account in accounts), notes)
