"""Servers on loopback that answer with whatever bytes a test wants."""

import asyncio
import gzip
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Pieces = Callable[[], AsyncIterator[bytes]]

RESET = b"reset, please"
CLOSE = b"close, please"
ANSWER = json.dumps(
    {"model": "small", "choices": [{"message": {"content": "Paris."}, "finish_reason": "stop"}]}
).encode()


@dataclass
class Server:
    url: str
    asked: list[bytes] = field(default_factory=list)
    connections: int = 0
    sent: int = 0


@asynccontextmanager
async def serving(pieces: Pieces, *, tls: ssl.SSLContext | None = None, greet: bool = False) -> AsyncIterator[Server]:
    """A server that sends `pieces` for each request, or at once if it greets."""
    open_ones: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        open_ones.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            if greet:
                await give(server, pieces, writer)
                await reader.read()
            while not writer.is_closing():
                server.asked.append(await request(reader))
                await give(server, pieces, writer)
        writer.close()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    scheme = "https" if tls or greet else "http"
    server = Server(f"{scheme}://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    try:
        yield server
    finally:
        listening.close()
        for writer in open_ones:
            writer.transport.abort()
        await asyncio.sleep(0)


async def give(server: Server, pieces: Pieces, writer: asyncio.StreamWriter) -> None:
    async for piece in pieces():
        if piece == RESET:
            reset(writer)
        elif piece == CLOSE:
            writer.close()
        else:
            writer.write(piece)
            server.sent += len(piece)
            await writer.drain()


async def request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    return head + await reader.readexactly(length)


def reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def raw(*pieces: bytes) -> Pieces:
    async def give() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return give


def answer(body: bytes = ANSWER, status: int = 200, **headers: str) -> Pieces:
    return raw(head(len(body), status, **headers), body)


def head(length: int | None, status: int = 200, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} So"]
    lines += [] if length is None else [f"content-length: {length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


async def hundred_megabytes() -> AsyncIterator[bytes]:
    yield head(100_000_000)
    for _ in range(1_000):
        yield b"x" * 100_000


async def endless_stream() -> AsyncIterator[bytes]:
    yield head(None)
    while True:
        yield b" " * 1_000
        await asyncio.sleep(0.01)


async def one_byte_a_second() -> AsyncIterator[bytes]:
    yield head(len(ANSWER))
    for place in range(len(ANSWER)):
        yield ANSWER[place : place + 1]
        await asyncio.sleep(1)


async def silence() -> AsyncIterator[bytes]:
    await asyncio.sleep(60)
    yield b""


def gzip_bomb() -> bytes:
    return gzip.compress(gzip.compress(b" " * 50_000_000))
