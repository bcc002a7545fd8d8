"""The HTTP API, version 1: `/api/v1`. What it answers is what the command line says with `--json`."""

from typing import Any

from fastapi import APIRouter

from canary.web.api import changes, feedback, gate, hooks, incidents, reading, scores, silences
from canary.web.api.fields import Problem
from canary.web.api.kit import Api

PREFIX = "/api/v1"

_ERRORS: dict[int | str, dict[str, Any]] = {"4XX": {"model": Problem}, "5XX": {"model": Problem}}


def routes(api: Api) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix=PREFIX, responses=_ERRORS)
    for part in (reading, incidents, changes, hooks, gate, feedback, scores, silences):
        router.include_router(part.routes(api))
    return router
