"""`canary tail` and `export` of a daemon elsewhere say what they say over the store."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import Result

from canary.records import Alarm, Change, ChangeKind, SeriesKey
from canary.store import open_store
from canary.web.api import bulk
from tests.integration.kept import WHEN, an_observation, desk_in, keep
from tests.integration.test_cli import SHORT, Desk, an_incident
from tests.integration.test_cli_hostile_daemon import BELL, TURNED, between, poisoned
from tests.integration.test_cli_remote import Both, served

LONG = "mid/api/long"


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    """Twenty observations: every third of the long pool, one failed, one with a foreign character; and one of each."""
    desk = desk_in(tmp_path)
    keep(
        desk,
        [an_observation(nth, LONG if nth % 3 == 2 else SHORT, failed=nth == 4) for nth in range(20)],
        ["slot-000007"],
    )
    store = open_store(desk.store_url)
    with store.transaction() as tx:
        tx.put_incident(an_incident("aaaa1111", an_observation(7)))
        tx.add_alarms([Alarm("a-1", SeriesKey(SHORT, "local", "prose", "script"), "slot-000007", WHEN, 2.5, "d")])
        tx.add_change(Change("c-1", ChangeKind.DEPLOY, WHEN, "sampler 2.1"))
    token = desk.facts("token", "add", "ops", "--role", "operate")["token"]
    with served(store, desk.config) as url:
        yield Both(desk, url, token)
    store.close()


def same(both: Both, *args: str) -> Result:
    near, far = both.near(*args), both.far(*args)
    assert (far.exit_code, far.stdout) == (near.exit_code, near.stdout), far.output
    return far


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("-n", "3"),
        ("--events", "-n", "20"),
        ("--signal", "script", "--signal", "language"),
        ("--target", "*/long", "-n", "20"),
        ("--json", "-n", "2"),
        ("-n", "0"),
    ],
    ids=" ".join,
)
def test_the_tail_is_the_same(both: Both, args: tuple[str, ...]) -> None:
    assert bool(same(both, "tail", "--no-follow", *args).stdout) == ("0" not in args)


def test_more_of_the_past_than_a_daemon_tells_is_as_much_as_it_tells(both: Both) -> None:
    far = same(both, "tail", "--no-follow", "-n", "5000")
    assert "no more than the last 1,000" in far.stderr


def test_a_signal_that_there_is_not_is_refused_from_afar_too(both: Both) -> None:
    far = both.far("tail", "--no-follow", "--signal", "scrpt")
    assert (far.exit_code, "no such signal: there are " in far.stderr) == (2, True)


@pytest.mark.parametrize("kind", ["observations", "scores", "incidents", "alarms", "changes"])
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_export_is_the_same_page_by_page(both: Both, kind: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.cli.export._PAGE", 3)
    assert same(both, "export", kind, "--format", form).stdout


def test_a_part_of_it_is_the_same(both: Both) -> None:
    args = ("export", "scores", "--since", "2025-08-25T12:00:05Z", "--until", "2025-08-25T12:00:08Z")
    assert len(same(both, *args).stdout.splitlines()) == 6


def test_answers_are_exported_the_same_and_only_to_who_operates(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_ANSWERS", 3)
    assert same(both, "export", "observations", "--with-answers").stdout
    reader = both.desk.facts("token", "add", "reader", "--role", "read")["token"]
    assert both.far("export", "observations", token=str(reader)).exit_code == 0
    refused = both.far("export", "observations", "--with-answers", token=str(reader))
    assert (refused.exit_code, "operate" in refused.stderr, refused.stdout) == (2, True, "")


@pytest.mark.parametrize("role", ["ingest", None])
def test_an_export_is_for_bearers_who_may_read(both: Both, role: str | None) -> None:
    token = "" if role is None else str(both.desk.facts("token", "add", "other", "--role", role)["token"])
    assert both.far("export", "changes", token=token).exit_code == 2


@pytest.mark.parametrize(
    "path",
    [
        "export/observations?answers=maybe",
        "export/prompts",
        "export/scores?limit=100000",
        "export/scores?answers=true",
        "observations?last=99999",
        "observations?after=-1",
        "export/scores?since=soon",
    ],
)
def test_what_is_asked_for_is_bounded(both: Both, path: str) -> None:
    answer = httpx.get(f"{both.url}/api/v1/{path}", headers={"authorization": f"Bearer {both.token}"})
    assert answer.status_code in {404, 422}


def test_no_word_of_a_tail_reaches_the_terminal_raw(both: Both) -> None:
    with between(both.url, poisoned) as url:
        result = Both(both.desk, url, both.token).far("tail", "--no-follow", "--events", "-n", "20")
    assert (BELL in result.output, TURNED in result.output, "\\u202e" in result.output) == (False, False, True)


@pytest.mark.parametrize("args", [("bisect", "aaaa"), ("gate", "--target", SHORT), ("backtest",)], ids=" ".join)
def test_what_cannot_be_asked_from_afar_says_so(both: Both, args: tuple[str, ...]) -> None:
    result = Desk(both.desk.config)(*args, "--url", both.url)
    assert (result.exit_code, "run it beside the daemon" in result.stderr) == (2, True)
