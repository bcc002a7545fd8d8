"""Receivers, routes, maintenance windows and links, as the config says them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from canary.alert.incident import Policy, absorb
from canary.alert.maintenance import Window
from canary.alert.routing import Pace, hearers
from canary.alert.specs import (
    AlertmanagerSpec,
    ConsoleSpec,
    EmailSpec,
    GrafanaSpec,
    PagerDutySpec,
    SlackSpec,
    Tls,
    WebhookSpec,
)
from canary.alert.wording import TITLE, Wording
from canary.config import effective, json_schema
from canary.daemon.audience import audience_of, links_of
from canary.records import Label, matcher
from tests.unit.alert.findings import START, finding
from tests.unit.config.conftest import Failing, Loading
from tests.unit.config.texts import ENDPOINTS, HEAD, PROBES, SUITES, with_top

INCIDENT, _ = absorb(None, finding(target="mid/api/short"), START, Policy())
SECRET = "s3cret-marker"

RECEIVERS = """\
receivers:
  - {name: log, kind: console}
  - {name: hook, kind: webhook, url: "${URL}", secret: "${SECRET}"}
  - {name: chat, kind: slack, url: "${URL}", title: "{status}: {summary}", text: "{text}", private: true}
  - {name: duty, kind: pagerduty, routing_key: "${SECRET}", changes: true}
  - name: am
    kind: alertmanager
    url: http://am:9093
    token: ${SECRET}
    headers: {x-scope: "${SECRET}"}
    labels: {team: llm}
    resend: 30s
  - {name: notes, kind: grafana, url: "http://g/grafana/", token: "${SECRET}", tags: [llm], dashboard: canary-fleet}
  - name: mail
    kind: email
    host: post.example.com
    tls: tls
    port: 465
    username: canary
    password: ${SECRET}
    sender: canary@example.com
    to: [oncall@example.com]
"""
ENVIRON = {"URL": f"https://hooks.example.com/{SECRET}", "SECRET": SECRET}

ROUTE = """\
receivers:
  - {name: chat, kind: console}
  - {name: pager, kind: console}
  - {name: tpu, kind: console}
route:
  receiver: chat
  group_by: [model]
  group_wait: 10s
  routes:
    - receiver: pager
      matchers: [severity=page, "pool!=long"]
      continue: true
      repeat_interval: 1h
      routes:
        - {receiver: tpu, matchers: ["platform=tpu"]}
    - {matchers: ["model=mid"], group_by: []}
"""


def test_every_kind_of_receiver_can_be_written(loading: Loading) -> None:
    config = loading(with_top(RECEIVERS), ENVIRON)
    found = {one.name: one for one in audience_of(config).receivers}
    assert {name: one.spec for name, one in found.items()} == {
        "log": ConsoleSpec(),
        "hook": WebhookSpec(ENVIRON["URL"], SECRET),
        "chat": SlackSpec(ENVIRON["URL"], Wording("{status}: {summary}", "{text}")),
        "duty": PagerDutySpec(SECRET, changes=True),
        "am": AlertmanagerSpec(
            "http://am:9093", SECRET, {"x-scope": SECRET}, {"team": "llm"}, timedelta(seconds=30), TITLE
        ),
        "notes": GrafanaSpec("http://g/grafana/", SECRET, ("llm",), "canary-fleet"),
        "mail": EmailSpec(
            "post.example.com", 465, "canary@example.com", ("oncall@example.com",), Tls.TLS, "canary", SECRET
        ),
    }
    assert [name for name, one in found.items() if one.private] == ["chat"]


def test_no_secret_of_a_receiver_is_ever_shown(loading: Loading) -> None:
    config = loading(with_top(RECEIVERS), ENVIRON)
    assert SECRET not in f"{config!r} {effective(config)} {audience_of(config)!r}"


def test_what_may_be_written_is_in_the_schema(loading: Loading) -> None:
    config = loading(with_top(RECEIVERS), ENVIRON)
    jsonschema.validate(effective(config), json_schema())
    jsonschema.validate(effective(loading(with_top(ROUTE))), json_schema())


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{name: a, kind: carrier-pigeon}", "has an unknown kind"),
        ("{name: a, kind: slack}", "url: is required"),
        ('{name: a, kind: slack, url: "http://h/", title: "{sumary}"}', "names {sumary}, which is no fact"),
        ('{name: a, kind: slack, url: "http://h/", text: "{"}', "a brace that stands alone"),
        ("{name: a, kind: email, host: h, sender: nobody, to: [a@b]}", "sender: "),
        ('{name: a, kind: email, host: h, sender: a@b, to: ["a@b\\r\\nBcc: c@d"]}', "to[0]: "),
        ("{name: a, kind: email, host: h, sender: a@b, to: []}", "should have at least one entry"),
        ("{name: a, kind: email, host: h, sender: a@b, to: [a@b], password: x}", "needs a username"),
        (
            "{name: a, kind: email, host: h, sender: a@b, to: [a@b], tls: none, username: u, password: x}",
            "in the clear",
        ),
        ("{name: a, kind: alertmanager, url: am}", "should be a URL"),
        ("{name: a, kind: alertmanager, url: 'http://u:p@am'}", "should not hold a user or password"),
        ("{name: a, kind: alertmanager, url: 'http://am', resend: 1h}", "should be between 1s and 15m"),
        ("{name: a, kind: alertmanager, url: 'http://am', labels: {a-b: c}}", "labels"),
        ("{name: a, kind: pagerduty}", "routing_key: is required"),
        ("{name: a, kind: console, urk: 1}", "unknown key"),
        ("{name: a, kind: console, match: {model: none}}", "fits no target"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_remedy(failing: Failing, line: str, fault: str) -> None:
    lines = failing(with_top(f"receivers:\n  - {line}\n"))
    assert any(fault in one for one in lines), lines


# -- routes


def test_without_a_tree_each_receiver_is_told_of_what_it_matches(loading: Loading) -> None:
    config = loading(
        with_top("receivers:\n  - {name: a, kind: console}\n  - {name: b, kind: console, match: {pool: long}}\n")
    )
    assert [(one.receiver, one.pace) for one in hearers(audience_of(config).route, INCIDENT)] == [("a", Pace())]


def test_a_tree_is_read_with_what_it_inherits(loading: Loading) -> None:
    first, second = hearers(audience_of(loading(with_top(ROUTE))).route, INCIDENT)
    assert first.receiver == "pager"
    assert first.pace == Pace((Label.MODEL,), timedelta(seconds=10), timedelta(minutes=5), timedelta(hours=1))
    assert second.receiver == "chat"
    assert second.pace == Pace((), timedelta(seconds=10), timedelta(minutes=5), timedelta(hours=4))


@pytest.mark.parametrize(
    ("old", "new", "place", "fault"),
    [
        ("  receiver: chat\n", "", "route: ", "needs a receiver"),
        ("receiver: pager", "receiver: pagr", "route.routes[0].receiver: ", 'did you mean "pager"?'),
        ("severity=page", "severty=page", "route.routes[0].matchers[0]: ", 'no label "severty"'),
        ("continue: true", "contine: true", "route.routes[0].contine: ", 'did you mean "continue"?'),
        ("[model]", "[modle]", "route.group_by[0]: ", "model"),
        (
            "{name: tpu, kind: console}",
            "{name: tpu, kind: console, match: {pool: long}}",
            "match: ",
            "stands beside route",
        ),
        ("  group_by", "  matchers: [pool=a]\n  group_by", "route: ", "matches all there is"),
        ("- {name: chat", "- {name: idle, kind: console}\n  - {name: chat", "receivers[0]: ", "no route names it"),
    ],
)
def test_a_tree_that_leads_nowhere_is_refused(failing: Failing, old: str, new: str, place: str, fault: str) -> None:
    assert old in ROUTE
    lines = failing(with_top(ROUTE.replace(old, new, 1)))
    assert any(place in one and fault in one for one in lines), lines


# -- maintenance and links

WINDOW = """\
maintenance:
  - name: weekly
    matchers: [platform=api, "pool!=long"]
    starts: 2026-01-04T02:00+02:00
    lasts: 2h
    every: 7d
    reason: kernel upgrades
