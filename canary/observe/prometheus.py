"""The rules as files for Prometheus and its operator."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from canary.observe.files import yaml_text
from canary.observe.rules import GROUPS, Rule

RUNBOOKS = "deploy/runbooks"
"""Where the runbooks lie in the repository; a render for a site of one's own says its URL instead."""


def files(runbooks: str = RUNBOOKS) -> Mapping[PurePosixPath, str]:
    """What `canary prometheus render` writes, by path. `runbooks` stands before the name of each runbook's file."""
    groups = {
        "groups": [{"name": group.name, "rules": [_rule(one, runbooks) for one in group.rules]} for group in GROUPS]
    }
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "canary", "labels": {"app.kubernetes.io/name": "canary"}},
        "spec": groups,
    }
    remedy = "canary prometheus render"
    return {
        PurePosixPath("prometheus/rules.yaml"): yaml_text(groups, remedy),
        PurePosixPath("kubernetes/prometheusrule.yaml"): yaml_text(resource, remedy),
    }


def runbook(rule: Rule, runbooks: str) -> str:
    """Where its runbook is."""
    return f"{runbooks.rstrip('/')}/{rule.name}.md"


def _rule(rule: Rule, runbooks: str) -> dict[str, object]:
    return {
        "alert": rule.name,
        "expr": rule.expression,
        "for": rule.wait,
        **({"keep_firing_for": rule.keep} if rule.keep else {}),
        "labels": {"severity": rule.severity},
        "annotations": {
            "summary": rule.summary,
            "description": rule.description,
            "runbook_url": runbook(rule, runbooks),
        },
    }
