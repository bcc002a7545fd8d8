"""Webhooks of those that change things: GitHub, signed; Argo CD and Flagger, with a token."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Request

from canary.changes import Defaults, Source, parse
from canary.changes import scope as read_scope
from canary.desk import changes as desk
from canary.errors import ChangeError
from canary.records import Change
from canary.web.api.changes import AHEAD, OLDEST
from canary.web.api.fields import Where
from canary.web.api.kit import Api, Json
from canary.web.api.models import HeardOut
from canary.web.door import SENDERS, Caller

_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
_TOLD = {"deployment", "deployment_status", "push"}


def routes(api: Api) -> APIRouter:
    router = APIRouter(prefix="/hooks", tags=["webhooks"])
    sender = api.door.bearer(SENDERS)

    @router.post("/github", response_model=HeardOut, openapi_extra=_BODY)
    async def github(
        request: Request,
        scope: Where = "*",
        x_github_event: Annotated[str, Header(max_length=100)] = "",
        x_hub_signature_256: Annotated[str, Header(max_length=100)] = "",
    ) -> Json:
        """Deployments and pushes of GitHub, signed with `web.github_secret`; other events are let pass."""
        body = await request.body()
        if not _genuine(api.access.github_secret, body, x_hub_signature_256):
            raise HTTPException(401, "the signature does not fit: see web.github_secret in the config")
        if x_github_event not in _TOLD:
            return Json({"recorded": 0, "known": 0})
        return await _heard(api, body, Source.GITHUB, scope, "webhook:github")

    @router.post("/argo", response_model=HeardOut, openapi_extra=_BODY)
    async def argo(request: Request, caller: Annotated[Caller, Depends(sender)], scope: Where = "*") -> Json:
        """An Argo CD Application, or a list of them."""
        return await _heard(api, await request.body(), Source.ARGO, scope, caller.who)

    @router.post("/flagger", response_model=HeardOut, openapi_extra=_BODY)
    async def flagger(request: Request, caller: Annotated[Caller, Depends(sender)], scope: Where = "*") -> Json:
        """A Flagger webhook of type event."""
        return await _heard(api, await request.body(), Source.FLAGGER, scope, caller.who)

    return router


async def _heard(api: Api, body: bytes, source: Source, scope: str, who: str) -> Json:
    """Raises: ChangeError."""
    if not body:
        raise HTTPException(422, "the body is empty: send the event as it came")
    now, ground = api.clock.now(), api.ground()
    changes = _timely(parse(body, source, name="body", defaults=Defaults(read_scope(scope))), now)
    new = await api.write(lambda tx: desk.record(tx, ground, changes, who, now)) if changes else []
    return Json({"recorded": sum(new), "known": len(new) - sum(new)})


def _timely(changes: Sequence[Change], now: datetime) -> Sequence[Change]:
    """Without those of a history that is too long ago to matter. Raises: ChangeError, when one lies ahead."""
    if any(one.at > now + AHEAD for one in changes):
        raise ChangeError("body: a change lies ahead: is a clock wrong?")
    return [one for one in changes if one.at >= now - OLDEST]


def _genuine(secret: str | None, body: bytes, signature: str) -> bool:
    if secret is None:
        return False
    wanted = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), signature.encode())
