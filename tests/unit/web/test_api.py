"""What the API tells, and what it does: the same as the command line."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from canary.alert.message import describe, describe_change
from canary.records import Act, AuditEntry, Change, ChangeKind, IncidentState, Role, Scope
from tests.contract.store_values import observation
from tests.unit.alert.findings import START
from tests.unit.changes.told import DEPLOYMENT
from tests.unit.web.desk import OPENED, Desk

pytestmark = pytest.mark.anyio
SECRET = "hush"
ONE = f"/incidents/{OPENED.id}"
SAID = {"kind": "routing", "summary": "10 % to long", "scope": "opus/api/*", "at": "2025-08-25T11:00:00Z", "id": "r-1"}


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_the_incidents_are_those_of_the_command_line(desk: Desk) -> None:
    assert (await desk.get("/incidents")).json() == [{**describe(OPENED), "silenced": None}]


async def test_a_resolved_incident_is_listed_among_all_only(desk: Desk) -> None:
    await desk.post(f"{ONE}/resolve", Role.OPERATE)
    assert (await desk.get("/incidents")).json() == []
    assert len((await desk.get("/incidents?all=true")).json()) == 1


async def test_an_incident_is_found_by_the_beginning_of_its_id(desk: Desk) -> None:
    shown = (await desk.get(f"/incidents/{OPENED.id[:4]}")).json()
    assert (shown["incident"]["id"], shown["exhibits"]) == (OPENED.id, [])


@pytest.mark.parametrize("path", ["/incidents/zzzz", "/evidence/zzzz"])
async def test_what_is_not_there_is_404(desk: Desk, path: str) -> None:
    assert (await desk.get(path, Role.READ)).status_code == 404


@pytest.mark.parametrize(
    ("word", "state", "act"),
    [("ack", IncidentState.ACKNOWLEDGED, Act.ACKNOWLEDGE), ("resolve", IncidentState.RESOLVED, Act.RESOLVE)],
)
async def test_a_decision_is_kept_and_written_down(desk: Desk, word: str, state: IncidentState, act: Act) -> None:
    answer = await desk.post(f"{ONE}/{word}", Role.OPERATE, json={"by": "bob"})
    with desk.store.reading() as tx:
        assert tx.incident(OPENED.id).state is state
    assert answer.json()["incident"]["state"] == state.value
    assert desk.log() == [AuditEntry(START, "token:operate", act, OPENED.id, "bob")]


async def test_without_a_name_the_token_is_named(desk: Desk) -> None:
    answer = await desk.post(f"{ONE}/ack", Role.OPERATE)
    assert answer.json()["incident"]["acknowledged_by"] == "operate"


async def test_acknowledging_twice_is_no_second_act(desk: Desk) -> None:
    first, again = [await desk.post(f"{ONE}/ack", Role.OPERATE) for _ in range(2)]
    assert [first.json()["reason"], again.json()["reason"]] == ["acknowledged", "unchanged"]
    assert len(desk.log()) == 1


async def test_a_run_is_shown_with_its_answer_even_where_that_is_no_unicode(desk: Desk) -> None:
    seen = observation(slot_id="abc")
    with desk.store.transaction() as tx:
        tx.add_observations([seen])
    assert seen.response is not None
    assert (await desk.get("/evidence/abc", Role.READ)).json()["answer"] == seen.response.text


async def test_a_change_is_recorded_as_it_was_said(desk: Desk) -> None:
    answer = await desk.post("/changes", Role.INGEST, json={**SAID, "link": "https://ci/7"})
    kept = Change(
        "r-1",
        ChangeKind.ROUTING,
        START - timedelta(hours=1),
        "10 % to long",
        Scope("opus", "api"),
        "https://ci/7",
        "ingest",
    )
    with desk.store.reading() as tx:
        assert tx.changes() == [kept]
    assert answer.status_code == 201
    assert answer.json() == {**describe_change(kept), "recorded": True, "targets": ["opus/api/tpu-1"]}


async def test_the_same_change_again_counts_once(desk: Desk) -> None:
    answers = [await desk.post("/changes", Role.INGEST, json=SAID) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert [entry.act for entry in desk.log()] == [Act.CHANGE]


async def test_a_changed_model_is_no_word_of_an_ingester(desk: Desk) -> None:
    assert (await desk.post("/changes", Role.INGEST, json={**SAID, "kind": "model"})).status_code == 403


async def test_a_changed_model_names_its_scope(desk: Desk) -> None:
    said = {**SAID, "kind": "model"}
    assert (await desk.post("/changes", Role.OPERATE, json=said)).status_code == 201
    everything = {name: fact for name, fact in said.items() if name != "scope"}
    assert (await desk.post("/changes", Role.OPERATE, json=everything)).status_code == 422


async def test_changes_are_listed_by_time_and_scope(desk: Desk) -> None:
    await desk.post("/changes", Role.INGEST, json=SAID)
    paths = [
        "/changes",
        "/changes?since=2025-08-25T11:30:00Z",
        "/changes?scope=opus/api/tpu-1",
        "/changes?scope=mid/*/*",
    ]
    assert [len((await desk.get(path)).json()) for path in paths] == [1, 0, 1, 0]


async def test_a_webhook_tells_nothing_of_times_to_come_and_of_years_ago(desk: Desk) -> None:
    ahead, past = (BODY.replace(b"2025-08-25T11", at) for at in (b"2025-08-25T13", b"2024-08-24T11"))
    answers = [await desk.post("/hooks/github", content=body, headers=signed(body)) for body in (ahead, past)]
    assert [answer.status_code for answer in answers] == [422, 200]
    assert answers[1].json() == {"recorded": 0, "known": 0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "magic"},
        {"summary": " \n"},
        {"summary": 7},
        {"scope": "everything"},
        {"at": "2025-08-25T11:00:00"},
        {"at": "2025-08-25T13:00:00Z"},
        {"at": 1756119600},
        {"at": "2024-08-25T11:00:00Z"},
        {"at": "0001-01-01T00:00:00Z"},
        {"until": "2025-08-25T10:00:00Z"},
        {"until": "2026-08-25T10:00:00Z"},
        {"author": "somebody else"},
        {"link": "javascript:alert(1)"},
        {"link": "https://ci/?token=abc"},
        {"colour": "red"},
    ],
    ids=str,
)
async def test_a_change_that_does_not_fit_is_refused_and_not_quoted(desk: Desk, wrong: dict[str, Any]) -> None:
    answer = await desk.post("/changes", Role.INGEST, json={**SAID, "id": "nobody-quotes-me", **wrong})
    assert answer.status_code == 422
    assert "nobody-quotes-me" not in answer.text
    assert desk.log() == []


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "x-hub-signature-256": f"sha256={signature}",
        "x-github-event": "deployment",
        "content-type": "application/json",
    }


BODY = json.dumps(
    {**DEPLOYMENT, "deployment": {**DEPLOYMENT["deployment"], "created_at": "2025-08-25T11:00:00Z"}}
).encode()


async def test_a_signed_deployment_of_github_is_recorded(desk: Desk) -> None:
    path = "/hooks/github?scope=opus/api/*"
    answers = [await desk.post(path, content=BODY, headers=signed(BODY)) for _ in range(2)]
    assert [answer.json() for answer in answers] == [{"recorded": 1, "known": 0}, {"recorded": 0, "known": 1}]
    assert [entry.who for entry in desk.log()] == ["webhook:github"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(BODY, "another secret"),
        signed(BODY + b" "),
        {**signed(BODY), "x-hub-signature-256": "sha256="},
        {**signed(BODY), "x-hub-signature-256": "sha256=\xff"},
    ],
)
async def test_what_is_not_signed_by_github_is_refused(desk: Desk, headers: dict[str, str]) -> None:
    assert (await desk.post("/hooks/github", content=BODY, headers=headers)).status_code == 401
    assert desk.log() == []


async def test_without_a_secret_nothing_is_from_github() -> None:
    from canary.web.api.kit import Access

    closed = Desk(Access(per_second=1e6))
    assert (await closed.post("/hooks/github", content=BODY, headers=signed(BODY, ""))).status_code == 401


async def test_other_events_of_github_are_let_pass(desk: Desk) -> None:
    headers = {**signed(b"{}"), "x-github-event": "ping"}
    assert (await desk.post("/hooks/github", content=b"{}", headers=headers)).json() == {"recorded": 0, "known": 0}


async def test_an_event_that_cannot_be_read_names_the_key(desk: Desk) -> None:
    answer = await desk.post("/hooks/flagger", Role.INGEST, json={"name": "a", "namespace": "b"})
    assert (answer.status_code, "metadata.eventMessage" in answer.json()["error"]) == (422, True)


async def test_head_is_answered_like_get(desk: Desk) -> None:
    assert (await desk.ask("HEAD", "/api/v1/incidents")).status_code == 200


@pytest.mark.parametrize(
    ("path", "allow"), [("/changes", "GET, HEAD, POST"), ("/incidents", "GET, HEAD"), (f"{ONE}/ack", "POST")]
)
async def test_a_refused_method_names_those_that_are_not(desk: Desk, path: str, allow: str) -> None:
    answer = await desk.ask("DELETE", f"/api/v1{path}")
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)


async def test_a_store_that_cannot_be_reached_is_503_for_a_while(desk: Desk) -> None:
    from canary.errors import StoreUnavailable

    def unreachable() -> Any:
        raise StoreUnavailable

    desk.store.reading = unreachable  # type: ignore[method-assign]
    assert (await desk.get("/incidents")).status_code == 503
