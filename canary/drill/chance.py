"""Scenarios made at random: nobody has seen one before it is played, neither who wrote the detectors nor who runs them.

Of a seed comes a file: a fleet, one or two faults of random kind, strength, place and time, with the changes that made
them (mostly recorded) among decoys. It expects an incident of each fault, in the right place, whenever that may be.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from canary.drill.scenario import Scenario, load
from canary.lab.faults import FaultKind

NAME = "random"
_START = datetime(2025, 9, 1, tzinfo=UTC)
_MODELS, _POOLS = ("mid", "small", "large"), ("tpu", "gpu", "spot")
_LONG = {"name": "long", "scaling": 0.2, "context": 1_000_000}
_SYMPTOMS = {
    FaultKind.CORRUPTION: ("corruption", "deviation", "selection"),
    FaultKind.SWAP: ("corruption", "selection"),
    FaultKind.DROPPED_TOP: ("selection", "deviation"),
    FaultKind.MISROUTING: ("deviation", "selection"),
    FaultKind.UNREACHABLE: ("availability",),
}
_PROBES = ("tiny-sky", "tiny-rain", "tiny-moon", "tiny-bees")
_CHANGES = ("deploy", "config", "routing", "flag", "scale")
_RECORDED = 0.8  # of the changes that make faults


def drawn(seed: int, folder: Path) -> Scenario:
    """Write the scenario of a seed into the folder, and load it."""
    path = folder / f"{NAME}-{seed}.yaml"
    path.write_text(json.dumps(_facts(Random(f"canary drill {seed}"), seed), indent=1), encoding="utf-8")
    return load(path)


def _facts(rng: Random, seed: int) -> dict[str, object]:
    models = rng.sample(_MODELS, rng.randint(1, 2))
    platforms = {name: rng.sample(_POOLS, rng.randint(1, 2)) for name in ("api", "cloud")[: rng.randint(1, 2)]}
    days = rng.randint(2, 3)
    kinds = rng.sample(sorted(_SYMPTOMS), rng.randint(1, 2))
    faults = [_fault(rng, kind, models, platforms, days) for kind in kinds]
    causes = [_cause(rng, fault) for fault in faults]
    decoys = [_decoy(rng, nth, models, platforms, days) for nth in range(rng.randint(2, 4))]
    recorded = [cause for cause in causes if rng.random() < _RECORDED]
    return {
        "version": 1,
        "why": f"Made at random from seed {seed}.",
        "seed": seed,
        "start": _START.isoformat(),
        "lasts": f"{days}d",
        "fleet": {
            "models": models,
            "swing": round(rng.uniform(0.0, 0.6), 2),
            "platforms": [
                {"name": name, "drift": 0.05, "pools": [*({"name": pool} for pool in pools), _LONG]}
                for name, pools in platforms.items()
            ],
        },
        "faults": faults,
        "changes": sorted((*recorded, *decoys), key=lambda change: str(change["at"])),
        "probing": {
            "golden": 4_000,
            "suites": [
                {"name": "all", "interval": "1m", "probes": ["tiny-sky", "tiny-rain", "tiny-moon", "tiny-bees"]}
            ],
            "detect": {"smallest_share": 0.05},
        },
        "expect": {"incidents": [_expected(fault, recorded) for fault in faults], "false_alarms": 0},
    }


def _fault(
    rng: Random, kind: FaultKind, models: list[str], platforms: dict[str, list[str]], days: int
) -> dict[str, object]:
    begin = rng.uniform(8.0, 24.0 * days / 2.0)
    lasts = rng.uniform(6.0, 24.0 * days - begin)
    first = {
        "at": _moment(begin),
        "share": round(10 ** rng.uniform(-1.7, 0.0), 4),
        "over": f"{rng.choice((0, 0, 90))}m",
    }
    if kind in (FaultKind.CORRUPTION, FaultKind.SWAP, FaultKind.DROPPED_TOP):
        first["rate"] = round(10 ** rng.uniform(-2.0, -0.7), 4)
    fault: dict[str, object] = {
        "name": kind.value.replace("_", "-"),
        "kind": kind.value,
        "where": _where(rng, models, platforms),
        "timeline": [first, {"at": _moment(begin + lasts), "share": 0}],
    }
    return fault | {"settings": {"to_pool": "long"}} if kind is FaultKind.MISROUTING else fault


def _where(rng: Random, models: list[str], platforms: dict[str, list[str]]) -> str:
    """A pool, or all of its name, or of its platform; of one model, or of all."""
    platform = rng.choice(sorted(platforms))
    pool = rng.choice(platforms[platform])
    return f"{rng.choice((*models, '*'))}/{platform}/{pool}"


def _cause(rng: Random, fault: dict[str, object]) -> dict[str, object]:
    begin = _begin(fault) - timedelta(minutes=rng.uniform(1.0, 15.0))
    return {
        "id": f"cause-{fault['name']}",
        "kind": rng.choice(_CHANGES),
        "at": begin.isoformat(timespec="seconds"),
        "where": fault["where"],
        "summary": "a change",
    }


def _decoy(rng: Random, nth: int, models: list[str], platforms: dict[str, list[str]], days: int) -> dict[str, object]:
    return {
        "id": f"decoy-{nth}",
        "kind": rng.choice(_CHANGES),
        "at": _moment(rng.uniform(1.0, 24.0 * days - 1.0)),
        "where": _where(rng, models, platforms),
        "summary": "a change",
    }


def _expected(fault: dict[str, object], recorded: list[dict[str, object]]) -> dict[str, object]:
    """The change is to be suspected first: with which probability is told by nobody."""
    expected: dict[str, object] = {"fault": fault["name"], "symptoms": _SYMPTOMS[FaultKind(str(fault["kind"]))]}
    cause = f"cause-{fault['name']}"
    known = any(change["id"] == cause for change in recorded)
    return expected | {"suspect": cause, "probability": 0.0} if known else expected


def _begin(fault: dict[str, object]) -> datetime:
    timeline = fault["timeline"]
    if not isinstance(timeline, list):
        raise TypeError("a timeline is a list")
    return datetime.fromisoformat(timeline[0]["at"])


def _moment(hours: float) -> str:
    return (_START + timedelta(hours=hours)).isoformat(timespec="seconds")
