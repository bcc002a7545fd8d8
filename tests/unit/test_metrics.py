import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from canary.metrics import Metrics, OpenIncident, wants_openmetrics
from canary.records import (
    Dialect,
    Endpoint,
    Failure,
    FailureKind,
    Finish,
    IncidentState,
    NotificationKind,
    Observation,
    Response,
    Score,
    SeriesKey,
    Target,
    Unscored,
    UnscoredReason,
)

NOW = datetime(2025, 8, 5, tzinfo=UTC)
ENDPOINT = Endpoint(Dialect.OPENAI_CHAT, "http://x", "m")
TARGET = Target("meta/llama", "api", "tpu", ENDPOINT)
OTHER = Target("haiku", "api", "gpu", ENDPOINT)
KEY = SeriesKey(TARGET.name, "eu", "prose", "stray_script")
OF_TARGET = {"model": "meta/llama", "platform": "api", "pool": "tpu", "region": "eu"}
OF_SERIES = {**OF_TARGET, "group": "prose", "signal": "stray_script"}


def declared(targets: Iterable[Target] = (TARGET,), series: Iterable[SeriesKey] = (KEY,)) -> Metrics:
    metrics = Metrics(version="1.2.3")
    metrics.declare(targets, series, region="eu")
    return metrics


def value(metrics: Metrics, name: str, labels: dict[str, str] | None = None) -> float | None:
    samples = (
        sample for family in text_string_to_metric_families(metrics.text().decode()) for sample in family.samples
    )
    return next((s.value for s in samples if s.name == name and s.labels == (labels or {})), None)


def observation(failure: Failure | None = None) -> Observation:
    response = None if failure else Response("hi", Finish.STOP, prompt_tokens=7, completion_tokens=11)
    return Observation(
        slot_id="s",
        probe_id="p",
        probe_digest="d",
        group="prose",
        target=TARGET.name,
        region="eu",
        slot_time=NOW,
        started_at=NOW,
        duration=timedelta(seconds=2),
        response=response,
        failure=failure,
    )


@pytest.mark.parametrize("result", ["response", *FailureKind])
def test_every_result_of_a_declared_target_is_there_from_zero_on(result: str) -> None:
    assert value(declared(), "canary_observations_total", {**OF_TARGET, "result": result}) == 0


@pytest.mark.parametrize(
    "name",
    [
        "canary_scores_total",
        "canary_score_events_total",
        "canary_alarms_total",
        "canary_evidence_nats",
        "canary_series_armed",
        "canary_series_learned_answers",
        "canary_series_needed_answers",
    ],
)
def test_a_declared_series_is_there_before_its_first_answer(name: str) -> None:
    assert value(declared(), name, OF_SERIES) is not None


def test_an_answer_counts_its_tokens() -> None:
    metrics = declared()
    metrics.observed(observation())
    assert value(metrics, "canary_tokens_total", {**OF_TARGET, "kind": "completion"}) == 11


def test_a_failure_is_counted_by_its_kind() -> None:
    metrics = declared()
    metrics.observed(observation(Failure(FailureKind.TIMEOUT, "slow")))
    assert value(metrics, "canary_observations_total", {**OF_TARGET, "result": "timeout"}) == 1


def test_the_last_result_is_when_the_run_ended() -> None:
    metrics = declared()
    metrics.observed(observation())
    assert value(metrics, "canary_last_result_timestamp_seconds", OF_TARGET) == NOW.timestamp() + 2


def test_durations_are_kept_by_platform() -> None:
    metrics = declared()
    metrics.observed(observation())
    assert value(metrics, "canary_run_duration_seconds_bucket", {"platform": "api", "le": "2.5"}) == 1


def test_an_event_is_counted_as_a_score_too() -> None:
    metrics = declared()
    metrics.scored(KEY, Score("stray_script", 1, 3.0), slot_id="s", at=NOW, event=True)
    assert (
        value(metrics, "canary_scores_total", OF_SERIES),
        value(metrics, "canary_score_events_total", OF_SERIES),
    ) == (1, 1)


def test_what_could_not_be_judged_is_no_score() -> None:
    metrics = declared()
    metrics.scored(KEY, Unscored("stray_script", 1, UnscoredReason.EMPTY), slot_id="s", at=NOW)
    assert value(metrics, "canary_scores_total", OF_SERIES) == 0


