import json
from dataclasses import replace

from canary.alert.told import Told
from canary.records import NotificationKind
from tests.unit.alert.owed import owe
from tests.unit.alert.told import opened, told


def test_a_body_that_an_older_canary_wrote_can_still_be_told() -> None:
    body = json.loads(told().body)
    for later in ("severity", "labels", "words", "links"):
        del body[later]
    old = Told.of(replace(told(), body=json.dumps(body)))
    assert (old.status, old.links, old.labels, old.facts["since"]) == ("page", {}, {}, "")
    assert old.facts["summary"].startswith("corruption on")


def test_lines_alone_are_enough() -> None:
    assert Told.of(owe()).facts["summary"] == "corruption on a/b/c"


def test_the_facts_say_what_where_since_how_big_and_who() -> None:
    facts = Told.of(told(NotificationKind.RESOLVE)).facts
    assert (facts["id"], facts["pool"], facts["symptoms"]) == (opened().id, "tpu-1", "corruption")
    assert (facts["state"], facts["status"], facts["by"]) == ("resolved", "resolved", "ann")
    assert facts["since"].startswith("2025-08-25 11:30:00 UTC")
    assert facts["size"].startswith("0.8 % of answers")
    assert facts["suspects"].count("\n") == 1
