"""Whatever a target does, a run ends in time as an observation, and the other targets' runs go on."""

import asyncio
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from canary.clock import SystemClock
from canary.http import HttpClient
from canary.probe.client import ProbeClient
from canary.records import FailureKind, Limits, Observation
from tests.integration import hostile
from tests.integration.hostile import Pieces, Server, answer, head, raw, serving
from tests.unit.probe.builders import endpoint, run

pytestmark = pytest.mark.anyio

QUICK = Limits(timeout=timedelta(seconds=0.7), max_bytes=200_000)
PATIENT = Limits(timeout=timedelta(seconds=20), max_bytes=200_000)


@pytest.fixture
async def client() -> AsyncIterator[ProbeClient]:
    http = HttpClient()
    yield ProbeClient(http, SystemClock())
    await http.aclose()


async def fire(client: ProbeClient, server: Server, limits: Limits = PATIENT, **more: Any) -> Observation:
    return await client.fire(run(endpoint(base_url=server.url, **more), limits=limits))


def kind(seen: Observation) -> FailureKind:
    assert seen.failure is not None
    assert seen.response is None
    return seen.failure.kind


MALFORMED: dict[str, Pieces] = {
    "invalid JSON": answer(b'{"choices": [}'),
    "invalid UTF-8": answer(hostile.ANSWER.replace(b"Paris", b"Par\xff\xfe")),
    "an empty body": answer(b""),
    "100 MB": hostile.hundred_megabytes,
    "JSON 10,000 deep": answer(b'{"choices":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    "a gzip bomb": answer(hostile.gzip_bomb(), content_encoding="gzip"),
    "a gzip bomb that does not say so": answer(hostile.gzip_bomb()),
    "a login page": answer(b"<!doctype html><title>Sign in</title>", content_type="text/html"),
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "a broken status line": raw(b"HTTP/1.1 two hundred\r\n\r\n"),
    "a broken chunk": raw(head(None, transfer_encoding="chunked"), b"zz\r\nxx\r\n"),
    "two lengths": raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
    "a header of 10 MB": raw(b"HTTP/1.1 200 OK\r\nx: ", b"x" * 10_000_000),
    "100,000 headers": raw(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 100_000),
    "another protocol": answer(b"", 101, upgrade="chess", connection="upgrade"),
}


@pytest.mark.parametrize("pieces", MALFORMED.values(), ids=MALFORMED.keys())
async def test_an_answer_that_cannot_be_read_is_malformed(client: ProbeClient, pieces: Pieces) -> None:
    async with serving(pieces) as server:
        assert kind(await fire(client, server)) is FailureKind.MALFORMED


async def test_of_a_body_too_large_little_is_taken(client: ProbeClient) -> None:
    async with serving(hostile.hundred_megabytes) as server:
        await fire(client, server)
        assert server.sent < 20_000_000


SLOW: dict[str, Pieces] = {
    "an endless stream": hostile.endless_stream,
    "one byte a second": hostile.one_byte_a_second,
    "silence": hostile.silence,
}


@pytest.mark.parametrize("pieces", SLOW.values(), ids=SLOW.keys())
async def test_an_answer_that_does_not_end_is_a_timeout(client: ProbeClient, pieces: Pieces) -> None:
    async with serving(pieces) as server:
        assert kind(await fire(client, server, QUICK)) is FailureKind.TIMEOUT


@pytest.mark.parametrize("pieces", SLOW.values(), ids=SLOW.keys())
async def test_other_targets_are_served_meanwhile(client: ProbeClient, pieces: Pieces) -> None:
    async with serving(pieces) as slow, serving(answer()) as healthy, asyncio.TaskGroup() as group:
        stuck = [group.create_task(fire(client, slow)) for _ in range(PATIENT.concurrency + 1)]
        while len(slow.asked) < PATIENT.concurrency:
            await asyncio.sleep(0.01)
        other = run(endpoint(base_url=healthy.url), pool="b")
        seen = [await client.fire(other) for _ in range(5)]
        assert [one.failure for one in seen] == [None] * 5
        assert not any(task.done() for task in stuck)
        for task in stuck:
            task.cancel()


REFUSED = {"400": 400, "401": 401, "403": 403, "404": 404, "a redirect": 302}


@pytest.mark.parametrize("status", REFUSED.values(), ids=REFUSED.keys())
async def test_a_server_that_will_not_serve_us_has_refused(client: ProbeClient, status: int) -> None:
    async with serving(answer(b"{}", status)) as server:
        assert kind(await fire(client, server)) is FailureKind.REFUSED


async def test_a_redirect_is_not_followed(client: ProbeClient) -> None:
    async with serving(answer()) as elsewhere, serving(answer(b"", 307, location=elsewhere.url)) as server:
        await fire(client, server, token="hush")
        assert elsewhere.connections == 0


async def test_a_429_tells_how_long_to_wait(client: ProbeClient) -> None:
    async with serving(answer(b"{}", 429, retry_after="7")) as server:
        seen = await fire(client, server)
        assert kind(seen) is FailureKind.THROTTLED
        assert seen.failure is not None
        assert seen.failure.retry_after == timedelta(seconds=7)


async def test_a_500_is_a_failure_of_the_server(client: ProbeClient) -> None:
    async with serving(answer(b"Oh no", 500)) as server:
        assert kind(await fire(client, server)) is FailureKind.FAILED


BROKEN_OFF: dict[str, Pieces] = {
    "no answer": raw(hostile.RESET),
    "a reset in the head": raw(b"HTTP/1.1 200 OK\r\ncont", hostile.RESET),
    "a reset in the body": raw(head(len(hostile.ANSWER)), hostile.ANSWER[:20], hostile.RESET),
    "a reset in a chunk": raw(head(None, transfer_encoding="chunked"), b"ff\r\nxx", hostile.RESET),
}


@pytest.mark.parametrize("pieces", BROKEN_OFF.values(), ids=BROKEN_OFF.keys())
async def test_a_connection_that_breaks_off_is_no_connection(client: ProbeClient, pieces: Pieces) -> None:
    async with serving(pieces) as server:
        assert kind(await fire(client, server)) is FailureKind.UNREACHABLE


async def test_a_refused_port_is_unreachable(client: ProbeClient) -> None:
    async with serving(answer()) as server:
        pass
    seen = await fire(client, server)
    assert kind(seen) is FailureKind.UNREACHABLE
    assert seen.failure is not None
    assert seen.failure.detail == "no connection: ECONNREFUSED"


async def test_a_name_that_does_not_resolve_is_unreachable(client: ProbeClient) -> None:
    seen = await client.fire(run(endpoint(base_url="http://nobody.invalid")))
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.detail) == (FailureKind.UNREACHABLE, "the name does not resolve")


