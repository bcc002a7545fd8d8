"""The gate in the words of Argo Rollouts and of Flagger."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from canary.records import Role
from canary.web.gates import Asked, Busy, Differs, Gate
from tests.unit.web.desk import Desk

pytestmark = pytest.mark.anyio
TARGET = "opus/api/tpu-1"
SAID = {"target": TARGET, "key": "rev-7", "max_seconds": 60}
FLAGGER: dict[str, Any] = {
    "name": "podinfo",
    "namespace": "prod",
    "phase": "Progressing",
    "checksum": "85d557f47b",
    "failedChecks": 0,
    "metadata": {"target": TARGET, "suite": "smoke", "share": "0.02"},
}


@dataclass
class Scripted:
    """Says of each gate what the test says."""

    verdict: str | None = "pass"
    trouble: str = ""
    busy: bool = False
    differs: bool = False
    asked: list[tuple[Asked, str, timedelta]] = field(default_factory=list)

    def known(self, target: str, key: str) -> Gate | None:
        return next((self._gate(one) for one, _, _ in self.asked if (one.target, one.key) == (target, key)), None)

    async def ask(self, asked: Asked, who: str, patience: timedelta) -> Gate:
        if self.busy:
            raise Busy
        if self.differs:
            raise Differs
        self.asked.append((asked, who, patience))
        return self._gate(asked)

    def _gate(self, asked: Asked) -> Gate:
        report: dict[str, object] | None = None if self.verdict is None else {"verdict": self.verdict, "id": "5e1f"}
        return Gate(asked, report, self.trouble)


async def argo(gates: Scripted, said: dict[str, Any] = SAID) -> httpx.Response:
    return await Desk(gates=gates).post("/gate/argo", Role.OPERATE, json=said)


async def flagger(gates: Scripted, said: dict[str, Any] = FLAGGER) -> httpx.Response:
    return await Desk(gates=gates).post("/gate/flagger", Role.OPERATE, json=said)


@pytest.mark.parametrize(
    ("verdict", "trouble", "phase", "value"),
    [
        ("pass", "", "Successful", 1),
        ("fail", "", "Failed", 0),
        ("inconclusive", "", "Inconclusive", -1),
        (None, "no series is armed", "Error", -1),
        (None, "", "Running", -1),
    ],
)
async def test_argo_reads_a_phase_in_its_own_words_and_a_value(
    verdict: str | None, trouble: str, phase: str, value: int
) -> None:
    answer = await argo(Scripted(verdict, trouble))
    assert (answer.status_code, answer.json()["phase"], answer.json()["value"]) == (200, phase, value)


@pytest.mark.parametrize(
    ("verdict", "trouble", "status"),
    [("pass", "", 200), ("fail", "", 412), ("inconclusive", "", 412), (None, "no series", 412), (None, "", 503)],
)
async def test_flagger_reads_a_pass_from_the_status_and_nothing_else_as_one(
    verdict: str | None, trouble: str, status: int
) -> None:
    assert (await flagger(Scripted(verdict, trouble))).status_code == status


async def test_flagger_is_told_when_to_ask_again() -> None:
    assert (await flagger(Scripted(None))).headers["retry-after"] == "10"


async def test_one_gate_is_run_for_each_checksum_and_phase_of_a_canary() -> None:
    gates = Scripted()
    for change in ({}, {"checksum": "other"}, {"phase": "Promoting"}):
        await flagger(gates, {**FLAGGER, **change})
    assert [one.key for one, _, _ in gates.asked] == [
        "prod/podinfo:Progressing:85d557f47b",
        "prod/podinfo:Progressing:other",
        "prod/podinfo:Promoting:85d557f47b",
    ]


async def test_a_rollout_that_says_no_checksum_and_no_key_is_not_judged_by_anothers_verdict() -> None:
    gates = Scripted()
    without = {name: fact for name, fact in FLAGGER.items() if name != "checksum"}
    keyed = {**without, "metadata": {**FLAGGER["metadata"], "key": "rev-7"}}
    assert [(await flagger(gates, said)).status_code for said in (without, keyed)] == [422, 200]
    assert [one.key for one, _, _ in gates.asked] == ["rev-7"]


async def test_a_gate_that_was_asked_otherwise_under_the_same_key_is_a_conflict() -> None:
    assert (await argo(Scripted(differs=True))).status_code == 409


async def test_what_flagger_says_in_its_metadata_is_asked() -> None:
    gates = Scripted()
    await flagger(gates)
    ((asked, who, patience),) = gates.asked
    assert (asked.suite, asked.share, asked.within) == ("smoke", 0.02, timedelta(minutes=5))
    assert (who, patience) == ("token:operate", timedelta(seconds=8))


async def test_a_gate_is_looked_at_by_its_target_and_key() -> None:
    desk = Desk(gates=Scripted())
    path = f"/gate/argo?target={TARGET}&key=rev-7"
    before = await desk.get(path, Role.READ)
    await desk.post("/gate/argo", Role.OPERATE, json=SAID)
    after = await desk.get(path, Role.READ)
    assert (before.status_code, after.json()["report"]["id"]) == (404, "5e1f")


@pytest.mark.parametrize("said", [{**SAID, "target": "no/such/target"}, {**SAID, "against": "no/such/target"}])
async def test_a_target_that_is_not_in_the_config_begins_no_process(said: dict[str, Any]) -> None:
    gates = Scripted()
    assert ((await argo(gates, said)).status_code, gates.asked) == (404, [])


@pytest.mark.parametrize(
    "wrong", [{"key": "a b"}, {"suite": "a,b"}, {"share": 0}, {"max_seconds": 5}, {"wait": 60}], ids=str
)
async def test_what_does_not_fit_begins_no_process(wrong: dict[str, Any]) -> None:
    gates = Scripted()
    assert ((await argo(gates, {**SAID, **wrong})).status_code, gates.asked) == (422, [])


async def test_when_as_many_run_as_may_it_is_said_when_to_come_back() -> None:
    answer = await argo(Scripted(busy=True))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")


@pytest.mark.parametrize("path", ["/gate/argo", "/gate/flagger"])
@pytest.mark.parametrize("role", [None, Role.READ, Role.INGEST])
async def test_only_an_operator_begins_a_gate(path: str, role: Role | None) -> None:
    gates = Scripted()
    answer = await Desk(gates=gates).post(path, role, json=FLAGGER)
    assert answer.status_code in {401, 403}
    assert gates.asked == []
