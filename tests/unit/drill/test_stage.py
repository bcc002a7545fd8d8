import json
from datetime import timedelta

import httpx
import pytest

from canary.config import load as load_config
from canary.daemon import assembly
from canary.drill.app import ScenarioApp
from canary.drill.clock import HurriedClock, VirtualClock
from canary.drill.scenario import load
from canary.drill.setup import config_text, configured
from canary.drill.stage import batch_of
from canary.drill.wire import LabWire
from canary.lab.fleet import Fleet
from canary.testing import FakeClock
from tests.unit.drill.small import written

PATH = "/api/tpu/v1/chat/completions"
QUESTION = {"role": "user", "content": "Why is the sky blue?"}
BODY = json.dumps({"model": "mid", "messages": [QUESTION], "max_tokens": 60, "temperature": 0}).encode()


@pytest.mark.anyio
@pytest.mark.parametrize("hours", [0.5, 1.5])
async def test_a_served_scenario_answers_as_a_drill_does_at_its_time(tmp_path, hours):
    scenario = load(written(tmp_path, ("share: 0.5, rate: 0.1", "share: 1, rate: 0.5")))
    virtual, real = VirtualClock(scenario.begin + timedelta(hours=hours)), FakeClock()
    wire = LabWire(Fleet(scenario.spec()), scenario.faults, virtual)
    hurried = HurriedClock(real, scenario.begin, speed=60.0)
    real.advance(timedelta(hours=hours) / 60)
    app = ScenarioApp(Fleet(scenario.spec()), scenario.faults, hurried)
    drilled = await wire.send(
        "POST",
        f"http://lab{PATH}",
        headers={"x-session-id": "one"},
        body=BODY,
        within=timedelta(seconds=60),
        max_bytes=10**6,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lab") as client:
        served = await client.post(PATH, content=BODY, headers={"x-session-id": "one"})
    assert served.content == drilled.body


def test_a_hurried_config_fires_as_often_in_the_scenarios_time(tmp_path):
    scenario = load(written(tmp_path))
    path = tmp_path / "lab.yaml"
    path.write_text(config_text(scenario, "http://127.0.0.1:1", speed=60.0), encoding="utf-8")
    (suite,) = load_config(path, {}).suites
    assert (suite.interval, suite.spread) == (timedelta(seconds=1), timedelta(milliseconds=100))


@pytest.mark.parametrize(("interval", "minutes"), [("1m", 1), ("10s", 2), ("1s", 5)])
def test_a_large_fleet_is_kept_some_minutes_at_once(tmp_path, interval, minutes):
    config = configured(load(written(tmp_path, ("interval: 1m", f"interval: {interval}"))), tmp_path)
    assert batch_of(assembly.plan_of(config)) == timedelta(minutes=minutes)
