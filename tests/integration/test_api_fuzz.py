"""Whatever is sent, the API answers as its own document says: no 5xx, no other shape, nothing taken amiss."""

import asyncio
import json
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from canary.desk.tokens import mint
from canary.metrics import Metrics
from canary.records import Role
from canary.store import MemoryStore
from canary.web.api.kit import Access
from canary.web.app import build
from canary.web.status import TargetState
from tests.unit.alert.findings import START
from tests.unit.web.fleet import api, incident, snapshot

pytestmark = pytest.mark.slow

BASE = "http://canary"
OF_A_REQUEST = ("method", "url", "headers", "params", "data", "json", "files", "cookies")
ELSEWHERE = [positive_data_acceptance, ignored_auth]
"""A document cannot say that `until` comes after `at`, nor that a body is signed; tokens have tests of their own."""


@schemathesis.serializer("application/x-ndjson")
def ndjson(_: Any, value: Any) -> bytes:
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")


class Bearer:
    """A real application on a store with an incident, and a token for it."""

    def __init__(self, role: Role) -> None:
        store = MemoryStore()
        with store.transaction() as tx:
            tx.put_incident(incident())
            _, self._token = mint(tx, role.value, role, START, "ada", None)
        access = Access(open_reading=False, per_second=1e9)
        self._app = build(api(snapshot(), store, access), Metrics(version="1", states=list(TargetState)))
        self.schema: Any = schemathesis.openapi.from_dict(self._app.openapi())
        self.schema.config.update(base_url=BASE)

    def check(self, case: Any) -> None:
        """Send the case as it would go over the wire, and hold the answer to the document."""
        given = case.as_transport_kwargs(headers={"authorization": f"Bearer {self._token}"})
        wire = requests.Request(**{key: given[key] for key in OF_A_REQUEST if key in given}).prepare()
        case.validate_response(asyncio.run(sent(self._app, wire)), excluded_checks=ELSEWHERE)


async def sent(app: FastAPI, wire: requests.PreparedRequest) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        headers = [(str(name), value) for name, value in wire.headers.items()]
        return await http.request(str(wire.method), str(wire.url), headers=headers, content=wire.body)


operator, sender = Bearer(Role.OPERATE), Bearer(Role.INGEST)
some = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)


@operator.schema.parametrize()
@some
def test_an_operator_gets_what_the_document_says(case: Any) -> None:
    operator.check(case)


@sender.schema.parametrize()
@some
def test_a_sender_gets_what_the_document_says(case: Any) -> None:
    sender.check(case)
