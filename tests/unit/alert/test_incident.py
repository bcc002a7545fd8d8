from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.alert.home import DOUBT, home
from canary.alert.incident import (
    Policy,
    Reason,
    absorb,
    acknowledge,
    inhibitor,
    notification,
    reconcile,
    recover,
    relocated,
    resolve,
    settle,
    suppress,
)
from canary.records import Blame, Finding, Incident, IncidentState, NotificationKind, Place, Scope, Size, Symptom
from tests.unit.alert.findings import START, TARGET, finding, minutes, series

POLICY = Policy()
ONE = finding()
TWIN = finding("syntax_error", Symptom.CORRUPTION)
OUTAGE = finding("no_answer", Symptom.AVAILABILITY, share=1.0)


def opened(*findings: Finding) -> Incident:
    incident, _ = absorb(None, ONE, START, POLICY)
    for other in findings:
        incident, _ = absorb(incident, other, START, POLICY)
    return incident


def reopened(times: int) -> tuple[Incident, Reason]:
    incident, reason = absorb(None, ONE, START, POLICY)
    for _ in range(times):
        incident, _ = recover(incident, ONE.series, START)
        incident, reason = absorb(incident, ONE, START, POLICY)
    return incident, reason


# -- home


def test_an_alarm_without_an_incident_has_no_home() -> None:
    assert home([], ONE, START, POLICY) is None


def test_the_same_symptom_belongs_to_the_open_incident_whenever_it_began() -> None:
    incident = opened()
    assert home([incident], finding("syntax_error", onset=600), START + minutes(610), POLICY) == incident


@pytest.mark.parametrize("target", ["opus/api/*", "*/api/tpu-1", "*/*/*"])
@pytest.mark.parametrize(("onset", "same"), [(-30, True), (30, False)])
def test_the_same_symptom_beyond_the_place_is_the_same_fault_if_it_began_then(
    target: str, onset: float, *, same: bool
) -> None:
    assert (home([opened()], finding("syntax_error", target=target, onset=onset), START, POLICY) == opened()) is same


def test_the_same_symptom_in_a_part_of_the_place_is_the_same_fault_whenever_it_began() -> None:
    wide, _ = absorb(None, finding(target="opus/api/*"), START, POLICY)
    assert home([wide], finding("syntax_error", onset=600), START + minutes(610), POLICY) == wide


def test_another_symptom_with_an_overlapping_onset_is_the_same_fault() -> None:
    incident = opened()
    assert home([incident], finding("distance", Symptom.DEVIATION, onset=-35), START, POLICY) == incident


def test_onsets_within_the_merge_window_count_as_overlapping() -> None:
    incident = opened()
    later = finding("distance", Symptom.DEVIATION, onset=-30 + 10 + 15)
    assert home([incident], later, START, POLICY) == incident


def test_another_symptom_with_a_disjoint_onset_is_another_fault() -> None:
    later = finding("distance", Symptom.DEVIATION, onset=-30 + 10 + 15.1)
    assert home([opened()], later, START, POLICY) is None


def test_another_symptom_at_the_same_time_in_a_part_of_the_place_is_another_fault() -> None:
    wide, _ = absorb(None, finding(target="*/api/*"), START, POLICY)
    assert home([wide], finding("kl", Symptom.DEVIATION, target="opus/api/*"), START, POLICY) is None


@pytest.mark.parametrize(("margin", "same"), [(DOUBT - 0.1, True), (DOUBT + 0.1, False)])
def test_another_symptom_is_the_same_fault_while_its_place_may_be_the_same(margin: float, *, same: bool) -> None:
    wide, _ = absorb(None, finding(target="opus/api/*"), START, POLICY)
    blame = Blame(Place(Scope("opus", "api", "a")), "opus/api/a", Place(Scope("opus", "api")), margin)
    narrow = replace(finding("kl", Symptom.DEVIATION), blame=blame)
    assert (home([wide], narrow, START, POLICY) == wide) is same


