"""Whatever is sent, the API answers as its own document says: no 5xx, no other shape, no act without a token."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from canary.desk.tokens import mint
from canary.metrics import Metrics
from canary.records import Role
from canary.store import MemoryStore
from canary.web.api.kit import Access
from canary.web.app import build
from tests.unit.alert.findings import START
from tests.unit.web.fleet import api, incident, snapshot

pytestmark = pytest.mark.slow


def fuzzed(role: Role) -> tuple[Any, str]:
    """The schema of a real application on a store with an incident, and a token for it."""
    store = MemoryStore()
    with store.transaction() as tx:
        tx.put_incident(incident())
        _, token = mint(tx, role.value, role, START, "ada", None)
    app = build(api(snapshot(), store, Access(open_reading=False, per_second=1e9)), Metrics(version="1"))
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", app), token


def bearing(schema: Any, token: str) -> Any:
    @schema.auth()
    class Bearer:
        def get(self, *_: object) -> str:
            return token

        def set(self, case: Any, data: str, _: object) -> None:
            case.headers["authorization"] = f"Bearer {data}"

    return schema


operating, ingesting = bearing(*fuzzed(Role.OPERATE)), bearing(*fuzzed(Role.INGEST))
some = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
SEMANTICS = [positive_data_acceptance]
"""A document cannot say that `until` comes after `at`, nor that a body is signed."""


@operating.parametrize()
@some
def test_an_operator_gets_what_the_document_says(case: Any) -> None:
    case.call_and_validate(excluded_checks=SEMANTICS)


@ingesting.parametrize()
@some
def test_a_sender_gets_what_the_document_says(case: Any) -> None:
    case.call_and_validate(excluded_checks=SEMANTICS)
