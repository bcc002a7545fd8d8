"""A process that writes is killed: what it was acknowledged is there, and of the rest no half of a batch."""

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from canary.store import open_store

ROOT = Path(__file__).parents[2]
BATCH = 50

WRITER = f"""
import sys
from itertools import count
from canary.store import open_store
from tests.contract.store_values import observation, score

store = open_store(sys.argv[1])
for batch in count():
    made = [observation(batch * {BATCH} + i) for i in range({BATCH})]
    with store.transaction() as tx:
        tx.add_observations(made)
        tx.add_scores([score(o) for o in made])
    print(batch, flush=True)
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    found = f"sqlite:///{tmp_path}/canary.db"
    if request.param == "postgres":
        found = request.getfixturevalue("postgres").new_database()
    open_store(found, create=True).close()
    return found


@pytest.fixture
def acknowledged(url: str) -> int:
    """How many batches a writer printed before it was killed."""
    with subprocess.Popen([sys.executable, "-c", WRITER, url], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        return 20 + len(process.stdout.read().splitlines())


def batches(url: str) -> Counter[int]:
    """Observations found of each batch."""
    store = open_store(url)
    with store.transaction() as tx:  # waits until the server has let go of a dead writer's transaction
        found = Counter(int(o.slot_id.removeprefix("slot")) // BATCH for o in tx.observations())
        assert Counter(int(row.slot_id.removeprefix("slot")) // BATCH for row in tx.feed()) == found
    store.close()
    return found


def test_every_acknowledged_batch_survives_kill_9_and_every_batch_is_whole(url: str, acknowledged: int) -> None:
    found = batches(url)
    assert found.keys() >= set(range(acknowledged))
    assert set(found.values()) == {BATCH}


def test_after_kill_9_the_next_writer_goes_on(url: str, acknowledged: int) -> None:
    code = WRITER.replace("count()", f"[{acknowledged + 5}]")
    subprocess.run([sys.executable, "-c", code, url], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    assert batches(url)[acknowledged + 5] == BATCH
