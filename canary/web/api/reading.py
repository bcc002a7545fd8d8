"""The fleet, its targets and its series."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from canary.desk import series
from canary.records import SeriesKey
from canary.web.api.fields import Glob
from canary.web.api.fleet_models import SeriesPage, StatusOut, SurveyOut, TargetOut
from canary.web.api.kit import Api, Json
from canary.web.document import fleet, target

MOST_REACHES = 50


def routes(api: Api) -> APIRouter:
    router = APIRouter(tags=["fleet"], dependencies=[Depends(api.door.reader())])

    @router.get("/status", response_model=StatusOut)
    async def status() -> Json:
        """The fleet and its unresolved incidents."""
        return Json(fleet(api.status.snapshot()))

    @router.get("/survey", response_model=SurveyOut)
    async def survey(*, reach: bool = False) -> Json:
        """What `canary status` shows: each target's strongest evidence with its trend, and the parts of the fleet."""
        return Json(await api.survey(reach=reach))

    @router.get("/targets", response_model=list[TargetOut])
    async def targets() -> Json:
        """What is watched, and how it fares."""
        snapshot = api.status.snapshot()
        return Json([target(one, snapshot) for one in snapshot.targets])

    @router.get("/series", response_model=SeriesPage)
    async def all_series(
        target: Glob = "*",
        group: Glob = "*",
        signal: Glob = "*",
        *,
        reach: bool = False,
        after: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> Json:
        """Each with what it has learned, its budget and its evidence; with `reach`, how soon it would find a fault."""
        ground = api.ground()
        watch = ground.watch
        if watch is None:
            return Json({"series": [], "next": None})
        like = SeriesKey(target, ground.region, group, signal)
        most = min(limit, MOST_REACHES) if reach else limit
        keys = series.chosen(watch, like, after=after, limit=most)
        if reach:
            listed = await api.read_aside(tuple(keys), lambda tx: series.listed(tx, watch, keys, reach=True))
        else:
            listed = await api.read(lambda tx: series.listed(tx, watch, keys, reach=False))
        return Json({"series": listed, "next": after + most if len(keys) == most else None})

    return router