"""


def test_a_maintenance_window_is_read(loading: Loading) -> None:
    asked = (matcher("platform=api"), matcher("pool!=long"))
    starts = datetime(2026, 1, 4, tzinfo=UTC)
    assert audience_of(loading(with_top(WINDOW))).windows == (
        Window("weekly", asked, starts, timedelta(hours=2), timedelta(days=7), "kernel upgrades"),
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("02:00+02:00", "02:00", "a time with its zone"),
        ("every: 7d", "every: 1h", "should be longer than lasts"),
        ("platform=api", "symptom=shape", "a window covers whole targets"),
        ("platform=api", "platform=none", "fit no target"),
        ("lasts: 2h", "lasts: 1y", "should be a duration"),
        ("    reason: kernel upgrades\n", "", "reason: is required"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(failing: Failing, old: str, new: str, fault: str) -> None:
    assert old in WINDOW
    lines = failing(with_top(WINDOW.replace(old, new)))
    assert any(fault in one for one in lines), lines


def test_the_dashboard_is_the_page_of_the_daemon_unless_the_config_says_more(loading: Loading) -> None:
    links = "links: {dashboard: 'https://g/d/canary?var-pool={pool}', runbook: 'https://wiki/{symptom}'}\n"
    assert links_of(loading(with_top(""))).of(INCIDENT) == {"dashboard": "http://127.0.0.1:9464/"}
    assert links_of(loading(with_top(links))).of(INCIDENT) == {
        "dashboard": "https://g/d/canary?var-pool=short",
        "runbook": "https://wiki/corruption",
    }


def test_the_example_in_the_readme_is_good(loading: Loading) -> None:
    readme = (Path(__file__).resolve().parents[3] / "README.md").read_text("utf-8")
    example = readme[readme.index("## Who is told") :].split("```yaml\n")[1].split("```")[0]
    fleet = "models: [mid]\nplatforms: [api, tpu]\npools: [short]\n"
    text = (HEAD + fleet + ENDPOINTS + PROBES + SUITES + example).replace("file:/run/secrets/grafana", "t0ken")
    names = {"PAGERDUTY_KEY": "r" * 32, "SLACK_URL": "https://hooks.slack.com/services/T/B/x"}
    told = [one.receiver for one in hearers(audience_of(loading(text, names)).route, INCIDENT)]
    assert told == ["am", "notes", "pager"]


@pytest.mark.parametrize("link", ["ftp://h/", "javascript:alert(1)", "https://h/{colour}"])
def test_a_link_that_leads_nowhere_is_refused(failing: Failing, link: str) -> None:
    assert any("links.runbook" in one for one in failing(with_top(f"links: {{runbook: '{link}'}}\n")))
