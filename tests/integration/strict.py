"""Strict stand-ins, on loopback, for the services that receivers talk to: what the real one refuses, they refuse."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

Reply = tuple[int, str, str]  # status, content type, body
Handler = Callable[[str, str, dict[str, str], bytes], Reply]
JSON, HTML = "application/json", "text/html"


@contextmanager
def serving(handler: Handler) -> Iterator[str]:
    """A server on loopback; its URL."""

    class Requests(BaseHTTPRequestHandler):
        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, kind, text = handler(self.command, self.path, dict(self.headers.items()), body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            with suppress(ConnectionError):  # whoever asked may have gone
                self.wfile.write(text.encode())

        do_GET = do_POST = do_PATCH = _any  # noqa: N815

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Troubled:
    """Answers with its troubles first, one for each request."""

    troubles: list[Reply] = field(default_factory=list)
    hang: Event | None = None

    def trouble(self) -> Reply | None:
        if self.hang is not None:
            self.hang.wait(30)
        return self.troubles.pop(0) if self.troubles else None


@dataclass
class PagerDutyService(Troubled):
    """Events API v2: alerts by `dedup_key`, as the service would show them."""

    key: str = "r" * 32
    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)
    actions: list[str] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        if (failed := self.trouble()) is not None:
            return failed
        event = json.loads(body)
        if method != "POST" or path not in ("/v2/enqueue", "/v2/change/enqueue"):
            return 404, JSON, "{}"
        faults = self._change(event) if path.endswith("change/enqueue") else self._event(event)
        if event.get("routing_key") != self.key:
            faults.append("routing_key")
        return (400, JSON, json.dumps({"status": "invalid event", "errors": faults})) if faults else (202, JSON, "{}")

    def _event(self, event: dict[str, Any]) -> list[str]:
        action, name, payload = event.get("event_action"), event.get("dedup_key"), event.get("payload", {})
        faults = [] if action in ("trigger", "acknowledge", "resolve") else ["event_action"]
        if not isinstance(name, str) or not 0 < len(name) <= 255:
            faults.append("dedup_key")
        if action == "trigger":
            faults += _missing(payload, "summary", "source", "severity")
            faults += [] if payload.get("severity") in ("critical", "error", "warning", "info") else ["severity"]
            faults += [] if len(payload.get("summary", "")) <= 1_024 else ["summary"]
            faults += ["links" for link in event.get("links", []) if not link["href"].startswith("http")]
            datetime.fromisoformat(payload["timestamp"])
        if not faults:
            self._take(str(action), str(name), payload)
        return faults

    def _take(self, action: str, name: str, payload: dict[str, Any]) -> None:
        self.actions.append(action)
        known = self.alerts.get(name)
        if action == "trigger":
            state = known["state"] if known and known["state"] != "resolve" else action
            self.alerts[name] = {"state": state, "payload": payload}
        elif known is not None and known["state"] != "resolve":
            self.alerts[name] = {**known, "state": action}

    def _change(self, event: dict[str, Any]) -> list[str]:
        payload = event.get("payload", {})
        faults = [*_missing(payload, "summary"), *(["dedup_key"] if "dedup_key" in event else [])]
        datetime.fromisoformat(payload["timestamp"])
        if not faults:
            self.changes.append(event)
        return faults


@dataclass
class SlackService(Troubled):
    """An incoming webhook: it refuses blocks that Slack would refuse."""

    path: str = "/services/T0/B0/t0ken"
    messages: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        if (failed := self.trouble()) is not None:
            return failed
        if path != self.path:
            return 404, "text/plain", "no_service"
        message = json.loads(body)
        if method != "POST" or headers.get("Content-Type") != JSON or set(message) != {"text", "blocks"}:
            return 400, "text/plain", "invalid_payload"
        if not 0 < len(message["blocks"]) <= 50 or not all(map(_is_block, message["blocks"])):
            return 400, "text/plain", "invalid_blocks"
        self.messages.append(message)
        return 200, "text/plain", "ok"


def _is_block(block: dict[str, Any]) -> bool:
    text = block.get("text", {})
    whole = set(block) == {"type", "text"} and set(text) == {"type", "text"}
    wanted = {"header": ("plain_text", 150), "section": ("mrkdwn", 3_000)}.get(block.get("type", ""))
    if not whole or wanted is None:
        return False
    stray = wanted[0] == "mrkdwn" and re.search(r"<(?!https?://[^<>|]+\|[^<>|]+>)|&(?!amp;|lt;|gt;)", text["text"])
    return text["type"] == wanted[0] and 0 < len(text["text"]) <= wanted[1] and not stray


@dataclass
class GrafanaService(Troubled):
    """The annotations API, under a sub-path: nothing is told apart unless the client asks first."""

    token: str = "glsa_t0ken"
    root: str = "/grafana"
    annotations: dict[int, dict[str, Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        if (failed := self.trouble()) is not None:
            return failed
        self.requests.append(f"{method} {path}")
        parts = urlsplit(path)
        if not parts.path.startswith(self.root):
            return 404, HTML, "<html>not here</html>"
        if headers.get("Authorization") != f"Bearer {self.token}":
            return 401, JSON, '{"message": "Unauthorized"}'
        match method, parts.path.removeprefix(f"{self.root}/api/annotations"):
            case "GET", "":
                wanted = set(parse_qs(parts.query)["tags"])
                found = [{"id": name, **one} for name, one in self.annotations.items() if wanted <= set(one["tags"])]
                return 200, JSON, json.dumps(found[: int(parse_qs(parts.query)["limit"][0])])
            case "POST", "":
                return self._create(json.loads(body))
            case "PATCH", rest if rest[1:].isdigit() and int(rest[1:]) in self.annotations:
                self.annotations[int(rest[1:])] |= json.loads(body)
                return 200, JSON, '{"message": "Annotation patched"}'
        return 404, JSON, '{"message": "not found"}'

    def _create(self, facts: dict[str, Any]) -> Reply:
        if set(facts) - {"time", "timeEnd", "tags", "text", "dashboardUID"} or not facts.get("text"):
            return 400, JSON, '{"message": "bad request data"}'
        for moment in (facts["time"], facts["timeEnd"]):
            if not isinstance(moment, int) or moment < 10**12:  # seconds, not milliseconds
                return 400, JSON, '{"message": "time"}'
        self.annotations[len(self.annotations) + 1] = facts
        return 200, JSON, json.dumps({"id": len(self.annotations), "message": "Annotation added"})


def _missing(facts: dict[str, Any], *names: str) -> list[str]:
    return [name for name in names if not isinstance(facts.get(name), str) or not facts[name]]