def test_another_symptom_is_the_same_fault_where_a_finding_of_a_wider_place_alarmed_by_itself() -> None:
    wide = replace(finding(), blame=Blame(Place(Scope(None, "api", "tpu-1")), TARGET))
    incident, _ = absorb(None, wide, START, POLICY)
    assert home([incident], finding("kl", Symptom.DEVIATION), START, POLICY) == incident
    assert home([incident], finding("kl", Symptom.DEVIATION, target="mid/api/tpu-1"), START, POLICY) is None


def test_an_incident_keeps_its_series_wherever_they_are_said_to_be() -> None:
    elsewhere = replace(ONE, blame=Blame(Place(Scope("small", "cloud")), "small/cloud/a"))
    assert home([opened()], elsewhere, START, POLICY) == opened()


def test_the_same_symptom_elsewhere_of_another_time_is_another_incident() -> None:
    assert home([opened()], finding(target="opus/api/tpu-2", onset=30), START, POLICY) is None


def test_another_symptom_elsewhere_is_another_incident() -> None:
    assert home([opened()], finding("kl", Symptom.DEVIATION, target="opus/api/tpu-2"), START, POLICY) is None


def test_the_same_symptom_on_another_model_and_platform_is_another_incident() -> None:
    assert home([opened()], finding(target="mid/cloud/tpu-2"), START, POLICY) is None


@pytest.mark.parametrize("target", ["opus/api/tpu-2", "opus/cloud/tpu-1", "mid/api/tpu-1"])
def test_the_same_symptom_at_the_same_time_on_the_same_model_or_platform_is_one_incident(target: str) -> None:
    assert home([opened()], finding(target=target), START, POLICY) == opened()


def test_an_incident_spans_all_its_findings() -> None:
    grown, reason = absorb(opened(), finding(target="opus/cloud/tpu-1"), START, POLICY)
    assert (grown.target, reason) == ("opus/*/tpu-1", Reason.RELOCATED)


def test_a_further_series_of_a_known_signal_within_the_incident_confirms_it_and_tells_nobody() -> None:
    wide = finding(target="opus/api/*")
    wide_incident, _ = absorb(None, wide, START, POLICY)
    grown, reason = absorb(wide_incident, finding(target="opus/api/tpu-2"), START, POLICY)
    assert (grown.target, reason, notification(reason, grown)) == ("opus/api/*", Reason.CONFIRMED, None)


def test_an_incident_on_two_platforms_touches_no_third() -> None:
    both, _ = absorb(opened(), finding(target="opus/cloud/tpu-1"), START, POLICY)
    assert [both.touches(f"opus/{platform}/tpu-1", "eu") for platform in ("api", "cloud", "edge")] == [
        True,
        True,
        False,
    ]


def test_an_outage_of_a_platform_inhibits_quality_on_each_of_its_pools_and_not_beyond() -> None:
    outage, _ = absorb(None, replace(OUTAGE, series=series("availability", target="opus/api/*")), START, POLICY)
    assert inhibitor([outage], finding(target="opus/api/tpu-7"), POLICY) == outage.id
    assert inhibitor([outage], finding(target="opus/*/*"), POLICY) is None


def test_availability_and_quality_never_share_an_incident() -> None:
    assert home([opened()], replace(OUTAGE, onset=ONE.onset), START, POLICY) is None


def test_an_incident_resolved_within_the_reopen_window_takes_the_alarm() -> None:
    resolved, _ = recover(opened(), ONE.series, START)
    assert home([resolved], ONE, START + POLICY.reopen_window, POLICY) == resolved


def test_an_incident_resolved_before_the_reopen_window_stays_closed() -> None:
    resolved, _ = recover(opened(), ONE.series, START)
    assert home([resolved], ONE, START + POLICY.reopen_window + minutes(1), POLICY) is None


def test_an_open_incident_comes_before_a_resolved_one() -> None:
    resolved, _ = resolve(opened(), "ann", START)
    other, _ = absorb(None, TWIN, START, POLICY)
    assert home([resolved, other], finding("stray_token"), START, POLICY) == other


def test_a_resolved_incident_that_holds_the_series_comes_before_an_open_one() -> None:
    resolved, _ = resolve(opened(), "ann", START)
    other, _ = absorb(None, TWIN, START, POLICY)
    assert home([resolved, other], ONE, START, POLICY) == resolved


