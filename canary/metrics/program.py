"""What exists once, or by few labels: the client library's own objects."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

_RUN_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120)
_LATE_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60)
_COMMIT_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5)
_LAG_SECONDS = (0.1, 0.5, 1, 2.5, 5, 15, 60, 300)


class Program:
    """Of one process."""

    def __init__(self, registry: CollectorRegistry, version: str) -> None:
        def histogram(name: str, documentation: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(name, documentation, labels, buckets=buckets, registry=registry)

        def counter(name: str, documentation: str, *labels: str) -> Counter:
            return Counter(name, documentation, labels, registry=registry)

        def gauge(name: str, documentation: str, *labels: str) -> Gauge:
            return Gauge(name, documentation, labels, registry=registry)

        self.run = histogram("canary_run_duration_seconds", "From send to answer.", _RUN_SECONDS, "platform")
        self.late = histogram("canary_slot_lateness_seconds", "From slot to send.", _LATE_SECONDS)
        self.commit = histogram("canary_commit_duration_seconds", "One batch into the store.", _COMMIT_SECONDS)
        self.lag = histogram("canary_ingest_lag_seconds", "From answer to store.", _LAG_SECONDS)
        self.missed = counter("canary_missed_slots", "Slots that were not probed.", "reason")
        self.extra = counter("canary_extra_slots", "Slots that escalation added.")
        self.extra_left = gauge("canary_extra_tokens_left", "What extra runs may still cost of this week's tokens.")
        self.in_flight = gauge("canary_runs_in_flight", "Runs that wait for an answer.")
        self.queued = gauge("canary_queue_depth", "Observations that wait for their commit.")
        self.queue_age = gauge("canary_queue_age_seconds", "How long the first of them has waited.")
        self.incidents = gauge("canary_incidents", "Unresolved incidents.", "state")
        self.owed = gauge("canary_notifications_owed", "Notifications not yet taken.")
        self.outbox_age = gauge("canary_outbox_age_seconds", "How long the first of them is owed.")
        self.notified = counter("canary_notifications", "Attempts to deliver.", "receiver", "kind", "result")
        self.reload_ok = gauge("canary_config_last_reload_successful", "1 when the file in use is the latest.")
        self.reloaded_at = gauge("canary_config_last_reload_success_timestamp_seconds", "When it was taken.")
        self.alive = gauge("canary_alive_timestamp_seconds", "When the daemon last looked around, by its clock.")
        self.ahead = gauge(
            "canary_schedule_ahead_seconds", "How far the schedule runs ahead of a wall clock that was set back."
        )
        self.heartbeats = counter("canary_heartbeats", "Heartbeats by what became of them.", "result")
        Info("canary_build", "This program.", registry=registry).info({"version": version})
