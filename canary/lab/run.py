"""Ways to run the lab: in the foreground, on a thread beside a test, or as a process of its own for a demo."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from threading import Thread
from typing import BinaryIO

import msgspec
import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from canary.lab.fleet import Fleet
from canary.lab.server import Dropped, LabApp, Receive, Scope, Send
from canary.lab.spec import FleetSpec

_HOST = "127.0.0.1"


class _CuttingProtocol(H11Protocol):
    """Cuts the connection where the application says so, which ASGI has no message for."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = self.app

        async def cutting(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await app(scope, receive, send)
            except Dropped:
                transport.abort()
                await asyncio.sleep(0)  # the loop tells the protocol that the connection is gone

        self.app = cutting


def serve(app: LabApp, host: str = _HOST, port: int = 0, ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve until interrupted; `ready` is called with the base URL. Port 0: one that is free."""
    server = _server(app)
    with socket.create_server((host, port)) as listener:
        ready(_url(listener))
        server.run(sockets=[listener])


@contextmanager
def in_thread(spec: FleetSpec, port: int = 0) -> Iterator[str]:
    """Serve from a thread of this process while the block runs; gives the base URL."""
    server = _server(LabApp(Fleet(spec)))
    with socket.create_server((_HOST, port)) as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="lab", daemon=True)
        thread.start()
        try:
            yield _url(listener)
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def in_process(spec: FleetSpec, port: int = 0) -> Iterator[str]:
    """Serve from a process of its own while the block runs, or until this process is gone; gives the base URL."""
    command = [sys.executable, "-m", "canary.lab", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("no pipes")
        stdin.write(msgspec.json.encode(spec) + b"\n")
        stdin.flush()
        url = stdout.readline().decode().strip()
        if not url:
            raise RuntimeError("the lab did not start")
        yield url


def follow(stdin: RawIOBase, stdout: BinaryIO, port: int) -> None:
    """The other end of `in_process`: take the spec from a line of `stdin`, tell the URL, end when `stdin` does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes `stdin`
    server = _server(LabApp(Fleet(msgspec.json.decode(stdin.readline(), type=FleetSpec))))

    def wait() -> None:
        stdin.read()
        server.should_exit = True

    with socket.create_server((_HOST, port)) as listener:
        stdout.write(_url(listener).encode() + b"\n")
        stdout.flush()
        Thread(target=wait, name="parent", daemon=True).start()
        server.run(sockets=[listener])


def _server(app: LabApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=_CuttingProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
        backlog=2048,
    )
    return uvicorn.Server(config)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"
