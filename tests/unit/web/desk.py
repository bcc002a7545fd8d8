"""The API over a store in memory, asked as over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from canary.desk.tokens import mint
from canary.metrics import Metrics
from canary.records import AuditEntry, Role
from canary.store import MemoryStore, Store
from canary.web.api.kit import Access
from canary.web.app import build
from canary.web.gates import Gates
from canary.web.intake import Intake
from tests.unit.alert.findings import START
from tests.unit.web.fleet import api, incident, snapshot

OPENED = incident()
OPEN = Access(per_second=1e6, github_secret="hush")


@dataclass
class Desk:
    """A store with an open incident and a token of each role, and the application over it."""

    access: Access = OPEN
    store: Store = field(default_factory=MemoryStore)
    gates: Gates | None = None
    intake: Intake | None = None
    tokens: dict[Role, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.store.transaction() as tx:
            tx.put_incident(OPENED)
            for role in Role:
                _, self.tokens[role] = mint(tx, role.value, role, START, "ada", None)

    @asynccontextmanager
    async def client(self, host: str = "http://canary") -> AsyncIterator[httpx.AsyncClient]:
        app = build(api(snapshot(), self.store, self.access, self.gates, self.intake), Metrics(version="1"))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=host) as http:
            yield http

    async def ask(
        self, method: str, path: str, role: Role | None = None, headers: dict[str, str] | None = None, **sent: Any
    ) -> httpx.Response:
        bearing = {} if role is None else {"authorization": f"Bearer {self.tokens[role]}"}
        raw = [(name, value.encode("latin-1")) for name, value in {**bearing, **(headers or {})}.items()]
        async with self.client() as http:
            return await http.request(method, path, headers=raw, **sent)

    async def get(self, path: str, role: Role | None = None) -> httpx.Response:
        return await self.ask("GET", f"/api/v1{path}", role)

    async def post(self, path: str, role: Role | None = None, **sent: Any) -> httpx.Response:
        return await self.ask("POST", f"/api/v1{path}", role, **sent)

    def log(self) -> list[AuditEntry]:
        """But for the making of the tokens."""
        with self.store.reading() as tx:
            return list(tx.audit())[len(Role) :]
