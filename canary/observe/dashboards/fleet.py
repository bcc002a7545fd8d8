"""The fleet at a glance: who is well, what is open, what was changed."""

from canary.observe import panels
from canary.observe.panels import BLUE, GREEN, GREY, ORANGE, PROMETHEUS, RED, YELLOW, Json, moment, sql, stat

UID = "canary-fleet"

STATES = {
    "healthy": ("healthy", GREEN),
    "learning": ("learning", BLUE),
    "suppressed": ("suppressed", GREY),
    "acknowledged": ("acknowledged", YELLOW),
    "stale": ("stale", ORANGE),
    "unreachable": ("unreachable", RED),
    "incident": ("incident", RED),
}
"""What a target's state can be, best first, with its text and colour."""

_PLACE = "model, platform, pool"
_OURS = 'region=~"$region"'
_LOUD = 'canary_incident_open{silenced!="true", '
_WORST = " or ".join(f'(canary_target_state{{{_OURS}, state="{state}"}} == 1) * {n}' for n, state in enumerate(STATES))
STATE = f"max by ({_PLACE}) ({_WORST})"
_MAPPED = panels.values(dict(enumerate(STATES.values())))
_TO_TARGET = (
    "/d/canary-target?var-model=${__data.fields.model}&var-platform=${__data.fields.platform}"
    "&var-pool=${__data.fields.pool}&${__url_time_range}"
)

_INCIDENTS = """
SELECT opened_at, updated_at, state, model, platform, pool, symptoms, acknowledged_by, id
FROM grafana_v1_incidents
WHERE opened_us <= ${__to}000 AND (state <> 'resolved' OR updated_us >= ${__from}000)
ORDER BY opened_at DESC LIMIT 200
"""
_CHANGES = """
SELECT time, kind, summary, coalesce(scope_model, '*') AS model, coalesce(scope_platform, '*') AS platform,
  coalesce(scope_pool, '*') AS pool, author, link, id
FROM grafana_v1_changes WHERE time_us BETWEEN ${__from}000 AND ${__to}000 ORDER BY time DESC LIMIT 200
"""


def dashboard() -> Json:
    return panels.dashboard(
        UID,
        "Canary: fleet",
        [
            (
                4,
                [
                    stat(1, "Incidents that page", _count(f'{_LOUD}severity="page", %s}}'), bad_above=1),
                    stat(2, "Tickets", _count(f'{_LOUD}severity="ticket", %s}}'), bad_above=None),
                    stat(3, "Targets", f"count(count by ({_PLACE}) (canary_target_stale{{{_OURS}}}))", bad_above=None),
                    stat(4, "Stale", f"sum(max by ({_PLACE}) (canary_target_stale{{{_OURS}}}))", bad_above=1),
                    stat(5, "Series not armed", f"sum(canary_series_armed{{{_OURS}}} == bool 0)", bad_above=None),
                ],
            ),
            (10, [_matrix(6), _open(7)]),
            (8, [_timeline(8)]),
            (9, [_evidence(9)]),
            (9, [panels.table(10, "Incidents", sql(_INCIDENTS)), panels.table(11, "Recorded changes", sql(_CHANGES))]),
        ],
        [panels.choice("region", "label_values(canary_target_stale, region)", many=True)],
    )


def _count(selector: str) -> str:
    places = f"max by ({_PLACE}, region, symptom) ({selector % _OURS})"
    return f"count({places}) or vector(0)"


def _matrix(identity: int) -> Json:
    """A row for each model, a column for each platform and pool."""
    joined = f'max by (model, where) (label_join({STATE}, "where", "/", "platform", "pool"))'
    cells = {"cellOptions": {"type": "color-background"}, "align": "center"}
    return panels.table(
        identity,
        "Models by platform and pool",
        moment(joined),
        why="The worst that is true of each target now.",
        fieldConfig=panels.fields("none", custom=cells, mappings=_MAPPED),
        transformations=[
            {"id": "groupingToMatrix", "options": {"columnField": "where", "rowField": "model", "valueField": "Value"}}
        ],
    )


def _open(identity: int) -> Json:
    query = f"max by ({_PLACE}, region, symptom, severity, silenced) (canary_incident_open{{{_OURS}}})"
    link = [{"title": "The target", "url": _TO_TARGET}]
    return panels.table(
        identity,
        "Open incidents",
        moment(query),
        why='"*" stands for any: a fault that is wider than one target.',
        fieldConfig=panels.fields("none", overrides=[panels.override("^pool$", links=link)]),
        transformations=[{"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}}],
    )


def _timeline(identity: int) -> Json:
    return panels.panel(
        identity,
        "state-timeline",
        "States over time",
        [panels.expr(STATE, "{{model}}/{{platform}}/{{pool}}")],
        fieldConfig=panels.fields("none", mappings=_MAPPED, custom={"lineWidth": 0, "fillOpacity": 80}),
        options={"mergeValues": True, "showValue": "never", "legend": {"displayMode": "list", "placement": "bottom"}},
        datasource=PROMETHEUS,
    )


def _evidence(identity: int) -> Json:
    query = f"topk(20, max by ({_PLACE}) (clamp_min(canary_evidence_nats{{{_OURS}}}, -30)))"
    return panels.series(
        identity,
        "Strongest evidence of each target",
        [panels.expr(query, "{{model}}/{{platform}}/{{pool}}")],
        limit=0,
        why='ln R of the strongest detector, in nats: it alarms at 0. "*": a part of the fleet heard as a whole.',
    )
