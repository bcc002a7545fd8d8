"""The fleet behind HTTP: a thin ASGI application that speaks OpenAI's API, with a switch for its faults.

    POST /{platform}/{pool}/v1/chat/completions, .../v1/completions     GET .../v1/models
    GET  /health          GET, PUT /lab/faults (from this machine only)

The session key is the header `x-session-id`; the answer's `x-replica` names the server that gave it.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from canary.clock import Clock, SystemClock
from canary.lab import render
from canary.lab.batches import NOON
from canary.lab.engine import Answer, ContextTooLong
from canary.lab.faults import OF_BATCHES, Fault, FaultKind
from canary.lab.fleet import Fleet, Reply, Request, UnknownTarget
from canary.lab.wire import BadRequest, chat_request, completion_request

AFFINITY_HEADER = "x-session-id"
REPLICA_HEADER = "x-replica"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_MAX_BODY = 4_000_000
_REMEMBERED = 50_000
_GATHERING = 0.02  # seconds for which a batch is gathered, where its size matters
_LOOPBACK = ("127.0.0.1", "::1")
_PATHS = {
    "/v1/chat/completions": (chat_request, render.chat),
    "/v1/completions": (completion_request, render.completion),
}


class Refused(Exception):
    """An answer of another status than 200."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


class Dropped(ConnectionAbortedError):
    """The connection is to be cut without an answer."""


class LabApp:
    """The ASGI application. In process (`httpx.ASGITransport`) a dropped connection shows as `Dropped`.

    `clock` tells and passes the time: the machine's, or that of a simulated world. `hour` tells the hour of the day
    (UTC), which the sizes of batches sway with.
    """

    def __init__(
        self,
        fleet: Fleet,
        gathering: float = _GATHERING,
        hour: Callable[[], float] = lambda: NOON,
        clock: Clock | None = None,
    ) -> None:
        self.fleet = fleet
        self._hour = hour
        self._gathering = gathering
        self._clock = clock or SystemClock()
        self._seen: OrderedDict[int, int] = OrderedDict()
        self._arrivals: dict[tuple[str, str], list[float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        try:
            status, body, headers = 200, *await self._answer(scope, await _read(receive))
        except Refused as refused:
            status, headers = refused.status, refused.headers
            body = msgspec.json.encode({"error": {"message": str(refused), "type": "lab", "code": status}})
        start = {"content-type": "application/json", "content-length": str(len(body)), **headers}
        raw = [(name.encode(), value.encode()) for name, value in start.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, body: bytes) -> tuple[bytes, dict[str, str]]:
        method, path = scope["method"], scope["path"]
        match method, path.split("/", 3)[1:]:
            case "GET", ["health"]:
                return b'{"status":"ok"}', {}
            case "GET" | "PUT", ["lab", "faults"]:
                return self._switch(scope, body), {}
            case "GET", [platform, pool, "v1/models"]:
                return self._models(platform, pool), {}
            case "POST", [platform, pool, rest] if f"/{rest}" in _PATHS:
                return await self._generate(platform, pool, f"/{rest}", body, scope)
        raise Refused(404, "no such path")

    def _switch(self, scope: Scope, body: bytes) -> bytes:
        if not scope.get("client") or scope["client"][0] not in _LOOPBACK:
            raise Refused(403, "faults are switched from this machine only")
        if scope["method"] == "PUT":
            try:
                self.fleet.switch(msgspec.json.decode(body, type=list[Fault]))
            except (msgspec.DecodeError, UnknownTarget) as error:
                raise Refused(400, str(error)) from error
        return msgspec.json.encode(self.fleet.faults)

    def _models(self, platform: str, pool: str) -> bytes:
        try:
            models = self.fleet.models(platform, pool)
        except UnknownTarget as error:
            raise Refused(404, str(error)) from error
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "lab"} for name in models]
        return msgspec.json.encode({"object": "list", "data": listed})

    async def _generate(
        self, platform: str, pool: str, path: str, body: bytes, scope: Scope
    ) -> tuple[bytes, dict[str, str]]:
        read, write = _PATHS[path]
        try:
            request = read(platform, pool, body, _header(scope, AFFINITY_HEADER))
            nth = self._repetition(request)
            reply = self.fleet.reply(request, nth, await self._batch(platform, pool), self._hour())
        except UnknownTarget as error:
            raise Refused(404, str(error)) from error
        except (BadRequest, ContextTooLong) as error:
            raise Refused(400, str(error)) from error
        await self._clock.sleep(reply.delay)
        return write(request, _answer_of(reply), f"{reply.replica}-{nth}"), {REPLICA_HEADER: reply.replica}

    async def _batch(self, platform: str, pool: str) -> int:
        """How many requests the pool has to serve at once."""
        if all(fault.batch == 1 and fault.kind not in OF_BATCHES for fault in self.fleet.faults):
            return 1
        arrivals = self._arrivals.setdefault((platform, pool), [])
        arrived = self._clock.monotonic()
        arrivals[:] = [one for one in arrivals if one >= arrived - 2.0 * self._gathering]
        arrivals.append(arrived)
        await self._clock.sleep(self._gathering)
        return sum(abs(one - arrived) <= self._gathering for one in arrivals)

    def _repetition(self, request: Request) -> int:
        """How often this very request came before, as far back as is remembered."""
        key = request.digest()
        nth = self._seen.pop(key, -1) + 1
        self._seen[key] = nth
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return nth


def _answer_of(reply: Reply) -> Answer:
    if reply.answer is not None:
        return reply.answer
    if reply.failure is FaultKind.THROTTLED:
        raise Refused(429, "too many requests", {"retry-after": "1", REPLICA_HEADER: reply.replica})
    raise Dropped


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _MAX_BODY:
            raise Refused(413, f"a request has at most {_MAX_BODY} bytes")
        if not message.get("more_body"):
            return bytes(body)


def _header(scope: Scope, name: str) -> str:
    found = (value for key, value in scope["headers"] if key == name.encode())
    return next(found, b"").decode("latin-1")
