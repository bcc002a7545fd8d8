"""What stands before every request."""

import json
from collections.abc import AsyncIterator

import pytest

from canary.records import Role
from canary.web import guard
from canary.web.api.kit import Access
from tests.unit.web.desk import Desk

pytestmark = pytest.mark.anyio
LOCAL = Desk(Access(hosts=frozenset({"localhost", "127.0.0.1", "::1"}), per_second=1e6))
BEARING = {"authorization": f"Bearer {LOCAL.tokens[Role.OPERATE]}"}


async def status(host: str, path: str = "/healthz", **headers: str) -> int:
    async with LOCAL.client() as http:
        return (await http.get(path, headers={"host": host, **headers})).status_code


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9464", "127.0.0.1:9464", "[::1]:9464"])
async def test_this_machine_may_be_named_with_any_port(host: str) -> None:
    assert await status(host) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::1", "a@b"]
)
@pytest.mark.parametrize("path", ["/", "/metrics", "/api/v1/status", "/healthz"])
async def test_another_name_for_this_machine_is_refused(host: str, path: str) -> None:
    assert await status(host, path) == 421


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://evil.example", 403),
        ("http://localhost:3000", 403),
        ("http://localhost", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
        ("http://LOCALHOST:9464", 401),
        ("https://localhost:9464", 401),
    ],
)
async def test_a_page_of_elsewhere_cannot_act(origin: str, status: int) -> None:
    answer = await LOCAL.ask("POST", "/api/v1/changes", headers={"host": "localhost:9464", "origin": origin})
    assert answer.status_code == status


async def test_a_body_that_says_it_is_too_large_is_refused_unread() -> None:
    async with LOCAL.client("http://localhost") as http:
        answer = await http.post("/api/v1/changes", headers=BEARING, content=b" " * (guard.MOST_BODY + 1))
    assert answer.status_code == 413


async def test_a_body_without_a_length_is_cut_off_at_the_limit() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 100_000
            yield b" " * 100_000

    async with LOCAL.client("http://localhost") as http:
        answer = await http.post("/api/v1/changes", headers=BEARING, content=endless())
    assert (answer.status_code, sent <= guard.MOST_BODY + 200_000) == (413, True)


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)

    async def hanging() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(60)

    async with LOCAL.client("http://localhost") as http:
        answer = await http.post("/api/v1/changes", headers=BEARING, content=hanging())
    assert answer.status_code == 408


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/nothing", 404),
        ("POST", "/api/v1/nothing", 404),
        ("PUT", "/api/v1/changes", 405),
        ("POST", "/healthz", 405),
        ("GET", "/healthz", 200),
        ("GET", "/api/v1/incidents", 200),
        ("HEAD", "/", 200),
    ],
)
async def test_a_body_that_nothing_takes_is_not_read(method: str, path: str, status: int) -> None:
    read = False

    async def watched() -> AsyncIterator[bytes]:
        nonlocal read
        read = True
        yield b"{}"

    async with LOCAL.client("http://localhost") as http:
        answer = await http.request(method, path, headers=BEARING, content=watched())
    assert (answer.status_code, read) == (status, False)


@pytest.mark.parametrize(
    "body", ["[" * 100_000, "9" * 10_000, '{"kind": NaN}', "\x00", '{"a": 1, "a": 2}', '"\\ud800"', "[" * 500_000]
)
async def test_a_hostile_body_is_a_plain_refusal(body: str) -> None:
    desk = Desk()
    answer = await desk.post("/changes", list(desk.tokens)[1], content=body)
    assert answer.status_code in {400, 415, 422}
    assert set(json.loads(answer.text)) <= {"error", "problems"}


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/nothing", "/api/v1/incidents/zz"])
async def test_every_refusal_has_one_shape(path: str) -> None:
    async with Desk().client() as http:
        assert set((await http.get(path)).json()) == {"error"}
