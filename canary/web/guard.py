"""What stands before every request: whose name it was sent to, who asks, how much it may bring, how long it may take.

A page of elsewhere can make a browser send requests to this machine. It cannot name the host that it was not loaded
from (DNS rebinding: the name is checked), nor post from there (the origin is checked), nor read the answers.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from canary.web.page import style_digest

MOST_BODY = 1_000_000
BODY_SECONDS = 10.0
ANSWER_SECONDS = 30.0

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
_HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src '{style_digest()}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


Meet = Callable[[Request], Awaitable[None]]
Takes = Callable[[Scope], bool]


class Guard:
    """Refuses what is sent to another name or from another origin, what is too large or takes too long.

    It also says to browsers how little the answers may do. `hosts` are the names that requests may name; None is any.
    `meet` says who asks, by what the headers hold: it raises HTTPException before anything of the body is read. That is
    read where something `takes` it: whatever else is sent is answered without it.
    """

    def __init__(self, app: ASGIApp, meet: Meet, takes: Takes, hosts: Collection[str] | None = None) -> None:
        self._app = app
        self._meet = meet
        self._takes = takes
        self._hosts = None if hosts is None else frozenset(map(str.lower, hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        brought = await self._refused(scope) or (await _read(scope, receive) if self._takes(scope) else b"")
        if isinstance(brought, Response):
            await brought(scope, receive, guarded)
            return
        as_get = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            async with asyncio.timeout(ANSWER_SECONDS if scope["path"].startswith("/api/") else None):
                await self._app(as_get, _replayed(brought, receive), guarded)
        except TimeoutError:
            if not begun:
                await refused(503, "it took too long: ask for less, or later")(scope, receive, guarded)

    async def _refused(self, scope: Scope) -> Response | None:
        method, headers = scope["method"], Headers(scope=scope)
        host = _name(f"//{headers.get('host', '')}")
        if self._hosts is not None and host not in self._hosts:
            return refused(421, "this is not the host that was named: see web.hosts in the config")
        origin = headers.get("origin")
        if method not in SAFE and origin is not None and _place(origin) != headers.get("host", "").lower():
            return refused(403, "a page of another origin may not do that")
        try:
            await self._meet(Request(scope))
        except HTTPException as error:
            return refused(error.status_code, error.detail, error.headers)
        return None


def refused(status: int, why: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in the shape of the API's errors."""
    return Response(json.dumps({"error": why}), status, headers, media_type="application/json")


async def _read(scope: Scope, receive: Receive) -> bytes | Response:
    """The whole body, or why it is not read."""
    headers = Headers(scope=scope)
    if "content-length" not in headers and "transfer-encoding" not in headers:
        return b""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while len(body) <= MOST_BODY:
                message = await receive()
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        return refused(408, f"the body did not come within {BODY_SECONDS:g} s")
    return bytes(body) if len(body) <= MOST_BODY else refused(413, f"the body is larger than {MOST_BODY:,} bytes")


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _place(origin: str) -> str:
    """Host and port, as the header Host has them: another port of this machine is another origin."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
