"""The words of those who are told, and of those who would rather not be: silence and notify."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from canary.alert.incident import Policy, absorb
from canary.cli import words
from canary.records import Act, NotificationKind
from canary.store import open_store
from tests.integration.strict import PagerDutyService, SlackService, serving
from tests.unit.alert.findings import START, finding
from tests.unit.config.texts import HEAD, MATRIX

INCIDENT, _ = absorb(None, finding(target="mid/api/short"), START, Policy())
CONFIG = """\
endpoints: [{base_url: "http://127.0.0.1:1/{platform}/{pool}/v1"}]
suites: [{name: main, interval: 60s, families: [prose]}]
receivers:
  - {name: duty, kind: pagerduty, routing_key: "${KEY}", url: "URL", changes: true}
  - {name: chat, kind: slack, url: "SLACK"}
  - {name: log, kind: console}
"""
KEY = "r" * 32


class Desk:
    def __init__(self, folder: Path, url: str, slack: str) -> None:
        self.config = folder / "canary.yaml"
        self.config.write_text(HEAD + MATRIX + CONFIG.replace("URL", url).replace("SLACK", slack), "utf-8")
        self.store = f"sqlite:///{folder}/canary.db"

    def __call__(self, *args: str, code: int = 0) -> Result:
        result = CliRunner().invoke(words, ["-c", str(self.config), *args], env={"KEY": KEY, "LOGNAME": "ada"})
        assert result.exit_code == code, result.output
        return result

    def facts(self, *args: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(self(*args, "--json").stdout)
        return found


@pytest.fixture(scope="module")
def duty() -> PagerDutyService:
    return PagerDutyService(key=KEY)


@pytest.fixture
def desk(tmp_path: Path, duty: PagerDutyService) -> Iterator[Desk]:
    slack = SlackService()
    with serving(duty) as url, serving(slack) as chat:
        desk = Desk(tmp_path, url, chat + slack.path)
        store = open_store(desk.store, create=True)
        with store.transaction() as tx:
            tx.put_incident(INCIDENT)
        store.close()
        yield desk


# -- silence


def test_a_silence_says_what_it_silences_now(desk: Desk) -> None:
    said = desk("silence", "add", "pool=short", "model=mid", "--for", "2h", "--reason", "draining").stdout.splitlines()
    assert said[1:] == [
        "silences 2 of 8 targets now: mid/api/short, mid/cloud/short",
        f"silences {INCIDENT.id} corruption on mid/api/short: 0.8 % of answers (0.4 % to 1.6 %)",
    ]
    assert "draining" in desk("silence", "list").stdout


@pytest.mark.parametrize("args", [("status",), ("incident", "list"), ("incident", "show")], ids=" ".join)
def test_what_is_silenced_is_shown_as_such(desk: Desk, args: tuple[str, ...]) -> None:
    code = 0 if args[-1] == "show" else 1
    assert "silenced" not in desk(*args, code=code).stdout
    made = desk.facts("silence", "add", "pool=short", "--for", "2h", "--reason", "draining")
    shown = desk(*args, code=code).stdout
    assert "silenced" in shown
    assert str(made["ends_at"])[11:16] in shown


def test_the_json_of_status_and_incidents_says_what_silences_them(desk: Desk) -> None:
    made = desk.facts("silence", "add", "pool=short", "symptom=corruption", "--for", "2h", "--reason", "draining")
    status, (listed,) = (
        json.loads(desk(*asked, "--json", code=1).stdout) for asked in (["status"], ["incident", "list"])
    )
    quiet = [one["target"] for one in status["targets"] if one["silenced"]]
    assert quiet == ["mid/api/short", "mid/cloud/short", "small/api/short", "small/cloud/short"]
    assert {status["incidents"][0]["silenced"]["name"], listed["silenced"]["name"]} == {made["id"]}


def test_a_silence_of_what_is_not_known_yet_is_kept_when_it_is_meant(desk: Desk) -> None:
    made = desk("silence", "add", "pool=new", "--for", "1h", "--reason", "to come", "--force")
    assert "warning: that covers no target" in made.stderr
    assert "to come" in desk("silence", "list").stdout


def test_a_preview_warns_of_what_nothing_known_fits(desk: Desk) -> None:
    assert "warning: nothing known fits region=typo" in desk("silence", "preview", "region=typo").stderr


def test_a_preview_silences_nothing(desk: Desk) -> None:
    facts = desk.facts("silence", "preview", "pool=long")
    assert (len(facts["targets"]), facts["targets_total"], facts["incidents"]) == (4, 8, [])  # type: ignore[arg-type]
    assert "nothing is silenced" in desk("silence", "list").stdout


def test_a_silence_has_an_author_a_reason_and_an_end_and_can_be_ended(desk: Desk) -> None:
    made = desk.facts("silence", "add", "pool=short", "--for", "2h", "--reason", "draining", "--by", "ada")
    assert (made["author"], made["reason"], made["maintenance"]) == ("ada", "draining", False)
    desk("silence", "expire", str(made["id"])[:6], "--by", "bob")
    assert "nothing is silenced" in desk("silence", "list").stdout
    assert "(ended)" in desk("silence", "list", "--all").stdout
    store = open_store(desk.store)
    with store.reading() as tx:
        assert [(entry.act, entry.who) for entry in tx.audit()] == [(Act.SILENCE, "ada"), (Act.EXPIRE, "bob")]
    store.close()


@pytest.mark.parametrize(
    ("args", "remedy"),
    [
        (("pool=short", "--for", "2h"), "--reason"),
        (("pool=short", "--reason", "x"), "--for or --until"),
        (("pool=short", "--reason", "x", "--for", "1h", "--until", "2099-01-01T00:00Z"), "--for or --until"),
        (("pool=short", "--reason", " ", "--for", "1h"), "is empty"),
        (("pool=short", "--reason", "x", "--until", "2001-01-01T00:00Z"), "has passed"),
        (("pool=short", "--reason", "x", "--for", "400d"), "more than a year"),
        (("pool=none", "--reason", "x", "--for", "1h"), "covers no target"),
        (("region=typo", "--reason", "x", "--for", "1h"), "nothing known fits region=typo: there is"),
        (("region=typo", "pool=none", "--reason", "x", "--for", "1h"), "covers no target"),
        (("symptom=corupt*", "--reason", "x", "--for", "1h"), "there is availability, corruption"),
        (("pool=short", "severity=loud", "--reason", "x", "--for", "1h"), "there is page, ticket"),
        (("pol=short", "--reason", "x", "--for", "1h"), "no label"),
        (("--reason", "x", "--for", "1h"), "LABEL=GLOB"),
        (("symptom=shape", "--maintenance", "--reason", "x", "--for", "1h"), "covers whole targets"),
    ],
)
def test_a_silence_that_is_not_whole_is_refused_with_a_remedy(desk: Desk, args: tuple[str, ...], remedy: str) -> None:
    assert remedy in desk("silence", "add", *args, code=2).stderr


def test_an_unknown_silence_is_exit_code_2(desk: Desk) -> None:
    assert "no silence zzz" in desk("silence", "expire", "zzz", code=2).stderr


# -- notify


def test_a_preview_is_what_would_be_sent_without_its_secrets(desk: Desk) -> None:
    shown = desk("notify", "preview", INCIDENT.id[:6], "--receiver", "duty").stdout
    assert "/v2/enqueue" in shown
    assert '"routing_key": "***"' in shown
    assert KEY not in shown
    assert "canary replay" in shown
    assert "t0ken" not in desk("notify", "preview", INCIDENT.id, "--receiver", "chat").stdout


def test_a_preview_of_each_kind_can_be_had_as_json(desk: Desk) -> None:
    for kind in ("trigger", "update", "acknowledge", "resolve", "repeat"):
        facts = desk.facts("notify", "preview", INCIDENT.id, "--receiver", "duty", "--kind", kind)
        assert "event_action" in str(facts["rendered"])


def test_a_test_sends_a_trigger_and_its_resolve(desk: Desk, duty: PagerDutyService) -> None:
    duty.actions.clear()
    assert desk("notify", "test", "--receiver", "duty").stdout == "duty took the trigger and the resolve\n"
    assert duty.actions == ["trigger", "resolve"]
    assert "TRIGGER" in desk("notify", "test", "--receiver", "log").stdout


def test_a_receiver_that_does_not_take_it_is_exit_code_2(desk: Desk, duty: PagerDutyService) -> None:
    duty.troubles.append((403, "text/plain", "no"))
    assert "duty did not take the trigger: answered 403" in desk("notify", "test", "--receiver", "duty", code=2).stderr


def test_a_receiver_that_is_not_there_is_named_with_the_nearest(desk: Desk) -> None:
    assert 'did you mean "duty"?' in desk("notify", "test", "--receiver", "dutty", code=2).stderr


# -- what else reaches receivers


def test_an_acknowledgement_by_hand_is_owed_to_the_pager_that_was_told(desk: Desk) -> None:
    store = open_store(desk.store)
    from tests.unit.alert.told import told

    with store.transaction() as tx:
        tx.enqueue([told(incident=INCIDENT, receiver="duty")])
    desk("incident", "ack", INCIDENT.id)
    with store.transaction() as tx:
        assert [(one.receiver, one.kind) for one in tx.told([INCIDENT.id])] == [("duty", NotificationKind.ACKNOWLEDGE)]
    store.close()


def test_a_recorded_change_is_owed_to_pagerduty(desk: Desk) -> None:
    desk("change", "add", "deploy", "engine 2.4", "--id", "c1")
    store = open_store(desk.store)
    with store.reading() as tx:
        assert [one.kind for one in tx.told(["change:c1"])] == [NotificationKind.CHANGE]
    store.close()
