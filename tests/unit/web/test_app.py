from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from canary.alert.message import describe
from canary.metrics import Metrics
from canary.web.app import build
from canary.web.status import Snapshot, TargetState
from tests.unit.web.fleet import api, incident, snapshot, target, unwell

pytestmark = pytest.mark.anyio
PATHS = ["/", "/healthz", "/readyz", "/freshz", "/metrics", "/api/v1/status"]


@asynccontextmanager
async def client(of: Snapshot) -> AsyncIterator[httpx.AsyncClient]:
    app = build(api(of), Metrics(version="1.2.3"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://canary") as http:
        yield http


async def get(path: str, of: Snapshot | None = None) -> httpx.Response:
    async with client(of or snapshot()) as http:
        return await http.get(path)


@pytest.mark.parametrize("path", PATHS)
async def test_all_is_well(path: str) -> None:
    assert (await get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_failing_check_is_503(path: str) -> None:
    assert (await get(path, unwell(snapshot()))).status_code == 503


async def test_a_failing_check_is_named() -> None:
    answer = await get("/healthz", unwell(snapshot()))
    assert answer.json() == {
        "status": "failing",
        "checks": [{"name": "writer", "ok": False, "detail": "stuck for 90 s"}],
    }


async def test_three_intervals_without_a_result_are_not_yet_stale() -> None:
    assert (await get("/freshz", snapshot(target(seconds_ago=900)))).json() == {"status": "ok", "stale": []}


async def test_more_than_three_intervals_without_a_result_are_stale() -> None:
    answer = await get("/freshz", snapshot(target(seconds_ago=901), target("tpu-2")))
    assert (answer.status_code, [stale["pool"] for stale in answer.json()["stale"]]) == (503, ["tpu-1"])


async def test_a_target_that_has_just_been_planned_is_not_stale() -> None:
    assert (await get("/freshz", snapshot(target(seconds_ago=None)))).status_code == 200


async def test_metrics_are_in_the_text_format() -> None:
    answer = await get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "canary_build_info" in answer.text


async def test_who_accepts_openmetrics_gets_it() -> None:
    async with client(snapshot()) as http:
        answer = await http.get("/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0"})
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.headers["vary"] == "accept"
    assert answer.text.endswith("# EOF\n")


async def test_the_status_is_json_with_a_schema() -> None:
    seen = replace(target(state=TargetState.INCIDENT), escalated=("prose",))
    answer = await get("/api/v1/status", snapshot(seen, incidents=(incident(),)))
    assert answer.json() == {
        "schema": "canary.status/1",
        "at": "2025-08-25T12:00:00+00:00",
        "version": "1.2.3",
        "region": "eu",
        "targets": [
            {
                "model": "opus",
                "platform": "api",
                "pool": "tpu-1",
                "state": "incident",
                "stale": False,
                "last_result_at": "2025-08-25T11:59:18+00:00",
                "interval_seconds": 300.0,
                "series": 12,
                "armed": 12,
                "escalated": ["prose"],
                "silenced": None,
            }
        ],
        "incidents": [{**describe(incident()), "silenced": None}],
    }


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_only_get_and_head_are_answered(method: str, path: str) -> None:
    async with client(snapshot()) as http:
        answer = await http.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", PATHS)
async def test_head_is_answered_like_get(path: str) -> None:
    async with client(snapshot()) as http:
        assert (await http.head(path)).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/healthz/", "/../etc/passwd"])
async def test_nothing_else_is_there(path: str) -> None:
    assert (await get(path)).status_code == 404


@pytest.mark.parametrize("path", [*PATHS, "/nothing"])
async def test_every_answer_forbids_scripts_frames_and_caches(path: str) -> None:
    headers = (await get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")
    assert headers["cache-control"] == "no-store"
