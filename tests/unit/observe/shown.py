"""Which metrics there are, and which an expression asks for."""

import re
from functools import cache

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
