"""Who may come in, and how often."""

import base64
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from fastapi import HTTPException

from canary.desk.tokens import revoke
from canary.metrics import Metrics
from canary.records import Role
from canary.testing import FakeClock
from canary.web.api.kit import Access
from canary.web.app import build
from canary.web.door import MOST_CALLERS, Paces
from tests.unit.alert.findings import START
from tests.unit.web.desk import OPENED, Desk
from tests.unit.web.fleet import api, snapshot

pytestmark = pytest.mark.anyio
READING = ["/status", "/targets", "/series", "/incidents", f"/incidents/{OPENED.id}", "/changes"]
CLOSED = Access(open_reading=False, per_second=1e6)
ACK = f"/incidents/{OPENED.id}/ack"
CHANGE = {"kind": "deploy", "summary": "engine 2.4"}


@pytest.mark.parametrize("path", READING)
async def test_reading_is_open_to_anybody_where_the_config_says_so(path: str) -> None:
    assert (await Desk().get(path)).status_code == 200


@pytest.mark.parametrize("path", READING)
async def test_where_it_is_not_it_needs_a_token(path: str) -> None:
    answer = await Desk(CLOSED).get(path)
    assert (answer.status_code, "Basic" in answer.headers["www-authenticate"]) == (401, True)


async def test_the_page_is_as_open_as_the_api() -> None:
    assert [(await Desk(access).ask("GET", "/")).status_code for access in (CLOSED, Access())] == [401, 200]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/freshz", "/metrics", "/api/v1/openapi.json"])
async def test_health_and_metrics_are_always_open(path: str) -> None:
    assert (await Desk(CLOSED).ask("GET", path)).status_code == 200


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/status", {Role.READ, Role.OPERATE}),
        ("/incidents", {Role.READ, Role.OPERATE}),
        ("/evidence/abc", {Role.READ, Role.OPERATE}),
        (ACK, {Role.OPERATE}),
        (ACK.replace("ack", "resolve"), {Role.OPERATE}),
        ("/changes", {Role.OPERATE, Role.INGEST}),
        ("/hooks/argo", {Role.OPERATE, Role.INGEST}),
    ],
)
@pytest.mark.parametrize("role", Role)
async def test_each_role_does_what_it_is_for(path: str, allowed: set[Role], role: Role) -> None:
    desk, acts = Desk(CLOSED), path in {ACK, ACK.replace("ack", "resolve"), "/changes", "/hooks/argo"}
    answer = await (desk.post(path, role, json={}) if acts else desk.get(path, role))
    assert (answer.status_code != 403) == (role in allowed)


@pytest.mark.parametrize("path", [ACK, "/changes", "/hooks/argo", "/hooks/flagger"])
async def test_no_act_is_open_to_anybody(path: str) -> None:
    desk = Desk()
    assert (await desk.post(path, json=CHANGE)).status_code == 401
    assert desk.log() == []


async def test_answers_are_shown_to_bearers_only() -> None:
    assert (await Desk().get("/evidence/slota")).status_code == 401


