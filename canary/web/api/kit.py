"""What the endpoints stand on: the store behind threads of its own, answers, and errors that quote nothing."""

import asyncio
import json
import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.routing import Match
from starlette.types import Scope
from typing_extensions import override

from canary.changes import moment
from canary.clock import Clock
from canary.desk.ground import Ground
from canary.desk.tokens import bearer
from canary.errors import BaselineError, CanaryError, ChangeError, NotFound, ReportError, StoreUnavailable
from canary.records import Incident, Token
from canary.store.base import Store, Transaction
from canary.web.api.lane import Lane
from canary.web.door import Door
from canary.web.gates import Gates
from canary.web.intake import Intake
from canary.web.status import Status

log = logging.getLogger(__name__)

THREADS = 4
"""Of the API alone: however many ask, the writer finds a thread."""

T = TypeVar("T")
Survey = Callable[[bool], Mapping[str, object]]
"""What `canary status --json` says; True: with the reach. Called in a thread."""


def written(content: object) -> bytes:
    """As compact JSON."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


class Json(JSONResponse):
    """Pure ASCII: an answer may hold what UTF-8 cannot."""

    @override
    def render(self, content: Any) -> bytes:
        return written(content)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask, as the config says. `hosts` None: whatever name the request was sent to."""

    open_reading: bool = True
    hosts: frozenset[str] | None = None
    per_second: float = 20.0
    github_secret: str | None = field(default=None, repr=False)


class Api:
    """The store, the clock, and what the daemon says: `ground` at any moment, `changed` takes note of incidents."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        status: Status,
        ground: Callable[[], Ground],
        changed: Callable[[Iterable[Incident]], None],
        access: Access,
        gates: Gates,
        intake: Intake,
        survey: Survey,
    ) -> None:
        self.clock = clock
        self.status = status
        self.ground = ground
        self.changed = changed
        self.access = access
        self.gates = gates
        self.intake = intake
        self._survey = survey
        self.door = Door(self._known, clock, open_reading=access.open_reading, per_second=access.per_second)
        self._store = store
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="canary-api")
        self._aside = Lane("aside")
        self._bulk = Lane("bulk")

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """In a thread, on a consistent view."""
        return await self._in_thread(lambda: self._seen(work))

    async def read_aside(self, question: Hashable, work: Callable[[Transaction], T]) -> T:
        """As `aside`, on a consistent view. Raises: HTTPException 429."""
        return await self.aside(question, lambda: self._seen(work))

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """In a thread, in a transaction. Once begun it ends, though nobody may wait for the answer any more."""

        def working() -> T:
            with self._store.transaction() as tx:
                return work(tx)

        return await self._in_thread(working)

    async def survey(self, *, reach: bool) -> Mapping[str, object]:
        """The fleet as `canary status --json` has it."""
        return await self.aside(("survey", reach), lambda: self._survey(reach))

    async def aside(self, question: Hashable, work: Callable[[], T]) -> T:
        """In a lane for what takes seconds, so that it keeps nobody from acting. Raises: HTTPException 429."""
        return await self._aside.ask(question, work)

    async def bulk(self, question: Hashable, work: Callable[[Transaction], object]) -> Response:
        """What is read by the page, written down as JSON, both in a lane of its own. Raises: HTTPException 429."""
        body = await self._bulk.ask(question, lambda: written(self._seen(work)))
        return Response(body, media_type=Json.media_type)

    def close(self) -> None:
        """No request is under way any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._aside.close()
        self._bulk.close()

    def moment(self, text: str, name: str) -> datetime:
        """A moment of a query. Raises: HTTPException 422."""
        try:
            return moment(text, self.clock.now())
        except ValueError as error:
            raise HTTPException(422, f"{name} {error}, or 36h for so long ago") from None

    async def _known(self, text: str) -> Token | None:
        return await self.read(lambda tx: bearer(tx, text, self.clock.now()))

    def _seen(self, work: Callable[[Transaction], T]) -> T:
        with self._store.reading() as tx:
            return work(tx)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def speak_plainly(app: FastAPI) -> None:
    """Errors in one shape, without a word of what was sent."""

    @app.exception_handler(AnyHTTPException)
    async def refused(request: Request, error: AnyHTTPException) -> Json:
        headers = _allow(app, request) if error.status_code == 405 else error.headers
        return Json({"error": error.detail}, error.status_code, headers)

    @app.exception_handler(RequestValidationError)
    async def unfit(_: Request, error: RequestValidationError) -> Json:
        problems = [{"at": ".".join(map(str, one["loc"])), "what": one["msg"]} for one in error.errors()]
        return Json({"error": "the request does not fit", "problems": problems[:20]}, 422)

    @app.exception_handler(CanaryError)
    async def expected(_: Request, error: CanaryError) -> Json:
        status = _status(error)
        if status >= 500:
            log.warning("request_failed", extra={"reason": str(error)})
        return Json({"error": str(error)}, status)


def _allow(app: FastAPI, request: Request) -> dict[str, str]:
    """All methods of the path, whichever of its routes they are of."""
    tried = {method: {**request.scope, "method": method} for method in ("GET", "POST")}
    found = [name for name, scope in tried.items() if known(app, scope)]
    return {"allow": ", ".join(sorted([*found, *(["HEAD"] if "GET" in found else [])]))}


def known(app: FastAPI, scope: Scope) -> bool:
    """Whether the application has a route of that path and method."""
    return any(one.matches(scope)[0] is Match.FULL for one in app.routes)


def _status(error: CanaryError) -> int:
    match error:
        case NotFound():
            return 404
        case ChangeError() | ReportError():
            return 422
        case BaselineError():
            return 409
        case StoreUnavailable():
            return 503
        case _:
            return 500