def test_what_could_not_be_judged_is_counted_by_reason() -> None:
    metrics = declared()
    metrics.scored(KEY, Unscored("stray_script", 1, UnscoredReason.EMPTY), slot_id="s", at=NOW)
    assert value(metrics, "canary_unscored_total", {**OF_SERIES, "reason": "empty"}) == 1


def test_a_series_shows_its_evidence_its_learning_and_its_alarms() -> None:
    metrics = declared()
    metrics.evidence(KEY, -2.5)
    metrics.armed(KEY, n=30, healthy=0.02)
    metrics.alarmed(KEY)
    names = (
        "canary_evidence_nats",
        "canary_series_learned_answers",
        "canary_series_needed_answers",
        "canary_series_armed",
        "canary_alarms_total",
        "canary_baseline_event_ratio",
    )
    assert [value(metrics, name, OF_SERIES) for name in names] == [-2.5, 30, 30, 1, 1, 0.02]


def test_a_stale_target_is_stale_until_it_is_not() -> None:
    metrics = declared()
    metrics.stale({TARGET.name})
    stale = value(metrics, "canary_target_stale", OF_TARGET)
    metrics.stale(set())
    assert (stale, value(metrics, "canary_target_stale", OF_TARGET)) == (1, 0)


def test_a_reload_keeps_the_counts_of_what_stays() -> None:
    metrics = declared()
    metrics.observed(observation())
    metrics.declare([TARGET, OTHER], [KEY], region="eu")
    assert value(metrics, "canary_observations_total", {**OF_TARGET, "result": "response"}) == 1


def test_a_reload_forgets_what_vanished() -> None:
    metrics = declared()
    metrics.declare([OTHER], [], region="eu")
    assert b"meta/llama" not in metrics.text()


def test_facts_of_what_is_not_declared_are_dropped() -> None:
    metrics = declared([OTHER], [])
    metrics.observed(observation())
    metrics.alarmed(KEY)
    assert b"meta/llama" not in metrics.text()


@pytest.mark.parametrize("odd", ['a"b', "a\\b", "a\nb", 'a\\"', "a{b}=,c", "\u0e2a"])
def test_odd_names_survive_the_text_format(odd: str) -> None:
    target = Target(odd, "api", "tpu", ENDPOINT)
    metrics = declared([target], [SeriesKey(target.name, "eu", odd, "stray_script")])
    assert value(metrics, "canary_alarms_total", {**OF_SERIES, "model": odd, "group": odd}) == 0


def test_a_series_without_evidence_has_minus_infinity() -> None:
    assert value(declared(), "canary_evidence_nats", OF_SERIES) == -math.inf


