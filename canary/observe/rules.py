"""The alert rules, once: Prometheus's files, the PrometheusRule and Grafana's rules are made of them.

A rule holds while `query` is past `limit`, for `wait`. Its texts are Go templates as Prometheus has them; `$value` is
what the query came to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

JOB = "canary"
"""The scrape job that the rules take for granted."""

Severity = Literal["page", "ticket", "none"]

_HERE = "{{ $labels.model }}/{{ $labels.platform }}/{{ $labels.pool }}"
_PLACE = "model, platform, pool, region"
_TOLD = 'silenced!="true"'


@dataclass(frozen=True, slots=True)
class Rule:
    """`keep`: how long it goes on firing after the last evaluation that held, so that a restart resolves nothing."""

    name: str
    query: str
    op: Literal[">", "<"]
    limit: float
    wait: str
    severity: Severity
    summary: str
    description: str
    keep: str = ""

    @property
    def expression(self) -> str:
        return f"{self.query} {self.op} {self.limit:.10g}"


@dataclass(frozen=True, slots=True)
class RuleGroup:
    name: str
    rules: Sequence[Rule]


def _grown(counter: str, by: str, window: str) -> str:
    """By how much it grew, from nothing too: `increase` does not see the first count of a series."""
    return f"sum by ({by}) ((increase({counter}[{window}]) > 0) or ({counter} unless {counter} offset {window}))"


INCIDENTS = RuleGroup(
    "canary-incidents",
    (
        Rule(
            "CanaryIncident",
            f'max by ({_PLACE}, symptom) (canary_incident_open{{severity="page", {_TOLD}}})',
            ">",
            0,
            "0s",
            "page",
            "{{ $labels.symptom }} on " + _HERE,
            "The canary has shown a fault, within its false-alarm budget. `canary incident list` names it, "
            "`canary incident show ID` tells since when, how large, and which changes are suspected.",
            keep="2m",
        ),
        Rule(
            "CanaryIncidentLingers",
            f"max by ({_PLACE}, symptom) (canary_incident_open{{{_TOLD}}})",
            ">",
            0,
            "1d",
            "ticket",
            "{{ $labels.symptom }} on " + _HERE + " for a day",
            "An incident, perhaps an acknowledged one, has been unresolved for a day. Nothing new is told of it.",
            keep="2m",
        ),
        Rule(
            "CanaryTargetStale",
            f"max by ({_PLACE}) (canary_target_stale unless canary_target_silenced > 0)",
            ">",
            0,
            "1m",
            "page",
            "no result from " + _HERE + " for three intervals",
            "Neither an answer nor a failure came back. While that lasts, nothing is known of this target.",
            keep="2m",
        ),
        Rule(
            "CanaryBlindSeries",
            f"count by ({_PLACE}) (canary_series_armed < 1)",
            ">",
            0,
            "3d",
            "ticket",
            "{{ $value }} series of " + _HERE + " are not armed",
            "They have had too little golden data for three days, so no fault in them can raise an alarm.",
        ),
        Rule(
            "CanaryBaselineOld",
            f"max by ({_PLACE}) (time() - canary_baseline_timestamp_seconds)",
            ">",
            90 * 86_400,
            "1h",
            "ticket",
            "the baseline of " + _HERE + " is {{ $value | humanizeDuration }} old",
            "What was golden then may have drifted within the bounds: record and promote a new baseline.",
        ),
    ),
)

ITSELF = RuleGroup(
    "canary-itself",
    (
        Rule(
            "CanaryWatchdog",
            "vector(1)",
            ">",
            0,
            "0s",
            "none",
            "the way from Prometheus to whoever is paged works",
            "Always fires. Send it to a dead-man's switch that pages when it stops coming.",
        ),
        Rule(
            "CanaryAbsent",
            "absent(canary_build_info)",
            ">",
            0,
            "5m",
            "page",
            "no canary is scraped",
            "Prometheus has no metrics of any canary: nothing is watched, or nothing of it is seen.",
        ),
        Rule(
            "CanaryDown",
            f'max by (job, instance) (up{{job="{JOB}"}})',
            "<",
            1,
            "2m",
            "page",
            "the canary {{ $labels.instance }} does not answer",
            "Its /metrics cannot be scraped. Its region is not watched while it is down.",
        ),
        Rule(
            "CanaryHeartbeatBlind",
            "max by (job, instance) (time() - canary_heartbeat_last_detection_timestamp_seconds)",
            ">",
            3_600,
            "1m",
            "page",
            "the canary {{ $labels.instance }} no longer sees a fault that is known to be there",
            "The injected fault of the control target was last detected {{ $value | humanizeDuration }} ago. "
            "Silence of this canary says nothing about the fleet.",
        ),
        Rule(
            "CanaryNotCommitting",
            "max by (job, instance) (canary_queue_age_seconds)",
            ">",
            60,
            "2m",
            "page",
            "answers wait {{ $value | humanizeDuration }} for the store",
            "The store does not take what was observed. Nothing is lost, but nothing is judged either.",
        ),
        Rule(
            "CanaryIngestLag",
            "histogram_quantile(0.99, sum by (job, instance, le) (rate(canary_ingest_lag_seconds_bucket[15m])))",
            ">",
            30,
            "15m",
            "ticket",
            "one answer in a hundred is judged {{ $value | humanizeDuration }} late",
            "Scoring or the store does not keep up, which delays every detection by as much.",
        ),
        Rule(
            "CanaryLate",
            "histogram_quantile(0.99, sum by (job, instance, le) (rate(canary_slot_lateness_seconds_bucket[15m])))",
            ">",
            5,
            "15m",
            "ticket",
            "probes are fired {{ $value | humanizeDuration }} late",
            "The process does not get round to its slots: too little CPU, or too many probes for one process.",
        ),
        Rule(
            "CanarySlotsMissed",
            "sum by (job, instance) (rate(canary_missed_slots_total[15m])) / "
            "(sum by (job, instance) (rate(canary_missed_slots_total[15m])) + "
            "sum by (job, instance) (rate(canary_observations_total[15m])))",
            ">",
            0.05,
            "15m",
            "ticket",
            "{{ $value | humanizePercentage }} of the slots are not probed",
            "Detection is slower than `canary check` promised by about this share; the label `reason` of "
            "canary_missed_slots_total says why.",
        ),
        Rule(
            "CanaryScorerCrashed",
            _grown('canary_unscored_total{reason="crashed"}', "job, instance, signal", "1h"),
            ">",
            0,
            "0s",
            "ticket",
            "the scorer of {{ $labels.signal }} crashed",
            "Answers could not be judged for a fault of the scorer, not of the target. Its traceback is in the log.",
        ),
        Rule(
            "CanaryOutboxStuck",
            "max by (job, instance) (canary_outbox_age_seconds)",
            ">",
            300,
            "1m",
            "page",
            "a notification is owed for {{ $value | humanizeDuration }}",
            "A receiver does not take what the canary has to say. `canary status` and the log name it.",
        ),
        Rule(
            "CanaryNotificationsFailing",
            _grown('canary_notifications_total{result=~"failed|refused|unknown"}', "job, instance, receiver", "15m"),
            ">",
            3,
            "0s",
            "ticket",
            "the receiver {{ $labels.receiver }} does not take notifications",
            "They are tried again, at longer and longer intervals, for a week.",
        ),
        Rule(
            "CanaryNotificationsAbandoned",
            _grown('canary_notifications_total{result="abandoned"}', "job, instance, receiver", "1h"),
            ">",
            0,
            "0s",
            "page",
            "a notification for {{ $labels.receiver }} was given up",
            "It failed for a week. Nobody was told by this receiver: look at `canary incident list` yourself.",
        ),
        Rule(
            "CanaryConfigRefused",
            "min by (job, instance) (canary_config_last_reload_successful)",
            "<",
            1,
            "5m",
            "ticket",
            "the canary {{ $labels.instance }} refused its config file",
            "It goes on with the one that it had. `canary check` says what is wrong with the file.",
        ),
        Rule(
            "CanaryClockSkewed",
            "max by (job, instance) (abs(timestamp(canary_alive_timestamp_seconds) - canary_alive_timestamp_seconds))",
            ">",
            30,
            "5m",
            "ticket",
            "the canary's clock is {{ $value | humanizeDuration }} off Prometheus's",
            "Slots, onsets and the ranking of changes go by the clock. If it is right, its heartbeat hangs.",
        ),
    ),
)

GROUPS = (INCIDENTS, ITSELF)
RULES = tuple(rule for group in GROUPS for rule in group.rules)
