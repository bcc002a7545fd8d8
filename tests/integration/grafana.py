"""A strict stand-in for Grafana's API on loopback: folders, dashboards, rule groups, and all that can go wrong.

It keeps what is written as Grafana does: a dashboard's save bumps its version and is refused (412) when another was
saved meanwhile; a PUT of a rule group replaces it and is refused (409) under another provenance; answers bear fields
that nobody sent. What it does not know is 404, and what it does not accept 400. It stands for what we know of
Grafana 10 to 12; it is no Grafana.
"""

import copy
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from typing_extensions import override

EDITOR, VIEWER = "glsa_editor-7f3a", "glsa_viewer-91bc"
LOGIN = "<!doctype html><title>Grafana</title><form action=/login>"
DATASOURCES = {"canary-prometheus", "__expr__"}

_GROUP = re.compile(r"/v1/provisioning/folder/([\w-]+)/rule-groups/([\w-]+)")
_DASHBOARD = re.compile(r"/dashboards/uid/([\w-]+)")
_FOLDER = re.compile(r"/folders/([\w-]+)")
_WAIT = re.compile(r"\d+[smhdw]")
_FOREVER = 30.0

Json = dict[str, Any]
Answer = tuple[int, Any]


class Refusal(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = status, {"message": message}


@dataclass
class StandIn:
    """Its state, what it was asked, and what is to go wrong: (method, part of a path) -> misbehaviour."""

    path: str = ""
    url: str = ""
    folders: dict[str, Json] = field(default_factory=dict)
    dashboards: dict[str, Json] = field(default_factory=dict)
    groups: dict[tuple[str, str], Json] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    faults: dict[tuple[str, str], str] = field(default_factory=dict)
    before_save: Callable[[], None] = lambda: None

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [one for one in self.asked if one[0] != "GET"]

    def misbehaviour(self, method: str, path: str) -> str:
        found = (what for (how, part), what in self.faults.items() if how in {method, "*"} and part in path)
        return next(found, "")

    def answer(self, method: str, path: str, token: str, body: Json | None) -> Answer:
        self.asked.append((method, path))
        try:
            if path == "/health":
                return 200, {"commit": "x", "database": "ok", "version": "11.6.0"}
            self._authorise(method, token)
            return self._route(method, path, body)
        except Refusal as refusal:
            return refusal.answer

    def _authorise(self, method: str, token: str) -> None:
        if token not in {EDITOR, VIEWER}:
            raise Refusal(401, "Invalid API key")
        if token == VIEWER and method != "GET":
            raise Refusal(403, "You'll need additional permissions to perform this action.")

    def _route(self, method: str, path: str, body: Json | None) -> Answer:
        if method == "GET" and (found := _FOLDER.fullmatch(path)):
            return 200, self._known(self.folders, found[1])
        if method == "GET" and (found := _DASHBOARD.fullmatch(path)):
            return 200, self._known(self.dashboards, found[1])
        if found := _GROUP.fullmatch(path):
            key = (found[1], found[2])
            return (200, self._known(self.groups, key)) if method == "GET" else self._put_group(key, body)
        if (method, path) == ("POST", "/folders"):
            return self._make_folder(body)
        if (method, path) == ("POST", "/dashboards/db"):
            return self._save(body)
        raise Refusal(404, "Not found")

    def _known(self, table: dict[Any, Json], key: object) -> Json:
        if key not in table:
            raise Refusal(404, "not found")
        return copy.deepcopy(table[key])

    def _make_folder(self, body: Json | None) -> Answer:
        made = _whole(body, "uid", "title")
        if made["uid"] in self.folders:
            raise Refusal(409, "a folder with that uid already exists")
        self.folders[made["uid"]] = {"id": 7, "version": 1, "url": f"/dashboards/f/{made['uid']}", **made}
        return 200, self.folders[made["uid"]]

    def _save(self, body: Json | None) -> Answer:
        self.before_save()
        asked = _whole(body, "dashboard", "folderUid")
        made = _whole(asked["dashboard"], "uid", "title", "panels", "schemaVersion")
        uid, known = made["uid"], self.dashboards.get(made["uid"])
        if asked["folderUid"] not in self.folders:
            raise Refusal(400, "folder not found")
        if known is not None and known["meta"]["provisioned"]:
            raise Refusal(400, "Cannot save provisioned dashboard")
        version = 0 if known is None else known["dashboard"]["version"]
        if made.get("version", 0) != version and not asked.get("overwrite"):
            raise Refusal(412, "The dashboard has been changed by someone else")
        kept = {**made, "id": made.get("id", 11 + len(self.dashboards)), "version": version + 1}
        self.dashboards[uid] = {
            "meta": {"folderUid": asked["folderUid"], "provisioned": False, "slug": uid},
            "dashboard": kept,
        }
        return 200, {"uid": uid, "status": "success", "version": version + 1}

    def _put_group(self, key: tuple[str, str], body: Json | None) -> Answer:
        made = _whole(body, "title", "folderUid", "interval", "rules")
        if key[0] not in self.folders:
            raise Refusal(400, "folder does not exist")
        if (made["folderUid"], made["title"]) != key or made["interval"] % 10:
            raise Refusal(400, "the group is not that of the path, or its interval no multiple of 10")
        standing = self.groups.get(key, {"rules": []})["rules"]
        if any(rule["provenance"] not in {"", "api"} for rule in standing):
            raise Refusal(409, "cannot change provenance from 'file' to 'api'")
        rules = [_rule(rule, key) for rule in made["rules"]]
        self.groups[key] = {**made, "rules": rules}  # what was there and is not sent is gone
        return 200, self.groups[key]


def _whole(body: Json | None, *keys: str) -> Json:
    if not isinstance(body, dict) or not set(keys) <= set(body):
        raise Refusal(400, f"bad request data: {', '.join(keys)}")
    return body


def _rule(rule: Json, key: tuple[str, str]) -> Json:
    made = _whole(
        rule, "uid", "title", "condition", "data", "noDataState", "execErrState", "for", "folderUID", "ruleGroup"
    )
    sound = (
        re.fullmatch(r"[\w-]{1,40}", made["uid"])
        and _WAIT.fullmatch(made["for"])
        and (made["folderUID"], made["ruleGroup"]) == key
        and made["condition"] in {step["refId"] for step in made["data"]}
        and {step["datasourceUid"] for step in made["data"]} <= DATASOURCES
        and {made["noDataState"], made["execErrState"]} <= {"OK", "Error", "Alerting", "NoData", "KeepLast"}
    )
    if not sound:
        raise Refusal(400, f"invalid alert rule {made['title']}")
    return {**made, "id": 3, "orgID": 1, "isPaused": False, "updated": "2026-01-01T00:00:00Z", "provenance": "api"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, state: StandIn) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = state


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length)
        state = self.server.state
        path = self.path.removeprefix(f"{state.path}/api")
        if path == self.path:
            self._say(404, b"nothing here", "text/plain")
            return
        what = state.misbehaviour(self.command, path)
        if what:
            state.asked.append((self.command, path))
            self._misbehave(what)
            return
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        status, body = state.answer(self.command, path, token, json.loads(sent) if sent else None)
        self._say(status, json.dumps(body).encode(), "application/json; charset=UTF-8")

    def _misbehave(self, what: str) -> None:
        match what:
            case "hang":
                time.sleep(_FOREVER)
            case "drip":
                self._drip()
            case "login":
                self._say(200, LOGIN.encode(), "text/html; charset=UTF-8")
            case "redirect":
                self._say(302, b"", "text/html", ("Location", f"{self.server.state.url}/login"))
            case "garbage":
                self._say(200, b"{", "application/json")
            case "close":
                self.connection.close()
            case "echo":
                token = self.headers["Authorization"].removeprefix("Bearer ")
                said = f"Bearer {token}? {token[:-3]}... {'x' * 180}{token}"
                self._say(401, json.dumps({"message": said}).encode(), "application/json")
            case status:
                self._say(int(status), b'{"message":"so it is"}', "application/json")

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        began = time.monotonic()
        while time.monotonic() - began < _FOREVER:
            try:
                self.wfile.write(b" ")
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)

    def _say(self, status: int, body: bytes, kind: str, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def stand_in(path: str = "") -> Iterator[StandIn]:
    """Served at its `url`, which has `path`."""
    state = StandIn(path=path)
    server = _Server(state)
    state.url = f"http://127.0.0.1:{server.server_port}{path}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
