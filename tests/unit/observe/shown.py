"""Which metrics there are, which an expression asks for, and what Grafana would make of a dashboard's variables."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from canary.metrics import Metrics

_NAME = re.compile(r"\b(canary_[a-z_]+|up)\b")


@cache
def shown() -> frozenset[str]:
    """The names of all samples that a daemon may show."""
    found = set()
    for family in text_string_to_metric_families(Metrics(version="1").text().decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        parts = ("_bucket", "_sum", "_count") if family.type == "histogram" else ("",)
        found |= {name + part for part in parts}
    return frozenset(found)


def names_in(expression: str) -> frozenset[str]:
    """Of metrics, in PromQL."""
    return frozenset(_NAME.findall(re.sub(r'"[^"]*"', '""', expression)))


def expressions(dashboard: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """PromQL of a dashboard's panels and variables, each with where it stands."""
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            if "expr" in target:
                yield f"{dashboard['uid']} panel {panel['id']}{target['refId']}", target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            found = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
            assert found, variable
            yield f"{dashboard['uid']} variable {variable['name']}", found[1]


def queries(dashboard: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """SQL of a dashboard's panels and overlays, each with where it stands."""
    targets = [(f"panel {panel['id']}", target) for panel in dashboard["panels"] for target in panel["targets"]]
    targets += [(f"overlay {one['name']}", one["target"]) for one in dashboard["annotations"]["list"]]
    for where, target in targets:
        if "rawSql" in target:
            yield f"{dashboard['uid']} {where}", target["rawSql"]


def filled(text: str, values: Mapping[str, str]) -> str:
    """With the values of variables. An AssertionError when one is left that nobody gave."""
    for name, value in values.items():
        quoted = "'" + value.replace("'", "''") + "'"
        text = text.replace(f"${{{name}:sqlstring}}", quoted).replace(f"${{{name}}}", value).replace(f"${name}", value)
    assert "$" not in text, text
    return text
