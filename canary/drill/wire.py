"""The lab in place of the network: requests go to its application in this process, in virtual time."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from canary.clock import Clock
from canary.drill.app import ScenarioApp
from canary.http import Answer, NoAnswer, Trouble
from canary.lab.faults import Fault
from canary.lab.fleet import Fleet
from canary.lab.server import Dropped, Message


class LabWire:
    """Stands where `canary.http.HttpClient` stands. The fleet has the faults of the moment of each request."""

    def __init__(self, fleet: Fleet, faults: Callable[[datetime], Sequence[Fault]], clock: Clock) -> None:
        self._app = ScenarioApp(fleet, faults, clock)
        self._clock = clock

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, within: timedelta, max_bytes: int
    ) -> Answer | NoAnswer:
        """As `canary.http.Http.send`."""
        began = self._clock.monotonic()
        exchange = _Exchange(body)
        scope = {
            "type": "http",
            "method": method,
            "path": urlsplit(url).path,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Dropped:
            return NoAnswer(Trouble.BROKEN_OFF, "the connection broke off")
        if self._clock.monotonic() - began > within.total_seconds():
            return NoAnswer(Trouble.TIMEOUT, f"no whole answer within {within.total_seconds():g} s")
        if len(exchange.body) > max_bytes:
            return NoAnswer(Trouble.TOO_LARGE, f"the answer is larger than {max_bytes} bytes")
        return Answer(exchange.status, exchange.headers, exchange.body)


class _Exchange:
    """One request and its answer, as ASGI has them."""

    def __init__(self, body: bytes) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self._asked = body

    async def receive(self) -> Message:
        return {"type": "http.request", "body": self._asked}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message["body"]
