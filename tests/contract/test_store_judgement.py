"""What every store does with detectors, incidents, notifications, baselines and changes."""

from dataclasses import replace

import pytest

from canary.errors import NotFound
from canary.records import BaselineStatus, IncidentState, Reference, SeriesKey
from canary.store import StateKind, Store
from tests.contract.store_values import (
    LOGPROBS,
    MINUTE,
    OTHER,
    SERIES,
    T0,
    TARGET,
    alarm,
    baseline,
    change,
    incident,
    notification,
    recording,
    state,
)

# -- detectors


def test_a_state_comes_back_as_it_went_in(store: Store) -> None:
    given = [state(), state(OTHER, evidence=float("-inf"), slot_time=None)]
    with store.transaction() as tx:
        tx.put_states(given)
    with store.reading() as tx:
        assert tx.states(StateKind.ALARM) == {s.series: s for s in given}


def test_states_of_many_series_are_read_at_once(store: Store) -> None:
    keys = [SeriesKey(f"m/p/{i}", "eu", "script", "foreign_script") for i in range(300)]
    with store.transaction() as tx:
        tx.put_states([state(key) for key in keys])
    with store.reading() as tx:
        assert tx.states(StateKind.ALARM, [*keys[:200], OTHER]).keys() == set(keys[:200])


