"""The config that watches a scenario's fleet, written as a file and read as any other."""

import json
from datetime import timedelta
from pathlib import Path

from canary.config import Config, Suite
from canary.config import load as load_config
from canary.drill.scenario import Scenario

RECEIVER = "drill"
_HOST = "http://lab"
_SHORTEST = timedelta(milliseconds=100)


def configured(scenario: Scenario, folder: Path) -> Config:
    """Write `canary.yaml` into the folder, and load it. Raises: ConfigError where suites do not fit the fleet."""
    path = folder / "canary.yaml"
    path.write_text(config_text(scenario, _HOST), encoding="utf-8")
    return load_config(path, {})


def config_text(scenario: Scenario, base_url: str, speed: float = 1.0) -> str:
    """The config, for a fleet served at `base_url` whose time passes `speed` times as fast."""
    return json.dumps(_facts(scenario, base_url, speed), indent=2) + "\n"


def _hurried(suite: Suite, speed: float) -> dict[str, object]:
    """As many probes in the scenario's time."""
    facts = suite.model_dump(mode="json", exclude_unset=True)
    if speed == 1.0:
        return facts
    interval = max(_SHORTEST, suite.interval / speed)
    return facts | {"interval": _milliseconds(interval), "jitter": _milliseconds(suite.spread / speed)}


def _milliseconds(duration: timedelta) -> str:
    return f"{duration // timedelta(milliseconds=1)}ms"


def _facts(scenario: Scenario, base_url: str, speed: float) -> dict[str, object]:
    fleet, probing = scenario.file.fleet, scenario.file.probing
    pools = list(dict.fromkeys(pool.name for platform in fleet.platforms for pool in platform.pools))
    return {
        "version": 1,
        "region": "drill",
        "models": list(fleet.models),
        "platforms": [platform.name for platform in fleet.platforms],
        "pools": pools,
        "exclude": [
            {"platform": platform.name, "pool": pool}
            for platform in fleet.platforms
            for pool in pools
            if pool not in {own.name for own in platform.pools}
        ],
        "endpoints": [
            {
                "base_url": base_url + "/{platform}/{pool}/v1",
                "affinity_header": "x-session-id",
                "replica_header": "x-replica",
                "limits": {
                    "concurrency": max((max(suite.burst) for suite in probing.suites), default=1),
                    "rate_per_second": 1_000,
                },
            }
        ],
        "suites": [_hurried(suite, speed) for suite in probing.suites],
        "budget": probing.budget.model_dump(mode="json"),
        "detect": probing.detect.model_dump(mode="json"),
        "receivers": [{"name": RECEIVER, "kind": "console"}],
    }
