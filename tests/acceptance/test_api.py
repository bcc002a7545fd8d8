"""The API of a running daemon: the examples of the README, tokens at work, and what a gate costs nobody."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from canary.alert.incident import Policy, absorb
from canary.clock import SystemClock
from tests.acceptance.stage import SHORT, Daemon, Hook, Place, config, until
from tests.unit.alert.findings import finding

pytestmark = pytest.mark.slow

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
(EXAMPLES,) = re.findall(r"<!-- api -->\n```sh\n(.*?)```", README, re.DOTALL)


def with_incident(place: Place) -> str:
    now = SystemClock().now()
    shown = finding(target=SHORT)
    here = replace(shown, series=replace(shown.series, region="here"))
    incident, _ = absorb(None, here, now, Policy())
    with place.store() as store, store.transaction() as tx:
        tx.put_incident(incident)
    return incident.id


def shell(place: Place, daemon: Daemon, script: str, incident: str) -> "subprocess.CompletedProcess[str]":
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**place.environ, "PATH": path, "CANARY_URL": daemon.base, "INCIDENT": incident}
    command = ["bash", "-euc", script]
    return subprocess.run(command, cwd=place.folder, env=env, capture_output=True, text=True, timeout=120)


def test_the_examples_of_the_readme_do_what_they_say(place: Place, lab: str) -> None:
    place.write(config(lab, interval="1h"))
    incident = with_incident(place)
    with place.daemon() as daemon:
        done = shell(place, daemon, EXAMPLES, incident)
        assert done.returncode == 0, done.stderr
        log = json.loads(place.canary("audit", "--json"))
    acts = [(one["who"], one["act"]) for one in log if one["who"].startswith("token")]
    assert acts == [
        ("token:ci", "incident.acknowledge"),
        ("token:ci", "change.add"),
        ("token:ci", "gate"),
    ]


def test_an_acknowledgement_over_http_is_on_the_page_at_once_and_reaches_the_receiver(
    place: Place, webhook: Hook
) -> None:
    incident = with_incident(place)
    token = place.canary("token", "add", "ops", "--role", "operate").strip()
    with place.daemon() as daemon:
        until(lambda: webhook.kinds() == ["trigger"], 30)  # who was never told hears of no acknowledgement
        headers = {"authorization": f"Bearer {token}"}
        url = f"{daemon.base}/api/v1/incidents/{incident}/ack"
        answer = httpx.post(url, headers=headers, timeout=10, trust_env=False)
        page = daemon.get("/")[1]
        until(lambda: webhook.kinds() == ["trigger", "acknowledge"], 30)
    assert answer.json()["reason"] == "acknowledged"
    assert "acknowledged by ops" in page


def test_no_token_and_nothing_that_was_sent_is_in_the_log(place: Place, lab: str) -> None:
    place.write(config(lab, interval="1h"))
    token = place.canary("token", "add", "ops", "--role", "operate").strip()
    sent = "a-marker-that-nobody-logs"
    with place.daemon() as daemon:
        for path in ("/api/v1/changes", "/api/v1/gate/argo", f"/api/v1/{sent}", "/api/v1/hooks/argo"):
            for credentials in (token, f"{token}x", sent):
                httpx.post(
                    daemon.base + path,
                    json={sent: sent},
                    headers={"authorization": f"Bearer {credentials}"},
                    timeout=10,
                    trust_env=False,
                )
    text = daemon.log_text()
    assert sent not in text
    assert token.split("_", 2)[2] not in text
