"""The HTTP API, version 1: `/api/v1`. What it answers is what the command line says with `--json`."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.types import Scope

from canary.web.api import bulk, changes, feedback, gate, hooks, incidents, reading, scores, silences
from canary.web.api.fields import Problem
from canary.web.api.kit import Api, known
from canary.web.guard import SAFE

PREFIX = "/api/v1"

_ERRORS: dict[int | str, dict[str, Any]] = {"4XX": {"model": Problem}, "5XX": {"model": Problem}}


async def meet(api: Api, app: FastAPI, request: Request) -> None:
    """Who asks something of the API, before its body is read. Raises: HTTPException 401, 429."""
    path = request.url.path
    if path.startswith(f"{PREFIX}/") and path != f"{PREFIX}/openapi.json":
        closed = path not in _unnamed(api) and known(app, request.scope)
        await api.door.meet(request, anybody=request.method in SAFE or not closed)


def takes_body(app: FastAPI, scope: Scope) -> bool:
    """Whether the application has an act of that name: questions bring none."""
    return scope["method"] not in SAFE and known(app, scope)


def _unnamed(api: Api) -> tuple[str, ...]:
    """What may be posted to without a token: the body is signed, or it is a question where reading is open."""
    signed = f"{PREFIX}/hooks/github"
    return (signed, f"{PREFIX}/silences/preview") if api.access.open_reading else (signed,)


def routes(api: Api) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix=PREFIX, responses=_ERRORS)
    for part in (reading, bulk, incidents, changes, hooks, gate, feedback, scores, silences):
        router.include_router(part.routes(api))
    return router
