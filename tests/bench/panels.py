"""What Grafana would ask for a dashboard's panels, asked of the real Prometheus and PostgreSQL.

Variables are filled, repeated panels repeated, legends written and the two transformations made that we use.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.programs import Server
from tests.unit.observe.shown import filled

Json = Mapping[str, Any]
POINTS = 300
_WIDTH = 24


@dataclass(frozen=True)
class Line:
    """Of a chart: moments in Unix seconds, and values."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass
class Filled:
    """A panel with what it shows: lines, or a table."""

    panel: Json
    title: str
    place: Mapping[str, int]
    lines: list[Line] = field(default_factory=list)
    heads: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.lines or self.rows)


@dataclass(frozen=True)
class Source:
    """Where panels ask, and the time range that is looked at."""

    prometheus: Server
    postgres: str
    begin: datetime
    end: datetime

    @property
    def range(self) -> dict[str, str]:
        return {
            "__from": f"{self.begin.timestamp() * 1000:.0f}",
            "__to": f"{self.end.timestamp() * 1000:.0f}",
            "__rate_interval": "15s",
        }

    def lines(self, query: str, form: str) -> Iterator[Line]:
        step = max(1.0, (self.end - self.begin).total_seconds() / POINTS)
        span = {"start": f"{self.begin.timestamp():.0f}", "end": f"{self.end.timestamp():.0f}", "step": f"{step:.0f}"}
        answer = self.prometheus.get("/api/v1/query_range", query=query, **span)
        assert answer["status"] == "success", (query, answer)
        for series in answer["data"]["result"]:
            values = [(float(at), float(value)) for at, value in series["values"]]
            yield Line(legend(form, series["metric"]), values)

    def instant(self, query: str) -> list[tuple[Mapping[str, str], float]]:
        answer = self.prometheus.get("/api/v1/query", query=query, time=f"{self.end.timestamp():.0f}")
        assert answer["status"] == "success", (query, answer)
        return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]

    def table(self, query: str) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        import psycopg

        with psycopg.connect(self.postgres) as connection:
            cursor = connection.execute(query.encode())
            return [column.name for column in cursor.description or ()], cursor.fetchall()


def panels(dashboard: Json, source: Source, variables: Mapping[str, Sequence[str]]) -> Iterator[Filled]:
    """All, in their places. A variable of several values is a regular expression to PromQL, a list to SQL."""
    below = 0
    for panel in dashboard["panels"]:
        place = {**panel["gridPos"], "y": panel["gridPos"]["y"] + below}
        if "repeat" not in panel:
            yield _filled(panel, place, source, variables)
            continue
        name, across = panel["repeat"], panel["maxPerRow"]
        width, values = _WIDTH // across, variables[panel["repeat"]]
        for nth, value in enumerate(values):
            spot = {**place, "x": nth % across * width, "w": width, "y": place["y"] + nth // across * place["h"]}
            yield _filled(panel, spot, source, {**variables, name: [value]})
        below += ((len(values) - 1) // across) * place["h"]


def overlays(dashboard: Json, source: Source, variables: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, float]]:
    """The colours and moments (Unix seconds) of what is laid over every chart: changes, incidents."""
    for one in dashboard["annotations"]["list"]:
        heads, rows = source.table(_sql(one["target"]["rawSql"], variables, source))
        for row in rows:
            yield one["iconColor"], row[list(heads).index("time")].timestamp()


def _filled(panel: Json, place: Mapping[str, int], source: Source, variables: Mapping[str, Sequence[str]]) -> Filled:
    words = {name: "|".join(values) for name, values in variables.items()} | source.range
    made = Filled(panel, filled(panel["title"], words), place)
    for target in panel["targets"]:
        if "rawSql" in target:
            made.heads, made.rows = source.table(_sql(target["rawSql"], variables, source))
        elif target.get("format") == "table":
            made.heads, made.rows = _tabled(panel, source.instant(filled(target["expr"], words)))
        elif target["instant"]:
            found = source.instant(filled(target["expr"], words))
            made.lines += [Line("", [(source.end.timestamp(), value)]) for _, value in found]
        else:
            made.lines += source.lines(filled(target["expr"], words), target["legendFormat"])
    return made


def _sql(text: str, variables: Mapping[str, Sequence[str]], source: Source) -> str:
    for name, values in variables.items():
        listed = ",".join("'" + value.replace("'", "''") + "'" for value in values)
        text = text.replace(f"${{{name}:sqlstring}}", listed)
    return filled(text, source.range)


def _tabled(panel: Json, found: Sequence[tuple[Mapping[str, str], float]]) -> tuple[Sequence[str], Sequence[Any]]:
    """As rows, after the panel's transformation."""
    for one in panel.get("transformations", ()):
        if one["id"] == "groupingToMatrix":
            return matrix(found, one["options"])
    labels = sorted({name for metric, _ in found for name in metric if not name.startswith("__")})
    return labels, [[metric.get(name, "") for name in labels] for metric, _ in found]


def matrix(found: Sequence[tuple[Mapping[str, str], float]], options: Json) -> tuple[Sequence[str], Sequence[Any]]:
    down, across = options["rowField"], options["columnField"]
    columns = list(dict.fromkeys(metric[across] for metric, _ in found))
    cells = {(metric[down], metric[across]): value for metric, value in found}
    rows = [
        [name, *(cells.get((name, column), "") for column in columns)] for name in dict.fromkeys(r for r, _ in cells)
    ]
    return [f"{down}\\{across}", *columns], rows


def legend(form: str, labels: Mapping[str, str]) -> str:
    if form == "__auto":
        return ", ".join(f"{name}={value}" for name, value in labels.items())
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), form)
