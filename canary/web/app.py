"""The web application: health, metrics, the page, and the API.

/healthz        liveness: restart the process when this fails
/readyz         readiness: it does not do its duty yet, or any more
/freshz         freshness: which targets have not answered for three intervals
/metrics        for Prometheus; in OpenMetrics, with exemplars, where that is accepted
/               the fleet and its incidents for people
/api/v1         the same and more for programs; described by /api/v1/openapi.json
"""

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from canary.metrics import CONTENT_TYPE, OPENMETRICS_TYPE, Metrics, wants_openmetrics
from canary.web.api import PREFIX, meet, routes, takes_body
from canary.web.api.kit import Api, speak_plainly
from canary.web.document import target
from canary.web.guard import Guard
from canary.web.page import render
from canary.web.status import Check, Snapshot


def build(api: Api, metrics: Metrics) -> FastAPI:
    """The application. Its interactive documentation is off, for that loads scripts from elsewhere."""
    app = FastAPI(
        title="Canary",
        version="1",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(
        Guard,
        meet=lambda request: meet(api, app, request),
        takes=lambda scope: takes_body(app, scope),
        hosts=api.access.hosts,
    )
    speak_plainly(app)
    app.include_router(routes(api))
    status = api.status

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return _checked(status.snapshot().live)

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        return _checked(status.snapshot().ready)

    @app.get("/freshz", include_in_schema=False)
    async def freshz() -> Response:
        return _fresh(status.snapshot())

    @app.get("/metrics", include_in_schema=False)
    async def exposition(request: Request) -> Response:
        """A large fleet's takes a while: the chunks are made in threads, one after the other."""
        openmetrics = wants_openmetrics(request.headers.get("accept", ""))
        headers = {"content-type": OPENMETRICS_TYPE if openmetrics else CONTENT_TYPE, "vary": "accept"}
        return StreamingResponse(metrics.chunks(openmetrics=openmetrics), headers=headers)

    @app.get("/", include_in_schema=False, dependencies=[Depends(api.door.reader())])
    async def status_page() -> Response:
        return HTMLResponse(render(status.snapshot()))

    return app


def _checked(checks: tuple[Check, ...]) -> JSONResponse:
    ok = all(check.ok for check in checks)
    body = {
        "status": "ok" if ok else "failing",
        "checks": [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks],
    }
    return JSONResponse(body, status_code=200 if ok else 503)


def _fresh(snapshot: Snapshot) -> JSONResponse:
    stale = [target(one, snapshot) for one in snapshot.targets if one.stale(snapshot.at)]
    body = {"status": "stale" if stale else "ok", "stale": stale}
    return JSONResponse(body, status_code=503 if stale else 200)
