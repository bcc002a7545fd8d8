"""Who may come in, and how often.

Reading is open where `open_reading` says so (by default where only this machine is listened to); whatever changes
something, or shows an answer, needs a token: as `Authorization: Bearer TOKEN`, or as the password of Basic, which
browsers and webhook senders know. Who asks is met before a byte of the body is read; the endpoint says what that role
may do.
"""

import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer

from canary.clock import Clock
from canary.records import Role, Token

BURST_SECONDS = 2.0
MOST_CALLERS = 10_000

_BEARER = HTTPBearer(auto_error=False, scheme_name="bearer", description="A token of `canary token add`.")
_BASIC = HTTPBasic(auto_error=False, scheme_name="basic", description="The token as password; any name.")
_CHALLENGE = {"www-authenticate": 'Basic realm="canary", Bearer'}

_MET = "canary.caller"

READERS = frozenset({Role.READ, Role.OPERATE})
OPERATORS = frozenset({Role.OPERATE})
SENDERS = frozenset({Role.OPERATE, Role.INGEST})
INGESTERS = frozenset({Role.INGEST})

Known = Callable[[str], Awaitable[Token | None]]
"""The valid token that a text is."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a token by its name, or anybody."""

    token: str | None = None
    role: Role | None = None

    @property
    def who(self) -> str:
        """For the audit log."""
        return "anybody" if self.token is None else f"token:{self.token}"


class Door:
    """Lives in the event loop."""

    def __init__(self, known: Known, clock: Clock, *, open_reading: bool, per_second: float) -> None:
        self._known = known
        self._open_reading = open_reading
        self._paces = Paces(clock, per_second)

    def reader(self) -> Callable[..., Awaitable[Caller]]:
        """The dependency of what anybody may read where reading is open."""
        return self._dependency(READERS, anybody=self._open_reading)

    def bearer(self, roles: frozenset[Role]) -> Callable[..., Awaitable[Caller]]:
        """The dependency of what needs a token of one of these roles."""
        return self._dependency(roles, anybody=False)

    def _dependency(self, roles: frozenset[Role], *, anybody: bool) -> Callable[..., Awaitable[Caller]]:
        async def admitted(
            request: Request,
            bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
            basic: Annotated[HTTPBasicCredentials | None, Depends(_BASIC)],
        ) -> Caller:
            text = bearer.credentials if bearer else basic.password if basic else None
            return await self._admit(request, text, roles, anybody=anybody)

        return admitted

    async def meet(self, request: Request, *, anybody: bool) -> None:
        """Know who asks, by the headers alone, once for a request. Raises: HTTPException 401, 429."""
        bearer, basic = await _BEARER(request), await _BASIC(request)
        text = bearer.credentials if bearer else basic.password if basic else None
        await self._met(request, text, anybody=anybody)

    async def _admit(self, request: Request, text: str | None, roles: frozenset[Role], *, anybody: bool) -> Caller:
        caller = await self._met(request, text, anybody=anybody)
        if caller.role is not None and caller.role not in roles:
            raise HTTPException(403, f"the role {caller.role.value} may not do that")
        return caller

    async def _met(self, request: Request, text: str | None, *, anybody: bool) -> Caller:
        caller: Caller | None = request.scope.get(_MET)
        if caller is None:
            caller = request.scope[_MET] = await self._paced(request, text)
        if caller.token is None and (text is not None or not anybody):
            raise HTTPException(401, "this needs a valid token: see `canary token add --help`", _CHALLENGE)
        return caller

    async def _paced(self, request: Request, text: str | None) -> Caller:
        """Raises: HTTPException 429."""
        address = request.client.host if request.client else ""
        token = None
        if text is not None:
            self._paces.allow(f"guess {address}", ahead=True)
            token = await self._known(text)
        pace = f"anybody {address}" if text is None else f"guess {address}" if token is None else f"token {token.id}"
        self._paces.allow(pace)
        return Caller() if token is None else Caller(token.name, token.role)


class Paces:
    """A bucket of requests for each caller; of the callers, the last ten thousand."""

    def __init__(self, clock: Clock, per_second: float) -> None:
        self._clock = clock
        self._per_second = per_second
        self._most = max(1.0, BURST_SECONDS * per_second)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allow(self, caller: str, *, ahead: bool = False) -> None:
        """Take one from the bucket, or look `ahead` whether there is one. Raises: HTTPException 429."""
        now = self._clock.monotonic()
        before, at = self._left.get(caller, (self._most, now))
        left = min(self._most, before + (now - at) * self._per_second)
        if left < 1.0:
            wait = math.ceil((1.0 - left) / self._per_second)
            raise HTTPException(429, f"too many requests: wait {wait} s", {"retry-after": str(wait)})
        self._left[caller] = (left if ahead else left - 1.0, now)
        self._left.move_to_end(caller)
        while len(self._left) > MOST_CALLERS:
            self._left.popitem(last=False)
