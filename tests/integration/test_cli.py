"""The on-call words over a real store and a small fleet: exit codes, JSON, plain errors."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from canary.cli import words
from canary.cli.word import Word
from canary.lab.run import in_thread
from canary.lab.spec import default_spec
from canary.records import (
    BaselineStatus,
    Finding,
    Incident,
    IncidentState,
    Interval,
    Observation,
    Purpose,
    SeriesKey,
    Size,
    Symptom,
)
from canary.store import open_store

CONFIG = """\
version: 1
models: [mid]
platforms: [api]
pools: [short, long]
detect: {{smallest_share: 0.2}}
endpoints:
  - base_url: {url}/{{platform}}/{{pool}}/v1
    token: ${{TOKEN}}
    affinity_header: x-session-id
    replica_header: x-replica
    limits: {{concurrency: 16, rate_per_second: 500}}
suites:
  - {{name: prose, interval: 10s, probes: [prose-glass, prose-bread]}}
receivers:
  - {{name: on-call, kind: webhook, url: "http://127.0.0.1:1/hook?key=${{TOKEN}}", secret: "${{TOKEN}}"}}
"""
TOKEN = "a-token-that-nobody-sees"
WHEN = datetime(2025, 8, 25, 12, tzinfo=UTC)
SHORT = "mid/api/short"


@dataclass(frozen=True)
class Desk:
    """A config with a store, and a hand on the commands."""

    config: Path

    def __call__(self, *args: str, env: dict[str, str] | None = None) -> Result:
        given = ("-c", str(self.config), *args)
        return CliRunner().invoke(words, given, prog_name="canary", env={"TOKEN": TOKEN, **(env or {})})

    def facts(self, *args: str) -> Any:
        return json.loads(self(*args, "--json").stdout)

    @property
    def store_url(self) -> str:
        return f"sqlite:///{self.config.parent / 'canary.db'}"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with in_thread(default_spec(latency=0.0)) as url:
        yield url


@pytest.fixture
def fresh(tmp_path: Path, url: str) -> Desk:
    """A config without a store."""
    config = tmp_path / "canary.yaml"
    config.write_text(CONFIG.format(url=url), encoding="utf-8")
    return Desk(config)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, url: str) -> Desk:
    """A store with active baselines, a replay, and an incident whose evidence is of that replay."""
    config = tmp_path_factory.mktemp("desk") / "canary.yaml"
    config.write_text(CONFIG.format(url=url), encoding="utf-8")
    desk = Desk(config)
    recorded = desk("baseline", "record", "--promote")
    assert recorded.exit_code == 0, recorded.output
    replayed = desk("replay", "prose", "--target", SHORT, "-n", "16")
    assert replayed.exit_code in {0, 2}, replayed.output
    add_incident(desk, "aaaa1111")
    return desk


def add_incident(desk: Desk, identity: str, purpose: Purpose = Purpose.REPLAY) -> None:
    store = open_store(desk.store_url)
    with store.transaction() as tx:
        seen = next(tx.observations(purpose=purpose))
        tx.put_incident(an_incident(identity, seen))
    store.close()


def an_incident(identity: str, seen: Observation) -> Incident:
    series = SeriesKey(seen.target, seen.region, seen.group, "script")
    finding = Finding(
        series, Symptom.CORRUPTION, 1, Interval(WHEN, WHEN, WHEN), Size(0.1, 0.2, 0.3, 0.95, 50), (seen.slot_id,)
    )
    return Incident(identity, IncidentState.OPEN, "mid", "api", "short", WHEN, WHEN, (finding,))


def leaves(group: click.Group, name: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, (*name, word))
        else:
            yield (*name, word), command


every_word = pytest.mark.parametrize("word", list(leaves(words)), ids=lambda word: " ".join(word[0]))


@every_word
def test_help_tells_exit_codes_and_an_example(word: tuple[tuple[str, ...], click.Command]) -> None:
    name, command = word
    shown = CliRunner().invoke(words, [*name, "--help"]).output
    assert isinstance(command, Word)
    assert re.search(r"Exit codes:\n  0 ", shown)
    assert "Examples:\n  " in shown


@every_word
def test_help_fits_eighty_columns(word: tuple[tuple[str, ...], click.Command]) -> None:
    shown = CliRunner().invoke(words, [*word[0], "--help"], terminal_width=80).output
    prose, _, _ = shown.partition("Examples:")
    assert max(map(len, prose.splitlines())) <= 80


@pytest.mark.parametrize(
    "args",
    [
        ("check",),
        ("status",),
        ("incident", "list"),
        ("baseline", "list"),
        ("probe", "list"),
        ("config", "show"),
        ("db", "current"),
        ("db", "upgrade"),
        ("run",),
        ("explain", "3f2a"),
        ("backtest",),
    ],
    ids=" ".join,
)
def test_a_missing_config_is_one_line_and_exit_code_2(args: tuple[str, ...], tmp_path: Path) -> None:
    result = Desk(tmp_path / "absent.yaml")(*args)
    assert (result.exit_code, result.stderr.count("\n"), result.stdout) == (2, 1, "")
    assert "canary init" in result.stderr


def test_a_bad_config_is_one_line_for_each_problem(tmp_path: Path) -> None:
    config = tmp_path / "canary.yaml"
    config.write_text("version: 1\nmodls: [a]\nsuites: 3\n", encoding="utf-8")
    result = Desk(config)("status")
    lines = result.stderr.splitlines()
    assert result.exit_code == 2
    assert len(lines) == 3
    assert all(re.match(r"canary: .*canary\.yaml:\d+: ", line) for line in lines)


def test_a_secret_that_is_not_set_is_named_and_not_guessed(fresh: Desk) -> None:
    result = CliRunner().invoke(words, ["-c", str(fresh.config), "check"], env={"TOKEN": None})
    assert (result.exit_code, "TOKEN" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (("statsu",), 'did you mean "status"?'),
        (("incident", "lst"), 'did you mean "list"?'),
        (("probe", "show", "prose-glas"), 'did you mean "prose-glass"?'),
        (("probe", "list", "--family", "pros"), 'did you mean "prose"?'),
        (("probe", "fire", "prose-glass", "--target", "mid/api/none"), "the config has mid/api/short"),
        (("baseline", "record", "--target", "big/*"), "the config has mid/api/short"),
        (("baseline", "show", "zzz"), "canary baseline list"),
        (("incident", "show", "zzz"), "zzz"),
        (("incident", "evidence", "zzz"), "canary incident show"),
        (("incident", "ack", "zzz"), "zzz"),
        (("incident", "resolve", "zzz"), "zzz"),
        (("replay", "zzz"), "no probe"),
        (("replay", "prose"), "--target"),
        (("baseline", "promote"), "canary baseline record"),
        (("explain", "zzz"), '"zzz" is no alarm'),
        (("explain", "zzz", "--out", "evidence.gif"), "neither .svg nor .png"),
        (("explain", "zzz", "--since", "yesterday"), "is no time"),
        (("backtest", "--until", "2001-01-01"), "no scheduled answer"),
        (("backtest", "--since", "14 days"), "36h for so long ago"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_an_unknown_name_is_exit_code_2_with_a_hint(fresh: Desk, args: tuple[str, ...], hint: str) -> None:
    result = fresh(*args)
    assert (result.exit_code, hint in result.stderr) == (2, True), result.output
    assert not fresh.config.with_name("canary.db").exists() or args[:2] == ("baseline", "record")


def test_without_a_store_the_fleet_is_shown_as_learning_and_none_is_made(fresh: Desk) -> None:
    result = fresh("status")
    assert (result.exit_code, "learning" in result.stdout) == (0, True)
    assert not fresh.config.with_name("canary.db").exists()


@pytest.mark.parametrize("args", [("status",), ("incident", "list"), ("db", "current"), ("run",)], ids=" ".join)
def test_a_store_that_is_no_database_is_exit_code_2(fresh: Desk, args: tuple[str, ...]) -> None:
    fresh.config.with_name("canary.db").write_bytes(b"this is no database" * 100)
    result = fresh(*args)
    assert (result.exit_code, result.stderr.startswith("canary: ")) == (2, True), result.output


def test_a_store_of_another_version_is_exit_code_2_with_the_remedy(fresh: Desk) -> None:
    import sqlite3

    fresh("db", "upgrade")
    with sqlite3.connect(fresh.config.with_name("canary.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    result = fresh("status")
    assert (result.exit_code, "canary db upgrade" in result.stderr) == (2, True)


def test_the_store_is_made_by_db_upgrade(fresh: Desk) -> None:
    before = fresh("db", "current")
    assert (before.exit_code, fresh.facts("db", "upgrade")["before"]) == (1, None)
    assert fresh("db", "current").exit_code == 0


def test_a_target_that_does_not_answer_is_not_recorded(fresh: Desk) -> None:
    fresh.config.write_text(CONFIG.format(url="http://127.0.0.1:1"), encoding="utf-8")
    result = fresh("baseline", "record")
    assert (result.exit_code, result.stderr.count("unreachable")) == (2, 2)
    assert fresh.facts("baseline", "list") == []


def test_check_reach_asks_every_target(fresh: Desk) -> None:
    assert "all 2 targets answered" in fresh("check", "--reach").stdout


def test_check_reach_fails_where_nobody_answers(fresh: Desk) -> None:
    fresh.config.write_text(CONFIG.format(url="http://127.0.0.1:1"), encoding="utf-8")
    assert fresh("check", "--reach").exit_code == 2


def test_check_tells_what_a_recording_costs(fresh: Desk) -> None:
    assert re.search(r"recording: [\d,]+ runs, at most [\d,]+ tokens", fresh("check").stdout)


def test_check_fits_eighty_columns(fresh: Desk) -> None:
    _, *lines = fresh("check").stdout.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    first = CliRunner().invoke(words, ["init", str(tmp_path / "new")])
    again = CliRunner().invoke(words, ["init", str(tmp_path / "new")])
    assert (first.exit_code, again.exit_code) == (0, 2)


def test_what_init_writes_is_good(tmp_path: Path) -> None:
    CliRunner().invoke(words, ["init", str(tmp_path)])
    assert CliRunner().invoke(words, ["-c", str(tmp_path / "canary.yaml"), "check"]).exit_code == 0


def test_a_healthy_pool_passes_a_replay(desk: Desk) -> None:
    result = desk("replay", "prose", "--target", SHORT, "-n", "200")
    assert (result.exit_code, "PASS" in result.stdout) == (0, True), result.output


def test_a_replay_of_too_few_runs_is_inconclusive(desk: Desk) -> None:
    assert desk("replay", "prose", "--target", SHORT, "-n", "4").exit_code == 2


def test_a_replay_of_an_incident_needs_no_target(desk: Desk) -> None:
    assert desk.facts("replay", "aaaa1111", "-n", "4")["target"] == SHORT


def test_a_replay_beside_another_target_needs_no_baseline(desk: Desk) -> None:
    found = desk.facts("replay", "aaaa1111", "--against", "mid/api/long", "-n", "60")
    assert (found["target"], found["against"], found["verdict"]) == (SHORT, "mid/api/long", "pass")


def test_a_replay_in_bursts_fires_them_at_once(desk: Desk) -> None:
    found = desk.facts("replay", "prose", "--target", SHORT, "--against", "mid/api/long", "--burst", "4", "-n", "2")
    assert {one["group"] for one in found["compared"]} == {"prose@4"}
    assert found["planned"] == 2 * 2 * 4


@pytest.mark.parametrize(("burst", "hint"), [("8", "record a baseline first"), ("64", "may bear 16 requests")])
def test_a_replay_in_bursts_that_cannot_be_judged_is_refused(desk: Desk, burst: str, hint: str) -> None:
    result = desk("replay", "prose", "--target", SHORT, "--burst", burst)
    assert (result.exit_code, hint in result.stderr) == (2, True), result.output


def test_a_replay_of_what_no_suite_fires_is_refused(desk: Desk) -> None:
    result = desk("replay", "code", "--target", SHORT)
    assert (result.exit_code, "record a baseline first" in result.stderr) == (2, True)


def test_an_unresolved_incident_is_exit_code_1_of_list_and_status(desk: Desk) -> None:
    assert (desk("incident", "list").exit_code, desk("status").exit_code) == (1, 1)


def test_an_incident_shows_probe_replica_and_score_of_its_evidence(desk: Desk) -> None:
    (exhibit,) = desk.facts("incident", "show", "aaaa")["exhibits"]
    assert exhibit["probe"].startswith("prose-")
    assert exhibit["replica"].startswith("api-short")
    assert exhibit["score"]["signal"] == "script"


def test_the_story_of_an_incident_says_what_happened_and_what_to_type(desk: Desk) -> None:
    shown = desk("incident", "show", "aaaa").stdout
    assert re.search(r"08-25 12:00:00 +onset +prose/script", shown)
    assert re.search(r"08-25 12:00:00 +opened", shown)
    assert "canary bisect aaaa1111" in shown
    assert [one["kind"] for one in desk.facts("incident", "show", "aaaa")["timeline"]] == ["onset", "opened"]


def test_the_worst_answers_stand_beside_a_golden_one_unless_somebody_looks_on(desk: Desk) -> None:
    said = "the text is that of a golden answer"
    assert said in desk("incident", "show", "aaaa").stdout
    assert said not in desk("incident", "show", "aaaa", "--no-answers").stdout


def test_the_answer_behind_a_slot_is_shown_to_the_operator(desk: Desk) -> None:
    (exhibit,) = desk.facts("incident", "show", "aaaa")["exhibits"]
    shown = desk.facts("incident", "evidence", exhibit["slot_id"][:10])
    assert len(shown["answer"]) > 200
    assert {score["signal"] for score in shown["scores"]} >= {"script", "language", "availability"}


def test_an_incident_is_acknowledged_and_resolved(desk: Desk) -> None:
    add_incident(desk, "bbbb2222")
    assert desk.facts("incident", "ack", "bbbb", "--by", "ada")["incident"]["acknowledged_by"] == "ada"
    assert desk.facts("incident", "resolve", "bbbb", "--by", "ada")["incident"]["state"] == "resolved"


def test_a_probe_is_fired_once_off_the_books(desk: Desk) -> None:
    fired = desk.facts("probe", "fire", "prose-glass", "--target", SHORT)
    assert (fired["failure"], bool(fired["answer"])) == (None, True)


def test_a_fired_probe_that_nobody_answers_is_exit_code_1(fresh: Desk) -> None:
    fresh.config.write_text(CONFIG.format(url="http://127.0.0.1:1"), encoding="utf-8")
    assert fresh("probe", "fire", "prose-glass", "--target", SHORT).exit_code == 1


def test_a_recording_says_what_is_armed(desk: Desk) -> None:
    baselines = desk.facts("baseline", "list")
    shown = desk.facts("baseline", "show", baselines[0]["id"])
    assert shown["status"] == "active"
    assert shown["armed"] is True
    assert set(shown["probes"]) == {"prose-glass", "prose-bread"}


def test_baselines_are_promoted_when_somebody_says_so(fresh: Desk) -> None:
    fresh("baseline", "record", "-n", "5", "--target", SHORT)
    assert {one["status"] for one in fresh.facts("baseline", "promote")} == {"active"}


def test_check_and_status_say_what_series_and_scopes_can_find(desk: Desk) -> None:
    foretold = {(row["level"], row["kind"]) for row in desk.facts("check")["sights"]}
    armed = {(row["level"], row["kind"]) for row in desk.facts("status", "--reach")["reach"]}
    assert ("series", "event") in armed <= foretold
    assert {level for level, _ in armed} > {"series"}
    shown = desk("status", "--reach").stdout
    assert "Time until a fault is found" in shown
    assert "not below" in shown


def test_a_baseline_does_not_differ_from_itself(desk: Desk) -> None:
    one = desk.facts("baseline", "list")[0]["id"]
    assert desk("baseline", "diff", one, one).exit_code == 0
    assert all(row["p"] == 1.0 for row in desk.facts("baseline", "diff", one, one))


def test_baselines_of_two_targets_are_not_compared(desk: Desk) -> None:
    ids = {one["target"]: one["id"] for one in desk.facts("baseline", "list")}
    result = desk("baseline", "diff", *list(ids.values())[:2])
    assert (result.exit_code, "is of mid/" in result.stderr) == (2, True)


def test_nothing_is_recorded_through_an_open_incident_unless_somebody_says_so(fresh: Desk) -> None:
    fresh("baseline", "record", "-n", "5", "--target", SHORT)
    add_incident(fresh, "bbbb2222", Purpose.GOLDEN)
    refused = fresh("baseline", "record", "-n", "5", "--target", SHORT)
    assert (refused.exit_code, "incident bbbb2222 is unresolved" in refused.stderr) == (2, True)
    assert {one["epoch"] for one in fresh.facts("baseline", "list")} == {1}
    accepted = fresh("baseline", "record", "-n", "5", "--target", SHORT, "--accept-drift", "--version", "2")
    assert accepted.exit_code == 0
    assert {(one["epoch"], one["version"]) for one in fresh.facts("baseline", "list")} == {(1, ""), (2, "2")}


def test_golden_answers_that_differ_are_promoted_when_somebody_says_so(fresh: Desk) -> None:
    fresh("baseline", "record", "-n", "60", "--target", SHORT, "--promote")
    _damage(fresh)
    fresh("baseline", "record", "-n", "60", "--target", SHORT)
    refused = fresh("baseline", "promote")
    assert (refused.exit_code, "differs from the active one" in refused.stderr) == (2, True)
    assert fresh("baseline", "promote", "--accept-drift").exit_code == 0


def _damage(desk: Desk) -> None:
    """As if half of the golden answers had not come when the active baselines were recorded."""
    store = open_store(desk.store_url)
    with store.transaction() as tx:
        for one in tx.baselines(status=BaselineStatus.ACTIVE):
            if one.series.signal == "availability":
                parts = tuple(replace(part, events=part.n // 2) for part in one.parts)
                tx.put_baseline(replace(one, parts=parts, events=sum(part.events for part in parts)))
    store.close()


def test_status_says_how_far_learning_is(fresh: Desk) -> None:
    fresh("baseline", "record", "-n", "5", "--target", SHORT, "--promote")
    by_target = {row["target"]: row for row in fresh.facts("status")["targets"]}
    assert (by_target[SHORT]["state"], by_target[SHORT]["golden"]) == ("learning", 5)
    assert by_target[SHORT]["golden_needed"] > 5


@pytest.mark.parametrize(
    "args",
    [
        ("check",),
        ("status",),
        ("status", "--reach"),
        ("probe", "list"),
        ("probe", "show", "prose-glass"),
        ("baseline", "list"),
        ("incident", "list", "--all"),
        ("incident", "show", "aaaa1111"),
        ("db", "current"),
        ("db", "upgrade"),
        ("config", "show"),
        ("config", "schema"),
    ],
    ids=" ".join,
)
def test_json_is_one_document_and_nothing_else(desk: Desk, args: tuple[str, ...]) -> None:
    assert desk.facts(*args) is not None


@pytest.mark.parametrize(
    "args",
    [
        ("check",),
        ("config", "show"),
        ("status", "--json"),
        ("incident", "show", "aaaa1111", "--json"),
        ("baseline", "list", "--json"),
        ("probe", "fire", "prose-glass", "--target", SHORT, "--json"),
        ("probe", "fire", "prose-glass", "--target", "x/y/z"),
    ],
    ids=" ".join,
)
def test_a_secret_is_never_shown(desk: Desk, args: tuple[str, ...]) -> None:
    assert TOKEN not in desk(*args).output


def test_plain_output_has_no_escapes_and_colour_has(desk: Desk) -> None:
    plain, coloured = desk("status"), desk("--color", "status")
    assert ("\x1b[" in plain.stdout, "\x1b[" in coloured.stdout) == (False, True)


def test_an_answer_cannot_steer_the_terminal(desk: Desk) -> None:
    store = open_store(desk.store_url)
    with store.transaction() as tx:
        seen = next(tx.observations(purpose=Purpose.REPLAY, bodies=True))
        assert seen.response is not None
        hostile = replace(seen, slot_id="c" * 24, response=replace(seen.response, text="a\x1b]0;owned\x07\u202eb"))
        tx.add_observations([hostile])
    store.close()
    shown = desk("--color", "incident", "evidence", "c" * 24).stdout
    assert "\x1b]0;" not in shown
    assert r"\x1b]0;owned\x07\u202eb" in shown
