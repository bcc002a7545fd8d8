"""Silences over HTTP."""

from typing import Any

import pytest

from canary.records import Act, Role
from tests.unit.web.desk import OPENED, Desk

pytestmark = pytest.mark.anyio
SAID: dict[str, Any] = {"matchers": ["pool=tpu-*"], "reason": "draining", "seconds": 7200}


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_silence_is_kept_listed_and_written_down(desk: Desk) -> None:
    added = await desk.post("/silences", Role.OPERATE, json={**SAID, "by": "ada"})
    (listed,) = (await desk.get("/silences")).json()
    assert added.status_code == 201
    assert (listed["author"], listed["ends_at"], listed["maintenance"]) == ("ada", "2025-08-25T14:00:00+00:00", False)
    assert [(entry.who, entry.act) for entry in desk.log()] == [("token:operate", Act.SILENCE)]


async def test_it_says_what_it_covers_now(desk: Desk) -> None:
    added = (await desk.post("/silences", Role.OPERATE, json=SAID)).json()
    assert (added["targets"], added["targets_total"], added["incidents"]) == (["opus/api/tpu-1"], 1, [OPENED.id])


async def test_a_preview_silences_nothing(desk: Desk) -> None:
    seen = (await desk.post("/silences/preview", json={"matchers": ["pool=tpu-*"]})).json()
    assert seen["incidents"] == [OPENED.id]
    assert (await desk.get("/silences")).json() == []


async def test_an_ended_silence_is_listed_among_all_only(desk: Desk) -> None:
    identity = (await desk.post("/silences", Role.OPERATE, json=SAID)).json()["id"]
    ended = await desk.post(f"/silences/{identity}/expire", Role.OPERATE, json={"by": "bob"})
    assert ended.json()["expired_by"] == "bob"
    assert [len((await desk.get(path)).json()) for path in ("/silences", "/silences?all=true")] == [0, 1]
    assert [entry.detail for entry in desk.log() if entry.act is Act.EXPIRE] == ["bob"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"matchers": []},
        {"matchers": ["pool"]},
        {"matchers": ["colour=red"]},
        {"reason": " "},
        {"seconds": None},
        {"until": "2025-08-26T12:00:00Z"},
        {"seconds": None, "until": "2025-08-25T11:00:00Z"},
        {"seconds": None, "until": "2027-08-25T11:00:00Z"},
        {"seconds": 60, "starts": "2025-08-25T11:00:00Z"},
        {"maintenance": True, "starts": "2025-08-25T11:00:00Z"},
        {"starts": "9999-12-31T23:59:59Z"},
    ],
    ids=str,
)
async def test_a_silence_without_a_sound_end_matcher_or_reason_is_refused(desk: Desk, wrong: dict[str, Any]) -> None:
    said = {key: value for key, value in {**SAID, **wrong}.items() if value is not None}
    assert (await desk.post("/silences", Role.OPERATE, json=said)).status_code == 422
    assert desk.log() == []


async def test_one_that_covers_no_target_is_refused(desk: Desk) -> None:
    assert (await desk.post("/silences", Role.OPERATE, json={**SAID, "matchers": ["pool=gpu"]})).status_code == 404


@pytest.mark.parametrize("role", [None, Role.READ, Role.INGEST])
@pytest.mark.parametrize("path", ["/silences", "/silences/abc/expire"])
async def test_only_an_operator_silences(desk: Desk, path: str, role: Role | None) -> None:
    assert (await desk.post(path, role, json=SAID)).status_code in {401, 403}
    assert desk.log() == []