def test_every_family_is_named_once() -> None:
    names = [line.split()[2] for line in declared().text().decode().splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


def test_a_failed_reload_keeps_the_time_of_the_last_good_one() -> None:
    metrics = declared()
    metrics.reloaded(successfully=True, at=NOW)
    metrics.reloaded(successfully=False, at=NOW + timedelta(hours=1))
    names = ("canary_config_last_reload_successful", "canary_config_last_reload_success_timestamp_seconds")
    assert [value(metrics, name) for name in names] == [0, NOW.timestamp()]


def test_a_state_without_incidents_is_zero() -> None:
    metrics = declared()
    metrics.incidents({IncidentState.OPEN: 2})
    metrics.incidents({IncidentState.ACKNOWLEDGED: 1})
    assert [value(metrics, "canary_incidents", {"state": state}) for state in ("open", "acknowledged")] == [0, 1]


def test_notifications_are_counted_by_receiver_kind_and_result() -> None:
    metrics = declared()
    metrics.notified(receiver="oncall", kind=NotificationKind.TRIGGER, outcome="failed")
    labels = {"receiver": "oncall", "kind": "trigger", "result": "failed"}
    assert value(metrics, "canary_notifications_total", labels) == 1


def test_the_rest_has_its_names() -> None:
    metrics = declared()
    metrics.late(timedelta(seconds=-1))
    metrics.missed("late", 3)
    metrics.in_flight(4)
    metrics.queued(5, age=timedelta(seconds=8))
    metrics.kept(timedelta(seconds=3))
    metrics.owed_for(timedelta(seconds=9))
    metrics.alive(NOW, ahead=timedelta(seconds=2))
    metrics.committed(timedelta(milliseconds=3))
    metrics.owed(6)
    metrics.baseline(TARGET.name, NOW)
    assert [
        value(metrics, "canary_slot_lateness_seconds_sum"),
        value(metrics, "canary_missed_slots_total", {"reason": "late"}),
        value(metrics, "canary_runs_in_flight"),
        value(metrics, "canary_queue_depth"),
        value(metrics, "canary_commit_duration_seconds_bucket", {"le": "0.005"}),
        value(metrics, "canary_notifications_owed"),
        value(metrics, "canary_baseline_timestamp_seconds", OF_TARGET),
        value(metrics, "canary_build_info", {"version": "1.2.3"}),
        value(metrics, "canary_queue_age_seconds"),
        value(metrics, "canary_ingest_lag_seconds_sum"),
        value(metrics, "canary_outbox_age_seconds"),
        value(metrics, "canary_alive_timestamp_seconds"),
        value(metrics, "canary_schedule_ahead_seconds"),
    ] == [0, 3, 4, 5, 1, 6, NOW.timestamp(), 1, 8, 3, 9, NOW.timestamp(), 2]


SCOPE = SeriesKey("meta/llama/*/*", "eu", "*", "stray_script")
OF_SCOPE = {**OF_SERIES, "platform": "*", "pool": "*", "group": "*"}


def test_what_hears_many_series_has_evidence_and_alarms_with_stars_for_labels() -> None:
    metrics = Metrics(version="1")
    metrics.declare([TARGET], [KEY], [SCOPE], region="eu")
    assert value(metrics, "canary_alarms_total", OF_SCOPE) == 0.0
    metrics.evidence(SCOPE, -3.5)
    metrics.alarmed(SCOPE)
    assert value(metrics, "canary_evidence_nats", OF_SCOPE) == -3.5
    assert value(metrics, "canary_alarms_total", OF_SCOPE) == 1.0
    assert value(metrics, "canary_scores_total", OF_SCOPE) is None


def test_a_replica_that_nobody_declared_adds_no_metric() -> None:
    metrics = Metrics(version="1")
    metrics.declare([TARGET], [KEY], [SCOPE], region="eu")
    before = metrics.text()
    metrics.alarmed(SeriesKey(TARGET.name, "eu", "*@host-7", "stray_script"))
    metrics.evidence(SeriesKey(TARGET.name, "eu", "*@host-7", "stray_script"), 1.0)
    assert metrics.text() == before


def test_a_part_of_the_fleet_that_is_gone_has_no_metric() -> None:
    metrics = Metrics(version="1")
    metrics.declare([TARGET], [KEY], [SCOPE], region="eu")
    metrics.declare([TARGET], [KEY], region="eu")
    assert value(metrics, "canary_alarms_total", OF_SCOPE) is None


def test_what_is_escalated_is_one_and_the_rest_is_zero() -> None:
    other = SeriesKey(TARGET.name, "eu", "code", "syntax")
    metrics = declared(series=(KEY, other))
    of_code = {**OF_TARGET, "group": "code"}
    assert value(metrics, "canary_escalated", of_code) == 0
    metrics.escalated({(TARGET.name, "code")}, left=70.0)
    assert value(metrics, "canary_escalated", of_code) == 1
    assert value(metrics, "canary_escalated", {**OF_TARGET, "group": "prose"}) == 0
    assert value(metrics, "canary_extra_tokens_left") == 70
    metrics.escalated((), left=70.0)
    assert value(metrics, "canary_escalated", of_code) == 0


def test_extra_slots_are_counted() -> None:
    metrics = declared()
    metrics.extra()
    assert value(metrics, "canary_extra_slots_total") == 1


def test_a_series_that_learns_again_has_no_baseline() -> None:
    metrics = declared()
    metrics.armed(KEY, n=200, healthy=0.02)
    metrics.learning(KEY, n=30, needed=200)
    names = ("canary_series_armed", "canary_series_learned_answers", "canary_series_needed_answers")
    assert [value(metrics, name, OF_SERIES) for name in names] == [0, 30, 200]
    healthy = value(metrics, "canary_baseline_event_ratio", OF_SERIES)
    assert healthy is not None
    assert math.isnan(healthy)


def test_a_target_has_one_state_at_a_time_and_every_other_as_zero() -> None:
    metrics = Metrics(version="1", states=("incident", "healthy"))
    metrics.declare([TARGET], [], region="eu")
    metrics.states({TARGET.name: "incident"})
    metrics.states({TARGET.name: "healthy"})
    states = [value(metrics, "canary_target_state", {**OF_TARGET, "state": state}) for state in ("incident", "healthy")]
    assert states == [0, 1]


def test_open_incidents_are_counted_by_place_symptom_and_severity_until_they_are_not() -> None:
    metrics = declared()
    place = OpenIncident("meta/llama", "*", "*", "eu", "corruption", "page", "false")
    metrics.open_incidents({place: 2})
    shown = value(metrics, "canary_incident_open", place._asdict())
    metrics.open_incidents({})
    assert (shown, value(metrics, "canary_incident_open", place._asdict())) == (2, None)


def test_without_a_heartbeat_nothing_says_that_it_is_late() -> None:
    metrics = declared()
    metrics.detected(NOW)
    shown = value(metrics, "canary_heartbeat_last_detection_timestamp_seconds")
    metrics.detected(None)
    assert (shown, value(metrics, "canary_heartbeat_last_detection_timestamp_seconds")) == (NOW.timestamp(), None)


def test_heartbeats_are_counted_by_what_became_of_them() -> None:
    metrics = declared()
    metrics.heartbeat("withheld")
    assert value(metrics, "canary_heartbeats_total", {"result": "withheld"}) == 1


# -- OpenMetrics


def openmetrics(metrics: Metrics) -> dict[str, list[Sample]]:
    """By the strict parser; samples by name."""
    text = metrics.text(openmetrics=True).decode()
    found: dict[str, list[Sample]] = {}
    for sample in (sample for family in openmetrics_families(text) for sample in family.samples):
        found.setdefault(sample.name, []).append(sample)
    return found


def test_openmetrics_and_the_text_format_tell_the_same() -> None:
    metrics = declared()
    metrics.observed(observation())
    metrics.scored(KEY, Score("stray_script", 1, 3.0), slot_id="s", at=NOW, event=True)
    plain = {
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }
    other = {(one.name, tuple(sorted(one.labels.items()))) for of in openmetrics(metrics).values() for one in of}
    assert plain == other


def test_an_answer_is_the_exemplar_of_its_result() -> None:
    metrics = declared()
    metrics.observed(observation(Failure(FailureKind.TIMEOUT, "slow")))
    found = {one.labels["result"]: one.exemplar for one in openmetrics(metrics)["canary_observations_total"]}
    exemplar = found["timeout"]
    assert exemplar is not None
    assert (exemplar.labels, exemplar.value) == ({"slot_id": "s"}, 2.0)
    assert found["response"] is None


def test_the_last_event_is_the_exemplar_of_its_series() -> None:
    metrics = declared()
    for slot_id, event in (("first", True), ("last", True), ("well", False)):
        metrics.scored(KEY, Score("stray_script", 1, 3.0), slot_id=slot_id, at=NOW, event=event)
    (sample,) = openmetrics(metrics)["canary_score_events_total"]
    assert sample.exemplar is not None
    assert sample.exemplar.labels == {"slot_id": "last"}


def test_a_duration_bears_the_slot_id_of_its_answer() -> None:
    metrics = declared()
    metrics.observed(observation())
    buckets = openmetrics(metrics)["canary_run_duration_seconds_bucket"]
    assert [one.exemplar.labels for one in buckets if one.exemplar] == [{"slot_id": "s"}]


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain;version=0.0.4", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", True),
        ("text/plain, application/openmetrics-text; q=0", False),
        ("application/openmetrics-texts", False),
    ],
)
def test_openmetrics_is_for_those_who_ask(accept: str, wanted: bool) -> None:
    assert wants_openmetrics(accept) is wanted
