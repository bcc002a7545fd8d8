"""Who is owed what, over a store in memory."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from canary.alert.incident import Decision, Policy, Reason, absorb, acknowledge, recover, resolve, suppress
from canary.alert.maintenance import Window
from canary.alert.routing import Pace, Route
from canary.alert.silences import expired, made
from canary.alert.specs import ConsoleSpec, PagerDutySpec, ReceiverSpec, WebhookSpec
from canary.pipeline.tell import Audience, is_due, make_rounds, tell, tell_change
from canary.records import (
    Change,
    ChangeKind,
    Incident,
    IncidentState,
    Label,
    Notification,
    NotificationKind,
    Silence,
    Symptom,
    matcher,
)
from canary.store import MemoryStore
from tests.contract.store_values import observation
from tests.unit.alert.findings import START, finding, minutes

TRIGGER, UPDATE = NotificationKind.TRIGGER, NotificationKind.UPDATE
ACKNOWLEDGE, RESOLVE, REPEAT = NotificationKind.ACKNOWLEDGE, NotificationKind.RESOLVE, NotificationKind.REPEAT
PAGER, CHAT = ReceiverSpec("pager", WebhookSpec("http://h/1")), ReceiverSpec("chat", WebhookSpec("http://h/2"))
POLICY = Policy()
HOUR = timedelta(hours=1)


def child(name: str, *texts: str, go_on: bool = False, pace: Pace | None = None) -> Route:
    return Route(name, tuple(map(matcher, texts)), go_on=go_on, pace=pace or Pace())


class Desk:
    """Puts decisions into the store and tells of them; delivers what is due."""

    def __init__(self, route: Route | None = None, **changes: Any) -> None:
        self.store = MemoryStore()
        self.audience = Audience((PAGER, CHAT), route or Route("pager"), **changes)
        self.taken: list[Notification] = []

    def decide(self, decision: Decision, now: datetime = START) -> Incident:
        incident, reason = decision
        with self.store.transaction() as tx:
            tx.put_incident(incident)
            tell(tx, incident, reason, now, self.audience, ())
        return incident

    def opened(self, *signals: str, now: datetime = START) -> Incident:
        return self.decide(absorb(None, finding(*signals), now, POLICY), now)

    def rounds(self, now: datetime) -> int:
        with self.store.reading() as tx:
            due = is_due(tx, now, "eu", self.audience, ())
        with self.store.transaction() as tx:
            owed = make_rounds(tx, now, "eu", self.audience, ())
        assert due == bool(owed)
        return owed

    def silence(self, *texts: str, lasts: timedelta = HOUR, now: datetime = START) -> Silence:
        one = made(tuple(map(matcher, texts or ("pool=*",))), "ann", "why", now, now + lasts)
        with self.store.transaction() as tx:
            tx.put_silence(one)
        return one

    def deliver(self, now: datetime = START) -> None:
        with self.store.transaction() as tx:
            for one in tx.claim(now=now, lease=HOUR, limit=100):
                tx.delivered(one.id, now)
                self.taken.append(one)

    def heard(self, now: datetime = START) -> list[tuple[str, NotificationKind]]:
        """By whom and what, since it was asked last."""
        before = len(self.taken)
        for _ in range(5):  # what is behind another of its incident is due once that is delivered
            self.deliver(now)
        return [(one.receiver, one.kind) for one in self.taken[before:]]


def joined(incident: Incident, now: datetime = START) -> Decision:
    return absorb(incident, finding("distance", Symptom.DEVIATION), now, POLICY)


# -- routes


def test_an_incident_is_told_where_the_routes_lead() -> None:
    desk = Desk(Route("chat", routes=(child("pager", "pool=tpu-*"),)))
    desk.opened()
    assert desk.heard() == [("pager", TRIGGER)]


def test_a_resolve_goes_to_whoever_was_told_even_when_the_routes_lead_elsewhere_by_now() -> None:
    desk = Desk(Route("pager"))
    incident = desk.opened()
    desk.audience = replace(desk.audience, route=Route("chat"))
    desk.decide(resolve(incident, "ann", START))
    assert desk.heard() == [("pager", TRIGGER), ("pager", RESOLVE)]


def test_an_acknowledgement_reaches_the_pager_that_only_hears_of_pages() -> None:
    desk = Desk(Route("chat", routes=(child("pager", "severity=page"),)))
    desk.decide(acknowledge(desk.opened(), "ann", START))
    assert desk.heard() == [("pager", TRIGGER), ("pager", ACKNOWLEDGE)]


def test_who_hears_of_an_incident_only_now_hears_a_trigger_and_the_others_an_update() -> None:
    route = Route("pager", routes=(child("chat", "symptom=deviation", go_on=True), child("pager")))
    desk = Desk(route)
    desk.decide(joined(desk.opened()))
    assert desk.heard() == [("pager", TRIGGER), ("chat", TRIGGER), ("pager", UPDATE)]


def test_a_receiver_that_is_configured_no_longer_is_not_owed_a_resolve() -> None:
    desk = Desk()
    incident = desk.opened()
    desk.audience = replace(desk.audience, receivers=(CHAT,))
    desk.decide(resolve(incident, "ann", START))
    assert desk.heard() == [("pager", TRIGGER)]


def test_nobody_hears_the_end_of_what_nobody_was_told() -> None:
    desk = Desk()
    incident, _ = absorb(None, finding(), START, POLICY, suppressed_by="other")
    desk.decide((incident, Reason.OPENED))
    desk.decide(resolve(incident, "ann", START))
    assert desk.heard() == []


def test_a_resolve_passes_when_the_incident_was_suppressed_meanwhile() -> None:
    desk = Desk()
    hushed = desk.decide(suppress(desk.opened(), "other", START))
    desk.decide(recover(hushed, hushed.findings[0].series, START))
    assert desk.heard() == [("pager", TRIGGER), ("pager", RESOLVE)]


def test_what_is_released_is_told_anew() -> None:
    desk = Desk()
    incident, _ = absorb(None, finding(), START, POLICY, suppressed_by="other")
    desk.decide((incident, Reason.OPENED))
    desk.decide(absorb(incident, finding(), START, POLICY))
    assert desk.heard() == [("pager", TRIGGER)]


# -- growth


def grown(incident: Incident, share: float, now: datetime = START) -> Decision:
    return absorb(incident, finding(share=share), now, POLICY)


def test_growth_that_nobody_acts_on_is_not_told() -> None:
    desk = Desk()
    incident = desk.opened()
    incident, reason = absorb(incident, finding("syntax_error"), START, POLICY)
    desk.decide((incident, reason))
    assert (reason, desk.heard()) == (Reason.JOINED, [("pager", TRIGGER)])


def test_an_update_says_what_is_new_in_it() -> None:
    desk = Desk()
    desk.decide(grown(desk.opened(), share=0.16))
    assert desk.heard() == [("pager", TRIGGER), ("pager", UPDATE)]
    body = json.loads(desk.taken[-1].body)
    assert body["news"] == ["it touches 16 % now, and 0.8 % were told"]
    assert body["text"][1] == f"new      {body['news'][0]}"


def test_slow_growth_adds_up_to_an_update() -> None:
    desk = Desk()
    incident = desk.opened()
    desk.heard()
    for share, told in ((0.013, False), (0.017, True), (0.03, False), (0.036, True)):
        incident = replace(incident, findings=(finding(share=share),), version=incident.version + 1)
        desk.decide((incident, Reason.WORSENED))
        assert (("pager", UPDATE) in desk.heard()) is told


# -- silences and maintenance


def test_a_silenced_incident_is_kept_and_not_told() -> None:
    desk = Desk()
    desk.silence()
    desk.opened()
    assert desk.heard() == []


def test_a_resolve_passes_through_a_silence() -> None:
    desk = Desk()
    incident = desk.opened()
    desk.silence()
    desk.decide(joined(incident))
    desk.decide(resolve(incident, "ann", START))
    assert desk.heard() == [("pager", TRIGGER), ("pager", RESOLVE)]


def test_what_is_still_open_when_a_silence_ends_is_told_then_and_once() -> None:
    desk = Desk()
    desk.silence(lasts=HOUR)
    desk.opened()
    assert desk.rounds(START + minutes(30)) == 0
    assert desk.rounds(START + minutes(61)) == 1
    assert desk.rounds(START + minutes(62)) == 0
    assert desk.heard(START + minutes(62)) == [("pager", TRIGGER)]


def under_a_silence(desk: Desk, decision: Reason = Reason.WORSENED, **changes: Any) -> Incident:
    """Told of, and changed under a silence of an hour."""
    incident = desk.opened()
    desk.heard()
    desk.silence(lasts=HOUR)
    at = START + minutes(10)
    return desk.decide((replace(incident, version=2, updated_at=at, **changes), decision), at)


def test_what_grew_under_a_silence_is_told_when_it_ends_and_once() -> None:
    desk = Desk()
    under_a_silence(desk, findings=(finding(share=0.3),))
    assert [desk.rounds(START + minutes(n)) for n in (30, 61, 62)] == [0, 1, 0]
    assert desk.heard(START + minutes(62)) == [("pager", UPDATE)]
    assert json.loads(desk.taken[-1].body)["news"] == ["it touches 30 % now, and 0.8 % were told"]


def test_what_grew_under_a_maintenance_window_is_told_when_it_ends() -> None:
    desk = Desk(windows=(Window("w", (matcher("pool=tpu-*"),), START + minutes(1), HOUR),))
    incident = desk.opened()
    at = START + minutes(10)
    desk.decide(joined(incident, at), at)
    assert [desk.rounds(START + minutes(n)) for n in (30, 61, 62)] == [0, 1, 0]


def test_what_somebody_took_and_grew_under_a_silence_is_told_as_an_update() -> None:
    desk = Desk()
    under_a_silence(desk, findings=(finding(share=0.3),), state=IncidentState.ACKNOWLEDGED, acknowledged_by="ann")
    assert desk.rounds(START + minutes(61)) == 1
    assert desk.heard(START + minutes(61)) == [("pager", UPDATE)]


def test_what_grew_under_a_silence_by_nothing_to_act_on_is_not_told_when_it_ends() -> None:
    desk = Desk()
    under_a_silence(desk, findings=(finding(share=0.009),))
    assert desk.rounds(START + minutes(61)) == 0


def test_what_is_open_when_a_silence_is_expired_by_hand_is_told() -> None:
    desk = Desk()
    silence = desk.silence(lasts=HOUR)
    desk.opened()
    with desk.store.transaction() as tx:
        tx.put_silence(expired(silence, "bob", START + minutes(5)))
    assert desk.rounds(START + minutes(5)) == 1


def test_a_silence_of_one_pool_does_not_hush_up_another() -> None:
    desk = Desk()
    desk.silence("pool=gpu-*")
    desk.opened()
    assert desk.heard() == [("pager", TRIGGER)]


def test_nobody_is_told_of_what_is_worked_on() -> None:
    desk = Desk(windows=(Window("w", (matcher("pool=tpu-*"),), START, HOUR),))
    desk.opened()
    assert desk.heard() == []
    assert desk.rounds(START + HOUR) == 1


def test_a_long_silence_is_reminded_of_once_for_each_receiver_that_can_tell_people() -> None:
    desk = Desk()
    desk.audience = replace(desk.audience, receivers=(PAGER, ReceiverSpec("duty", PagerDutySpec("key"))))
    desk.silence(lasts=5 * HOUR)
    desk.rounds(START + minutes(250))
    desk.rounds(START + minutes(251))
    assert desk.heard(START + minutes(252)) == [("pager", NotificationKind.REMINDER)]


# -- repeats


def repeating(every: timedelta) -> Desk:
    return Desk(Route("pager", pace=Pace(repeat=every)))


def test_an_open_incident_is_repeated_after_its_interval_and_not_before() -> None:
    desk = repeating(4 * HOUR)
    desk.opened()
    assert [desk.rounds(START + n * HOUR) for n in (3, 4, 5, 8)] == [0, 1, 0, 1]
    assert desk.heard(START + 9 * HOUR) == [("pager", TRIGGER), ("pager", REPEAT), ("pager", REPEAT)]


def test_an_acknowledged_or_resolved_incident_is_not_repeated() -> None:
    desk = repeating(HOUR)
    taken = desk.decide(acknowledge(desk.opened(), "ann", START))
    assert desk.rounds(START + 9 * HOUR) == 0
    desk.decide(resolve(taken, "ann", START))
    assert desk.rounds(START + 9 * HOUR) == 0


def test_an_incident_that_another_region_sees_is_left_to_it() -> None:
    desk = Desk()
    incident, _ = absorb(None, finding(), START, POLICY)
    with desk.store.transaction() as tx:
        tx.put_incident(incident)
        assert make_rounds(tx, START, "us", desk.audience, ()) == 0
        assert make_rounds(tx, START, "eu", desk.audience, ()) == 1


# -- groups


GROUPED = Pace(group_by=(Label.MODEL,), group_wait=minutes(1), group_interval=minutes(10))


def grouped(count: int, desk: Desk) -> Sequence[Incident]:
    return [
        desk.decide(
            absorb(None, finding(target=f"opus/api/p{n}", onset=n), START + minutes(n / 4), POLICY),
            START + minutes(n / 4),
        )
        for n in range(count)
    ]


def test_those_of_a_group_go_together_after_the_wait_of_the_first() -> None:
    desk = Desk(Route("pager", pace=GROUPED))
    grouped(3, desk)
    assert desk.heard(START + minutes(0.9)) == []
    assert len(desk.heard(START + minutes(1))) == 3
    assert len({one.group for one in desk.taken}) == 1


def test_later_ones_of_a_group_wait_for_its_interval() -> None:
    desk = Desk(Route("pager", pace=GROUPED))
    grouped(1, desk)
    desk.heard(START + minutes(1))
    later = START + minutes(3)
    desk.decide(absorb(None, finding(target="opus/api/late"), later, POLICY), later)
    assert desk.heard(START + minutes(10.9)) == []
    assert desk.heard(START + minutes(11)) == [("pager", TRIGGER)]


def test_a_group_that_was_quiet_for_long_is_told_at_once() -> None:
    desk = Desk(Route("pager", pace=GROUPED))
    grouped(1, desk)
    desk.heard(START + minutes(1))
    later = START + minutes(60)
    desk.decide(absorb(None, finding(target="opus/api/late"), later, POLICY), later)
    assert desk.heard(later) == [("pager", TRIGGER)]


def test_what_waits_in_a_group_is_told_as_it_is_when_it_goes() -> None:
    desk = Desk(Route("pager", pace=GROUPED))
    (incident,) = grouped(1, desk)
    desk.decide(joined(incident, START + minutes(0.5)), START + minutes(0.5))
    assert desk.heard(START + minutes(1)) == [("pager", TRIGGER)]
    assert json.loads(desk.taken[0].body)["symptoms"] == ["corruption", "deviation"]


def test_a_trigger_that_waits_stays_a_trigger_without_news_whatever_happens_meanwhile() -> None:
    desk = Desk(Route("pager", pace=GROUPED))
    (incident,) = grouped(1, desk)
    desk.decide(joined(incident, START + minutes(0.5)), START + minutes(0.5))
    desk.heard(START + minutes(1))
    body = json.loads(desk.taken[0].body)
    assert (body["kind"], body.get("news")) == ("trigger", None)


def told_and_then(desk: Desk, *shares: float) -> Incident:
    """Told of, and then of these shares, minute by minute, while the group waits."""
    incident = desk.opened()
    desk.heard(START + minutes(1))
    for n, share in enumerate(shares, 2):
        incident = replace(incident, findings=(finding(share=share),), version=incident.version + 1)
        desk.decide((incident, Reason.WORSENED), START + minutes(n))
    return incident


def test_an_update_that_waits_says_all_that_is_new_since_what_was_told_before_it() -> None:
    desk = Desk(Route("pager", pace=GROUPED))
    incident = told_and_then(desk, 0.1)
    desk.decide(joined(incident, START + minutes(3)), START + minutes(3))
    assert desk.heard(START + minutes(11)) == [("pager", UPDATE)]
    assert json.loads(desk.taken[-1].body)["news"] == [
        "it shows deviation too",
        "it touches 10 % now, and 0.8 % were told",
    ]


def test_an_update_that_waits_and_is_no_news_any_more_goes_as_things_stand() -> None:
    desk = Desk(Route("pager", pace=GROUPED))
    told_and_then(desk, 0.1, 0.008)
    desk.heard(START + minutes(11))
    body = json.loads(desk.taken[-1].body)
    assert (body["size"]["share"], body.get("news")) == (0.008, None)


def test_an_acknowledgement_that_waits_is_not_overwritten_by_an_update() -> None:
    desk = Desk(Route("pager", pace=GROUPED))
    (incident,) = grouped(1, desk)
    desk.decide(joined(desk.decide(acknowledge(incident, "ann", START)), START + minutes(0.5)), START + minutes(0.5))
    desk.heard(START + minutes(20))
    assert [json.loads(one.body)["kind"] for one in desk.taken] == [one.kind.value for one in desk.taken]


# -- what is told


def test_a_private_receiver_is_shown_answers_and_no_other() -> None:
    desk = Desk(Route("pager", routes=(child("pager", go_on=True), child("chat"))))
    desk.audience = replace(desk.audience, receivers=(PAGER, replace(CHAT, private=True)))
    with desk.store.transaction() as tx:
        tx.add_observations([observation()])
    incident, _ = absorb(None, finding(evidence=("slot000000",)), START, POLICY)
    desk.decide((incident, Reason.OPENED))
    desk.deliver()
    bodies = {one.receiver: one.body for one in desk.taken}
    assert "ordinary" not in bodies["pager"]
    assert json.loads(bodies["chat"])["answers"] == [
        {"slot": "slot000000", "probe": "greet-en", "text": "ordinary, \x00 and \\ud800 alone"}
    ]


def test_a_recorded_change_is_told_to_those_who_want_to_hear_of_changes_and_once() -> None:
    desk = Desk()
    duty = ReceiverSpec("duty", PagerDutySpec("key", changes=True))
    desk.audience = replace(desk.audience, receivers=(duty, PAGER, ReceiverSpec("log", ConsoleSpec())))
    change = Change("c1", ChangeKind.DEPLOY, START, "engine 2.4", author="ann")
    for _ in range(2):
        with desk.store.transaction() as tx:
            tell_change(tx, change, START, desk.audience)
    assert desk.heard() == [("duty", NotificationKind.CHANGE)]
