"""A server in a process of its own that answers as fast as it can, or after a while, and the loads put on it."""

import asyncio
import itertools
import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from typing_extensions import override


@dataclass(frozen=True)
class Load:
    name: str
    in_flight: int
    latency: float  # seconds

    @property
    def path(self) -> str:
        """The server answers after as many milliseconds as the path says."""
        return f"/{self.latency * 1_000:.0f}"


FLAT_OUT = Load("8 in flight, no latency", 8, 0.0)
CROWDED = Load("200 in flight, 400 ms latency", 200, 0.4)


@contextmanager
def served(bodies: Sequence[bytes]) -> Iterator[str]:
    """The base URL of a server that answers with one body after the other."""
    receiving, sending = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(bodies, sending), daemon=True)
    server.start()
    sending.close()
    try:
        yield f"http://127.0.0.1:{receiving.recv()}"
    finally:
        server.terminate()
        server.join()


class _Server(asyncio.Protocol):
    """Enough of HTTP/1.1 to answer a POST."""

    def __init__(self, answers: Iterator[bytes]) -> None:
        self._answers = answers
        self._received = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank or len(body) < int(head.lower().partition(b"content-length:")[2].split(None, 1)[0]):
            return
        self._received = b""
        milliseconds = int(head.split(None, 2)[1].split(b"/")[1])
        asyncio.get_running_loop().call_later(milliseconds / 1_000, self._transport.write, next(self._answers))


def _serve(bodies: Sequence[bytes], ready: Connection) -> None:
    async def main() -> None:
        answers = itertools.cycle([b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(b), b) for b in bodies])
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Server(answers), "127.0.0.1", 0, backlog=1_000)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())
