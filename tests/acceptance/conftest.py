from collections.abc import Iterator
from pathlib import Path

import pytest

from canary.lab.run import in_process
from tests.acceptance.stage import GOLDEN, SPEC, Hook, Place, config, hook, switch


@pytest.fixture(scope="session")
def lab_url() -> Iterator[str]:
    with in_process(SPEC) as url:
        yield url


@pytest.fixture
def lab(lab_url: str) -> Iterator[str]:
    """The fleet, healthy at the beginning and at the end of the test."""
    switch(lab_url)
    yield lab_url
    switch(lab_url)


@pytest.fixture(scope="session")
def golden(lab_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store with active baselines of all three targets, to be copied."""
    place = Place(tmp_path_factory.mktemp("golden"))
    place.write(config(lab_url))
    place.canary("baseline", "record", "-n", str(GOLDEN), "--promote")
    assert not (place.folder / "canary.db-wal").exists()
    return place.folder / "canary.db"


@pytest.fixture
def webhook() -> Iterator[Hook]:
    with hook() as taken:
        yield taken


@pytest.fixture
def place(tmp_path: Path, golden: Path, lab: str, webhook: Hook) -> Place:
    """A folder with a config of the healthy fleet and its baselines."""
    made = Place(tmp_path)
    made.take_golden(golden)
    made.write(config(lab, hook=webhook.url))
    return made
