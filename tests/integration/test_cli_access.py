"""`canary token` and `canary audit` over a real store."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

from canary.clock import SystemClock
from canary.desk.tokens import bearer
from canary.records import Role, Token
from canary.store import open_store
from tests.integration.test_cli import CONFIG, Desk
from tests.integration.test_cli_change import ROUTING, add_incident


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    config = tmp_path / "canary.yaml"
    config.write_text(CONFIG.format(url="http://127.0.0.1:1"), encoding="utf-8")
    return Desk(config)


def opened(desk: Desk, text: str) -> Token | None:
    store = open_store(desk.store_url)
    with store.reading() as tx:
        found = bearer(tx, text, SystemClock().now())
    store.close()
    return found


def test_a_token_is_shown_once_alone_on_its_line_and_opens(desk: Desk) -> None:
    made = desk("token", "add", "ci", "--role", "ingest")
    token = opened(desk, made.stdout.strip())
    assert made.exit_code == 0
    assert token is not None
    assert token.role is Role.INGEST
    assert "shown only now" in made.stderr


def test_no_later_word_shows_the_secret(desk: Desk) -> None:
    text = desk.facts("token", "add", "ci", "--role", "read")["token"]
    secret = text.split("_", 2)[2]
    shown = desk("token", "list").output + desk("token", "list", "--json").output + desk("audit", "--json").output
    assert secret not in shown
    with sqlite3.connect(desk.config.with_name("canary.db")) as connection:
        assert secret not in "\n".join(connection.iterdump())
    connection.close()


def test_a_revoked_token_opens_nothing(desk: Desk) -> None:
    text = desk.facts("token", "add", "ci", "--role", "read")["token"]
    assert desk("token", "revoke", "ci").exit_code == 0
    assert opened(desk, text) is None
    assert [one["valid"] for one in desk.facts("token", "list")] == [False]


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (("token", "add", "a b", "--role", "read"), "letters"),
        (("token", "add", "ci", "--role", "read", "--expires", "2001-01-01"), "past"),
        (("token", "add", "ci", "--role", "read", "--expires", "soon"), "is no time"),
        (("token", "add", "ci", "--role", "root"), "operate"),
        (("token", "revoke", "nobody"), "canary token list"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_exit_code_2_with_a_hint(desk: Desk, args: tuple[str, ...], hint: str) -> None:
    result = desk(*args)
    assert (result.exit_code, hint in result.stderr) == (2, True), result.output


def test_a_token_expires_after_its_time(desk: Desk) -> None:
    made = desk.facts("token", "add", "ci", "--role", "read", "--expires", "90d")
    assert made["expires_at"][:10] > made["created_at"][:10]


def test_every_act_is_in_the_audit_log_with_who_did_it(desk: Desk) -> None:
    add_incident(desk)
    desk("token", "add", "ci", "--role", "read", "--by", "root")
    desk(*ROUTING, "--id", "r-1")
    desk("incident", "ack", "aaaa", "--by", "ada")
    desk("incident", "resolve", "aaaa", "--by", "bob")
    log = json.loads(desk("audit", "--json").stdout)
    assert [(one["act"], one["subject"]) for one in log] == [
        ("token.add", "ci"),
        ("change.add", "r-1"),
        ("incident.acknowledge", "aaaa1111"),
        ("incident.resolve", "aaaa1111"),
    ]
    assert [one["who"] for one in log[2:]] == ["ada", "bob"]


def test_an_act_that_changed_nothing_is_not_an_act(desk: Desk) -> None:
    add_incident(desk)
    for _ in range(2):
        desk(*ROUTING, "--id", "r-1")
        desk("incident", "ack", "aaaa", "--by", "ada")
    assert len(json.loads(desk("audit", "--json").stdout)) == 2


def test_the_audit_log_of_a_store_that_is_not_there_is_empty(desk: Desk) -> None:
    assert desk("audit").stdout == "nobody did anything yet\n"
    assert not desk.config.with_name("canary.db").exists()


def test_the_audit_log_shows_who_what_and_when(desk: Desk) -> None:
    desk("token", "add", "ci", "--role", "read", "--by", "root")
    assert re.search(r"Z +root +token\.add +ci ", desk("audit").stdout)


def test_a_resolved_incident_is_not_acknowledged(desk: Desk) -> None:
    add_incident(desk)
    desk("incident", "resolve", "aaaa", "--by", "ada")
    result = desk("incident", "ack", "aaaa", "--by", "ada")
    assert (result.exit_code, "there is nothing to acknowledge" in result.stderr) == (2, True)
