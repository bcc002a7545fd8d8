"""Changes, recorded by people and by pipelines."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException

from canary.alert.message import describe_change
from canary.changes import change_id
from canary.changes import scope as read_scope
from canary.desk import changes as desk
from canary.records import Change, ChangeKind
from canary.web.api.fields import Where
from canary.web.api.kit import Api, Json
from canary.web.api.models import ChangeIn, ChangeOut, RecordedOut
from canary.web.door import OPERATORS, SENDERS, Caller

AHEAD = timedelta(minutes=5)
"""By which clocks may differ."""
OLDEST = timedelta(days=365)
LONGEST = timedelta(days=30)
MOST_LISTED = 1_000


def routes(api: Api) -> APIRouter:
    router = APIRouter(tags=["changes"])
    sender = api.door.bearer(SENDERS)

    @router.get("/changes", response_model=list[ChangeOut], dependencies=[Depends(api.door.reader())])
    async def changes(since: str = "14d", scope: Where = "*") -> Json:
        """Those that may have touched the scope since then, newest last, at most the last thousand."""
        when, where = api.moment(since, "since"), read_scope(scope)
        found = await api.read(lambda tx: desk.listed(tx, when, where))
        return Json([describe_change(change) for change in found[-MOST_LISTED:]])

    @router.post("/changes", response_model=RecordedOut, status_code=201, responses={200: {"model": RecordedOut}})
    async def record(said: ChangeIn, caller: Annotated[Caller, Depends(sender)]) -> Json:
        """Record a change: 201, or 200 where its id is known already. Without an id, the same facts have the same.

        Its author is the token, by its name.

        One of kind model ends what golden answers say: it needs the role operate, and has to name its scope.
        """
        if said.kind is ChangeKind.MODEL:
            _require_considered(said, caller)
        change, now, ground = _change(api, said, caller), api.clock.now(), api.ground()
        (new,) = await api.write(lambda tx: desk.record(tx, ground, [change], caller.who, now))
        return Json(desk.told(ground, change, new=new), 201 if new else 200)

    return router


def _require_considered(said: ChangeIn, caller: Caller) -> None:
    if caller.role not in OPERATORS:
        raise HTTPException(403, "a change of kind model ends what golden answers say: that needs the role operate")
    if "scope" not in said.model_fields_set:
        raise HTTPException(422, "a change of kind model names its scope: all that lies there is learned anew")


def _change(api: Api, said: ChangeIn, caller: Caller) -> Change:
    now = api.clock.now()
    at = said.at or now
    if at > now + AHEAD:
        raise HTTPException(422, "at lies ahead: record a change when it is made")
    if at < now - OLDEST:
        raise HTTPException(422, "at lies more than a year back: what is suspected is younger")
    if said.until is not None and not at <= said.until <= at + LONGEST:
        raise HTTPException(422, "until lies before at, or more than 30 days after it")
    identity = said.id or change_id(said.kind, at, said.place, said.summary)
    author = str(caller.token)
    return Change(identity, said.kind, at, said.summary, said.place, said.link or "", author, said.until)
