"""The last observations that are wanted, and how far back they are looked for."""

from itertools import count

import pytest

from canary.desk.tail import PAGE, Wanted, latest
from canary.store import MemoryStore
from tests.contract.store_values import observation

RARE = Wanted(targets=("opus/api/rare",))


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """The first of four pages' observations is of the rare target."""
    kept = MemoryStore()
    with kept.transaction() as tx:
        tx.add_observations([observation(0, target="opus/api/rare"), *(observation(n) for n in range(1, 4 * PAGE))])
    return kept


def test_what_is_within_reach_is_found(store: MemoryStore) -> None:
    with store.reading() as tx:
        assert [one["seq"] for one in latest(tx, RARE, 1)["observations"]] == [1]


def test_it_is_not_looked_for_further_than_so_many(store: MemoryStore) -> None:
    with store.reading() as tx:
        assert latest(tx, RARE, 1, furthest=3 * PAGE) == {"observations": [], "next": 4 * PAGE, "full": False}


def test_out_of_time_what_was_found_is_told(store: MemoryStore) -> None:
    looks = count()
    with store.reading() as tx:
        told = latest(tx, Wanted(), 4 * PAGE, in_time=lambda: next(looks) < 2)
    assert len(told["observations"]) == 2 * PAGE
