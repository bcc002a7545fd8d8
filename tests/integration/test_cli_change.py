"""`canary change` over a real store, and what `canary incident show` makes of it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from canary.cli import words
from canary.records import (
    Change,
    ChangeKind,
    Finding,
    Incident,
    IncidentState,
    Interval,
    Notification,
    NotificationKind,
    Scope,
    SeriesKey,
    Size,
    Symptom,
)
from canary.store import open_store
from tests.integration.test_cli import CONFIG, TOKEN, Desk
from tests.unit.changes.told import DEPLOYMENT, GIT_LOG, PUSH

ONSET = datetime(2025, 8, 29, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROUTING = ("change", "add", "routing", "10 % to long", "--scope", "mid/api/short", "--at", "2025-08-29T11:57:00Z")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    config = tmp_path / "canary.yaml"
    config.write_text(CONFIG.format(url="http://127.0.0.1:1"), encoding="utf-8")
    return Desk(config)


def changes(desk: Desk) -> list[Change]:
    store = open_store(desk.store_url)
    with store.reading() as tx:
        found = list(tx.changes())
    store.close()
    return found


def told(desk: Desk, text: str, *args: str) -> Result:
    given = ("-c", str(desk.config), "change", "import", *args)
    return CliRunner().invoke(words, given, prog_name="canary", env={"TOKEN": TOKEN}, input=text)


def add_incident(desk: Desk) -> None:
    series = SeriesKey("mid/api/short", "local", "prose", "script")
    onset = Interval(ONSET - 5 * MINUTE, ONSET, ONSET + MINUTE)
    finding = Finding(series, Symptom.CORRUPTION, 1, onset, Size(0.1, 0.2, 0.3, 0.95, 50), ())
    store = open_store(desk.store_url, create=True)
    with store.transaction() as tx:
        opened = ONSET + 20 * MINUTE
        tx.put_incident(Incident("aaaa1111", IncidentState.OPEN, "mid", "api", "short", opened, opened, (finding,)))
    store.close()


def test_a_change_is_recorded_as_it_was_said(desk: Desk) -> None:
    made = desk(*ROUTING, "--until", "2025-08-29T12:30:00Z", "--link", "https://ci/7", "--author", "ada", "--id", "r-1")
    assert (made.exit_code, made.stdout) == (0, "recorded r-1 routing on mid/api/short, 2025-08-29 11:57Z\n")
    assert changes(desk) == [
        Change(
            "r-1",
            ChangeKind.ROUTING,
            ONSET - 3 * MINUTE,
            "10 % to long",
            Scope("mid", "api", "short"),
            "https://ci/7",
            "ada",
            ONSET + 30 * MINUTE,
        )
    ]


def test_the_same_change_again_counts_once(desk: Desk) -> None:
    desk(*ROUTING)
    again = desk(*ROUTING)
    assert (again.exit_code, again.stdout.split()[:2], len(changes(desk))) == (0, ["known", "already:"], 1)


@pytest.mark.parametrize(
    ("args", "fault"),
    [
        (("--at", "yesterday"), "'--at': is no time: write it like"),
        (("--at", "2999-01-01T00:00:00Z"), "'--at': lies ahead: record a change when it is made"),
        (("--until", "2001-01-01T00:00:00Z"), "--until: lies before --at"),
        (("--scope", "mid"), "'--scope': is no scope: write MODEL/PLATFORM/POOL"),
        (("--link", "https://u:hunter2@ci/7"), "'--link': holds a user, password or token"),
        (("--id", ""), "'--id': is empty"),
    ],
)
def test_what_cannot_be_recorded_is_refused_with_a_remedy(desk: Desk, args: tuple[str, ...], fault: str) -> None:
    refused = desk("change", "add", "flag", "x", *args)
    assert refused.exit_code == 2
    assert fault in refused.stderr
    assert "hunter2" not in refused.output


def test_a_change_of_the_whole_fleets_models_is_said_and_never_a_default(desk: Desk) -> None:
    """It ends what golden answers say: nobody would be paged for the quality of any target."""
    refused = desk("change", "add", "model", "version 2")
    assert refused.exit_code == 2
    assert "a change of kind model needs --scope" in refused.stderr
    elsewhere = desk("change", "add", "model", "version 2", "--url", "http://127.0.0.1:1")
    assert "a change of kind model needs --scope" in elsewhere.stderr
    assert desk("change", "add", "model", "version 2", "--scope", "*").exit_code == 0
    assert [one.kind for one in changes(desk)] == [ChangeKind.MODEL]


def test_a_summary_cannot_steer_a_terminal(desk: Desk) -> None:
    desk("change", "add", "flag", "a\x1b[2Jb\nc")
    assert changes(desk)[0].summary == "a [2Jb"


def test_a_scope_that_no_target_fits_is_recorded_with_a_warning(desk: Desk) -> None:
    made = desk("change", "add", "flag", "x", "--scope", "mid/api/shor")
    assert made.exit_code == 0
    assert made.stderr == 'canary: warning: no configured target fits mid/api/shor; did you mean "mid/api/short"?\n'
    assert len(changes(desk)) == 1


def test_a_scope_of_another_region_is_no_reason_to_warn(desk: Desk) -> None:
    assert desk("change", "add", "flag", "x", "--scope", "mid/api/short/eu").stderr == ""


def test_a_machine_reads_what_was_recorded_and_which_targets_it_covers(desk: Desk) -> None:
    facts = desk.facts("change", "add", "flag", "x", "--scope", "mid/*/s*", "--id", "f")
    assert (facts["id"], facts["recorded"], facts["targets"]) == ("f", True, ["mid/api/short"])


def test_events_are_imported_from_a_file(desk: Desk) -> None:
    file = desk.config.with_name("events.json")
    file.write_text("\n".join(map(json.dumps, (DEPLOYMENT, PUSH))))
    done = desk("change", "import", "github", str(file), "--scope", "mid/api/*")
    assert (done.exit_code, done.stdout) == (0, "2 recorded, 0 known already\n")
    assert {change.scope for change in changes(desk)} == {Scope("mid", "api")}


def test_what_is_imported_twice_counts_once(desk: Desk) -> None:
    told(desk, GIT_LOG, "git")
    assert told(desk, GIT_LOG, "git").stdout == "0 recorded, 2 known already\n"


def test_a_bad_import_records_nothing(desk: Desk) -> None:
    bad = told(desk, json.dumps(PUSH) + "\n{}", "github")
    assert (bad.exit_code, bad.stderr.split(": ")[1]) == (2, "<stdin>:2")
    assert not desk.config.with_name("canary.db").exists()


def test_a_machine_reads_what_was_imported(desk: Desk) -> None:
    facts = json.loads(told(desk, GIT_LOG, "git", "--kind", "config", "--json").stdout)
    assert [(one["kind"], one["recorded"]) for one in facts] == [("config", True)] * 2


def test_an_import_warns_once_of_a_scope_that_no_target_fits(desk: Desk) -> None:
    assert told(desk, GIT_LOG, "git", "--scope", "mad/*/*").stderr.count("warning") == 1


def test_changes_are_listed_newest_last(desk: Desk) -> None:
    told(desk, GIT_LOG, "git")
    facts = desk.facts("change", "list", "--since", "2025-08-01T00:00:00Z")
    assert [one["summary"] for one in facts] == ["Merge the sampler (e92d187)", "Weights of the long pool (1134567)"]


def test_the_list_may_be_of_a_scope(desk: Desk) -> None:
    desk(*ROUTING)
    desk("change", "add", "flag", "other", "--scope", "small/*/*")
    facts = desk.facts("change", "list", "--since", "2025-08-01T00:00:00Z", "--scope", "mid/*/*")
    assert [one["summary"] for one in facts] == ["10 % to long"]


def test_the_list_is_readable(desk: Desk) -> None:
    desk(*ROUTING, "--author", "ada", "--id", "r-1")
    (row,) = [
        line for line in desk("change", "list", "--since", "2025-08-01T00:00:00Z").stdout.splitlines() if "ada" in line
    ]
    assert row.split() == ["2025-08-29", "11:57Z", "routing", "mid/api/short", "10", "%", "to", "long", "ada", "r-1"]


def test_an_empty_list_says_how_to_record(desk: Desk) -> None:
    assert "canary change add" in desk("change", "list").stdout


def test_an_incident_names_its_suspects_with_probability_reason_and_link(desk: Desk) -> None:
    add_incident(desk)
    desk(*ROUTING, "--link", "https://ci/7", "--author", "ada")
    shown = desk("incident", "show").stdout
    (first, second) = [line for line in shown.splitlines() if line.startswith("suspect")]
    assert first.endswith(
        'routing "10 % to long" on mid/api/short by ada, 2025-08-29 11:57:00 UTC '
        "(began 3 min after; covers exactly this target; routing changes are a common cause) https://ci/7"
    )
    assert "no recorded change" in second


def test_a_machine_reads_the_suspects_of_an_incident(desk: Desk) -> None:
    add_incident(desk)
    desk(*ROUTING, "--id", "r-1")
    suspects = desk.facts("incident", "show")["suspects"]
    assert [one["change"] and one["change"]["id"] for one in suspects] == ["r-1", None]
    assert sum(one["probability"] for one in suspects) == pytest.approx(1.0, abs=1e-3)


def test_an_incident_without_a_recorded_change_says_so(desk: Desk) -> None:
    add_incident(desk)
    assert (
        "suspect  100% no recorded change (none was recorded in the 14 days before)" in desk("incident", "show").stdout
    )


def test_a_notification_of_the_desk_names_the_suspects(desk: Desk) -> None:
    add_incident(desk)
    desk(*ROUTING, "--id", "r-1")
    store = open_store(desk.store_url)
    opened = ONSET + 20 * MINUTE
    with store.transaction() as tx:
        tx.enqueue([Notification("n-1", "aaaa1111", NotificationKind.TRIGGER, "on-call", "{}", opened, opened)])
        tx.delivered("n-1", opened)
    desk("incident", "ack", "aaaa", "--by", "ada")
    with store.transaction() as tx:
        (owed,) = tx.claim(now=datetime(2100, 1, 1, tzinfo=UTC), lease=MINUTE, limit=9)
    store.close()
    assert json.loads(owed.body)["suspects"][0]["change"]["id"] == "r-1"


def test_a_shell_completes_targets_as_scopes(desk: Desk) -> None:
    env = {"COMP_WORDS": f"canary -c {desk.config} change add flag x --scope mid/api/s", "COMP_CWORD": "8"}
    shown = CliRunner().invoke(
        words, [], prog_name="canary", env={**env, "TOKEN": TOKEN, "_CANARY_COMPLETE": "bash_complete"}
    )
    assert "mid/api/short" in shown.output
