"""The dashboards and the provisioning files, as they are committed."""

import json
import re
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from canary.observe.dashboards import dashboards
from canary.observe.dashboards.fleet import STATES
from canary.observe.provisioning import Site, files
from canary.observe.rules import RULES
from canary.web.status import TargetState
from tests.unit.observe.shown import expressions, names_in, shown

DEPLOY = Path(__file__).parents[3] / "deploy"
FILES = files(Site())
MADE = dashboards()
ALERTING = PurePosixPath("grafana/provisioning/alerting/canary.yaml")
EXPRESSIONS = [one for made in MADE.values() for one in expressions(made)]
each_dashboard = pytest.mark.parametrize("made", MADE.values(), ids=MADE)


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(FILES[ALERTING])["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_what_is_committed_is_what_is_rendered(path: PurePosixPath) -> None:
    assert (DEPLOY / path).read_text("utf-8") == FILES[path], "run `canary grafana render`"


def test_nothing_is_committed_beside_it() -> None:
    there = {path.relative_to(DEPLOY) for path in (DEPLOY / "grafana").rglob("*") if path.is_file()}
    assert {str(path) for path in there} == {str(path) for path in FILES} | {"grafana/read-only.sql"}


def test_uids_are_those_that_bookmarks_know() -> None:
    assert set(MADE) == {"canary-fleet", "canary-target", "canary-itself"}


@each_dashboard
def test_panel_ids_are_unique_and_none_is_zero(made: dict[str, Any]) -> None:
    ids = Counter(panel["id"] for panel in made["panels"])
    assert set(ids.values()) == {1}
    assert min(ids) > 0


@each_dashboard
def test_no_panel_covers_another(made: dict[str, Any]) -> None:
    cells = Counter(
        (x, y)
        for place in (panel["gridPos"] for panel in made["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    )
    assert set(cells.values()) == {1}
    assert max(x for x, _ in cells) < 24


@each_dashboard
def test_the_panels_of_a_row_fill_it(made: dict[str, Any]) -> None:
    rows = Counter[int]()
    for place in (panel["gridPos"] for panel in made["panels"]):
        rows[place["y"]] += place["w"]
    assert set(rows.values()) == {24}


@pytest.mark.parametrize("unit", ["percentunit", "reqps", "ops"])
def test_the_axis_of_what_cannot_be_negative_begins_at_zero(unit: str) -> None:
    charts = [panel for made in MADE.values() for panel in made["panels"] if panel["type"] == "timeseries"]
    least = [one.get("min") for panel in charts if (one := panel["fieldConfig"]["defaults"])["unit"] == unit]
    assert set(least) == {0}


@each_dashboard
def test_datasources_are_variables_and_nothing_has_to_be_filled_in_by_hand(made: dict[str, Any]) -> None:
    text = json.dumps(made)
    assert "__inputs" not in text
    assert "${DS_" not in text
    uids = set(re.findall(r'"uid": "(\$\{\w+\})"', text))
    assert uids == {"${prometheus}", "${postgres}"} & uids
    kinds = {one["name"]: one["query"] for one in made["templating"]["list"] if one["type"] == "datasource"}
    assert kinds == {"prometheus": "prometheus", "postgres": "grafana-postgresql-datasource"}


@each_dashboard
def test_every_variable_that_is_used_is_declared(made: dict[str, Any]) -> None:
    declared = {one["name"] for one in made["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps([made["panels"], made["annotations"], made["templating"]])))
    assert used <= declared


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_a_dashboard_asks_only_for_metrics_that_there_are(where: str, expression: str) -> None:
    assert names_in(expression) <= shown()


def test_every_state_of_a_target_has_a_text_and_a_colour() -> None:
    assert set(STATES) == set(TargetState)


def test_each_rule_is_one_of_grafanas_too() -> None:
    assert [rule["title"] for rule in rules()] == [rule.name for rule in RULES]


def test_uids_of_rules_are_unique_and_short_enough() -> None:
    uids = [rule["uid"] for rule in rules()]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[a-z0-9-]{1,40}", uid) for uid in uids)


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".yaml"], ids=str)
def test_a_provisioning_file_leaves_grafana_nothing_to_put_in_but_the_password(path: PurePosixPath) -> None:
    left = re.findall(r"\$\w+", FILES[path].replace("$$", ""))
    assert left == (["$CANARY_GRAFANA_PASSWORD"] if path.parent.name == "datasources" else [])


def test_the_texts_of_rules_are_templates_of_grafana_once_it_has_read_them() -> None:
    (stale,) = (rule for rule in rules() if rule["title"] == "CanaryTargetStale")
    (old,) = (rule for rule in rules() if rule["title"] == "CanaryBaselineOld")
    assert "{{ $labels.pool }}" in stale["annotations"]["summary"].replace("$$", "$")
    assert "{{ $values.A.Value | humanizeDuration }}" in old["annotations"]["summary"].replace("$$", "$")


def test_rules_ask_the_datasource_that_was_named() -> None:
    text = files(Site(prometheus_uid="mine"))[ALERTING]
    asked = {
        step["datasourceUid"]
        for group in yaml.safe_load(text)["groups"]
        for one in group["rules"]
        for step in one["data"]
    }
    assert asked == {"mine", "__expr__"}


def test_a_rule_fires_past_the_limit_that_prometheus_has() -> None:
    for ours, theirs in zip(RULES, rules(), strict=True):
        query, threshold = theirs["data"]
        (condition,) = threshold["model"]["conditions"]
        assert query["model"]["expr"].replace("$$", "$") == ours.query
        assert condition["evaluator"] == {"type": {">": "gt", "<": "lt"}[ours.op], "params": [ours.limit]}
