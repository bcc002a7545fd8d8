"""The dashboards over the drill, rendered from what Prometheus scraped and PostgreSQL holds: no Grafana is needed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from canary.observe.dashboards import dashboards
from tests.bench.panels import Source, overlays, panels
from tests.bench.panels_svg import drawn
from tests.programs import Server

ROLE = Path(__file__).parents[3] / "deploy" / "grafana" / "read-only.sql"


def granted(url: str) -> str:
    """The database as the role that Grafana has."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ROLE.read_bytes())
    return url.replace("postgres@", "canary_grafana@")


def render(source: Source, target: str, region: str, folder: Path) -> list[str]:
    """One SVG for each dashboard, into the folder; names the panels that stayed empty."""
    variables = _variables(source.prometheus, target, region)
    empty = []
    for uid, dashboard in dashboards().items():
        shown = list(panels(dashboard, source, variables))
        over = list(overlays(dashboard, source, variables))
        empty += [f"{uid}: {one.title}" for one in shown if one.is_empty]
        path = folder / f"grafana-{uid.removeprefix('canary-')}.svg"
        path.write_text(drawn(dashboard["title"], shown, over, source.begin, source.end), "utf-8")
    return empty


def _variables(prometheus: Server, target: str, region: str) -> Mapping[str, Sequence[str]]:
    """As somebody chooses them who looks at this target: all groups, all signals."""
    model, platform, pool = target.split("/")
    armed = prometheus.query(f'canary_series_armed{{model="{model}", platform="{platform}", pool="{pool}"}}')
    groups, signals = (sorted({one["metric"][name] for one in armed}) for name in ("group", "signal"))
    programs = sorted({one["metric"]["instance"] for one in prometheus.query("canary_build_info")})
    of_target = {"model": [model], "platform": [platform], "pool": [pool], "region": [region]}
    return {**of_target, "group": groups, "signal": signals, "instance": programs, "window": ["1m"]}
