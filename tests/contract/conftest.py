from collections.abc import Iterator
from pathlib import Path

import pytest

from canary.store import MemoryStore, Store, open_store

DATABASES = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))


@pytest.fixture(params=["memory", *DATABASES])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store
    if request.param == "memory":
        made = MemoryStore()
    elif request.param == "sqlite":
        made = open_store(f"sqlite:///{tmp_path}/canary.db", create=True)
    else:
        made = open_store(request.getfixturevalue("postgres").new_database())
    yield made
    made.close()
