"""`canary grafana push`, against a strict stand-in: no live Grafana is to be had on the test machines."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from canary.cli import words
from canary.errors import GrafanaError
from canary.observe.grafana import GrafanaHttp
from canary.observe.provisioning import Site
from canary.observe.push import Act, Step, carry_out, plan
from tests.integration.grafana import EDITOR, VIEWER, StandIn, stand_in
from tests.programs import free_port

OURS = re.compile(
    r"/health|/folders(/canary)?|/dashboards/(db|uid/canary-(fleet|target|itself))"
    r"|/v1/provisioning/folder/canary/rule-groups/canary-(incidents|itself)"
)
GROUP = ("canary", "canary-incidents")


@pytest.fixture
def grafana() -> Iterator[StandIn]:
    with stand_in() as made:
        yield made


def push(grafana: StandIn, token: str = EDITOR, *, timeout: float = 5.0, site: Site | None = None) -> list[Step]:
    """The steps that changed something."""
    with GrafanaHttp(grafana.url, token, timeout=timeout) as http:
        return list(carry_out(http, plan(http, site or Site())))


def command(grafana: StandIn, folder: Path, *words_: str, token: str = EDITOR) -> Result:
    file = folder / "token"
    file.write_text(f"{token}\n", encoding="utf-8")
    return CliRunner().invoke(words, ["grafana", "push", "--url", grafana.url, "--token-file", str(file), *words_])


def edited(grafana: StandIn, uid: str = "canary-fleet") -> None:
    """Somebody saves another version by hand."""
    kept = grafana.dashboards[uid]["dashboard"]
    kept["title"], kept["version"] = "mine", kept["version"] + 1


def test_a_first_push_makes_the_folder_then_all_that_is_in_it(grafana: StandIn) -> None:
    assert [step.what for step in push(grafana)] == [
        'folder "Canary"',
        'dashboard "Canary: fleet"',
        'dashboard "Canary: target"',
        'dashboard "Canary: itself"',
        'rule group "canary-incidents"',
        'rule group "canary-itself"',
    ]
    assert {one["meta"]["folderUid"] for one in grafana.dashboards.values()} == {"canary"}


def test_a_second_push_writes_nothing(grafana: StandIn) -> None:
    push(grafana)
    grafana.asked.clear()
    assert push(grafana) == []
    assert grafana.writes == []


@pytest.mark.parametrize("slash", ["", "/"])
def test_it_works_under_a_sub_path(slash: str) -> None:
    with stand_in("/team/grafana") as grafana:
        grafana.url += slash
        assert len(push(grafana)) == 6
        assert push(grafana) == []


def test_nothing_but_our_folder_dashboards_and_groups_is_ever_asked_for(grafana: StandIn) -> None:
    push(grafana)
    edited(grafana)
    push(grafana)
    assert [path for _, path in grafana.asked if not OURS.fullmatch(path)] == []
    assert {method for method, _ in grafana.asked} == {"GET", "POST", "PUT"}


def test_what_was_edited_by_hand_is_updated_and_the_rest_left_alone(grafana: StandIn) -> None:
    push(grafana)
    edited(grafana)
    (step,) = push(grafana)
    assert (step.act, step.what) == (Act.UPDATE, 'dashboard "Canary: fleet"')
    assert grafana.dashboards["canary-fleet"]["dashboard"]["title"] == "Canary: fleet"


def test_a_rule_that_was_edited_by_hand_is_put_back(grafana: StandIn) -> None:
    push(grafana)
    grafana.groups[GROUP]["rules"][0]["for"] = "9m"
    (step,) = push(grafana)
    assert (step.act, step.what) == (Act.UPDATE, 'rule group "canary-incidents"')
    assert grafana.groups[GROUP]["rules"][0]["for"] == "0s"


def test_a_push_that_broke_off_is_gone_on_with_by_the_next(grafana: StandIn) -> None:
    grafana.faults["POST", "/dashboards/db"] = "503"
    with pytest.raises(GrafanaError, match="503"):
        push(grafana)
    grafana.faults.clear()
    assert next(step.what for step in push(grafana)) == 'dashboard "Canary: fleet"'


# -- what is not ours


def test_a_group_with_a_rule_of_others_is_refused_before_anything_is_written(grafana: StandIn) -> None:
    push(grafana)
    grafana.groups[GROUP]["rules"].append({"uid": "theirs", "title": "Disk full", "provenance": ""})
    edited(grafana)
    grafana.asked.clear()
    with pytest.raises(GrafanaError, match="Disk full"):
        push(grafana)
    assert grafana.writes == []


def test_a_group_from_files_is_refused_before_anything_is_written(grafana: StandIn) -> None:
    push(grafana)
    grafana.groups[GROUP]["rules"][0] |= {"provenance": "file", "for": "9m"}
    grafana.asked.clear()
    with pytest.raises(GrafanaError, match="provisioned by 'file': use files or push"):
        push(grafana)
    assert grafana.writes == []


def test_a_provenance_that_only_grafana_knows_of_is_its_409_and_a_remedy(grafana: StandIn) -> None:
    grafana.faults["PUT", "rule-groups"] = "409"
    with pytest.raises(GrafanaError, match="409: it stands there under another provenance"):
        push(grafana)


def test_a_dashboard_from_files_is_refused(grafana: StandIn) -> None:
    push(grafana)
    grafana.dashboards["canary-target"]["meta"]["provisioned"] = True
    with pytest.raises(GrafanaError, match="canary-target comes from a provisioning file"):
        push(grafana)


def test_a_dashboard_in_another_folder_is_not_taken_from_there(grafana: StandIn) -> None:
    push(grafana)
    grafana.dashboards["canary-target"]["meta"]["folderUid"] = "theirs"
    with pytest.raises(GrafanaError, match="in the folder 'theirs'"):
        push(grafana)


def test_a_version_saved_between_reading_and_writing_is_not_overwritten(grafana: StandIn) -> None:
    push(grafana)
    edited(grafana)
    grafana.before_save = lambda: edited(grafana)
    with pytest.raises(GrafanaError, match="412: somebody saved another version meanwhile: push again"):
        push(grafana)


# -- what can go wrong


def test_a_bad_token_is_401_with_a_remedy(grafana: StandIn) -> None:
    with pytest.raises(GrafanaError, match="401: the token is not valid"):
        push(grafana, "glsa_wrong")


def test_a_token_that_may_only_read_is_403_with_a_remedy(grafana: StandIn) -> None:
    with pytest.raises(GrafanaError, match="403: the token may not do that"):
        push(grafana, VIEWER)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("404", "404: there is no such thing: does this Grafana have unified alerting"),
        ("429", "429: Grafana asks for a pause"),
        ("500", "500: Grafana failed: see its log"),
        ("502", "502: Grafana failed"),
        ("400", "400: Grafana does not accept it"),
        ("418", "418: refused"),
        ("login", "answered with a page, not with JSON: a login page"),
        ("redirect", "redirected: give the final URL"),
        ("garbage", "answered with what is not JSON"),
        ("close", "no connection"),
    ],
)
def test_a_write_that_goes_wrong_says_how(grafana: StandIn, fault: str, told: str) -> None:
    grafana.faults["PUT", "rule-groups"] = fault
    with pytest.raises(GrafanaError, match=re.escape(told)):
        push(grafana)


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_an_answer_that_does_not_end_ends_the_push(grafana: StandIn, fault: str) -> None:
    grafana.faults["GET", "/folders"] = fault
    with pytest.raises(GrafanaError, match="no whole answer"):
        push(grafana, timeout=0.5)


@pytest.mark.parametrize("fault", ["login", "redirect", "garbage", "404"])
def test_what_is_no_grafana_is_told_at_once(grafana: StandIn, fault: str) -> None:
    grafana.faults["*", ""] = fault
    with pytest.raises(GrafanaError):
        push(grafana)
    assert grafana.asked == [("GET", "/health")]


def test_a_wrong_sub_path_is_no_grafana(grafana: StandIn) -> None:
    grafana.url += "/elsewhere"
    with pytest.raises(GrafanaError, match="a sub-path belongs into --url"):
        push(grafana)


def test_a_refused_connection_is_an_error_of_ours() -> None:
    nobody = StandIn(url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(GrafanaError, match="no connection"):
        push(nobody)


@pytest.mark.parametrize(
    "url", ["", "grafana", "ftp://h", "http://", "http://ann:pw@h", "http://h/?x=1", "http://h/#x", "http:///grafana"]
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(GrafanaError, match="the URL should"):
        GrafanaHttp(url, EDITOR)


# -- the command


def test_a_dry_run_says_what_would_change_and_changes_nothing(grafana: StandIn, tmp_path: Path) -> None:
    push(grafana)
    edited(grafana)
    grafana.asked.clear()
    result = command(grafana, tmp_path, "--dry-run")
    assert (result.exit_code, grafana.writes) == (1, [])
    assert 'would update dashboard "Canary: fleet"' in result.stdout.splitlines()
    assert 'keep folder "Canary"' in result.stdout.splitlines()


def test_a_dry_run_of_what_is_there_ends_well(grafana: StandIn, tmp_path: Path) -> None:
    push(grafana)
    assert command(grafana, tmp_path, "--dry-run").exit_code == 0


def test_its_json_counts_what_was_made(grafana: StandIn, tmp_path: Path) -> None:
    first, second = (json.loads(command(grafana, tmp_path, "--json").stdout) for _ in range(2))
    assert (first["made"], second["made"], len(second["steps"])) == (6, 0, 6)


def test_another_folder_and_datasource_are_taken_as_given(grafana: StandIn, tmp_path: Path) -> None:
    result = command(grafana, tmp_path, "--folder-uid", "llm", "--prometheus-uid", "canary-prometheus")
    assert result.exit_code == 0
    assert set(grafana.folders) == {"llm"}


@pytest.mark.parametrize("uid", ["a/b", "..", "", "a" * 41, "a?b"])
def test_a_uid_that_could_change_a_path_is_refused(grafana: StandIn, tmp_path: Path, uid: str) -> None:
    assert command(grafana, tmp_path, "--folder-uid", uid).exit_code == 2
    assert grafana.asked == []


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "\x07bell", "s\u00e4ure"])
def test_a_file_without_a_token_is_refused(grafana: StandIn, tmp_path: Path, token: str) -> None:
    result = command(grafana, tmp_path, token=token)
    assert (result.exit_code, grafana.asked) == (2, [])


@pytest.mark.parametrize("fault", ["401", "500", "login", "redirect", "garbage", "close"])
def test_the_token_is_in_no_output(grafana: StandIn, tmp_path: Path, fault: str) -> None:
    grafana.faults["*", "/folders"] = fault
    result = command(grafana, tmp_path)
    assert result.exit_code == 2
    assert EDITOR not in result.output + str(result.exception)


def test_a_token_that_the_server_quotes_is_told_nobody_in_whole_or_in_part(grafana: StandIn, tmp_path: Path) -> None:
    grafana.faults["*", "/folders"] = "echo"
    result = command(grafana, tmp_path)
    assert "Bearer ***? ***..." in result.output
    assert "glsa_" not in result.output


def test_what_grafana_says_cannot_steer_a_terminal(grafana: StandIn) -> None:
    push(grafana)
    grafana.groups[GROUP]["rules"].append({"uid": "theirs", "title": "\x1b[2Jgone", "provenance": ""})
    with pytest.raises(GrafanaError) as raised:
        push(grafana)
    assert "\x1b" not in str(raised.value)


def run_python(code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command: list[Any] = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_without_the_extra_the_command_names_it(grafana: StandIn, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(EDITOR, encoding="utf-8")
    code = "import sys; sys.modules['grafana_client'] = None; from canary.cli import main; main()"
    done = run_python(code, "grafana", "push", "--url", grafana.url, "--token-file", str(tmp_path / "token"))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pip install 'llm-canary[grafana]'" in done.stderr


def test_rendering_needs_no_client(tmp_path: Path) -> None:
    code = "import sys; sys.modules['grafana_client'] = None; from canary.cli import main; main()"
    assert run_python(code, "grafana", "render", str(tmp_path)).returncode == 0


def test_a_process_ends_though_an_answer_does_not(grafana: StandIn) -> None:
    grafana.faults["GET", "/health"] = "drip"
    code = (
        "import sys; from canary.observe.grafana import GrafanaHttp\n"
        "with GrafanaHttp(sys.argv[1], 'x', timeout=0.5) as http: http.get('/health')"
    )
    assert "no whole answer within 0.5 s" in run_python(code, grafana.url).stderr
