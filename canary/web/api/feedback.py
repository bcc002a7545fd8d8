"""Feedback counts: complaints of a class among so many requests, without a word of text."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException

from canary.pipeline.feedback import Window
from canary.web.api.ingest_models import FeedbackIn, TakenOut
from canary.web.api.kit import Api, Json
from canary.web.door import INGESTERS, Caller

AHEAD = timedelta(minutes=5)
"""By which clocks may differ."""
OLDEST = timedelta(days=90)


def routes(api: Api) -> APIRouter:
    router = APIRouter(tags=["ingest"])
    ingester = api.door.bearer(INGESTERS)

    @router.post("/feedback", response_model=TakenOut)
    async def feedback(said: FeedbackIn, caller: Annotated[Caller, Depends(ingester)]) -> Json:
        """Windows of counts. One of the same target, class and end is the same: handed in again, it counts once.

        They lie apart, and are at most as long as `feedback.window`: one that begins before another ends is refused.
        """
        now = api.clock.now()
        if any(one.at > now + AHEAD or one.at < now - OLDEST for one in said.windows):
            raise HTTPException(422, "a window lies ahead, or 90 days back")
        windows = [
            Window(
                f"{one.model}/{one.platform}/{one.pool}",
                one.kind,
                one.at,
                timedelta(seconds=one.seconds),
                one.count,
                one.exposure,
            )
            for one in said.windows
        ]
        taken = await api.intake.windows(windows, caller.who)
        return Json({"new": taken.new, "known": taken.known})

    return router
