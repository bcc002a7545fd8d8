"""A drill of a small fleet: the whole product in virtual time."""

import asyncio
import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from click.testing import CliRunner

from canary.cli import words
from canary.drill.golden import learnt, learnt_alone
from canary.drill.scenario import load
from canary.drill.setup import configured
from canary.drill.stage import play
from canary.store import open_store
from tests.unit.drill.small import written

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def drilled(tmp_path_factory):
    """The small scenario, by the command line, with a page."""
    folder = tmp_path_factory.mktemp("drill")
    result = CliRunner().invoke(
        words, ["drill", str(written(folder)), "--json", "--report", str(folder / "out"), "--png"]
    )
    return folder / "out", result.exit_code, json.loads(result.stdout)


def test_a_drill_that_goes_as_expected_ends_with_zero(drilled):
    _, code, facts = drilled
    assert (code, facts["held"]) == (0, True)


def test_the_incident_names_the_place_the_symptom_and_the_change(drilled):
    (outcome,) = drilled[2]["judgement"]["outcomes"]
    (incident,) = outcome["incidents"]
    told = incident["where"], incident["symptoms"][0], incident["suspects"][0]["change"], incident["causes"]
    assert told == ("mid/api/tpu", "corruption", "kernel", ["corruption"])


def test_the_delay_is_told_in_time_probes_and_tokens(drilled):
    (outcome,) = drilled[2]["judgement"]["outcomes"]
    delay = outcome["delay"]
    assert 0.0 < delay["time"] <= 45 * 60
    assert delay["probes"] == pytest.approx(delay["time"] / 60, abs=1)
    assert delay["tokens"] > delay["probes"]


def test_people_are_told_and_nobody_else_is_paged(drilled):
    facts = drilled[2]
    assert facts["notifications"] >= 1
    assert (facts["judgement"]["false"], facts["judgement"]["unexpected"]) == ([], [])


def test_every_target_is_probed_by_the_plan(drilled):
    assert drilled[2]["runs"] == 2 * 3 * 60


def test_the_page_holds_all_that_it_shows(drilled):
    page = (drilled[0] / "index.html").read_text("utf-8")
    assert page.count("<svg") == 2
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "<script" not in page


def test_each_picture_is_a_file_too(drilled):
    assert {path.suffix for path in drilled[0].iterdir()} == {".html", ".svg", ".png"}


def test_common_rules_are_judged_on_the_same_scores(drilled):
    rules = {rule["rule"]: rule["delays"]["corruption"] for rule in drilled[2]["rules"]}
    assert rules["three failures in a row"] is None or rules["three failures in a row"] > 0.0


def test_a_drill_that_does_not_go_as_expected_ends_with_one(tmp_path):
    healthy = written(tmp_path, ("share: 0.5, rate: 0.1", "share: 0"), ("lasts: 3h", "lasts: 1h"))
    result = CliRunner().invoke(words, ["drill", str(healthy)])
    assert result.exit_code == 1
    assert "not as expected" in result.stdout


def test_a_bad_scenario_ends_with_two(tmp_path):
    result = CliRunner().invoke(words, ["drill", str(written(tmp_path, ("lasts: 3h", "lasts: long")))])
    assert result.exit_code == 2


def test_the_same_seed_gives_the_same_observations(tmp_path):
    first, second, other = (observed(tmp_path / name, seed) for name, seed in (("a", 3), ("b", 3), ("c", 4)))
    assert len(first) > 100
    assert first == second != other


def test_golden_answers_teach_the_same_in_whatever_process(tmp_path):
    path = written(tmp_path, ("golden: 300", "golden: 60"))
    here = asyncio.run(learnt(load(path), 3, configured(load(path), tmp_path), "mid/api/gpu"))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        there = pool.submit(learnt_alone, path, 3, "mid/api/gpu").result()
    assert here.tokens > 0
    assert here == there


def observed(folder, seed):
    """What was observed, and what it scored."""
    folder.mkdir()
    scenario = load(written(folder, ("lasts: 3h", "lasts: 90m")))
    store = open_store(f"sqlite:///{folder / 'drill.db'}", create=True)
    asyncio.run(play(scenario, seed, store, folder, lambda *_: None))
    with store.reading() as tx:
        kept = tx.kept(limit=10_000)
    store.close()
    return [(one.observation, [(row.score, row.event, row.log_budget) for row in one.scores]) for one in kept]
