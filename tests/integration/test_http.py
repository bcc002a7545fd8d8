"""The transport gives httpx's own errors, and nothing secret is logged or let through."""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from canary.http import Answer, HttpClient, NoAnswer, Transport, Trouble
from tests.integration import hostile
from tests.integration.hostile import Pieces, answer, head, raw, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    yield client
    await client.aclose()


async def send(http: HttpClient, url: str, **headers: str) -> Answer | NoAnswer:
    return await http.send("POST", url, headers=headers, body=b"{}", within=timedelta(seconds=20), max_bytes=10_000)


@pytest.mark.parametrize(
    ("pieces", "error"),
    [
        (raw(hostile.RESET), httpx.ReadError),
        (raw(head(9), b"cut", hostile.RESET), httpx.ReadError),
        (hostile.silence, httpx.ReadTimeout),
        (raw(head(9), b"cut"), httpx.ReadTimeout),
        (raw(b"HTTP/x\r\n\r\n"), httpx.RemoteProtocolError),
        (raw(head(None, transfer_encoding="chunked"), b"zz\r\n"), httpx.RemoteProtocolError),
    ],
)
async def test_each_fault_is_httpx_own_error(pieces: Pieces, error: type[httpx.HTTPError]) -> None:
    timeout = httpx.Timeout(None, read=0.3)
    async with serving(pieces) as server, httpx.AsyncClient(transport=Transport(), timeout=timeout) as client:
        with pytest.raises(httpx.HTTPError) as raised:
            await client.post(server.url, content=b"{}")
        assert raised.type is error


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nobody.invalid"])
async def test_no_connection_is_a_connect_error(url: str) -> None:
    async with httpx.AsyncClient(transport=Transport()) as client:
        with pytest.raises(httpx.ConnectError):
            await client.post(url)


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full: another one hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
        for one in waiting:
            one.close()


async def test_a_connection_that_hangs_is_a_connect_timeout(deaf_port: int) -> None:
    async with httpx.AsyncClient(transport=Transport(), timeout=httpx.Timeout(None, connect=0.3)) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await client.post(f"http://127.0.0.1:{deaf_port}")


async def test_a_header_cannot_smuggle_another(http: HttpClient) -> None:
    async with serving(answer()) as server:
        outcome = await send(http, server.url, x="a\r\ny: b")
        assert outcome == NoAnswer(Trouble.UNSENDABLE, "the URL or a header cannot be sent")
        assert server.asked == []


@pytest.mark.parametrize(
    "url", ["http://", "ftp://127.0.0.1/", "/path", "http://x:99999/", "http://a\n/", "http://\ud800/"]
)
async def test_a_url_that_cannot_be_asked_is_no_exception(http: HttpClient, url: str) -> None:
    outcome = await send(http, url)
    assert isinstance(outcome, NoAnswer)
    assert outcome.trouble is Trouble.UNSENDABLE


async def test_a_name_and_password_in_the_url_become_a_header(http: HttpClient) -> None:
    async with serving(answer()) as server:
        await send(http, server.url.replace("://", "://me:hush@"))
        assert b"authorization: basic bwu6ahvzaa==" in server.asked[0].lower()


async def test_a_url_is_never_logged(http: HttpClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with serving(answer()) as server:
            await send(http, f"{server.url}/hooks/hush")
    assert "hush" not in caplog.text


async def test_a_connection_that_the_server_closed_while_idle_is_not_used_again(http: HttpClient) -> None:
    async with serving(raw(head(2), b"ok", hostile.CLOSE)) as server:
        await send(http, server.url)
        await asyncio.sleep(0.05)
        assert isinstance(await send(http, server.url), Answer)


async def test_names_are_looked_up_while_the_loops_own_threads_are_busy(http: HttpClient) -> None:
    loop, freed = asyncio.get_running_loop(), threading.Event()
    loop.set_default_executor(ThreadPoolExecutor(1))
    busy = loop.run_in_executor(None, freed.wait)
    try:
        async with serving(answer()) as server:
            assert isinstance(await send(http, server.url.replace("127.0.0.1", "localhost")), Answer)
    finally:
        freed.set()
        await busy


async def test_an_answer_of_just_the_size_allowed_is_taken(http: HttpClient) -> None:
    async with serving(answer(b"x" * 10_000)) as server:
        assert isinstance(await send(http, server.url), Answer)


async def test_one_byte_more_is_too_large(http: HttpClient) -> None:
    async with serving(answer(b"x" * 10_001)) as server:
        assert await send(http, server.url) == NoAnswer(Trouble.TOO_LARGE, "the answer is larger than 10000 bytes")


async def test_what_is_shown_of_an_answer_holds_no_body() -> None:
    assert "hush" not in repr(Answer(200, {}, b"hush"))
