"""Rows a second into SQLite: the store beside bare `sqlite3.executemany` of the same columns, in the same run.

    python -m tests.bench.store

Both write batches of 500, a transaction each, into the same tables with the same pragmas. The bare side gets its rows
ready made; the store makes them from records, looks for known slots, numbers the new ones, and encodes bodies.
"""

import sqlite3
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from canary.records import Finish, Logprobs, Observation, Response
from canary.store import ScoreRow, open_store
from tests.contract.store_values import observation, score

BATCH, BATCHES, ROUNDS = 500, 10, 5
T = TypeVar("T")
Rows = list[tuple[object, ...]]

TEXT = Response("The quick brown fox jumps over the lazy dog. " * 13, Finish.STOP, "model-1", "build-7", 40, 130)
POSITIONS = 100
WITH_LOGPROBS = Response(
    TEXT.text,
    Finish.STOP,
    logprobs=Logprobs(
        chosen=tuple(range(POSITIONS)),
        chosen_logprob=tuple(-0.1 / (i + 3) for i in range(POSITIONS)),
        top=tuple(tuple(range(i, i + 5)) for i in range(POSITIONS)),
        top_logprob=tuple(tuple(-k - 1 / (i + 3) for k in range(5)) for i in range(POSITIONS)),
    ),
)
CASES: Sequence[tuple[str, Response | None, int]] = [
    ("observations", None, 0),
    ("observations, 2 scores each", None, 2),
    ("observations, bodies of 585 characters", TEXT, 0),
    ("observations, bodies of 585 characters, 2 scores each", TEXT, 2),
    ("observations, bodies with top-5 logprobs of 100 tokens, 2 scores each", WITH_LOGPROBS, 2),
]


def main() -> None:
    print(f"batches of {BATCH}; medians of {ROUNDS} rounds of {BATCHES} batches\n")
    print("| rows | bare, observations/s | store, observations/s | ratio |\n| --- | ---: | ---: | ---: |")
    for name, response, scored in CASES:
        pairs = [measure(response, scored) for _ in range(ROUNDS)]
        bare, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(o / b for b, o in pairs)
        print(f"| {name} | {bare:,.0f} | {ours:,.0f} | {ratio:.2f} |")


def measure(response: Response | None, scored: int) -> tuple[float, float]:
    """Observations a second: bare, and through the store."""
    made = [observation(i, response=response) for i in range(BATCH * BATCHES)]
    batches = [made[i : i + BATCH] for i in range(0, len(made), BATCH)]
    with tempfile.TemporaryDirectory() as folder:
        ours = through_store(Path(folder) / "ours.db", batches, scored)
        bare = through_driver(Path(folder) / "ours.db", Path(folder) / "bare.db")
    return len(made) / bare, len(made) / ours


def through_store(path: Path, batches: list[list[Observation]], scored: int) -> float:
    store = open_store(f"sqlite:///{path}", create=True)
    scores = [[score(o) for o in batch for _ in range(scored)] for batch in batches]

    def write(work: tuple[list[Observation], list[ScoreRow]]) -> None:
        with store.transaction() as tx:
            tx.add_observations(work[0])
            tx.add_scores(work[1])

    seconds = timed(write, zip(batches, scores, strict=True))
    store.close()
    return seconds


def through_driver(filled: Path, path: Path) -> float:
    """Write what the store wrote."""
    tables = ("observations", "answers", "scores")
    with sqlite3.connect(filled) as source:
        everything = {table: source.execute(f"SELECT * FROM {table}").fetchall() for table in tables}  # noqa: S608  ours
    source.close()
    open_store(f"sqlite:///{path}", create=True).close()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")

    def write(parts: dict[str, Rows]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for table, rows in parts.items():
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608  ours
        connection.execute("COMMIT")

    seconds = timed(write, batched(everything))
    connection.close()
    return seconds


def batched(everything: dict[str, Rows]) -> Iterator[dict[str, Rows]]:
    for i in range(BATCHES):
        yield {
            table: rows[i * len(rows) // BATCHES : (i + 1) * len(rows) // BATCHES] for table, rows in everything.items()
        }


def timed(write: Callable[[T], None], work: Iterator[T]) -> float:
    ready = list(work)
    start = perf_counter()
    for part in ready:
        write(part)
    return perf_counter() - start


if __name__ == "__main__":
    main()
