"""A fleet for tests of the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from canary.alert.incident import Policy, absorb
from canary.desk.ground import Ground
from canary.pipeline.feedback import Window
from canary.records import Incident
from canary.store import MemoryStore, Store
from canary.testing import FakeClock
from canary.web.api.kit import Access, Api
from canary.web.gates import Asked, Gate, Gates
from canary.web.intake import Intake, Line, Taken
from canary.web.status import Check, Snapshot, TargetState, TargetStatus
from tests.unit.alert.findings import START, finding

INTERVAL = timedelta(minutes=5)


def target(
    pool: str = "tpu-1",
    *,
    model: str = "opus",
    platform: str = "api",
    state: TargetState = TargetState.HEALTHY,
    seconds_ago: float | None = 42,
) -> TargetStatus:
    return TargetStatus(
        model=model,
        platform=platform,
        pool=pool,
        state=state,
        interval=INTERVAL,
        expected_since=START - timedelta(minutes=10),
        last_result_at=None if seconds_ago is None else START - timedelta(seconds=seconds_ago),
        armed=12,
        series=12,
    )


def incident(name: str = "opus/api/tpu-1") -> Incident:
    return absorb(None, finding(target=name), START, Policy())[0]


def snapshot(*targets: TargetStatus, incidents: tuple[Incident, ...] = ()) -> Snapshot:
    ok = (Check("store", ok=True),)
    return Snapshot(
        at=START, version="1.2.3", region="eu", live=ok, ready=ok, targets=targets or (target(),), incidents=incidents
    )


@dataclass
class Known:
    """A status that is what the test says."""

    now: Snapshot

    def snapshot(self) -> Snapshot:
        return self.now


def unwell(of: Snapshot) -> Snapshot:
    return replace(of, live=(Check("writer", ok=False, detail="stuck for 90 s"),), ready=(Check("store", ok=False),))


EMPTY: Mapping[str, object] = {
    "targets": [],
    "parts": [],
    "incidents": [],
    "budget": {"false_alarms_per_week": 0.25, "series_share": 1.0, "levels": []},
}


class NoGates:
    """Runs none: each stays as it was asked."""

    def known(self, target: str, key: str) -> Gate | None:
        return None

    async def ask(self, asked: Asked, who: str, patience: timedelta) -> Gate:
        return Gate(asked)


class NoIntake:
    """Keeps nothing."""

    async def scores(self, lines: Sequence[Line], target: str, who: str, *, golden: bool) -> Taken:
        return Taken(len(lines), 0)

    async def windows(self, windows: Sequence[Window], who: str) -> Taken:
        return Taken(len(windows), 0)


def api(
    of: Snapshot,
    store: Store | None = None,
    access: Access | None = None,
    gates: Gates | None = None,
    intake: Intake | None = None,
    **ground: Any,
) -> Api:
    """The API on a store of its own; what it says of incidents goes nowhere."""
    facts = {"region": of.region, "targets": tuple(one.name for one in of.targets), **ground}
    given = Access(per_second=1e6) if access is None else access
    return Api(
        store or MemoryStore(),
        FakeClock(START),
        Known(of),
        lambda: Ground(**facts),
        lambda _: None,
        given,
        gates or NoGates(),
        intake or NoIntake(),
        lambda _: EMPTY,
    )
