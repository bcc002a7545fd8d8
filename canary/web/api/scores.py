"""Scores of an external target, as `canary score` writes them: JSON lines, numbers alone."""

import json
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import ValidationError

from canary.errors import ReportError
from canary.web.api.fields import TargetName
from canary.web.api.ingest_models import LineIn, TakenOut
from canary.web.api.kit import Api, Json
from canary.web.door import INGESTERS, Caller
from canary.web.intake import Line, Mark

AHEAD = timedelta(minutes=5)
"""By which clocks may differ."""
OLDEST = timedelta(days=90)
MOST_LINES = 1_000

_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/x-ndjson": {"schema": {"type": "string", "minLength": 1}}},
    }
}


def routes(api: Api) -> APIRouter:
    router = APIRouter(tags=["ingest"])
    ingester = api.door.bearer(INGESTERS)

    @router.post("/scores", response_model=TakenOut, openapi_extra=_BODY)
    async def scores(
        request: Request,
        caller: Annotated[Caller, Depends(ingester)],
        target: Annotated[TargetName, Query()],
        *,
        golden: bool = False,
    ) -> Json:
        """A thousand lines at most, all of them or none. A line whose id is known is left as it is.

        `golden`: of answers that are known to be healthy; baselines are proposed from them.
        """
        lines = _lines(await request.body(), api.clock.now())
        taken = await api.intake.scores(lines, target, caller.who, golden=golden)
        return Json({"new": taken.new, "known": taken.known})

    return router


def _lines(body: bytes, now: datetime) -> list[Line]:
    """Raises: ReportError, which quotes nothing."""
    texts = [text for text in body.splitlines() if text.strip()]
    if not 1 <= len(texts) <= MOST_LINES:
        raise ReportError(f"send 1 to {MOST_LINES:,} lines")
    return [_line(nth, text, now) for nth, text in enumerate(texts, start=1)]


def _line(nth: int, text: bytes, now: datetime) -> Line:
    try:
        said = LineIn.model_validate(_parsed(text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ReportError(f"line {nth}: {place} {first['msg']}") from None
    except (ValueError, RecursionError):
        raise ReportError(f"line {nth}: is not JSON") from None
    if not now - OLDEST <= said.at <= now + AHEAD:
        raise ReportError(f"line {nth}: lies ahead, or 90 days back")
    marks = tuple(Mark(one.signal, one.version, one.value or 0.0, one.exposure, one.unscored) for one in said.scores)
    return Line(said.id, said.probe, said.digest, said.at, said.replica, marks)


def _parsed(text: bytes) -> Any:
    return json.loads(text)