def test_the_incident_that_holds_the_series_comes_before_one_with_the_symptom() -> None:
    holder = opened()
    newer, _ = absorb(None, TWIN, START + minutes(1), POLICY)
    assert home([holder, newer], ONE, START, POLICY) == holder


# -- absorb


def test_opening_names_the_target_of_a_model_with_slashes() -> None:
    incident, _ = absorb(None, finding(target="meta/llama-3/api/gpu"), START, POLICY)
    assert (incident.model, incident.platform, incident.pool) == ("meta/llama-3", "api", "gpu")


def test_the_same_alarm_at_the_same_time_gives_the_same_id() -> None:
    assert absorb(None, ONE, START, POLICY) == absorb(None, ONE, START, POLICY)


def test_another_time_gives_another_id() -> None:
    assert absorb(None, ONE, START, POLICY)[0].id != absorb(None, ONE, START + minutes(1), POLICY)[0].id


def test_a_new_series_joins() -> None:
    incident, reason = absorb(opened(), TWIN, START, POLICY)
    assert (reason, incident.findings) == (Reason.JOINED, (ONE, TWIN))


def test_a_known_series_that_is_no_worse_repeats() -> None:
    assert absorb(opened(), finding(share=0.02), START, POLICY)[1] is Reason.REPEATED


def test_a_size_wholly_above_the_told_one_is_worse() -> None:
    assert absorb(opened(), finding(share=0.16), START, POLICY)[1] is Reason.WORSENED


def test_slow_growth_adds_up_to_a_worsening() -> None:
    incident, first = absorb(opened(), finding(share=0.02), START, POLICY)
    _, second = absorb(incident, finding(share=0.04), START, POLICY)
    assert (first, second) == (Reason.REPEATED, Reason.WORSENED)


def test_a_worsening_has_its_own_onset() -> None:
    worse = finding(share=0.16, onset=45)
    incident, _ = absorb(opened(), worse, START + minutes(60), POLICY)
    (told,) = incident.findings
    assert (told.onset, told.worsened) == (finding().onset, worse.onset)


def test_what_several_series_say_of_one_worsening_is_told_once() -> None:
    worse, first = absorb(opened(TWIN), finding(share=0.16, onset=45), START + minutes(60), POLICY)
    again, second = absorb(worse, finding("syntax_error", share=0.16, onset=47), START + minutes(61), POLICY)
    assert (first, second) == (Reason.WORSENED, Reason.REPEATED)
    assert all(known.worsened is not None for known in again.findings)


def test_a_series_that_was_silent_before_may_tell_of_a_worsening() -> None:
    since = finding(onset=45).onset
    new = replace(finding(target="opus/api/*", share=0.16), worsened=since)
    assert absorb(opened(), new, START + minutes(60), POLICY)[1] is Reason.WORSENED


HERE, AROUND = (Blame(Place(Scope("opus", "api", pool)), TARGET) for pool in ("tpu-1", None))


@pytest.mark.parametrize(
    ("share", "blame", "told"),
    [(0.002, HERE, 0.002), (0.012, HERE, 0.008), (0.16, AROUND, 0.16)],
    ids=["smaller", "perhaps larger", "in a wider place"],
)
def test_a_told_size_comes_down_and_is_told_anew_in_another_place(share: float, blame: Blame, told: float) -> None:
    incident, _ = absorb(None, replace(ONE, blame=HERE), START, POLICY)
    incident, reason = absorb(incident, replace(finding(share=share), blame=blame), START, POLICY)
    assert incident.findings[0].size.best == told
    assert reason is not Reason.WORSENED


def test_findings_that_moved_are_named() -> None:
    before, _ = absorb(None, replace(ONE, blame=HERE), START, POLICY)
    after, _ = absorb(before, replace(TWIN, blame=HERE), START, POLICY)
    moved, _ = absorb(after, replace(ONE, blame=AROUND), START, POLICY)
    assert (relocated(before, after), relocated(after, moved)) == ((), (ONE.series,))


