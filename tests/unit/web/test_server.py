import asyncio
import signal
import socket

import httpx
import pytest

from canary.errors import CanaryError
from canary.metrics import Metrics
from canary.web.app import build
from canary.web.server import MAX_CONNECTIONS, WebServer
from tests.unit.web.fleet import api, snapshot

pytestmark = pytest.mark.anyio


def server(port: int = 0) -> WebServer:
    return WebServer(build(api(snapshot()), Metrics(version="1.2.3")), port=port)


async def status_of(port: int) -> int:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(f"http://127.0.0.1:{port}/healthz")).status_code


async def test_it_answers_when_start_returns() -> None:
    web = server()
    await web.start()
    status = await status_of(web.port)
    await web.stop()
    assert status == 200


async def test_it_is_gone_when_stop_returns() -> None:
    web = server()
    await web.start()
    await web.stop()
    with pytest.raises(httpx.ConnectError):
        await status_of(web.port)


async def test_signals_are_left_to_the_daemon() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    web = server()
    await web.start()
    during = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    await web.stop()
    assert during == before


async def test_an_address_that_is_taken_is_an_error_with_its_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CanaryError, match=f"cannot listen on 127.0.0.1 port {port}"):
            await server(port).start()


async def test_stopping_what_never_started_is_no_error() -> None:
    await server().stop()


async def test_a_client_that_never_finishes_its_request_does_not_hold_the_stop() -> None:
    web = server()
    await web.start()
    with socket.create_connection(("127.0.0.1", web.port)) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        await web.stop()


async def test_connections_that_ask_nothing_are_closed_and_their_places_free_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("canary.web.server.HEAD_SECONDS", 0.2)
    web = server()
    await web.start()
    idle = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(MAX_CONNECTIONS)]
    statuses = [await status_of(web.port)]
    await asyncio.sleep(0.5)
    statuses.append(await status_of(web.port))
    for one in idle:
        one.close()
    await web.stop()
    assert statuses == [503, 200]


async def test_a_connection_that_has_asked_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.web.server.HEAD_SECONDS", 0.2)
    web = server()
    await web.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    for _ in range(2):
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        await asyncio.sleep(0.3)
    writer.close()
    await web.stop()
    assert head.startswith(b"HTTP/1.1 200")
