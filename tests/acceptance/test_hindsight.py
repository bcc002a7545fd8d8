"""After a fault that the real daemon found: `explain` and `backtest`, over the store that it left."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from canary.records import Change, ChangeKind, Scope
from tests.acceptance.stage import SHORT, Place, config, switch, until

pytestmark = pytest.mark.slow

FAULT = {"kind": "corruption", "model": "mid", "platform": "api", "pool": "short", "share": 0.5, "rate": 0.15}


@dataclass
class Past:
    """A store in which a pool of three went bad; `began` is the recorded change with which it did."""

    place: Place
    began: Change

    def facts(self, *words: str) -> Any:
        return json.loads(self.place.canary(*words, "--json"))

    def tried(self, **changes: Any) -> str:
        """The path of another config over the same store."""
        path = self.place.folder / "new.yaml"
        url = f"sqlite:///{self.place.folder}/canary.db"
        path.write_text(
            json.dumps(config("http://127.0.0.1:1", **{"store": {"url": url}, **changes})), encoding="utf-8"
        )
        return str(path)


@pytest.fixture(scope="module")
def past(lab_url: str, golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Past:
    switch(lab_url)
    place = Place(tmp_path_factory.mktemp("past"))
    place.take_golden(golden)
    place.write(config(lab_url))
    with place.daemon():
        time.sleep(6)
        switch(lab_url, FAULT)
        now = max(one.slot_time for one in place.observations())
        change = Change("c1", ChangeKind.DEPLOY, now, "kernel 7", Scope(model="mid", platform="api", pool="short"))
        until(place.incidents, 60)
        time.sleep(3)
    switch(lab_url)
    with place.store() as store, store.transaction() as tx:
        tx.add_change(change)
    return Past(place, change)


def test_the_evidence_of_the_incident_comes_again_bit_for_bit(past: Past) -> None:
    (incident,) = past.place.incidents()
    explained = past.facts("explain", incident.id)
    assert explained["same"]
    assert SHORT in {one["target"] for one in explained["series"]}
    assert [one["differences"] for one in explained["series"]] == [[]] * len(explained["series"])


def test_the_answers_that_weigh_most_are_those_that_were_found(past: Past) -> None:
    (incident,) = past.place.incidents()
    script = next(one for one in past.facts("explain", incident.id)["series"] if one["signal"] == "script")
    events = {step["slot_id"] for step in script["steps"] if step["event"]}
    assert {one["slot_id"] for one in script["strength"]["heaviest"]} <= events


def test_a_person_reads_it_without_colour_and_sees_no_answer(past: Past) -> None:
    (incident,) = past.place.incidents()
    shown = past.place.canary("--no-color", "explain", incident.id)
    assert "\x1b" not in shown
    assert "the same as stored, bit for bit" in shown
    assert "deploy mid/api/short kernel 7" in shown
    texts = [one.response.text for one in past.place.observations(SHORT, bodies=True) if one.response]
    assert not [text for text in texts if len(text) > 20 and text in shown]


def test_it_is_drawn_into_files(past: Past) -> None:
    (incident,) = past.place.incidents()
    for name in ("evidence.svg", "evidence.png"):
        past.place.canary("explain", incident.id, "--out", str(past.place.folder / name))
    assert ET.parse(past.place.folder / "evidence.svg").getroot().tag.endswith("svg")  # noqa: S314  our own
    assert (past.place.folder / "evidence.png").read_bytes().startswith(b"\x89PNG")


def test_the_unchanged_config_would_have_raised_exactly_what_it_raised(past: Past) -> None:
    tested = past.facts("backtest")
    assert tested["same"]
    assert len(tested["live"]["alarms"]) == len(tested["would"]["alarms"]) > 0
    assert tested["not_rescored"] == tested["rescored"] == 0


def test_each_change_is_told_with_its_delay(past: Past) -> None:
    (found,) = past.facts("backtest")["changes"]
    assert found["id"] == past.began.id
    assert 0.0 < found["would_seconds"] == found["live_seconds"] < 60.0


def test_another_budget_would_have_alarmed_later(past: Past) -> None:
    tried = past.tried(budget={"false_alarms_per_week": 1e-6})
    tested = past.facts("backtest", "--config", tried)
    assert not tested["same"]
    (found,) = tested["changes"]
    assert found["would_seconds"] > found["live_seconds"]


def test_before_the_fault_nothing_would_have_been_raised(past: Past) -> None:
    tested = past.facts("backtest", "--until", past.began.at.isoformat())
    assert (tested["would"]["unexplained"], tested["changes"]) == (0, [])
    assert 0.0 < tested["budget"] < 1e-3
