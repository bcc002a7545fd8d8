"""Samples as text, in Prometheus's own format or in OpenMetrics."""

from collections.abc import Iterable, Iterator
from math import isfinite, isnan
from typing import NamedTuple

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
EOF = b"# EOF\n"
"""What OpenMetrics ends with."""

_TOTAL = "_total"


class Exemplar(NamedTuple):
    """One answer that a counter counted: its slot id, what was measured of it, and when, in seconds since 1970."""

    slot_id: str
    value: float
    at: float

    def text(self) -> str:
        return f' # {{slot_id="{escaped(self.slot_id)}"}} {number(self.value)} {number(self.at)}'


class Sample(NamedTuple):
    """`labels` as they are written."""

    labels: str
    value: float
    exemplar: Exemplar | None = None


def wants_openmetrics(accept: str) -> bool:
    """Whether an Accept header asks for OpenMetrics.

    >>> wants_openmetrics("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    True
    >>> wants_openmetrics("text/plain, application/openmetrics-text;q=0")
    False
    """
    ranges = (item.replace(" ", "").lower().split(";") for item in accept.split(","))
    return any(kind == "application/openmetrics-text" and not _refused(rest) for kind, *rest in ranges)


def family(name: str, documentation: str, samples: Iterable[Sample], *, openmetrics: bool) -> Iterator[str]:
    """A counter if its name ends with `_total`, else a gauge."""
    counter = name.endswith(_TOTAL)
    titled = name.removesuffix(_TOTAL) if openmetrics else name
    yield f"# HELP {titled} {documentation}\n"
    yield f"# TYPE {titled} {'counter' if counter else 'gauge'}\n"
    for labels, value, exemplar in samples:
        shown = exemplar.text() if openmetrics and exemplar else ""
        yield f"{name}{{{labels}}} {number(value)}{shown}\n"


def number(value: float) -> str:
    if isfinite(value):
        return str(float(value))
    return "NaN" if isnan(value) else f"{'+' if value > 0 else '-'}Inf"


def labelled(**values: str) -> str:
    return ",".join(f'{name}="{escaped(value)}"' for name, value in values.items())


def escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _refused(parameters: Iterable[str]) -> bool:
    return any(parameter in {"q=0", "q=0.0", "q=0.00", "q=0.000"} for parameter in parameters)
