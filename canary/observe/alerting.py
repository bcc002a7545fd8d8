"""The rules as Grafana's own alerting has them, for its provisioning API and its files."""

from typing import Any

from canary.observe.panels import Json
from canary.observe.prometheus import runbook
from canary.observe.rules import Rule, RuleGroup

_WINDOW = 600  # seconds that a query may look back; an instant one takes the last of it
_COMPARED = {">": "gt", "<": "lt"}
INTERVAL = 60
"""Seconds between evaluations."""


def rule_of(rule: Rule, group: RuleGroup, folder_uid: str, prometheus_uid: str, runbooks: str) -> Json:
    """A query A, an instant; a threshold B on it, which is the condition.

    No data is well: what has to be there always, and is not, has a rule of its own.
    """
    return {
        "uid": uid_of(rule),
        "title": rule.name,
        "folderUID": folder_uid,
        "ruleGroup": group.name,
        "condition": "B",
        "data": [_query(rule, prometheus_uid), _threshold(rule)],
        "noDataState": "OK",
        "execErrState": "Error",
        "for": rule.wait,
        "labels": {"severity": rule.severity},
        "annotations": {
            "summary": _told(rule.summary),
            "description": _told(rule.description),
            "runbook_url": runbook(rule, runbooks),
        },
    }


def uid_of(rule: Rule) -> str:
    """Of 40 characters at most, as Grafana has it."""
    return f"canary-{rule.name.removeprefix('Canary').lower()}"


def _query(rule: Rule, prometheus_uid: str) -> Json:
    model = {"refId": "A", "expr": rule.query, "instant": True, "range": False, "editorMode": "code"}
    return _step("A", prometheus_uid, model)


def _threshold(rule: Rule) -> Json:
    condition: dict[str, Any] = {"evaluator": {"type": _COMPARED[rule.op], "params": [rule.limit]}}
    return _step("B", "__expr__", {"refId": "B", "type": "threshold", "expression": "A", "conditions": [condition]})


def _step(ref: str, datasource: str, model: Json) -> Json:
    return {
        "refId": ref,
        "relativeTimeRange": {"from": _WINDOW, "to": 0},
        "datasourceUid": datasource,
        "model": model,
    }


def _told(template: str) -> str:
    """In Grafana's templates `$value` is a text about all of the rule's values."""
    return template.replace("{{ $value |", "{{ $values.A.Value |").replace("{{ $value }}", "{{ $values.A.Value }}")
