"""Receivers over real sockets, against strict stand-ins of the services they talk to."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from threading import Event

import pytest

from canary.alert.receivers.grafana import Grafana
from canary.alert.receivers.pagerduty import PagerDuty
from canary.alert.receivers.slack import Slack
from canary.alert.rehearsal import rehearsal
from canary.alert.specs import GrafanaSpec, PagerDutySpec, SlackSpec
from canary.alert.wording import Wording
from canary.clock import SystemClock
from canary.errors import DeliveryError
from canary.http import HttpClient
from canary.records import Notification, NotificationKind
from canary.testing import FakeClock
from tests.integration.strict import HTML, JSON, GrafanaService, PagerDutyService, SlackService, serving
from tests.unit.alert.findings import START, finding
from tests.unit.alert.told import LINKS, opened, told

pytestmark = pytest.mark.anyio

TRIGGER, UPDATE = NotificationKind.TRIGGER, NotificationKind.UPDATE
ACKNOWLEDGE, RESOLVE, REPEAT = NotificationKind.ACKNOWLEDGE, NotificationKind.RESOLVE, NotificationKind.REPEAT
CHANGE = Notification(
    "n", "change:c1", NotificationKind.CHANGE, "r", json.dumps({
        "id": "c1", "kind": "deploy", "at": "2025-08-25T11:27:00+00:00", "summary": "engine 2.4", "author": "ann",
        "link": "https://ci.example.com/7", "where": "opus/api/*", "text": ['deploy "engine 2.4" on opus/api/*'],
    }), START, START,
)  # fmt: skip
REMINDER = replace(
    CHANGE, kind=NotificationKind.REMINDER, body=json.dumps({"summary": "s", "text": ["the silence ends", "reason x"]})
)


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    yield client
    await client.aclose()


async def refusal(delivery: "asyncio.Future[None] | object") -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await delivery  # type: ignore[misc]
    return caught.value


# -- PagerDuty


async def test_pagerduty_follows_an_incident_from_trigger_to_resolve(http: HttpClient) -> None:
    service = PagerDutyService()
    with serving(service) as url:
        receiver = PagerDuty(PagerDutySpec(service.key, url), http=http)
        for kind in (TRIGGER, UPDATE, REPEAT, ACKNOWLEDGE, RESOLVE):
            await receiver.deliver(told(kind))
    assert service.actions == ["trigger", "trigger", "trigger", "acknowledge", "resolve"]
    assert [(name, alert["state"]) for name, alert in service.alerts.items()] == [(opened().id, "resolve")]


async def test_pagerduty_is_told_what_where_since_how_big_evidence_suspects_and_how_to_replay(http: HttpClient) -> None:
    service = PagerDutyService()
    with serving(service) as url:
        await PagerDuty(PagerDutySpec(service.key, url), http=http).deliver(told())
    payload = service.alerts[opened().id]["payload"]
    details = payload["custom_details"]
    assert payload["summary"] == "[page] corruption on opus/api/tpu-1: 0.8 % of answers (0.4 % to 1.6 %)"
    assert (payload["source"], payload["severity"], payload["class"]) == ("opus/api/tpu-1", "critical", "corruption")
    assert datetime.fromisoformat(payload["timestamp"]) < START
    assert details["evidence"] == "slot-a, slot-b"
    assert details["suspects"][0].startswith('80% deploy "engine <2.4> & co" on opus/api/* by ann')
    assert details["replay"] == f"canary replay {opened().id} --target opus/api/tpu-1 -n 200"
    assert "answers" not in details


async def test_pagerduty_hears_of_changes_as_change_events(http: HttpClient) -> None:
    service = PagerDutyService()
    with serving(service) as url:
        await PagerDuty(PagerDutySpec(service.key, url, changes=True), http=http).deliver(CHANGE)
    (event,) = service.changes
    assert event["payload"]["summary"] == "engine 2.4"
    assert event["links"] == [{"href": "https://ci.example.com/7", "text": "change"}]


async def test_pagerduty_wakes_nobody_for_a_reminder(http: HttpClient) -> None:
    receiver = PagerDuty(PagerDutySpec("key", "http://127.0.0.1:1"), http=http)
    await receiver.deliver(REMINDER)
    assert receiver.preview(REMINDER) == ""


async def test_a_wrong_routing_key_is_refused_and_told_nobody(http: HttpClient) -> None:
    service = PagerDutyService()
    with serving(service) as url:
        error = await refusal(PagerDuty(PagerDutySpec("wr0ng", url), http=http).deliver(told()))
    assert (error.refused, str(error)) == (True, "answered 400")


# -- Slack


def slack(http: HttpClient, url: str, service: SlackService, **changes: object) -> Slack:
    return Slack(SlackSpec(url + service.path, Wording(**changes)), http=http)  # type: ignore[arg-type]


async def test_slack_takes_every_kind_of_notification(http: HttpClient) -> None:
    service = SlackService()
    with serving(service) as url:
        for kind in (TRIGGER, UPDATE, ACKNOWLEDGE, RESOLVE, REPEAT):
            await slack(http, url, service).deliver(told(kind))
        for other in (CHANGE, REMINDER):
            await slack(http, url, service).deliver(other)
    heads = [message["blocks"][0]["text"]["text"].split("]")[0] for message in service.messages]
    assert heads == ["[page", "[update", "[acknowledged", "[resolved", "[still open", "[change", "[reminder"]


async def test_slack_shows_facts_links_and_how_to_replay_and_reads_no_markup_from_the_fleet(http: HttpClient) -> None:
    service = SlackService()
    with serving(service) as url:
        await slack(http, url, service).deliver(told(incident=opened(finding(target="opus/api/<!channel>"))))
    shown = json.dumps(service.messages)
    assert "<!channel>" not in json.dumps([block["text"] for block in service.messages[0]["blocks"][1:]])
    assert "engine &lt;2.4&gt; &amp; co" in shown
    assert "<https://wiki.example.com/corruption|runbook>" in shown
    assert "canary replay" in shown


async def test_slack_lets_nothing_out_of_the_code_that_it_stands_in(http: HttpClient) -> None:
    service, hostile = SlackService(), "``` <!channel> & `"
    body = json.loads(told().body) | {"text": ["head", hostile, "&" * 5_000], "suspects": [{"words": hostile}]}
    note = replace(told(), body=json.dumps(body))
    with serving(service) as url:
        await slack(http, url, service).deliver(note)
        await slack(http, url, service, text="{suspects}").deliver(note)
    plain, templated = service.messages
    code = plain["blocks"][1]["text"]["text"]
    assert (code[:3], code.count("`"), code[-3:]) == ("```", 6, "```")
    assert code[3:-3].replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").count("&") == 0
    assert len(code) <= 3_000
    assert templated["blocks"][1]["text"]["text"] == "ˋˋˋ &lt;!channel&gt; &amp; ˋ"


async def test_slack_makes_one_message_of_many(http: HttpClient) -> None:
    service = SlackService()
    many = [told(incident=opened(finding(target=f"opus/api/p{n}"))) for n in range(60)]
    with serving(service) as url:
        await slack(http, url, service).digest(many)
    (message,) = service.messages
    assert message["blocks"][0]["text"]["text"] == "60 notifications: page"
    assert "and 50 more" in message["blocks"][-1]["text"]["text"]


async def test_slack_cuts_what_is_too_long(http: HttpClient) -> None:
    service = SlackService()
    huge = told()
    body = json.loads(huge.body) | {"text": ["head", *("x" * 200 for _ in range(100))], "summary": "s" * 999}
    with serving(service) as url:
        await slack(http, url, service).deliver(replace(huge, body=json.dumps(body)))
        await slack(http, url, service, text="{text}").deliver(replace(huge, body=json.dumps(body)))
    assert len(service.messages) == 2


async def test_the_users_own_words_are_used(http: HttpClient) -> None:
    service = SlackService()
    with serving(service) as url:
        await slack(http, url, service, title="{status}: {model}", text="{suspects}").deliver(told())
    first, second = service.messages[0]["blocks"]
    assert first["text"]["text"] == "page: opus"
    assert second["text"]["text"].startswith('80% deploy "engine &lt;2.4&gt;')


# -- Grafana


def grafana(http: HttpClient, url: str, service: GrafanaService, **changes: object) -> Grafana:
    spec = GrafanaSpec(f"{url}{service.root}/", service.token, **changes)  # type: ignore[arg-type]
    return Grafana(spec, http=http, clock=FakeClock(START))


async def test_an_incident_is_one_region_from_onset_to_end_however_often_it_is_told(http: HttpClient) -> None:
    service = GrafanaService()
    with serving(service) as url:
        for kind in (TRIGGER, TRIGGER, UPDATE, RESOLVE, RESOLVE):
            await grafana(http, url, service, tags=("team",)).deliver(told(kind))
        await grafana(http, url, service).deliver(told(incident=opened(finding(target="opus/api/other"))))
    first, other = service.annotations.values()
    assert first["time"] == 1756121400000  # 2025-08-25 11:30, the onset
    assert first["timeEnd"] == 1756124400000  # 12:20, the end
    assert {"canary", "team", "model:opus", "symptom:corruption"} <= set(first["tags"])
    assert first["tags"] != other["tags"]


async def test_what_grafana_shows_as_html_is_escaped(http: HttpClient) -> None:
    service = GrafanaService()
    with serving(service) as url:
        await grafana(http, url, service, dashboard="canary-fleet").deliver(told())
    (made,) = service.annotations.values()
    assert "engine &lt;2.4&gt; &amp; co" in made["text"]
    assert made["dashboardUID"] == "canary-fleet"


@pytest.mark.parametrize(
    ("reply", "refused"),
    [
        ((401, JSON, "{}"), True),
        ((403, JSON, "{}"), True),
        ((404, JSON, "{}"), True),
        ((409, JSON, "{}"), True),
        ((412, JSON, "{}"), True),
        ((429, JSON, "{}"), False),
        ((500, JSON, "{}"), False),
        ((503, HTML, "<html>"), False),
        ((302, HTML, ""), True),
        ((200, HTML, "<html>Log in</html>"), True),
        ((200, JSON, '{"id": 3}'), True),
        ((200, JSON, '[{"id": "x"}]'), True),
    ],
)
async def test_whatever_grafana_answers_instead_makes_no_annotation(
    http: HttpClient, reply: tuple[int, str, str], refused: bool
) -> None:
    service = GrafanaService(troubles=[reply])
    with serving(service) as url:
        error = await refusal(grafana(http, url, service).deliver(told()))
    assert (error.refused, service.annotations) == (refused, {})
    assert "Log in" not in str(error)


async def test_a_service_that_hangs_is_left_in_time(http: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    monkeypatch.setattr("canary.alert.receivers.request.TIMEOUT", timedelta(seconds=0.2))
    hang = Event()
    service = GrafanaService(hang=hang)
    with serving(service) as url:
        error = await refusal(grafana(http, url, service).deliver(told()))
        hang.set()
    assert not error.refused
    assert "no whole answer" in str(error)


async def test_a_service_that_is_down_is_tried_again(http: HttpClient) -> None:
    error = await refusal(grafana(http, "http://127.0.0.1:1", GrafanaService()).deliver(told()))
    assert (error.refused, "ECONNREFUSED" in str(error)) == (False, True)


async def test_changes_and_reminders_are_no_incidents(http: HttpClient) -> None:
    service = GrafanaService()
    with serving(service) as url:
        for other in (CHANGE, REMINDER):
            await grafana(http, url, service).deliver(other)
    assert service.requests == []


# -- tests of receivers


async def test_a_rehearsal_is_marked_and_ends_what_it_began(http: HttpClient) -> None:
    service = PagerDutyService()
    with serving(service) as url:
        for one in rehearsal("duty", "opus/api/tpu-1", "eu", LINKS, SystemClock().now()):
            await PagerDuty(PagerDutySpec(service.key, url), http=http).deliver(one)
    (alert,) = service.alerts.values()
    assert alert["state"] == "resolve"
    assert alert["payload"]["summary"] == "[TEST, page] TEST of this receiver: nothing is wrong"
