"""What the daemon shows of itself, and what it never shows."""

import json
import signal
import subprocess
import sys

import pytest

from tests.acceptance.stage import (
    CLOUD,
    LONG,
    PROMPTS,
    SECRET,
    SHORT,
    TOKEN,
    Hook,
    Place,
    config,
    switch,
    until,
)

pytestmark = pytest.mark.slow

CORRUPTION = {"kind": "corruption", "model": "mid", "platform": "api", "pool": "short", "share": 0.5, "rate": 0.2}
HANGING = {"kind": "slow", "model": "mid", "platform": "api", "pool": "long", "seconds": 60.0}


def stale(answer: tuple[int, str]) -> set[str]:
    return {f"{one['model']}/{one['platform']}/{one['pool']}" for one in json.loads(answer[1])["stale"]}


def test_every_target_and_series_is_in_the_metrics_before_the_first_answer(place: Place, lab: str) -> None:
    place.write(config(lab, interval="1h"))
    with place.daemon() as daemon:
        text = daemon.get("/metrics")[1]
        assert daemon.answers() == 0
    for model, platform, pool in (name.split("/") for name in (SHORT, LONG, CLOUD)):
        labels = f'model="{model}",platform="{platform}",pool="{pool}",region="here"'
        assert f"canary_target_stale{{{labels}}} 0.0" in text
        for signal_name in ("script", "logprob", "greedy", "availability"):
            assert f'canary_series_armed{{{labels},group="brief",signal="{signal_name}"}} 1.0' in text


def test_a_target_that_hangs_is_named_stale_and_no_other_and_its_time_out_is_a_result(place: Place, lab: str) -> None:
    place.write(config(lab, interval="1s"))
    with place.daemon() as daemon:
        until(lambda: daemon.answers(pool="long") > 1, 30)
        assert [daemon.get(path)[0] for path in ("/healthz", "/readyz", "/freshz", "/")] == [200] * 4
        switch(lab, HANGING)
        until(lambda: daemon.get("/freshz")[0] == 503, 15)
        assert stale(daemon.get("/freshz")) == {LONG}
        until(lambda: daemon.metric("canary_target_stale", pool="long") == 1, 10)
        assert daemon.metric("canary_target_stale", pool="short") == 0
        assert [daemon.get(path)[0] for path in ("/healthz", "/readyz")] == [200] * 2
        until(lambda: daemon.answers(pool="long", result="timeout") >= 1, 15)
        switch(lab)
        until(lambda: daemon.get("/freshz")[0] == 200, 15)


def test_a_target_taken_out_of_the_config_is_gone_from_the_metrics_and_cannot_go_stale(place: Place, lab: str) -> None:
    whole = config(lab, interval="1s")
    place.write(whole)
    with place.daemon() as daemon:
        until(lambda: daemon.answers(platform="cloud") > 0, 30)
        place.write({**whole, "platforms": ["api"], "exclude": []})
        daemon.send(signal.SIGHUP)
        until(lambda: daemon.events("reloaded"), 15)
        answers = daemon.answers()
        until(lambda: daemon.answers() > answers + 8, 30)  # more than three intervals later
        assert 'platform="cloud",pool=' not in daemon.get("/metrics")[1]
        assert daemon.get("/freshz")[0] == 200


def test_no_prompt_answer_or_secret_is_in_a_log_a_metric_a_page_or_a_webhook(
    place: Place, lab: str, webhook: Hook
) -> None:
    place.write(
        config(lab, hook=webhook.url)
        | {"receivers": [*config(lab, hook=webhook.url)["receivers"], {"name": "out", "kind": "console"}]}
    )
    shown: list[str] = []
    with place.daemon() as daemon:
        switch(lab, CORRUPTION)
        until(lambda: webhook.bodies, 60)
        shown += [daemon.get(path)[1] for path in ("/", "/metrics", "/api/v1/status", "/readyz", "/freshz", "/healthz")]
        good = place.path.read_text("utf-8")
        for bad in (good.replace("http://127", "ftp://127"), good.replace('"${CANARY_TEST_SECRET}"', f'["{SECRET}"]')):
            place.path.write_text(bad, encoding="utf-8")
            refused = len(daemon.events("reload_refused"))
            daemon.send(signal.SIGHUP)
            until(lambda refused=refused: len(daemon.events("reload_refused")) > refused, 15)  # type: ignore[misc]
        place.path.write_text(good, encoding="utf-8")
    shown += [daemon.log_text(), *(body.decode() for body in webhook.raw)]
    answers = {one.response.text for one in place.observations(bodies=True) if one.response is not None}
    pieces = {text[at : at + 16] for text in answers for at in range(0, len(text) - 16, 8)}
    everything = "\n".join(shown)
    assert len(pieces) > 10
    assert "TRIGGER" in everything
    for piece in (SECRET, TOKEN, *PROMPTS.values(), *pieces):
        assert piece not in everything


def test_a_daemon_that_cannot_have_its_port_says_so_and_does_not_start(place: Place, lab: str) -> None:
    with place.daemon() as daemon:
        port = int(daemon.base.rsplit(":", 1)[1])
        second = place.folder / "second.yaml"
        second.write_text(json.dumps(config(lab, web={"port": port})), encoding="utf-8")
        command = [sys.executable, "-m", "canary", "-c", str(second), "run"]
        done = subprocess.run(command, env=place.environ, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
    assert "Traceback" not in done.stderr
