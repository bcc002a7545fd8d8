"""One target: each signal against its baseline, the evidence against the threshold, changes and incidents laid over."""

from canary.observe import panels
from canary.observe.dashboards.fleet import STATES
from canary.observe.panels import BLUE, ORANGE, RED, Json, choice, expr, series, sql, stat

UID = "canary-target"

_TARGET = 'model="$model", platform="$platform", pool="$pool", region="$region"'
_SERIES = f'{_TARGET}, group=~"$group"'
_STATE = " or ".join(
    f'(canary_target_state{{{_TARGET}, state="{state}"}} == 1) * {n}' for n, state in enumerate(STATES)
)

_WITHIN = """
time_us BETWEEN ${__from}000 AND ${__to}000 AND region = ${region:sqlstring}
  AND target = ${model:sqlstring} || '/' || ${platform:sqlstring} || '/' || ${pool:sqlstring}
"""
_EVENTS = """
SELECT time, probe_group, signal, value, note, replica, probe_id, slot_id
FROM grafana_v1_scores WHERE %s AND event AND signal IN (${signal:sqlstring})
ORDER BY time_us DESC LIMIT 200
"""
_FAILURES = """
SELECT time, probe_group, failure, duration_seconds, replica, probe_id, slot_id
FROM grafana_v1_observations WHERE %s AND failure IS NOT NULL
ORDER BY time_us DESC LIMIT 200
"""
_REPLICAS = """
SELECT replica, signal, count(*) AS answers, sum(CASE WHEN event THEN 1 ELSE 0 END) AS events,
  avg(CASE WHEN event THEN 1.0 ELSE 0.0 END) AS share
FROM grafana_v1_scores WHERE %s AND event IS NOT NULL AND signal IN (${signal:sqlstring})
GROUP BY replica, signal ORDER BY share DESC, answers DESC LIMIT 100
"""
_ALARMS = """
SELECT time, probe_group, signal, evidence_nats, slot_id, id
FROM grafana_v1_alarms WHERE %s
ORDER BY time_us DESC LIMIT 100
"""
_TOUCHES = " AND ".join(
    f"(scope_{name} IS NULL OR ${{{name}:sqlstring}} LIKE replace(replace(scope_{name}, '*', '%'), '?', '_'))"
    for name in ("model", "platform", "pool", "region")
)
_CHANGES = """
SELECT time, finished_at AS timeend, kind || ': ' || summary AS text, kind AS tags
FROM grafana_v1_changes WHERE time_us BETWEEN ${__from}000 AND ${__to}000 AND %s
"""
_INCIDENTS = """
SELECT opened_at AS time, coalesce(resolved_at, now()) AS timeend, symptoms || ' (' || id || ')' AS text, state AS tags
FROM grafana_v1_incidents
WHERE opened_us <= ${__to}000 AND (state <> 'resolved' OR updated_us >= ${__from}000)
  AND model IN (${model:sqlstring}, '*') AND platform IN (${platform:sqlstring}, '*')
  AND pool IN (${pool:sqlstring}, '*')
"""


def dashboard() -> Json:
    return panels.dashboard(
        UID,
        "Canary: target",
        [
            (4, [_state(1), *_stats()]),
            (8, [_signal(5)]),
            (9, [_evidence(6)]),
            (8, [_results(7), _durations(8)]),
            (
                9,
                [
                    panels.table(
                        9, "Events", sql(_EVENTS % _WITHIN), why="Answers whose score was an event, the latest first."
                    )
                ],
            ),
            (
                9,
                [
                    _replicas(10),
                    panels.table(11, "Alarms", sql(_ALARMS % _WITHIN)),
                ],
            ),
            (9, [panels.table(12, "Failures", sql(_FAILURES % _WITHIN))]),
        ],
        [
            choice("region", "label_values(canary_target_stale, region)"),
            choice("model", 'label_values(canary_target_stale{region="$region"}, model)'),
            choice("platform", 'label_values(canary_target_stale{region="$region", model="$model"}, platform)'),
            choice(
                "pool",
                'label_values(canary_target_stale{region="$region", model="$model", platform="$platform"}, pool)',
            ),
            choice("group", f"label_values(canary_series_armed{{{_TARGET}}}, group)", many=True),
            choice("signal", f"label_values(canary_series_armed{{{_TARGET}}}, signal)", many=True),
            panels.custom("window", "1h", "15m", "6h", "1d"),
        ],
        [panels.overlay("Changes", BLUE, _CHANGES % _TOUCHES), panels.overlay("Incidents", RED, _INCIDENTS)],
    )