def test_a_state_is_replaced_by_the_next(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_states([state()])
        tx.put_states([state(n=13, blob=b"next")])
        assert tx.states(StateKind.ALARM) == {SERIES: state(n=13, blob=b"next")}


def test_a_dropped_state_is_gone_and_its_sibling_stays(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_states([state(), state(kind=StateKind.RECOVERY)])
        tx.drop_states(StateKind.ALARM, [SERIES, OTHER])
        assert (len(tx.states(StateKind.ALARM)), len(tx.states(StateKind.RECOVERY))) == (0, 1)


def test_parameters_are_kept_under_their_digest_once(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_detector("d1", "{}")
        tx.put_detector("d1", "{}")
        assert tx.detector("d1") == "{}"


def test_the_parameters_of_a_recovery_test_go_with_the_last_state_of_them(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_detector("d1", "{}")
        tx.put_states([state(key, kind=StateKind.RECOVERY, detector="d1") for key in (SERIES, OTHER)])
        tx.drop_states(StateKind.RECOVERY, [SERIES])
        assert tx.detector("d1") == "{}"
        tx.drop_states(StateKind.RECOVERY, [OTHER])
        with pytest.raises(NotFound, match="d1"):
            tx.detector("d1")


def test_the_parameters_of_an_alarms_test_outlive_its_state(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_detector("d1", "{}")
        tx.put_states([state(detector="d1")])
        tx.drop_states(StateKind.ALARM, [SERIES])
        assert tx.detector("d1") == "{}"  # scores name them


def test_an_unknown_detector_is_not_found(store: Store) -> None:
    with store.reading() as tx, pytest.raises(NotFound, match="d9"):
        tx.detector("d9")


# -- alarms and incidents


def test_alarms_are_in_the_order_of_time_and_known_ones_are_ignored(store: Store) -> None:
    with store.transaction() as tx:
        tx.add_alarms([alarm(3), alarm(1)])
        tx.add_alarms([alarm(1, evidence=99.0), alarm(2)])
    with store.reading() as tx:
        assert list(tx.alarms(since=T0 + MINUTE)) == [alarm(1), alarm(2), alarm(3)]


def test_an_incident_comes_back_as_it_went_in(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_incident(incident())
    with store.reading() as tx:
        assert tx.incident("abc1") == incident()


def test_an_incident_is_found_by_a_prefix_of_its_id(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_incident(incident("abc1"))
        tx.put_incident(incident("abd2"))
        assert tx.incident("abd").id == "abd2"


def test_a_whole_id_goes_before_a_longer_one(store: Store) -> None:
    with store.transaction() as tx:
        for name in ("abc12", "abc1", "abc11"):
            tx.put_incident(incident(name))
        assert tx.incident("abc1").id == "abc1"


@pytest.mark.parametrize("prefix", ["ab", "", "x", "AB", "%", "abc11"])
def test_no_incident_is_found_by_an_ambiguous_or_unknown_prefix(store: Store, prefix: str) -> None:
    with store.transaction() as tx:
        tx.put_incident(incident("abc1"))
        tx.put_incident(incident("abd2"))
        with pytest.raises(NotFound):
            tx.incident(prefix)


def test_incidents_are_in_the_order_of_opening(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_incident(incident("b", opened_at=T0 + MINUTE))
        tx.put_incident(incident("a", state=IncidentState.RESOLVED, resolved_at=T0, resolved_by="ann"))
        assert [i.id for i in tx.incidents()] == ["a", "b"]
        assert [i.id for i in tx.incidents(open_only=True)] == ["b"]


def test_incidents_since_their_last_update(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_incident(incident("a", updated_at=T0))
        tx.put_incident(incident("b", updated_at=T0 + MINUTE))
        tx.put_incident(incident("a", updated_at=T0 + 2 * MINUTE))
        assert [i.id for i in tx.incidents(since=T0 + 2 * MINUTE)] == ["a"]


# -- the outbox


def test_what_is_due_is_claimed_oldest_first(store: Store) -> None:
    with store.transaction() as tx:
        tx.enqueue([notification(i, incident_id=f"inc{i}") for i in (2, 1, 3, 9)])
    with store.transaction() as tx:
        claimed = tx.claim(now=T0 + 3 * MINUTE, lease=MINUTE, limit=2)
    assert [n.id for n in claimed] == ["note1", "note2"]


def test_a_later_notification_of_an_incident_is_not_due_while_an_earlier_one_is_owed(store: Store) -> None:
    late = T0 + 9 * MINUTE
    with store.transaction() as tx:
        tx.enqueue([notification(1), notification(2, not_before=T0)])
        assert [n.id for n in tx.claim(now=late, lease=MINUTE, limit=9)] == ["note1"]
        assert list(tx.claim(now=late, lease=MINUTE, limit=9)) == []  # the first is leased
        tx.retry("note1", not_before=late + MINUTE, reason="503")
        assert list(tx.claim(now=late, lease=MINUTE, limit=9)) == []  # the first waits for its next attempt
        tx.delivered("note1", late)
        assert [n.id for n in tx.claim(now=late, lease=MINUTE, limit=9)] == ["note2"]


def test_notifications_of_one_moment_are_due_in_the_order_of_owing(store: Store) -> None:
    with store.transaction() as tx:
        tx.enqueue([notification(1, id="trigger"), notification(1, id="resolve")])
        assert [n.id for n in tx.claim(now=T0 + MINUTE, lease=MINUTE, limit=9)] == ["trigger"]


def test_neither_another_incident_nor_another_receiver_waits_behind_it(store: Store) -> None:
    with store.transaction() as tx:
        tx.enqueue([notification(1), notification(2, incident_id="abd2"), notification(3, receiver="mail")])
        assert [n.id for n in tx.claim(now=T0 + 3 * MINUTE, lease=MINUTE, limit=9)] == ["note1", "note2", "note3"]


def test_a_notification_whose_id_is_known_is_ignored(store: Store) -> None:
    with store.transaction() as tx:
        tx.enqueue([notification(1)])
        tx.enqueue([notification(1, body="other")])
        assert list(tx.claim(now=T0 + MINUTE, lease=MINUTE, limit=9)) == [notification(1)]


def test_a_leased_notification_is_given_to_nobody_else(store: Store) -> None:
    with store.transaction() as tx:
        tx.enqueue([notification()])
        tx.claim(now=T0, lease=MINUTE, limit=9)
    with store.transaction() as tx:
        assert list(tx.claim(now=T0 + MINUTE / 2, lease=MINUTE, limit=9)) == []


def test_a_lease_that_ran_out_gives_it_again(store: Store) -> None:
    with store.transaction() as tx:
        tx.enqueue([notification()])
        tx.claim(now=T0, lease=MINUTE, limit=9)
    with store.transaction() as tx:
        assert list(tx.claim(now=T0 + MINUTE, lease=MINUTE, limit=9)) == [notification()]


def test_a_retry_counts_an_attempt_and_waits(store: Store) -> None:
    later = T0 + 5 * MINUTE
    with store.transaction() as tx:
        tx.enqueue([notification()])
        tx.claim(now=T0, lease=60 * MINUTE, limit=9)
        tx.retry("note0", not_before=later, reason="503")
        early = tx.claim(now=T0 + MINUTE, lease=MINUTE, limit=9)
        assert (list(early), tx.owed()) == ([], 1)
        assert list(tx.claim(now=later, lease=MINUTE, limit=9)) == [notification(attempts=1, not_before=later)]


def test_the_oldest_that_is_owed_is_known_until_it_is_delivered(store: Store) -> None:
    with store.transaction() as tx:
        before = tx.oldest_owed()
        tx.enqueue([notification(0), notification(1)])
        both = tx.oldest_owed()
        tx.delivered(notification(0).id, T0 + 2 * MINUTE)
    with store.reading() as tx:
        assert (before, both, tx.oldest_owed()) == (None, T0, T0 + MINUTE)


def test_what_was_delivered_is_no_longer_owed(store: Store) -> None:
    with store.transaction() as tx:
        tx.enqueue([notification(0), notification(1)])
        tx.delivered("note0", T0)
        tx.retry("note0", not_before=T0, reason="too late")
        assert tx.owed() == 1
        assert [n.id for n in tx.claim(now=T0 + MINUTE, lease=MINUTE, limit=9)] == ["note1"]


# -- baselines, changes, facts


def test_recordings_come_back_and_are_replaced(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_recording(recording(2))
        tx.put_recording(recording(1, finished_at=None))
        tx.put_recording(recording(1))
        tx.put_recording(recording(3, target="m/p/other"))
        assert list(tx.recordings(TARGET)) == [recording(1), recording(2)]


def test_a_baseline_comes_back_as_it_went_in(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_baseline(baseline())
    with store.reading() as tx:
        assert list(tx.baselines()) == [baseline()]


def test_baselines_are_chosen_by_target_status_and_epoch(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_baseline(baseline(1, BaselineStatus.ACTIVE))
        tx.put_baseline(baseline(1, BaselineStatus.RETIRED))
        tx.put_baseline(baseline(2))
        tx.put_baseline(baseline(3, series=replace(SERIES, target="m/p/other")))
        assert [b.epoch for b in tx.baselines(target=TARGET, status=BaselineStatus.ACTIVE)] == [2]
        assert [b.epoch for b in tx.baselines(epoch=3)] == [3]


def test_a_reference_comes_back_as_it_went_in(store: Store) -> None:
    given = Reference("digest", 3, (LOGPROBS, LOGPROBS))
    with store.transaction() as tx:
        tx.put_references(TARGET, 1, [Reference("digest", 3), Reference("digest", 4)])
        tx.put_references(TARGET, 1, [given])
        assert tx.reference(TARGET, 1, "digest", 3) == given
        assert tx.reference(TARGET, 2, "digest", 3) is None


def test_a_change_is_recorded_once(store: Store) -> None:
    with store.transaction() as tx:
        assert [tx.add_change(change()), tx.add_change(change(summary="again"))] == [True, False]
        assert list(tx.changes()) == [change()]


def test_changes_between_two_times(store: Store) -> None:
    with store.transaction() as tx:
        for i in (3, 1, 2, 0):
            tx.add_change(change(i))
        assert list(tx.changes(since=T0 + MINUTE, until=T0 + 3 * MINUTE)) == [change(1), change(2)]


def test_a_fact_is_replaced(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_fact("a", "1")
        tx.put_fact("a", "2")
        assert (tx.fact("a"), tx.fact("b")) == ("2", None)
