"""Canary itself: whether it does its duty."""

from canary.observe import panels
from canary.observe.panels import Json, expr, moment, series, stat

UID = "canary-itself"

_OURS = 'instance=~"$instance"'


def dashboard() -> Json:
    return panels.dashboard(
        UID,
        "Canary: itself",
        [
            (
                4,
                [
                    stat(1, "Oldest answer not kept", _max("canary_queue_age_seconds"), unit="s", bad_above=60),
                    stat(2, "Oldest notification owed", _max("canary_outbox_age_seconds"), unit="s", bad_above=300),
                    stat(
                        3,
                        "Since the injected fault was detected",
                        f"max(time() - canary_heartbeat_last_detection_timestamp_seconds{{{_OURS}}})",
                        unit="s",
                        bad_above=3_600,
                    ),
                    stat(
                        4,
                        "Config refused",
                        f"sum(canary_config_last_reload_successful{{{_OURS}}} == bool 0)",
                        bad_above=1,
                    ),
                ],
            ),
            (8, [_quantiles(5, "Lateness: slot to send", "canary_slot_lateness_seconds"), _missed(6)]),
            (
                8,
                [
                    _quantiles(7, "Ingest lag: answer to store", "canary_ingest_lag_seconds"),
                    _quantiles(8, "Commit of a batch", "canary_commit_duration_seconds"),
                ],
            ),
            (8, [_waiting(9), _rate(10, "Runs", "canary_observations_total", "result", "reqps")]),
            (
                8,
                [
                    _rate(
                        11,
                        "Notifications by receiver and result",
                        "canary_notifications_total",
                        "receiver, result",
                        "ops",
                    ),
                    _rate(12, "Tokens by model", "canary_tokens_total", "model, kind", "suffix: tokens/s"),
                ],
            ),
            (8, [_unscored(13), _skew(14)]),
            (6, [panels.table(15, "Programs", moment(f"canary_build_info{{{_OURS}}}"))]),
        ],
        [panels.choice("instance", "label_values(canary_build_info, instance)", many=True)],
    )


def _max(name: str) -> str:
    return f"max({name}{{{_OURS}}})"


def _quantiles(identity: int, title: str, name: str) -> Json:
    bucket = f"sum by (instance, le) (rate({name}_bucket{{{_OURS}}}[$__rate_interval]))"
    asked = [
        expr(f"histogram_quantile({q}, {bucket})", f"p{round(100 * q)} {{{{instance}}}}", ref)
        for q, ref in ((0.5, "A"), (0.99, "B"))
    ]
    return series(identity, title, asked, unit="s", least=0)


def _rate(identity: int, title: str, name: str, by: str, unit: str) -> Json:
    legend = " ".join(f"{{{{{label}}}}}" for label in by.split(", "))
    query = f"sum by ({by}) (rate({name}{{{_OURS}}}[$__rate_interval]))"
    return series(identity, title, [expr(query, legend)], unit=unit, least=0)


def _missed(identity: int) -> Json:
    query = f"sum by (instance, reason) (rate(canary_missed_slots_total{{{_OURS}}}[$__rate_interval]))"
    return series(identity, "Slots not probed", [expr(query, "{{reason}} {{instance}}")], unit="reqps", least=0)


def _waiting(identity: int) -> Json:
    asked = [
        expr(f"canary_queue_depth{{{_OURS}}}", "to be kept {{instance}}", "A"),
        expr(f"canary_runs_in_flight{{{_OURS}}}", "in flight {{instance}}", "B"),
        expr(f"canary_notifications_owed{{{_OURS}}}", "notifications owed {{instance}}", "C"),
    ]
    return series(identity, "What waits", asked, least=0)


def _unscored(identity: int) -> Json:
    query = f"sum by (signal, reason) (rate(canary_unscored_total{{{_OURS}}}[$__rate_interval]))"
    return series(
        identity, "Answers that could not be judged", [expr(query, "{{signal}} {{reason}}")], unit="ops", least=0
    )


def _skew(identity: int) -> Json:
    asked = [
        expr(
            f"timestamp(canary_alive_timestamp_seconds{{{_OURS}}}) - canary_alive_timestamp_seconds{{{_OURS}}}",
            "clock behind Prometheus's {{instance}}",
        ),
        expr(f"canary_schedule_ahead_seconds{{{_OURS}}}", "schedule ahead {{instance}}", "B"),
    ]
    return series(identity, "Clock", asked, unit="s")