def test_a_fault_that_is_mostly_elsewhere_still_is_where_a_series_shows_it() -> None:
    """What the answers of one platform say best of all cannot deny those of another."""
    wide = Blame(Place(Scope("opus")), "opus/api/tpu-1")
    api = Blame(Place(Scope("opus", "api")), "opus/api/tpu-1")
    incident, _ = absorb(None, replace(finding(target="opus/*/*"), blame=wide), START, POLICY)
    incident, _ = absorb(incident, replace(finding(target="opus/bedrock/main"), blame=wide), START, POLICY)
    incident, _ = absorb(incident, replace(finding(target="opus/*/*"), blame=api), START, POLICY)
    assert [one.scope.name for one in incident.findings] == ["opus/api/*", "opus/*/*"]
    assert incident.target == "opus/*/*"


def test_a_worsening_is_dated_after_the_first_onset() -> None:
    vague = finding(share=0.16, onset=45)
    vague = replace(vague, onset=replace(vague.onset, low=START - minutes(300)))
    incident, _ = absorb(opened(), vague, START + minutes(60), POLICY)
    assert incident.findings[0].worsened == replace(vague.onset, low=finding().onset.high)


def test_a_worsening_that_cannot_be_told_from_the_first_onset_corrects_it() -> None:
    worse = finding(share=0.16, onset=-28)
    incident, _ = absorb(opened(), worse, START + minutes(60), POLICY)
    (told,) = incident.findings
    assert (told.onset, told.worsened) == (worse.onset, None)


def test_a_relapse_is_no_worsening() -> None:
    known, _ = recover(opened(), finding().series, START + minutes(30))
    incident, _ = absorb(known, finding(share=0.16, onset=45), START + minutes(60), POLICY)
    assert incident.findings[0].worsened is None


def test_what_began_with_the_worsening_belongs_to_the_incident() -> None:
    worse, _ = absorb(opened(), finding(share=0.16, onset=45), START + minutes(60), POLICY)
    other = finding("distance", Symptom.DEVIATION, onset=50)
    assert home([worse], other, START + minutes(70), POLICY) is worse


def test_a_repeat_counts_its_alarm_and_keeps_the_evidence_of_both() -> None:
    incident, _ = absorb(opened(), finding(evidence=("slot-c", "slot-a")), START, POLICY)
    (known,) = incident.findings
    assert (known.alarms, known.evidence) == (2, ("slot-c", "slot-a", "slot-b"))


def test_a_series_that_recovered_and_alarms_again_relapses() -> None:
    partly, _ = recover(opened(TWIN), ONE.series, START)
    incident, reason = absorb(partly, ONE, START, POLICY)
    assert (reason, incident.findings[0].recovered_at) == (Reason.RELAPSED, None)


@pytest.mark.parametrize("new", [TWIN, ONE, finding(share=0.16)])
def test_an_acknowledgement_survives_further_alarms(new: Finding) -> None:
    taken, _ = acknowledge(opened(), "ann", START)
    incident, _ = absorb(taken, new, START, POLICY)
    assert (incident.state, incident.acknowledged_by) == (IncidentState.ACKNOWLEDGED, "ann")


def test_reopening_needs_a_new_acknowledgement() -> None:
    closed, _ = resolve(acknowledge(opened(), "ann", START)[0], "ann", START)
    incident, reason = absorb(closed, ONE, START, POLICY)
    assert (reason, incident.state, incident.acknowledged_by) == (Reason.REOPENED, IncidentState.OPEN, None)


def test_a_reopened_incident_is_no_longer_resolved() -> None:
    incident, _ = reopened(1)
    assert (incident.resolved_at, incident.resolved_by) == (None, None)


# -- recovery and flapping


def test_an_incident_stays_open_while_one_series_has_not_recovered() -> None:
    incident, reason = recover(opened(TWIN), ONE.series, START)
    assert (incident.state, reason) == (IncidentState.OPEN, Reason.PARTLY_RECOVERED)


def test_the_last_recovery_resolves() -> None:
    partly, _ = recover(opened(TWIN), ONE.series, START)
    incident, reason = recover(partly, TWIN.series, START)
    assert (incident.state, reason) == (IncidentState.RESOLVED, Reason.RESOLVED)


