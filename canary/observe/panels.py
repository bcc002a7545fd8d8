"""The few shapes of Grafana's dashboard JSON that we use. Panel ids are given by hand, so that they never move."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Json = dict[str, Any]

PROMETHEUS: Json = {"type": "prometheus", "uid": "${prometheus}"}
POSTGRES: Json = {"type": "grafana-postgresql-datasource", "uid": "${postgres}"}
WIDTH = 24
SCHEMA = 39
"""Of Grafana 10.4; later ones migrate it when they read it."""

RED, ORANGE, YELLOW, GREEN, BLUE, GREY = "red", "orange", "yellow", "green", "blue", "text"


def expr(query: str, legend: str = "", ref: str = "A", *, exemplars: bool = False) -> Json:
    """A range of PromQL."""
    shown = {"legendFormat": legend or "__auto", "exemplar": exemplars}
    return {"refId": ref, "datasource": PROMETHEUS, "expr": query, "range": True, "instant": False, **shown}


def moment(query: str, ref: str = "A") -> Json:
    """PromQL now, as a table."""
    return {"refId": ref, "datasource": PROMETHEUS, "expr": query, "range": False, "instant": True, "format": "table"}


def sql(query: str, ref: str = "A") -> Json:
    """A table of PostgreSQL."""
    text = " ".join(query.split())
    return {
        "refId": ref,
        "datasource": POSTGRES,
        "rawSql": text,
        "format": "table",
        "rawQuery": True,
        "editorMode": "code",
    }


def panel(identity: int, kind: str, title: str, targets: Sequence[Json], **more: Any) -> Json:
    """Without a place: `laid_out` gives it one."""
    return {
        "id": identity,
        "type": kind,
        "title": title,
        "datasource": targets[0]["datasource"],
        "targets": list(targets),
        **more,
    }


def stat(
    identity: int, title: str, query: str, *, unit: str = "none", bad_above: float | None = 0, why: str = ""
) -> Json:
    """One number, red above a limit."""
    steps: list[Json] = [{"value": None, "color": BLUE if bad_above is None else GREEN}]
    if bad_above is not None:
        steps.append({"value": bad_above, "color": RED})
    target = {**expr(query), "range": False, "instant": True}
    options = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "background"}
    return panel(
        identity, "stat", title, [target], description=why, fieldConfig=fields(unit, steps=steps), options=options
    )


def series(
    identity: int,
    title: str,
    targets: Sequence[Json],
    *,
    unit: str = "none",
    why: str = "",
    limit: float | None = None,
    least: float | None = None,
    overrides: Sequence[Json] = (),
    **more: Any,
) -> Json:
    """Lines over time; a red line at `limit`. The axis begins at `least`, or where the lines do."""
    steps: list[Json] = [{"value": None, "color": GREEN}]
    if limit is not None:
        steps.append({"value": limit, "color": RED})
    axis = {} if least is None else {"min": least}
    drawn = {"lineWidth": 1, "showPoints": "never", "thresholdsStyle": {"mode": "off" if limit is None else "line"}}
    return panel(
        identity,
        "timeseries",
        title,
        targets,
        description=why,
        fieldConfig=fields(unit, steps=steps, custom=drawn, overrides=overrides, **axis),
        options={
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        **more,
    )


def table(identity: int, title: str, target: Json, *, why: str = "", **more: Any) -> Json:
    config = more.pop("fieldConfig", fields("none"))
    return panel(
        identity, "table", title, [target], description=why, fieldConfig=config, options={"cellHeight": "sm"}, **more
    )


def fields(
    unit: str,
    *,
    steps: Sequence[Json] = (),
    custom: Mapping[str, Any] | None = None,
    overrides: Sequence[Json] = (),
    **more: Any,
) -> Json:
    thresholds = {"mode": "absolute", "steps": list(steps) or [{"value": None, "color": GREY}]}
    defaults = {"unit": unit, "thresholds": thresholds, "custom": dict(custom or {}), **more}
    return {"defaults": defaults, "overrides": list(overrides)}


def override(pattern: str, **properties: Any) -> Json:
    """For the fields whose name the regular expression fits; `_` stands for the dot of a property."""
    return {
        "matcher": {"id": "byRegexp", "options": pattern},
        "properties": [{"id": name.replace("_", "."), "value": value} for name, value in properties.items()],
    }


def values(texts: Mapping[int, tuple[str, str]]) -> list[Json]:
    """Value mappings: a text and a colour for each number."""
    options = {str(n): {"text": text, "color": colour, "index": n} for n, (text, colour) in texts.items()}
    return [{"type": "value", "options": options}]


def source(name: str, label: str, plugin: str) -> Json:
    """A variable that chooses the datasource: nothing is bound when a dashboard is made."""
    return {"type": "datasource", "name": name, "label": label, "query": plugin, "refresh": 1, "hide": 0, "current": {}}


def choice(name: str, query: str, *, many: bool = False) -> Json:
    """A variable over the values of a label."""
    every = {"multi": True, "includeAll": True, "current": {"text": ["All"], "value": ["$__all"]}} if many else {}
    asked = {"query": query, "refId": f"variable-{name}"}
    return {"type": "query", "name": name, "datasource": PROMETHEUS, "query": asked, "refresh": 2, "sort": 1, **every}


def custom(name: str, *choices: str) -> Json:
    """A variable over words of ours; the first is the default."""
    return {
        "type": "custom",
        "name": name,
        "query": ",".join(choices),
        "current": {"text": choices[0], "value": choices[0]},
    }


def overlay(name: str, colour: str, query: str) -> Json:
    """Annotations by SQL: columns time, timeend, text, tags."""
    return {"name": name, "enable": True, "iconColor": colour, "datasource": POSTGRES, "target": sql(query, "Anno")}


def dashboard(
    uid: str,
    title: str,
    rows: Iterable[tuple[int, Sequence[Json]]],
    variables: Sequence[Json],
    overlays: Sequence[Json] = (),
) -> Json:
    """Rows of a height each, whose panels share the width."""
    sources = [source("prometheus", "Prometheus", "prometheus"), source("postgres", "PostgreSQL", POSTGRES["type"])]
    return {
        "uid": uid,
        "title": title,
        "tags": ["canary"],
        "schemaVersion": SCHEMA,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [*sources, *variables]},
        "annotations": {"list": list(overlays)},
        "links": [{"type": "dashboards", "title": "Canary", "tags": ["canary"], "includeVars": True, "keepTime": True}],
        "panels": list(_laid_out(rows)),
    }


def _laid_out(rows: Iterable[tuple[int, Sequence[Json]]]) -> Iterable[Json]:
    top = 0
    for height, panels in rows:
        edges = [WIDTH * nth // len(panels) for nth in range(len(panels) + 1)]
        for one, left, right in zip(panels, edges, edges[1:], strict=False):
            yield {**one, "gridPos": {"x": left, "y": top, "w": right - left, "h": height}}
        top += height