def _state(identity: int) -> Json:
    made = stat(identity, "State", f"max({_STATE})", bad_above=None)
    made["fieldConfig"]["defaults"]["mappings"] = panels.values(dict(enumerate(STATES.values())))
    return made


def _stats() -> list[Json]:
    return [
        stat(
            2,
            "Since the last result",
            f"time() - canary_last_result_timestamp_seconds{{{_TARGET}}}",
            unit="s",
            bad_above=None,
        ),
        stat(
            3,
            "Age of the baseline",
            f"time() - canary_baseline_timestamp_seconds{{{_TARGET}}}",
            unit="s",
            bad_above=90 * 86_400,
        ),
        stat(4, "Series not armed", f"sum(canary_series_armed{{{_TARGET}}} == bool 0)", bad_above=None),
    ]


def _signal(identity: int) -> Json:
    """Repeated for each signal: the share of answers that are events, over the band of the baseline."""
    of = f'{_SERIES}, signal="$signal"'
    share = (
        f"sum by (group) (rate(canary_score_events_total{{{of}}}[$window])) "
        f"/ sum by (group) (rate(canary_scores_total{{{of}}}[$window]))"
    )
    band = f"max by (group) (canary_baseline_event_ratio{{{of}}})"
    drawn = panels.override(
        "^healthy.*", custom_fillOpacity=12, custom_lineWidth=1, custom_lineStyle={"fill": "dash", "dash": [6, 6]}
    )
    return series(
        identity,
        "$signal: share of events",
        [expr(share, "{{group}}", exemplars=True), expr(band, "healthy {{group}} at most", "B")],
        unit="percentunit",
        least=0,
        why="Events in the last $window. Within the dashed band a healthy target may be, by its baseline.",
        overrides=[drawn],
        repeat="signal",
        repeatDirection="h",
        maxPerRow=3,
    )


def _evidence(identity: int) -> Json:
    query = f'clamp_min(max by (group, signal) (canary_evidence_nats{{{_SERIES}, signal=~"$signal"}}), -30)'
    return series(
        identity,
        "Evidence against the threshold",
        [expr(query, "{{group}} {{signal}}")],
        limit=0,
        why="ln R of each detector, in nats: it alarms at 0, and is reset then.",
    )


def _results(identity: int) -> Json:
    query = f"sum by (result) (rate(canary_observations_total{{{_TARGET}}}[$__rate_interval]))"
    colours = [panels.override("^(?!response$).*", color={"mode": "fixed", "fixedColor": ORANGE})]
    return series(
        identity, "Runs by what came back", [expr(query, "{{result}}")], unit="reqps", least=0, overrides=colours
    )


def _replicas(identity: int) -> Json:
    share = panels.override("^share$", unit="percentunit", decimals=1)
    config = panels.fields("none", overrides=[share])
    return panels.table(identity, "By replica", sql(_REPLICAS % _WITHIN), fieldConfig=config)


def _durations(identity: int) -> Json:
    bucket = 'sum by (le) (rate(canary_run_duration_seconds_bucket{platform="$platform"}[$__rate_interval]))'
    asked = [
        expr(f"histogram_quantile({q}, {bucket})", f"p{round(100 * q)}", ref, exemplars=q == 0.5)
        for q, ref in ((0.5, "A"), (0.95, "B"))
    ]
    return series(identity, "Duration, whole platform", asked, unit="s", least=0)
