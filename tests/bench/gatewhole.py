"""Some whole gates, over HTTP to the lab, as a check of `tests.bench.gate`: `python -m tests.bench.gatewhole`.

`canary gate` itself, with a store, a recording and a lab that is served; struck answers are struck in every token, for
of the lab's own rates a short answer would seldom feel anything. Golden answers are fewer than there, and therefore the
scenario of 1,000 probes is left out.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from canary.lab.run import in_process
from canary.lab.spec import config_text, default_spec
from tests.bench.gate import SCENARIOS, Scenario
from tests.bench.gatebank import FAULTS, SUITE, TARGET
from tests.integration.test_cli import Desk

GOLDEN = 1_500


def faults(scenario: Scenario) -> list[dict[str, object]]:
    fault = FAULTS[scenario.fault]
    found: dict[str, object] = {"kind": fault.kind.value, "pool": "short", "share": scenario.share, "rate": 1.0}
    return [{**found, "to_pool": fault.to_pool} if fault.to_pool else found]


def gates(desk: Desk, scenario: Scenario, runs: int) -> str:
    asked = ("--share", str(scenario.share), "--max-probes", str(scenario.probes))
    verdicts = [desk.facts("gate", "--target", TARGET, "--suite", SUITE, *asked)["verdict"] for _ in range(runs)]
    return ", ".join(f"{verdict} {verdicts.count(verdict)}" for verdict in sorted(set(verdicts)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=12)
    asked = parser.parse_args()
    with TemporaryDirectory() as folder, in_process(default_spec(latency=0.0)) as url:
        desk = Desk(Path(folder) / "canary.yaml")
        text = config_text(default_spec(), url).replace("  - name: all\n", f"  - name: gate\n    use: {SUITE}\n")
        desk.config.write_text(text.replace("rate_per_second: 200", "rate_per_second: 1000"), encoding="utf-8")
        recorded = desk("baseline", "record", "--promote", "--target", TARGET, "-n", str(GOLDEN))
        assert recorded.exit_code == 0, recorded.output
        for scenario in (one for one in SCENARIOS if one.probes < 1_000):
            for name, now in (("struck", faults(scenario)), ("healthy", [])):
                httpx.put(f"{url}/lab/faults", json=now).raise_for_status()
                what = f"{scenario.fault} {scenario.share:.1%}, {scenario.probes} probes, {name}"
                print(f"{what}: {gates(desk, scenario, asked.runs)}", flush=True)


if __name__ == "__main__":
    main()
