"""The one HTTP seam: httpx's API on aiohttp's connections.

httpx's own pool scans every idle connection for every request, so it collapses under concurrency. Here httpx gives the
API and the error tree, aiohttp the sockets. No aiohttp error, redirect, cookie or proxy of the environment gets past.

One exchange is bounded in whole: its time by a wall deadline, its body by `max_bytes`, its headers by aiohttp's limits
(8 KB a line, 128 lines). Compressed bodies are not asked for and not read, so there is nothing to inflate.
"""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.http_exceptions import HttpProcessingError
from typing_extensions import override

CONNECT_TIMEOUT = timedelta(seconds=10)
KEEP_ALIVE_SECONDS = 3.0  # servers close idle connections after 5 s; a request must not meet that
LOOKUPS = 16  # names looked up at a time


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Trouble(StrEnum):
    """Why there is no whole answer."""

    TIMEOUT = "timeout"  # the deadline passed
    UNREACHABLE = "unreachable"  # no connection: refused, name, TLS
    BROKEN_OFF = "broken_off"  # the connection was lost before the answer was whole
    NOT_HTTP = "not_http"
    COMPRESSED = "compressed"  # though we asked for it plain
    TOO_LARGE = "too_large"
    UNSENDABLE = "unsendable"  # the URL or a header cannot be sent


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """`detail` is in our words, without URL or header."""

    trouble: Trouble
    detail: str


class Http(Protocol):
    """What sends one request; a fake of it stands in `canary.testing`."""

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, within: timedelta, max_bytes: int
    ) -> Answer | NoAnswer: ...


class HttpClient:
    """Sends requests, each once. Build one for the process, in the event loop that uses it, and close it."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, connections: int = 512) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole URLs, and those of webhooks are secrets
        self._client = httpx.AsyncClient(
            transport=Transport(tls=tls, connections=connections),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            headers={"accept": "application/json", "accept-encoding": "identity", "user-agent": "canary"},
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT.total_seconds()),
            follow_redirects=False,
            trust_env=False,
        )

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, within: timedelta, max_bytes: int
    ) -> Answer | NoAnswer:
        """Send one request and read its answer whole. A server can make this end as `NoAnswer`, never raise."""
        try:
            request = self._client.build_request(
                method,
                url,
                headers=[(name.encode(), value.encode()) for name, value in headers.items()],
                content=body,
            )
            async with asyncio.timeout(within.total_seconds()):
                return await self._exchange(request, max_bytes)
        except TimeoutError:
            return NoAnswer(Trouble.TIMEOUT, f"no whole answer within {within.total_seconds():g} s")
        except httpx.HTTPError as error:
            return NoAnswer(_trouble(error), str(error))
        except (httpx.InvalidURL, UnicodeError):
            return NoAnswer(Trouble.UNSENDABLE, "the URL or a header cannot be sent")

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _exchange(self, request: httpx.Request, max_bytes: int) -> Answer | NoAnswer:
        response = await self._client.send(request, stream=True)
        try:
            if response.headers.get("content-encoding", "identity") != "identity":
                return NoAnswer(Trouble.COMPRESSED, "the answer is compressed, though it was asked for plain")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > max_bytes:
                    return NoAnswer(Trouble.TOO_LARGE, f"the answer is larger than {max_bytes} bytes")
            return Answer(response.status_code, dict(response.headers), bytes(body))
        finally:
            await response.aclose()


def _trouble(error: Exception) -> Trouble:
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return Trouble.UNREACHABLE
        case httpx.RemoteProtocolError():
            return Trouble.NOT_HTTP
        case httpx.NetworkError() | httpx.TimeoutException():
            return Trouble.BROKEN_OFF
        case _:
            return Trouble.UNSENDABLE


class Transport(httpx.AsyncBaseTransport):
    """aiohttp's connections under httpx's API. Of httpx's four timeouts it keeps `connect` and `read`."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, connections: int = 512) -> None:
        self._tls = tls
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._resolver = _Resolver()

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeouts = request.extensions.get("timeout", {})
        url = request.url.copy_with(userinfo=b"") if request.url.userinfo else request.url  # httpx made a header of it
        with _httpx_errors():
            answer = await self._open_session().request(
                request.method,
                str(url),
                headers=[(name.decode("ascii"), value.decode()) for name, value in request.headers.raw],
                data=await request.aread() or None,
                allow_redirects=False,
                ssl=self._open_tls() if request.url.scheme == "https" else True,
                timeout=aiohttp.ClientTimeout(sock_connect=timeouts.get("connect"), sock_read=timeouts.get("read")),
            )
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=_Body(answer), request=request)

    @override
    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
        await self._resolver.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections, keepalive_timeout=KEEP_ALIVE_SECONDS, resolver=self._resolver
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("accept", "accept-encoding", "content-type", "user-agent"),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    def _open_tls(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = httpx.create_ssl_context()  # 20 ms: once, and only where it is needed
        return self._tls


class _Resolver(AbstractResolver):
    """Looks names up in threads of its own: a name server that hangs must not hold up the store in the others."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="canary-names")

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    @override
    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_errors():
            async for chunk in self._answer.content.iter_any():
                yield chunk

    @override
    async def aclose(self) -> None:
        self._answer.close()


@contextmanager
def _httpx_errors() -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError) as error:
        raise _httpx_error(error) from error


def _httpx_error(error: Exception) -> httpx.HTTPError:
    match error:
        case aiohttp.ClientConnectorError():
            return httpx.ConnectError(_why_not_connected(error))
        case aiohttp.ConnectionTimeoutError():
            return httpx.ConnectTimeout("no connection in time")
        case TimeoutError():
            return httpx.ReadTimeout("nothing came in time")
        case aiohttp.ClientPayloadError():
            return httpx.ReadError("the answer broke off")
        case aiohttp.ClientResponseError() | HttpProcessingError():
            return httpx.RemoteProtocolError("the answer is not HTTP")
        case aiohttp.NonHttpUrlClientError() | ValueError():
            return httpx.LocalProtocolError("the URL or a header cannot be sent")
        case _:
            return httpx.ReadError("the connection broke off")


def _why_not_connected(error: aiohttp.ClientConnectorError) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "the name does not resolve"
        case aiohttp.ClientConnectorCertificateError():
            return "TLS: the certificate is not trusted"
        case aiohttp.ClientSSLError():
            return "TLS: the handshake failed"
        case _:
            return f"no connection: {errno.errorcode.get(error.errno or 0, 'no address answers')}"
