"""Incidents: what they show, and what people decide of them."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query

from canary.desk import incidents as desk
from canary.desk.evidence import exhibit, outcome
from canary.records import Act
from canary.web.api.fields import ActIn, Identity
from canary.web.api.kit import Api, Json
from canary.web.api.models import DecidedOut, EvidenceOut, IncidentOut, ShownOut
from canary.web.door import OPERATORS, READERS, Caller

Said = Annotated[ActIn | None, Body()]


def routes(api: Api) -> APIRouter:
    router = APIRouter(tags=["incidents"])
    reader = [Depends(api.door.reader())]
    operator = api.door.bearer(OPERATORS)

    @router.get("/incidents", response_model=list[IncidentOut], dependencies=reader)
    async def incidents(*, all: bool = False, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> Json:
        """The unresolved ones, or all, newest last; of more than `limit`, the newest."""
        ground, now = api.ground(), api.clock.now()
        return Json(await api.read(lambda tx: desk.listed(tx, ground, now, everything=all, limit=limit)))

    @router.get("/incidents/{incident_id}", response_model=ShownOut, dependencies=reader)
    async def incident(incident_id: Identity) -> Json:
        """One, by its id or the beginning of it, with suspects and exhibits."""
        ground, now = api.ground(), api.clock.now()
        return Json(await api.read(lambda tx: desk.shown(tx, ground, tx.incident(incident_id), now)))

    @router.get("/evidence/{slot_id}", response_model=EvidenceOut, dependencies=[Depends(api.door.bearer(READERS))])
    async def evidence(slot_id: Identity) -> Json:
        """One run with its answer: for bearers of a token only."""
        return Json(await api.read(lambda tx: outcome(*exhibit(tx, slot_id))))

    @router.post("/incidents/{incident_id}/ack", response_model=DecidedOut)
    async def acknowledge(
        incident_id: Identity, caller: Annotated[Caller, Depends(operator)], said: Said = None
    ) -> Json:
        """Somebody is on it."""
        return await _decided(api, incident_id, Act.ACKNOWLEDGE, caller, said)

    @router.post("/incidents/{incident_id}/resolve", response_model=DecidedOut)
    async def resolve(incident_id: Identity, caller: Annotated[Caller, Depends(operator)], said: Said = None) -> Json:
        """It is over, whatever the series say; an alarm within the hour opens it again."""
        return await _decided(api, incident_id, Act.RESOLVE, caller, said)

    return router


async def _decided(api: Api, incident_id: str, act: Act, caller: Caller, said: ActIn | None) -> Json:
    person = said.by if said is not None and said.by is not None else str(caller.token)
    ground, now = api.ground(), api.clock.now()
    decision = await api.write(lambda tx: desk.decide(tx, ground, incident_id, act, person, now, caller.who))
    api.changed([decision[0]])
    return Json(desk.decided(decision))
