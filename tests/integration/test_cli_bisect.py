"""`canary bisect` through the lab: which part carries the fault?"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from canary.lab.run import in_thread
from canary.lab.spec import default_spec
from canary.records import Purpose
from canary.store import open_store
from tests.integration.test_cli import CONFIG, SHORT, Desk, add_incident

ON_ONE = {"kind": "corruption", "pool": "short", "share": 0.6, "replica": 1}


@pytest.fixture(scope="module")
def lab() -> Iterator[str]:
    with in_thread(default_spec(latency=0.0)) as url:
        yield url


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, lab: str) -> Desk:
    """A store with active baselines of two pools, and an incident in one of them."""
    config = tmp_path_factory.mktemp("bisect") / "canary.yaml"
    config.write_text(CONFIG.format(url=lab), encoding="utf-8")
    made = Desk(config)
    recorded = made("baseline", "record", "--promote")
    assert recorded.exit_code == 0, recorded.output
    add_incident(made, "aaaa1111", Purpose.GOLDEN)
    return made


@pytest.fixture
def healthy(lab: str) -> None:
    httpx.put(f"{lab}/lab/faults", json=[]).raise_for_status()


@pytest.fixture
def on_one_replica(lab: str) -> Iterator[None]:
    httpx.put(f"{lab}/lab/faults", json=[ON_ONE]).raise_for_status()
    yield
    httpx.put(f"{lab}/lab/faults", json=[]).raise_for_status()


@pytest.mark.usefixtures("on_one_replica")
def test_the_replica_that_carries_the_fault_is_named(desk: Desk) -> None:
    result = desk("bisect", SHORT)
    assert (result.exit_code, f"replica api-short-1 of {SHORT} carries it" in result.stdout) == (1, True), result.output


@pytest.mark.usefixtures("on_one_replica")
def test_as_json_it_names_carriers_and_every_part(desk: Desk) -> None:
    found = desk.facts("bisect", SHORT)
    assert {"dimension": "replica", "value": "api-short-1"} in found["carriers"]
    assert {part["dimension"] for part in found["parts"]} == {"pool", "replica"}


@pytest.mark.usefixtures("healthy")
def test_where_nothing_is_wrong_every_part_is_clean(desk: Desk) -> None:
    result = desk("bisect", SHORT)
    assert (result.exit_code, "every part is clean to 20 %" in result.stdout) == (0, True), result.output


@pytest.mark.usefixtures("healthy")
def test_an_incident_is_asked_about_the_sessions_of_its_evidence_too(desk: Desk) -> None:
    found = desk.facts("bisect", "aaaa1111")
    sessions = {part["value"] for part in found["parts"] if part["dimension"] == "session"}
    assert (found["target"], len(sessions), "fresh" in sessions) == (SHORT, 2, True)


@pytest.mark.usefixtures("healthy")
def test_too_few_probes_are_inconclusive(desk: Desk) -> None:
    found = desk.facts("bisect", SHORT, "-n", "4")
    assert (found["verdict"], found["fired"]) == ("inconclusive", 4)


@pytest.mark.usefixtures("healthy")
def test_it_feeds_no_detector_and_its_answers_are_kept(desk: Desk) -> None:
    fired = desk.facts("bisect", SHORT, "-n", "8")["fired"]
    store = open_store(desk.store_url)
    with store.reading() as tx:
        kept, fed = sum(1 for _ in tx.observations(purpose=Purpose.REPLAY)), list(tx.feed())
    store.close()
    assert (kept >= fired, fed) == (True, [])


@pytest.mark.parametrize(
    ("args", "hint"), [(("zzz",), '"zzz" is no target'), ((SHORT,), "record more")], ids=["name", "baseline"]
)
def test_what_cannot_be_asked_is_exit_code_2(tmp_path: Path, lab: str, args: tuple[str, ...], hint: str) -> None:
    config = tmp_path / "canary.yaml"
    config.write_text(CONFIG.format(url=lab), encoding="utf-8")
    result = Desk(config)("bisect", *args)
    assert (result.exit_code, hint in result.stderr) == (2, True), result.output