async def test_a_token_is_taken_as_the_password_of_basic() -> None:
    desk = Desk(CLOSED)
    login = base64.b64encode(f"anybody:{desk.tokens[Role.READ]}".encode()).decode()
    answer = await desk.ask("GET", "/api/v1/status", headers={"authorization": f"Basic {login}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("header", ["Bearer x", "Bearer ", "Basic !!!", "Basic " + "Og==", "Digest a", "Bearer \xff"])
async def test_a_bad_token_opens_not_even_what_is_closed_to_nobody_else(header: str) -> None:
    answer = await Desk(CLOSED).ask("GET", "/api/v1/status", headers={"authorization": header})
    assert answer.status_code == 401


async def test_a_revoked_token_is_refused_from_the_next_request_on() -> None:
    desk = Desk(CLOSED)
    async with desk.client() as http:
        headers = {"authorization": f"Bearer {desk.tokens[Role.READ]}"}
        before = await http.get("/api/v1/status", headers=headers)
        with desk.store.transaction() as tx:
            revoke(tx, "read", START, "ada")
        after = await http.get("/api/v1/status", headers=headers)
    assert (before.status_code, after.status_code) == (200, 401)


async def test_who_asks_too_often_is_told_how_long_to_wait() -> None:
    async with Desk(Access(per_second=2.0)).client() as http:
        answers = [await http.get("/api/v1/status") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 2
    assert answers[-1].headers["retry-after"] == "1"


async def test_guesses_are_counted_whatever_they_are() -> None:
    async with Desk(Access(per_second=2.0)).client() as http:
        statuses = [await guess(http, n) for n in range(6)]
    assert statuses == [401] * 4 + [429] * 2


class Unread:
    """A body that tells whether anybody read of it."""

    def __init__(self) -> None:
        self.read = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.read = True
        yield b"{" * 100


def posts() -> list[str]:
    """All that is posted to, of the API's own description."""
    described = build(api(snapshot()), Metrics(version="1")).openapi()["paths"]
    return [
        path.replace("{incident_id}", "aa").replace("{silence_id}", "aa")
        for path, on in described.items()
        if "post" in on
    ]


@pytest.mark.parametrize("path", [path for path in posts() if "/hooks/github" not in path])
@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer canary_wrong"}, {"authorization": "Basic !"}])
async def test_who_has_no_token_is_turned_away_before_the_body_is_read(path: str, header: dict[str, str]) -> None:
    body = Unread()
    async with Desk(CLOSED).client() as http:
        answer = await http.post(path, content=body, headers={**header, "content-type": "application/json"})
    assert (answer.status_code, body.read) == (401, False)


@pytest.mark.parametrize("path", ["/changes", "/hooks/github", "/silences/preview"])
async def test_who_asks_too_often_is_turned_away_before_the_body_is_read(path: str) -> None:
    desk = Desk(Access(per_second=1.0, github_secret="hush"))
    bearing = {} if path != "/changes" else {"authorization": f"Bearer {desk.tokens[Role.INGEST]}"}
    async with desk.client() as http:
        for _ in range(2):
            await http.post(f"/api/v1{path}", json={}, headers=bearing)
        body = Unread()
        answer = await http.post(f"/api/v1{path}", content=body, headers=bearing)
    assert (answer.status_code, "retry-after" in answer.headers, body.read) == (429, True, False)


async def guess(http: httpx.AsyncClient, n: int) -> int:
    headers = {"authorization": f"Bearer canary_{n:08x}_{'x' * 43}"}
    return (await http.get("/api/v1/status", headers=headers)).status_code


async def test_one_token_does_not_use_up_what_another_may_ask() -> None:
    desk = Desk(Access(per_second=1.0))
    async with desk.client() as http:
        bearing = {role: {"authorization": f"Bearer {desk.tokens[role]}"} for role in (Role.READ, Role.OPERATE)}
        for _ in range(3):
            tired = await http.get("/api/v1/status", headers=bearing[Role.READ])
        fresh = await http.get("/api/v1/status", headers=bearing[Role.OPERATE])
    assert (tired.status_code, fresh.status_code) == (429, 200)


async def test_who_reads_without_a_token_does_not_lock_out_who_has_one() -> None:
    desk = Desk(Access(per_second=1.0))
    async with desk.client() as http:
        tired = [await http.get("/api/v1/status") for _ in range(3)][-1]
        bearer = await http.get("/api/v1/status", headers={"authorization": f"Bearer {desk.tokens[Role.OPERATE]}"})
    assert (tired.status_code, bearer.status_code) == (429, 200)


def allowed(paces: Paces, caller: str = "a") -> bool:
    try:
        paces.allow(caller)
    except HTTPException:
        return False
    return True


def test_a_pace_is_kept_over_time() -> None:
    clock = FakeClock()
    paces, taken = Paces(clock, 5.0), 0
    for _ in range(1_000):
        taken += allowed(paces)
        clock.advance(timedelta(milliseconds=10))
    assert 50 <= taken <= 61  # ten seconds at five a second, and the first burst of two seconds


def test_the_book_of_callers_does_not_grow_without_end() -> None:
    paces = Paces(FakeClock(), 5.0)
    for n in range(MOST_CALLERS + 100):
        paces.allow(str(n))
    assert len(paces._left) == MOST_CALLERS
