"""Silences and maintenance windows: what nobody is told of for a while, and why."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Depends, HTTPException

from canary.alert.maintenance import fault
from canary.alert.silences import describe, made
from canary.desk import silences as desk
from canary.records import Silence, matcher
from canary.web.api.fields import ActIn, Identity
from canary.web.api.kit import Api, Json
from canary.web.api.silence_models import CoveredIn, CoveredOut, SilencedOut, SilenceIn, SilenceOut
from canary.web.door import OPERATORS, Caller

LONGEST = timedelta(days=365)


def routes(api: Api) -> APIRouter:
    router = APIRouter(prefix="/silences", tags=["silences"])
    reader, operator = [Depends(api.door.reader())], api.door.bearer(OPERATORS)

    @router.get("", response_model=list[SilenceOut], dependencies=reader)
    async def silences(*, all: bool = False) -> Json:
        """Those that hold or will hold, the first to end first; or all."""
        since = None if all else api.clock.now()
        return Json([describe(one) for one in await api.read(lambda tx: tx.silences(since=since))])

    @router.post("/preview", response_model=CoveredOut, dependencies=reader)
    async def preview(said: CoveredIn) -> Json:
        """What these matchers would silence now. Nothing is silenced."""
        ground, matchers = api.ground(), tuple(map(matcher, said.matchers))
        return Json((await api.read(lambda tx: desk.covered(tx, ground, matchers))).facts())

    @router.post("", response_model=SilencedOut, status_code=201)
    async def silence(said: SilenceIn, caller: Annotated[Caller, Depends(operator)]) -> Json:
        """Tell nobody of what all matchers cover, until a time; with `maintenance` detectors stand still meanwhile."""
        ground, now, one = api.ground(), api.clock.now(), _made(api, said, caller)
        covered = await api.write(lambda tx: desk.add(tx, ground, one, caller.who, now, doubtful=said.force))
        return Json({**describe(one), **covered.facts()}, 201)

    @router.post("/{silence_id}/expire", response_model=SilenceOut)
    async def expire(
        silence_id: Identity,
        caller: Annotated[Caller, Depends(operator)],
        said: Annotated[ActIn | None, Body()] = None,
    ) -> Json:
        """End it now; what is open then is told within seconds."""
        person, now = (said and said.by) or str(caller.token), api.clock.now()
        ended = await api.write(lambda tx: desk.expire(tx, silence_id, person, now, caller.who))
        return Json(describe(ended))

    return router


def _made(api: Api, said: SilenceIn, caller: Caller) -> Silence:
    """Raises: HTTPException 422."""
    now, matchers = api.clock.now(), tuple(map(matcher, said.matchers))
    starts = said.starts or now
    if starts > now + LONGEST:
        raise HTTPException(422, "it starts more than a year ahead")
    ends = said.until or starts + timedelta(seconds=said.seconds or 0)
    if ends <= max(now, starts) or ends - now > LONGEST:
        raise HTTPException(422, "the end has passed, is not after its beginning, or is more than a year ahead")
    wrong = fault(matchers) if said.maintenance else None
    if wrong is not None:
        raise HTTPException(422, f"matchers {wrong}")
    return made(matchers, said.by or str(caller.token), said.reason, starts, ends, freezes=said.maintenance)
