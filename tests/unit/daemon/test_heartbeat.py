"""The heartbeat is sent while Canary is known to detect, and at no other time."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from canary.config import Config, load
from canary.daemon.heartbeat import TRUSTED, Heart
from canary.http import Answer, NoAnswer, Trouble
from canary.metrics import Metrics
from canary.pipeline.control import PATIENCE, WELL, Control
from canary.score import SCORERS
from canary.score.measure import Measure
from canary.testing import FakeClock, ScriptedModel
from canary.web.status import Check

pytestmark = pytest.mark.anyio

URL = "https://beats.example.com/secret-path"
ENOUGH = WELL + 12
WELL_CHECK, STUCK = Check("writer", ok=True), Check("writer", ok=False)


def config(folder: Path, heartbeat: dict[str, Any] | None) -> Config:
    path = folder / "canary.yaml"
    settings = {
        "version": 1,
        "models": ["m"],
        "platforms": ["p"],
        "pools": ["pool"],
        "endpoints": [{"base_url": "http://127.0.0.1:1/v1"}],
        "suites": [{"name": "all", "interval": "10s", "families": ["prose"]}],
        "heartbeat": heartbeat,
    }
    path.write_text(json.dumps(settings), encoding="utf-8")
    return load(path, {})


class Stage:
    def __init__(self, folder: Path, *answers: Answer | NoAnswer) -> None:
        self.clock = FakeClock()
        self.http = ScriptedModel(*(answers or (Answer(200, {}, b"ok"),)))
        self.metrics = Metrics(version="1")
        self.checks = (WELL_CHECK,)
        self.heart = Heart(self.clock, self.http, self.metrics, lambda: self.checks)
        self._folder = folder

    def configure(self, **heartbeat: Any) -> None:
        self.heart.configure(config(self._folder, {"url": URL, **heartbeat}))

    async def look(self, times: int = ENOUGH, control: Control | None = None) -> None:
        control = control or Control(self.clock, "eu", timedelta(seconds=5))
        for _ in range(times):
            await self.heart.look(control)
            self.clock.advance(timedelta(seconds=5))

    def value(self, name: str, **labels: str) -> float | None:
        families = text_string_to_metric_families(self.metrics.text().decode())
        samples = [sample for family in families for sample in family.samples]
        return next((one.value for one in samples if (one.name, one.labels) == (name, labels)), None)

    def beats(self, result: str) -> float | None:
        return self.value("canary_heartbeats_total", result=result)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage(tmp_path)
    made.configure()
    return made


async def test_it_is_sent_after_a_detection(stage: Stage) -> None:
    await stage.look()
    await stage.heart.beat(URL)
    (sent,) = stage.http.sent
    assert (sent.method, sent.url, sent.body) == ("POST", URL, b"")
    assert stage.beats("sent") == 1


async def test_it_is_withheld_before_the_first_detection(stage: Stage) -> None:
    await stage.heart.beat(URL)
    assert (stage.http.sent, stage.beats("withheld")) == ([], 1)


async def test_a_detection_stands_for_an_hour_and_no_longer(stage: Stage) -> None:
    await stage.look()
    detected = stage.value("canary_heartbeat_last_detection_timestamp_seconds")
    assert detected is not None
    since = timedelta(seconds=stage.clock.now().timestamp() - detected)
    stage.clock.advance(TRUSTED - since)
    await stage.heart.beat(URL)
    stage.clock.advance(timedelta(seconds=1))
    await stage.heart.beat(URL)
    assert (stage.beats("sent"), stage.beats("withheld")) == (1, 1)


async def test_it_stops_within_an_hour_when_scoring_breaks(stage: Stage) -> None:
    await stage.look()
    blind = {**SCORERS, "script": replace(SCORERS["script"], measure=lambda _: Measure(0.0, 1.0))}
    control = Control(stage.clock, "eu", timedelta(seconds=60), blind)
    for _ in range(2 * PATIENCE):
        await stage.heart.look(control)
        stage.clock.advance(timedelta(seconds=60))
    await stage.heart.beat(URL)
    assert (stage.http.sent, stage.beats("withheld")) == ([], 1)


async def test_it_is_withheld_while_a_check_of_the_daemon_fails(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    await stage.look()
    stage.checks = (WELL_CHECK, STUCK)
    await stage.heart.beat(URL)
    assert (stage.http.sent, stage.beats("withheld")) == ([], 1)
    assert [record.__dict__["reason"] for record in caplog.records if record.message == "heartbeat_withheld"] == [
        "failing: writer"
    ]


@pytest.mark.parametrize(
    "answer", [Answer(500, {}, b""), Answer(302, {}, b""), NoAnswer(Trouble.UNREACHABLE, "refused")]
)
async def test_one_that_is_not_taken_is_counted_as_failed_and_its_url_is_not_logged(
    tmp_path: Path, answer: Answer | NoAnswer, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage(tmp_path, answer)
    stage.configure()
    await stage.look()
    await stage.heart.beat(URL)
    assert stage.beats("failed") == 1
    assert "secret-path" not in str([record.__dict__ for record in caplog.records])


async def test_it_is_late_from_when_it_is_configured_until_the_first_detection(stage: Stage) -> None:
    shown = stage.value("canary_heartbeat_last_detection_timestamp_seconds")
    assert shown == stage.clock.now().timestamp()


async def test_without_one_in_the_config_nothing_is_shown_probed_or_sent(stage: Stage, tmp_path: Path) -> None:
    await stage.look()
    stage.heart.configure(config(tmp_path, None))
    running = asyncio.create_task(stage.heart.run())
    for _ in range(20):
        await asyncio.sleep(0)
    running.cancel()
    assert stage.value("canary_heartbeat_last_detection_timestamp_seconds") is None
    assert stage.http.sent == []


async def test_a_reload_forgets_no_detection(stage: Stage) -> None:
    await stage.look()
    stage.configure(every="2m")
    await stage.heart.beat(URL)
    assert stage.beats("sent") == 1


async def test_running_it_beats_as_often_as_configured(stage: Stage) -> None:
    stage.configure(every="30s", control={"interval": "5s"})
    running = asyncio.create_task(stage.heart.run())
    began = stage.clock.now()
    while len(stage.http.sent) < 4:
        await asyncio.sleep(0.001)
    running.cancel()
    beats = (stage.clock.now() - began) / timedelta(seconds=30)
    withheld = stage.beats("withheld") or 0.0
    assert 4 + withheld - 1 <= beats + 1e-9 <= 4 + withheld + 1