def test_recovery_of_a_foreign_series_changes_nothing() -> None:
    incident = opened()
    assert recover(incident, series("other"), START) == (incident, Reason.UNCHANGED)


def test_too_many_reopenings_flap() -> None:
    incident, reason = reopened(POLICY.flap_limit)
    assert (incident.flapping, reason) == (True, Reason.FLAPPING)


def test_fewer_reopenings_do_not_flap() -> None:
    incident, reason = reopened(POLICY.flap_limit - 1)
    assert (incident.flapping, reason) == (False, Reason.REOPENED)


def test_a_flapping_incident_does_not_resolve_at_its_recovery() -> None:
    incident, _ = reopened(POLICY.flap_limit)
    assert recover(incident, ONE.series, START)[1] is Reason.PARTLY_RECOVERED


def test_a_flapping_incident_resolves_after_a_quiet_reopen_window() -> None:
    incident, _ = recover(reopened(POLICY.flap_limit)[0], ONE.series, START)
    assert settle(incident, START + POLICY.reopen_window, POLICY)[1] is Reason.RESOLVED


def test_a_flapping_incident_is_not_settled_early() -> None:
    incident, _ = recover(reopened(POLICY.flap_limit)[0], ONE.series, START)
    assert settle(incident, START + POLICY.reopen_window - minutes(1), POLICY) == (incident, Reason.UNCHANGED)


def test_settling_never_resolves_an_incident_with_an_unrecovered_series() -> None:
    incident, _ = reopened(POLICY.flap_limit)
    assert settle(incident, START + minutes(6_000), POLICY) == (incident, Reason.UNCHANGED)


# -- people


def test_a_person_may_resolve_what_has_not_recovered() -> None:
    incident, reason = resolve(opened(), "ann", START)
    assert (incident.resolved_by, incident.resolved_at, reason) == ("ann", START, Reason.RESOLVED)


def test_acknowledging_twice_changes_nothing() -> None:
    taken, _ = acknowledge(opened(), "ann", START)
    assert acknowledge(taken, "bob", START) == (taken, Reason.UNCHANGED)


def test_resolving_twice_changes_nothing() -> None:
    closed, _ = resolve(opened(), "ann", START)
    assert resolve(closed, "bob", START) == (closed, Reason.UNCHANGED)


# -- inhibition


def test_an_unreachable_pool_inhibits_quality() -> None:
    outage, _ = absorb(None, OUTAGE, START, POLICY)
    assert inhibitor([outage], ONE, POLICY) == outage.id


def test_an_unreachable_pool_does_not_inhibit_another_pool() -> None:
    outage, _ = absorb(None, OUTAGE, START, POLICY)
    assert inhibitor([outage], finding(target="opus/api/tpu-2"), POLICY) is None


def test_a_few_failures_inhibit_nothing() -> None:
    errors, _ = absorb(None, replace(OUTAGE, size=ONE.size), START, POLICY)
    assert inhibitor([errors], ONE, POLICY) is None


def test_bursts_in_which_a_run_failed_inhibit_nothing() -> None:
    """That one run of 64 fails in each burst says nothing of the pool as a whole."""
    outage, _ = absorb(None, finding("no_answer", Symptom.AVAILABILITY, share=1.0, group="onetoken@64"), START, POLICY)
    assert inhibitor([outage], ONE, POLICY) is None


def test_quality_inhibits_nothing() -> None:
    assert inhibitor([opened()], finding("kl", Symptom.DEVIATION), POLICY) is None


def test_an_outage_does_not_inhibit_itself() -> None:
    outage, _ = absorb(None, OUTAGE, START, POLICY)
    assert list(reconcile([outage], START, POLICY)) == []


def test_reconcile_suppresses_where_the_pool_is_unreachable() -> None:
    outage, _ = absorb(None, OUTAGE, START, POLICY)
    ((hidden, reason),) = reconcile([outage, opened()], START, POLICY)
    assert (hidden.suppressed_by, reason) == (outage.id, Reason.SUPPRESSED)


