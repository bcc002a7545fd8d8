"""The real daemon, scraped by a real Prometheus each second; a fault; and a page by a real Alertmanager."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typing_extensions import override

from canary.observe.dashboards import dashboards
from canary.observe.rules import RULES, Rule
from tests.acceptance.stage import SHORT, Daemon, Place, config, switch, until
from tests.programs import Server, alertmanager, prometheus
from tests.unit.observe.shown import expressions, filled

pytestmark = pytest.mark.slow

RULES_FILE = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules.yaml"
POOL = {"model": "mid", "platform": "api", "pool": "short"}
CORRUPTION = {"kind": "corruption", **POOL, "share": 0.3, "rate": 0.2}
SOON = 90.0
DELIVERY = 10.0
"""Seconds from the incident to the page that were promised, at scrapes of one second."""
SILENT = {
    "CanaryAbsent",  # there is a canary
    "CanaryBlindSeries",  # all series are armed
    "CanaryScorerCrashed",
    "CanaryNotificationsFailing",
    "CanaryNotificationsAbandoned",
    "CanaryHeartbeatBlind",  # no heartbeat is configured
    "CanaryIngestLag",  # no quarter of an hour has passed, but their parts are asked for below
    "CanaryLate",
}


EXPRESSIONS = [one for made in dashboards().values() for one in expressions(made)]
SHOWN = {**POOL, "region": "here", "group": ".*", "signal": "script", "instance": ".*"}
SHOWN |= {"window": "30s", "__rate_interval": "30s"}
EMPTY = {
    "canary-itself panel 3A",  # no heartbeat is configured
    "canary-itself panel 6A",  # no slot is missed, on a quiet machine
    "canary-itself panel 11A",  # no receiver is configured
    "canary-itself panel 13A",  # every answer can be judged
}


@dataclass
class Pages:
    """What Alertmanager sent, with the moments of arrival."""

    taken: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def of(self, alert: str, status: str) -> list[tuple[float, dict[str, Any]]]:
        return [
            (at, one)
            for at, body in list(self.taken)
            for one in body["alerts"]
            if one["labels"]["alertname"] == alert and one["status"] == status
        ]


@dataclass(frozen=True)
class Scene:
    daemon: Daemon
    place: Place
    prometheus: Server
    pages: Pages
    switched: float
    """When the fault was switched on."""


@pytest.fixture(scope="module")
def scene(lab_url: str, golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A fault was switched on, and has paged."""
    folder = tmp_path_factory.mktemp("prometheus")
    place, pages = Place(folder), Pages()
    place.take_golden(golden)
    place.write(config(lab_url, receivers=[]))
    switch(lab_url)
    with (
        Hook(pages) as url,
        place.daemon() as daemon,
        alertmanager(folder, url) as am,
        prometheus(
            folder, [daemon.base.removeprefix("http://")], rules=RULES_FILE, alertmanager=am.url.removeprefix("http://")
        ) as server,
    ):
        until(lambda: daemon.answers(pool="long") > 30, SOON)
        until(lambda: server.query("canary_target_state"), SOON)
        switched = now()
        switch(lab_url, CORRUPTION)
        until(lambda: pages.of("CanaryIncident", "firing"), SOON)
        yield Scene(daemon, place, server, pages, switched)
        switch(lab_url)


class Hook:
    """A webhook of Alertmanager, in a thread of its own."""

    def __init__(self, pages: Pages) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                pages.taken.append((now(), json.loads(body)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            @override
            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}/alerts"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def now() -> float:
    return time.time()  # noqa: TID251  as Prometheus has it


def test_a_fault_pages_through_prometheus_and_alertmanager_with_its_place_and_symptom(scene: Scene) -> None:
    _, page = scene.pages.of("CanaryIncident", "firing")[0]
    labels = {name: page["labels"][name] for name in (*POOL, "region", "severity")}
    assert labels == {**POOL, "region": "here", "severity": "page"}
    assert page["labels"]["symptom"] in {"corruption", "deviation"}  # stray tokens are improbable ones, too
    assert page["annotations"]["summary"] == f"{page['labels']['symptom']} on mid/api/short"


def test_the_page_is_delivered_within_ten_seconds_of_the_incident(scene: Scene) -> None:
    (opened,) = {one.opened_at.timestamp() for one in scene.place.incidents() if one.target == SHORT}
    arrived, _ = scene.pages.of("CanaryIncident", "firing")[0]
    print(f"\n{opened - scene.switched:.1f} s from fault to incident, {arrived - opened:.1f} s from incident to page")
    assert arrived - opened < DELIVERY


def test_no_alert_speaks_of_the_canary_itself(scene: Scene) -> None:
    named = {one["labels"]["alertname"] for _, body in scene.pages.taken for one in body["alerts"]}
    assert named <= {"CanaryIncident", "CanaryTargetStale"}  # on a busy machine three intervals pass quickly


def test_an_exemplar_leads_from_a_counted_event_to_its_answer(scene: Scene) -> None:
    span = {"start": f"{now() - 600:.0f}", "end": f"{now() + 60:.0f}"}
    asked = 'canary_score_events_total{pool="short",signal="script"}'
    until(lambda: scene.prometheus.get("/api/v1/query_exemplars", query=asked, **span)["data"], 10)
    (series,) = scene.prometheus.get("/api/v1/query_exemplars", query=asked, **span)["data"]
    slots = {exemplar["labels"]["slot_id"] for exemplar in series["exemplars"]}
    assert slots <= {one.slot_id for one in scene.place.observations(SHORT)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_is_evaluated_and_has_something_to_look_at(scene: Scene, rule: Rule) -> None:
    scene.prometheus.query(rule.expression)
    found = scene.prometheus.query(rule.query.replace("15m", "30s"))
    assert found or rule.name in SILENT


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_every_expression_of_a_dashboard_is_evaluated_and_finds_what_it_has_to(
    scene: Scene, where: str, expression: str
) -> None:
    found = scene.prometheus.query(filled(expression, SHOWN))
    assert found or where in EMPTY


@pytest.mark.parametrize("name", ["canary_ingest_lag_seconds", "canary_slot_lateness_seconds"])
def test_lags_have_data_within_half_a_minute(scene: Scene, name: str) -> None:
    query = f"histogram_quantile(0.99, sum by (job, instance, le) (rate({name}_bucket[30s])))"
    (sample,) = scene.prometheus.query(query)
    assert float(sample["value"][1]) < 30


def test_prometheus_itself_finds_no_fault_in_the_rules(scene: Scene) -> None:
    groups = scene.prometheus.get("/api/v1/rules")["data"]["groups"]
    assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}


def test_every_target_has_one_state_and_the_faulty_one_alone_is_in_an_incident(scene: Scene) -> None:
    found = scene.prometheus.query("canary_target_state == 1")
    states = {"/".join(one["metric"][name] for name in POOL): one["metric"]["state"] for one in found}
    assert len(found) == len(states) == 3
    assert [name for name, state in states.items() if state == "incident"] == [SHORT]
