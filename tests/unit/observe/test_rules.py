"""The rules, their runbooks, and the files made of them."""

import re
from pathlib import Path

import click
import pytest
import yaml

from canary.cli import words
from canary.observe.prometheus import files
from canary.observe.rules import RULES, Rule
from tests.programs import program, run
from tests.unit.observe.shown import names_in, shown

DEPLOY = Path(__file__).parents[3] / "deploy"
RUNBOOKS = sorted((DEPLOY / "runbooks").glob("*.md"))
ROUTED = (["severity=page"], ["severity=ticket"], ["severity=none", "alertname=CanaryWatchdog"])
RULE_TESTS = (DEPLOY / "prometheus" / "rules_test.yaml").read_text("utf-8")


@pytest.mark.parametrize("path", files(), ids=str)
def test_what_is_committed_is_what_is_rendered(path: Path) -> None:
    assert (DEPLOY / path).read_text("utf-8") == files()[path], "run `canary prometheus render`"


def test_prometheus_and_its_operator_are_given_the_same_rules() -> None:
    plain, resource = (yaml.safe_load(text) for text in files().values())
    assert resource["kind"] == "PrometheusRule"
    assert resource["spec"] == plain


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_runbook_of_a_rule_is_where_its_url_says(rule: Rule) -> None:
    groups = yaml.safe_load((DEPLOY / "prometheus" / "rules.yaml").read_text("utf-8"))["groups"]
    urls = [
        one["annotations"]["runbook_url"] for group in groups for one in group["rules"] if one["alert"] == rule.name
    ]
    assert [(DEPLOY.parent / url).is_file() for url in urls] == [True]


def test_a_site_names_where_it_serves_the_runbooks() -> None:
    rules, _ = files("https://git.example.com/canary/").values()
    assert "runbook_url: https://git.example.com/canary/CanaryIncident.md" in rules


def test_every_runbook_belongs_to_a_rule() -> None:
    assert {path.stem for path in RUNBOOKS} == {rule.name for rule in RULES}


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_names_only_commands_that_there_are(path: Path) -> None:
    for line in re.findall(r"`canary ([a-z ]+)", path.read_text("utf-8")):
        command: click.Command | None = words
        context = click.Context(words)
        for word in line.split():
            if not isinstance(command, click.Group):
                break
            command = command.get_command(context, word)
            assert command is not None, line


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_asks_only_for_metrics_that_there_are(rule: Rule) -> None:
    assert names_in(rule.expression) <= shown() | {"up"}


def test_names_of_metrics_are_unique_among_rules() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_a_test_of_its_own(rule: Rule) -> None:
    assert rule.name in RULE_TESTS


def test_promtool_accepts_the_rules() -> None:
    assert f"{len(RULES)} rules found" in run(
        program("promtool"), "check", "rules", DEPLOY / "prometheus" / "rules.yaml"
    )


def test_promtool_sees_every_rule_fire_when_it_has_to_and_not_before() -> None:
    assert "SUCCESS" in run(program("promtool"), "test", "rules", DEPLOY / "prometheus" / "rules_test.yaml")


def test_promtool_accepts_the_example_config() -> None:
    assert "SUCCESS" in run(program("promtool"), "check", "config", DEPLOY / "prometheus" / "prometheus.yaml")


def test_amtool_accepts_the_example_routes() -> None:
    assert "SUCCESS" in run(program("amtool"), "check-config", DEPLOY / "prometheus" / "alertmanager.yaml")


def test_the_examples_send_what_pages_to_somebody_and_the_watchdog_to_nobody_else() -> None:
    file = f"--config.file={DEPLOY / 'prometheus' / 'alertmanager.yaml'}"
    routes = [run(program("amtool"), "config", "routes", "test", file, *labels).split()[0] for labels in ROUTED]
    assert routes == ["on-call", "tickets", "dead-mans-switch"]