def test_the_end_of_an_outage_alone_releases_nothing() -> None:
    """What was wrong meanwhile may have ended with it."""
    outage, _ = absorb(None, OUTAGE, START, POLICY)
    over, _ = recover(outage, OUTAGE.series, START)
    hidden, _ = suppress(opened(), outage.id, START)
    assert list(reconcile([over, hidden], START, POLICY)) == []


def test_what_alarms_after_the_outage_is_released_and_told() -> None:
    hidden, _ = suppress(opened(), "outage", START)
    shown, reason = absorb(hidden, ONE, START, POLICY)
    assert (shown.suppressed_by, notification(reason, shown)) == (None, NotificationKind.TRIGGER)


def test_what_alarms_during_the_outage_stays_suppressed() -> None:
    hidden, _ = suppress(opened(), "outage", START)
    incident, reason = absorb(hidden, TWIN, START, POLICY, suppressed_by="outage")
    assert (incident.suppressed_by, notification(reason, incident)) == ("outage", None)


def test_a_total_outage_is_known_to_be_one_when_it_goes_on() -> None:
    """The first failures leave open whether half of all requests fail; more of them do not."""
    few = replace(OUTAGE, blame=HERE, size=Size(0.39, 1.0, 1.0, 0.95, 4))
    outage, _ = absorb(None, few, START, POLICY)
    assert inhibitor([outage], ONE, POLICY) is None
    outage, _ = absorb(outage, replace(few, size=Size(0.63, 1.0, 1.0, 0.95, 8)), START, POLICY)
    assert inhibitor([outage], ONE, POLICY) == outage.id


def test_an_incident_may_be_suppressed_from_birth() -> None:
    incident, reason = absorb(None, ONE, START, POLICY, suppressed_by="outage")
    assert (incident.suppressed_by, notification(reason, incident)) == ("outage", None)


def test_an_incident_may_reopen_suppressed() -> None:
    closed, _ = recover(opened(), ONE.series, START)
    incident, reason = absorb(closed, ONE, START, POLICY, suppressed_by="outage")
    assert (incident.suppressed_by, notification(reason, incident)) == ("outage", None)


def test_a_resolve_passes_suppression() -> None:
    incident, reason = recover(suppress(opened(), "outage", START)[0], ONE.series, START)
    assert notification(reason, incident) is NotificationKind.RESOLVE


def test_suppressing_twice_changes_nothing() -> None:
    hidden, _ = suppress(opened(), "outage", START)
    assert suppress(hidden, "other", START) == (hidden, Reason.UNCHANGED)


# -- what people are told


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (Reason.OPENED, NotificationKind.TRIGGER),
        (Reason.REOPENED, NotificationKind.TRIGGER),
        (Reason.FLAPPING, NotificationKind.TRIGGER),
        (Reason.RELEASED, NotificationKind.TRIGGER),
        (Reason.JOINED, NotificationKind.UPDATE),
        (Reason.WORSENED, NotificationKind.UPDATE),
        (Reason.ACKNOWLEDGED, NotificationKind.ACKNOWLEDGE),
        (Reason.RESOLVED, NotificationKind.RESOLVE),
        (Reason.RELAPSED, None),
        (Reason.REPEATED, None),
        (Reason.PARTLY_RECOVERED, None),
        (Reason.SUPPRESSED, None),
        (Reason.UNCHANGED, None),
    ],
)
def test_each_reason_is_told_as(reason: Reason, kind: NotificationKind | None) -> None:
    assert notification(reason, opened()) is kind


@pytest.mark.parametrize("reason", [Reason.OPENED, Reason.REOPENED, Reason.FLAPPING, Reason.JOINED, Reason.WORSENED])
def test_nobody_is_told_of_a_suppressed_incident(reason: Reason) -> None:
    assert notification(reason, suppress(opened(), "outage", START)[0]) is None


def test_releasing_what_a_person_has_taken_does_not_page_again() -> None:
    taken, _ = acknowledge(opened(), "ann", START)
    assert notification(Reason.RELEASED, taken) is NotificationKind.UPDATE


@given(st.sampled_from(Reason))
def test_every_reason_has_an_answer(reason: Reason) -> None:
    assert notification(reason, opened()) in {None, *NotificationKind}