async def test_a_server_without_tls_is_unreachable_by_tls(client: ProbeClient) -> None:
    async with serving(raw(b"220 Welcome\r\n"), greet=True) as server:
        seen = await fire(client, server)
        assert seen.failure is not None
        assert (seen.failure.kind, seen.failure.detail) == (FailureKind.UNREACHABLE, "TLS: the handshake failed")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command")
    pem, certificate = tmp_path / "pem", tmp_path / "certificate"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-newkey", "rsa:2048", "-nodes", "-keyout", str(pem), "-out", str(certificate)]
    subprocess.run([openssl, "req", "-x509", *made, *subject], check=True, capture_output=True)
    pem.write_bytes(pem.read_bytes() + certificate.read_bytes())
    return pem


def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def test_a_certificate_that_is_not_trusted_is_unreachable(client: ProbeClient, certificate: Path) -> None:
    async with serving(answer(), tls=server_tls(certificate)) as server:
        seen = await fire(client, server)
        assert seen.failure is not None
        assert (seen.failure.kind, seen.failure.detail) == (
            FailureKind.UNREACHABLE,
            "TLS: the certificate is not trusted",
        )
        assert server.asked == []


async def test_a_trusted_certificate_is_served(certificate: Path) -> None:
    http = HttpClient(tls=ssl.create_default_context(cafile=certificate))
    async with serving(answer(), tls=server_tls(certificate)) as server:
        assert (await fire(ProbeClient(http, SystemClock()), server)).failure is None
        await http.aclose()


async def test_absurd_logprobs_are_kept_to_be_judged(client: ProbeClient) -> None:
    entry = {"token": "x", "bytes": [120], "logprob": 700.5, "top_logprobs": []}
    choice = {"message": {"content": "x"}, "logprobs": {"content": [entry]}}
    async with serving(answer(json.dumps({"choices": [choice]}).encode())) as server:
        seen = await fire(client, server)
        assert seen.response is not None
        assert seen.response.logprobs is not None
        assert seen.response.logprobs.chosen_logprob == (700.5,)


async def test_a_wrong_model_name_is_kept(client: ProbeClient) -> None:
    async with serving(answer(hostile.ANSWER.replace(b"small", b"large"))) as server:
        seen = await fire(client, server)
        assert seen.response is not None
        assert seen.response.model == "large"


async def test_no_cookie_is_given_back(client: ProbeClient) -> None:
    async with serving(answer(set_cookie="stick=me; Path=/")) as server:
        server.url = server.url.replace("127.0.0.1", "localhost")  # an address would get no cookie anyway
        await fire(client, server)
        await fire(client, server)
        assert b"cookie" not in server.asked[1].lower()


async def test_connections_are_kept(client: ProbeClient) -> None:
    async with serving(answer()) as server:
        for _ in range(5):
            await fire(client, server)
        assert server.connections == 1


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    http = HttpClient()
    async with serving(answer()) as server:
        assert (await fire(ProbeClient(http, SystemClock()), server)).failure is None
        await http.aclose()


async def test_a_compressed_answer_is_named_so(client: ProbeClient) -> None:
    async with serving(answer(hostile.gzip_bomb(), content_encoding="gzip")) as server:
        seen = await fire(client, server)
        assert seen.failure is not None
        assert seen.failure.detail == "the answer is compressed, though it was asked for plain"
