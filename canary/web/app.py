"""The web application: health, metrics, status. It answers GET and HEAD, and nothing else.

/healthz        liveness: restart the process when this fails
/readyz         readiness: it does not do its duty yet, or any more
/freshz         freshness: which targets have not answered for three intervals
/metrics        for Prometheus; in OpenMetrics, with exemplars, where that is accepted
/api/v1/status  the fleet and its incidents as JSON
/               the same for people
"""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from canary.alert.message import describe
from canary.metrics import CONTENT_TYPE, OPENMETRICS_TYPE, Metrics, wants_openmetrics
from canary.web.page import render, style_digest
from canary.web.status import Check, Snapshot, Status, TargetStatus

SCHEMA = "canary.status/1"
METHODS = ["GET", "HEAD"]


def build(status: Status, metrics: Metrics) -> FastAPI:
    """The application. Its interactive documentation is off, for that loads scripts from elsewhere."""
    app = FastAPI(title="Canary", openapi_url=None, redirect_slashes=False)
    app.add_middleware(Guard)

    @app.api_route("/healthz", methods=METHODS)
    async def healthz() -> Response:
        return _checked(status.snapshot().live)

    @app.api_route("/readyz", methods=METHODS)
    async def readyz() -> Response:
        return _checked(status.snapshot().ready)

    @app.api_route("/freshz", methods=METHODS)
    async def freshz() -> Response:
        return _fresh(status.snapshot())

    @app.api_route("/metrics", methods=METHODS)
    async def exposition(request: Request) -> Response:
        """A large fleet's takes a while: the chunks are made in threads, one after the other."""
        openmetrics = wants_openmetrics(request.headers.get("accept", ""))
        headers = {"content-type": OPENMETRICS_TYPE if openmetrics else CONTENT_TYPE, "vary": "accept"}
        return StreamingResponse(metrics.chunks(openmetrics=openmetrics), headers=headers)

    @app.api_route("/api/v1/status", methods=METHODS)
    async def status_json() -> Response:
        return JSONResponse(_as_json(status.snapshot()))

    @app.api_route("/", methods=METHODS)
    async def status_page() -> Response:
        return HTMLResponse(render(status.snapshot()))

    return app


class Guard:
    """Refuses what is not GET or HEAD, and says to browsers how little the answers may do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = {
            "content-security-policy": (
                f"default-src 'none'; style-src '{style_digest()}'; base-uri 'none'; form-action 'none'; "
                "frame-ancestors 'none'"
            ),
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "no-referrer",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "no-store",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        if scope["type"] == "http" and scope["method"] not in METHODS:
            refusal = Response("Only GET and HEAD.\n", status_code=405, headers={"allow": ", ".join(METHODS)})
            await refusal(scope, receive, guarded)
        else:
            await self._app(scope, receive, guarded)


def _checked(checks: tuple[Check, ...]) -> JSONResponse:
    ok = all(check.ok for check in checks)
    body = {
        "status": "ok" if ok else "failing",
        "checks": [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks],
    }
    return JSONResponse(body, status_code=200 if ok else 503)


def _fresh(snapshot: Snapshot) -> JSONResponse:
    stale = [_target(target, snapshot) for target in snapshot.targets if target.stale(snapshot.at)]
    body = {"status": "stale" if stale else "ok", "stale": stale}
    return JSONResponse(body, status_code=503 if stale else 200)


def _as_json(snapshot: Snapshot) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "at": snapshot.at.isoformat(timespec="seconds"),
        "version": snapshot.version,
        "region": snapshot.region,
        "targets": [_target(target, snapshot) for target in snapshot.targets],
        "incidents": [describe(incident) for incident in snapshot.incidents],
    }


def _target(target: TargetStatus, snapshot: Snapshot) -> dict[str, object]:
    last = target.last_result_at
    return {
        "model": target.model,
        "platform": target.platform,
        "pool": target.pool,
        "state": target.state.value,
        "stale": target.stale(snapshot.at),
        "last_result_at": None if last is None else last.isoformat(timespec="seconds"),
        "interval_seconds": target.interval.total_seconds(),
        "series": target.series,
        "armed": target.armed,
        "escalated": target.escalated,
    }
