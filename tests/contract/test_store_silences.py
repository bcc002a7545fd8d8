"""Silences, and what the outbox remembers of who was told: the same over memory, SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from canary.errors import NotFound, StoreError
from canary.records import IncidentState, Notification, NotificationKind, Silence
from canary.store import Retention, Store
from canary.store.base import GroupTimes, Telling
from tests.contract.store_values import DAY, MINUTE, T0, incident, notification

RESOLVE = NotificationKind.RESOLVE
LEASE = timedelta(minutes=1)


def silence(name: str = "51e1", **changes: Any) -> Silence:
    made = Silence(
        name, ("pool=a|b", "symptom!=shape"), "ann", "draining", T0, T0 + DAY, freezes=True, expired_by="bob"
    )
    return replace(made, **changes)


def put(store: Store, *silences: Silence) -> None:
    with store.transaction() as tx:
        for one in silences:
            tx.put_silence(one)


def owe(store: Store, *notifications: Notification) -> None:
    with store.transaction() as tx:
        tx.enqueue(notifications)


def deliver(store: Store, *names: str, at: int = 5) -> None:
    with store.transaction() as tx:
        for name in names:
            tx.delivered(name, T0 + at * MINUTE)


# -- silences


def test_a_silence_comes_back_as_it_went_in(store: Store) -> None:
    put(store, silence())
    with store.reading() as tx:
        assert tx.silence("51e1") == silence()


def test_a_silence_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    put(store, silence("51e1"), silence("7777"))
    with store.reading() as tx:
        assert tx.silence("51").id == "51e1"


@pytest.mark.parametrize("name", ["", "5", "9"])
def test_a_name_of_a_silence_that_is_not_clear_is_not_found(store: Store, name: str) -> None:
    put(store, silence("51e1"), silence("51e2"))
    with store.reading() as tx, pytest.raises(NotFound):
        tx.silence(name)


def test_silences_come_in_the_order_of_their_ends(store: Store) -> None:
    put(store, *(silence(f"s{n}", ends_at=T0 + n * MINUTE) for n in (3, 1, 2)))
    with store.reading() as tx:
        assert [one.id for one in tx.silences()] == ["s1", "s2", "s3"]
        assert [one.id for one in tx.silences(since=T0 + 2 * MINUTE)] == ["s3"]


def test_a_silence_that_is_put_again_replaces_the_one_before(store: Store) -> None:
    put(store, silence(), silence(ends_at=T0))
    with store.reading() as tx:
        assert [one.ends_at for one in tx.silences()] == [T0]


def test_a_reading_transaction_puts_no_silence(store: Store) -> None:
    with store.reading() as tx, pytest.raises(StoreError):
        tx.put_silence(silence())


def test_silences_are_forgotten_with_the_observations_of_their_time(store: Store) -> None:
    put(store, silence("old"), silence("new", ends_at=T0 + 20 * DAY))
    with store.transaction() as tx:
        tx.forget(Retention(), T0 + 402 * DAY)
    with store.reading() as tx:
        assert [one.id for one in tx.silences()] == ["new"]


# -- who was told


def test_what_was_told_last_is_known_whether_it_arrived_or_not(store: Store) -> None:
    owe(store, notification(0), notification(1, kind=RESOLVE), notification(2, receiver="chat"))
    deliver(store, "note0")
    with store.reading() as tx:
        assert list(tx.told(["abc1", "other"])) == [
            Telling("abc1", "chat", NotificationKind.TRIGGER, T0 + 2 * MINUTE),
            Telling("abc1", "pager", RESOLVE, T0 + MINUTE),
        ]
        assert list(tx.told([])) == []
        assert tx.last_told("abc1", "chat") == notification(2, receiver="chat")
        assert getattr(tx.last_told("abc1", "pager"), "kind", None) is RESOLVE
        assert tx.last_told("other", "pager") is None


def test_what_stands_is_the_last_that_arrived_of_each_incident(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_incident(incident("abc1"))
        tx.put_incident(incident("abc2"))
    later = notification(1, kind=NotificationKind.UPDATE, body='{"what": 2}')
    owe(store, notification(0), later, notification(2, kind=RESOLVE), notification(3, incident_id="abc2"))
    deliver(store, "note0", "note1", "note3")
    with store.reading() as tx:
        assert [one.id for one in tx.standing("pager", since=T0)] == ["note1", "note3"]
        assert tx.standing("pager", since=T0)[0].body == '{"what": 2}'
        assert list(tx.standing("chat", since=T0)) == []


def test_what_is_resolved_stands_no_longer_once_it_was_long_ago(store: Store) -> None:
    over = incident(state=IncidentState.RESOLVED, resolved_at=T0 + MINUTE)
    with store.transaction() as tx:
        tx.put_incident(over)
    owe(store, notification(0, kind=RESOLVE))
    deliver(store, "note0")
    with store.reading() as tx:
        assert [one.id for one in tx.standing("pager", since=over.updated_at)] == ["note0"]
        assert list(tx.standing("pager", since=over.updated_at + MINUTE)) == []


def test_what_was_told_of_an_open_incident_is_remembered_for_as_long_as_it_is_open(store: Store) -> None:
    closed = incident("done", state=IncidentState.RESOLVED, resolved_at=T0)
    with store.transaction() as tx:
        tx.put_incident(incident("abc1"))
        tx.put_incident(closed)
    owe(store, notification(0), notification(1, incident_id="done"))
    deliver(store, "note0", "note1")
    with store.transaction() as tx:
        tx.forget(Retention(), T0 + 90 * DAY)
        assert [one.incident_id for one in tx.told(["abc1", "done"])] == ["abc1"]


# -- groups


def test_the_group_of_a_notification_comes_back(store: Store) -> None:
    owe(store, notification(0, group="group|mid"))
    with store.transaction() as tx:
        assert tx.claim(now=T0, lease=LEASE, limit=9)[0].group == "group|mid"


def test_of_a_group_is_known_when_it_goes_next_and_when_it_went_last(store: Store) -> None:
    owe(store, *(notification(n, incident_id=f"i{n}", group="g") for n in range(3)), notification(4, incident_id="x"))
    deliver(store, "note0", at=7)
    with store.reading() as tx:
        assert tx.group_times("pager", "g") == GroupTimes(T0 + MINUTE, T0 + 7 * MINUTE)
        assert tx.group_times("chat", "g") == GroupTimes()


def test_what_waits_can_be_told_as_it_is_now(store: Store) -> None:
    owe(store, notification(0), notification(1, incident_id="other"))
    with store.transaction() as tx:
        assert tx.amend(notification(2, body='{"what": 3}'))
        claimed = tx.claim(now=T0 + DAY, lease=LEASE, limit=9)
    assert [(one.id, one.kind, one.body) for one in claimed] == [
        ("note0", NotificationKind.TRIGGER, '{"what": 3}'),
        ("note1", NotificationKind.TRIGGER, '{"what": 1}'),
    ]


def test_what_was_tried_or_is_under_way_is_not_changed(store: Store) -> None:
    owe(store, notification(0), notification(1, incident_id="tried"), notification(2, incident_id="gone"))
    with store.transaction() as tx:
        tx.claim(now=T0, lease=LEASE, limit=1)
        tx.retry("note1", not_before=T0, reason="down")
        tx.delivered("note2", T0)
        amended = [tx.amend(notification(9, incident_id=name)) for name in ("abc1", "tried", "gone", "unheard-of")]
    assert amended == [False] * 4


def test_only_the_last_of_a_line_waits_and_only_when_it_says_how_things_stand(store: Store) -> None:
    owe(store, notification(0), notification(1, kind=NotificationKind.UPDATE), notification(2, receiver="chat"))
    owe(store, notification(3, receiver="chat", kind=RESOLVE))
    with store.transaction() as tx:
        assert tx.waiting("abc1", "pager") == notification(1, kind=NotificationKind.UPDATE)
        assert tx.waiting("abc1", "chat") is None
        assert not tx.amend(notification(9, receiver="chat"))
        assert tx.last_told("abc1", "pager", but="note1") == notification(0)


@pytest.mark.parametrize("begun", ["claimed", "tried", "delivered"])
def test_what_was_begun_waits_no_longer(store: Store, begun: str) -> None:
    owe(store, notification(0))
    with store.transaction() as tx:
        if begun == "claimed":
            tx.claim(now=T0, lease=LEASE, limit=1)
        elif begun == "tried":
            tx.retry("note0", not_before=T0, reason="down")
        else:
            tx.delivered("note0", T0)
        assert tx.waiting("abc1", "pager") is None
