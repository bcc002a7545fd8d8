import asyncio
import json

import httpx
import pytest

from canary.lab.faults import Fault, FaultKind
from canary.lab.fleet import Fleet
from canary.lab.server import Dropped, LabApp
from canary.lab.spec import default_spec
from canary.lab.wire import chat_request
from canary.probe.wire import openai_chat, openai_completions

pytestmark = pytest.mark.anyio

CHAT = "/api/short/v1/chat/completions"
LEGACY = "/api/short/v1/completions"
ASKED = {
    "model": "mid",
    "messages": [{"role": "user", "content": "Explain how tides work."}],
    "max_tokens": 60,
    "temperature": 0,
    "logprobs": True,
    "top_logprobs": 5,
}
PLAIN = {"model": "mid", "prompt": "Explain how tides work.", "max_tokens": 60, "temperature": 0, "logprobs": 5}


@pytest.fixture
def app():
    return LabApp(Fleet(default_spec(latency=0.0)), gathering=0.3)


@pytest.fixture
def client(app):
    return lab_client(app)


def lab_client(app, host="127.0.0.1"):
    transport = httpx.ASGITransport(app, client=(host, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://lab")


async def test_a_chat_answer_reads_as_a_response(client):
    answer = await client.post(CHAT, json=ASKED)
    response = openai_chat.decode(answer.content)
    assert (response.completion_tokens, response.model, response.finish) == (60, "mid", "length")
    assert len(response.logprobs.chosen) == 60
    assert {len(top) for top in response.logprobs.top} == {5}


async def test_chat_tokens_carry_ids_and_bytes_that_spell_the_text(client):
    choice = (await client.post(CHAT, json=ASKED)).json()["choices"][0]
    content = choice["logprobs"]["content"]
    assert bytes(byte for entry in content for byte in entry["bytes"]).decode() == choice["message"]["content"]
    assert all(isinstance(entry["id"], int) for entry in content)


async def test_legacy_completions_say_the_same_as_chat(client):
    chat = openai_chat.decode((await client.post(CHAT, json=ASKED)).content)
    legacy = openai_completions.decode((await client.post(LEGACY, json=PLAIN)).content)
    assert legacy.text == chat.text


async def test_legacy_offsets_point_into_the_text(client):
    choice = (await client.post(LEGACY, json=PLAIN)).json()["choices"][0]
    tokens, offsets = choice["logprobs"]["tokens"], choice["logprobs"]["text_offset"]
    assert all(choice["text"].startswith(token, at) for token, at in zip(tokens, offsets, strict=True))


async def test_the_body_says_exactly_what_the_fleet_decided(app, client):
    told = openai_chat.decode((await client.post(CHAT, json=ASKED, headers={"x-session-id": "s"})).content)
    request = chat_request("api", "short", json.dumps(ASKED).encode(), "s")
    decoded = app.fleet.reply(request).answer.decoded
    assert told.logprobs.chosen_logprob == pytest.approx(decoded.logprobs, abs=1e-8)
    tops = zip(told.logprobs.top_logprob, decoded.top_logprobs, strict=True)
    assert all(read == pytest.approx(decided, abs=1e-8) for read, decided in tops)


async def test_an_answer_that_comes_again_differs_in_its_identity_alone(client):
    bodies = [(await client.post(CHAT, json=ASKED, headers={"x-session-id": "s"})).json() for _ in range(12)]
    identities = {body.pop("id") for body in bodies}
    assert len(identities) == 12
    assert len({json.dumps(body) for body in bodies}) <= 4


async def test_an_answer_stopped_before_its_first_token_is_empty(client):
    whole = openai_chat.decode((await client.post(CHAT, json=ASKED)).content).text
    body = (await client.post(CHAT, json={**ASKED, "stop": whole[0]})).json()
    assert body["choices"][0]["logprobs"] == {"content": []}
    assert body["usage"]["completion_tokens"] == 0


async def test_new_weights_are_declared_in_the_answer(app, client):
    app.fleet.switch([Fault(FaultKind.ROLLOUT, version="2025-09")])
    assert (await client.post(CHAT, json=ASKED)).json()["model"] == "mid-2025-09"


async def test_a_burst_is_one_large_batch_for_an_approximate_top_k(app, client):
    app.fleet.switch([Fault(FaultKind.APPROXIMATE_TOP_K)])
    asked = [client.post(CHAT, json=ASKED, headers={"x-session-id": "s"}) for _ in range(16)]
    answers = [openai_chat.decode(answer.content) for answer in await asyncio.gather(*asked)]
    assert len({answer.logprobs for answer in answers}) == 1


async def test_no_logprobs_come_unasked(client):
    answer = await client.post(CHAT, json={**ASKED, "logprobs": False, "top_logprobs": None})
    assert answer.json()["choices"][0]["logprobs"] is None


FORCED = {
    "chat": (CHAT, ASKED | {"prompt_logprobs": 2}, openai_chat.decode),
    "completions": (LEGACY, PLAIN | {"prompt_logprobs": 2}, openai_completions.decode),
    "echo": (LEGACY, PLAIN | {"echo": True}, lambda body: openai_completions.decode(body, PLAIN["prompt"])),
}


@pytest.mark.parametrize(("path", "asked", "decode"), FORCED.values(), ids=FORCED)
async def test_the_logprobs_of_the_prompt_read_as_such(client, path, asked, decode):
    response = decode((await client.post(path, json=asked)).content)
    assert len(response.prompt_logprobs.chosen) == response.prompt_tokens - 1
    assert len(response.logprobs.chosen) == response.completion_tokens == 60
    assert PLAIN["prompt"] not in response.text


async def test_prompt_logprobs_are_null_for_the_first_token_and_name_each_other_by_its_id(client):
    body = (await client.post(CHAT, json=ASKED | {"prompt_logprobs": 1})).json()
    first, second, *_ = body["prompt_logprobs"]
    own, *others = second.values()
    assert first is None
    assert (own["decoded_token"], own["rank"]) == ("x", None)
    assert [other["rank"] for other in others] == [1]
    assert all(key.isdigit() for key in second)


async def test_an_echo_says_the_same_as_prompt_logprobs(client):
    session = {"x-session-id": "s"}
    echoed, told = [], []
    for _ in range(30):
        for seen, name in ((echoed, "echo"), (told, "completions")):
            path, asked, decode = FORCED[name]
            seen.append(decode((await client.post(path, json=asked, headers=session)).content).prompt_logprobs)
    assert {tuple(prompt.chosen_logprob) for prompt in echoed} == {tuple(prompt.chosen_logprob) for prompt in told}


async def test_an_echo_lists_the_prompt_before_the_answer(client):
    choice = (await client.post(LEGACY, json=PLAIN | {"echo": True})).json()["choices"][0]
    lists = choice["logprobs"]
    assert choice["text"].startswith(PLAIN["prompt"])
    assert (lists["token_logprobs"][0], lists["top_logprobs"][0]) == (None, None)
    assert "".join(lists["tokens"]) == choice["text"]


async def test_an_echo_without_logprobs_is_of_the_text_alone(client):
    choice = (await client.post(LEGACY, json=PLAIN | {"echo": True, "logprobs": None})).json()["choices"][0]
    assert choice["text"].startswith(PLAIN["prompt"])
    assert choice["logprobs"] is None


async def test_an_answer_names_its_replica_and_a_session_keeps_it(client):
    replicas = {
        (await client.post(CHAT, json=ASKED, headers={"x-session-id": "s"})).headers["x-replica"] for _ in "123"
    }
    assert len(replicas) == 1


async def test_rotated_sessions_meet_all_replicas(client):
    asked = [await client.post(CHAT, json=ASKED, headers={"x-session-id": str(i)}) for i in range(30)]
    assert {answer.headers["x-replica"] for answer in asked} == {"api-short-0", "api-short-1", "api-short-2"}


async def test_a_repeated_request_meets_fresh_jitter(client):
    firsts = {(await client.post(CHAT, json=ASKED, headers={"x-session-id": "s"})).content[-200:] for _ in range(20)}
    assert len(firsts) > 1


async def test_models_are_listed(client):
    listed = (await client.get("/cloud/short/v1/models")).json()["data"]
    assert [model["id"] for model in listed] == ["mid", "small"]


async def test_health_is_told(client):
    assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize(
    ("path", "change", "status"),
    [
        ("/api/short/v1/nothing", {}, 404),
        ("/cloud/long/v1/chat/completions", {}, 404),
        (CHAT, {"model": "none"}, 404),
        (CHAT, {"messages": []}, 400),
        (CHAT, {"max_tokens": 0}, 400),
        (CHAT, {"temperature": -1}, 400),
        (CHAT, {"top_logprobs": 21}, 400),
        (CHAT, {"stream": True}, 400),
        (CHAT, {"n": 2}, 400),
    ],
)
async def test_what_cannot_be_served_is_refused(client, path, change, status):
    answer = await client.post(path, json={**ASKED, **change})
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


async def test_an_oversized_request_is_refused(client):
    assert (await client.post(CHAT, content=b" " * 4_000_001)).status_code == 413


async def test_faults_are_switched_at_run_time(client):
    fault = {"kind": "corruption", "model": "mid", "rate": 1.0}
    await client.put("/lab/faults", json=[fault])
    answer = await client.post(CHAT, json=ASKED)
    assert not answer.json()["choices"][0]["message"]["content"].isascii()


async def test_the_faults_that_are_on_are_told(client):
    fault = {"kind": "misrouting", "share": 0.16, "to_pool": "long"}
    await client.put("/lab/faults", json=[fault])
    assert fault.items() <= (await client.get("/lab/faults")).json()[0].items()


@pytest.mark.parametrize(
    "fault", [{"kind": "fire"}, {"kind": "slow", "share": 2}, {"kind": "misrouting", "to_pool": "none"}, 7]
)
async def test_a_wrong_fault_changes_nothing(app, client, fault):
    answer = await client.put("/lab/faults", json=[fault])
    assert (answer.status_code, app.fleet.faults) == (400, ())


async def test_faults_are_switched_from_this_machine_only(app):
    answer = await lab_client(app, host="10.0.0.7").put("/lab/faults", json=[])
    assert answer.status_code == 403


async def test_throttling_asks_for_patience(app, client):
    app.fleet.switch([Fault(FaultKind.THROTTLED)])
    answer = await client.post(CHAT, json=ASKED)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


async def test_an_unreachable_server_drops_the_request(app, client):
    app.fleet.switch([Fault(FaultKind.UNREACHABLE)])
    with pytest.raises(Dropped):
        await client.post(CHAT, json=ASKED)


async def test_every_answer_is_json_that_any_parser_reads(client):
    for prompt in ("Répondez en français.", "ตอบเป็นภาษาไทย", "Write JSON.", 'Copy this: "a\\b"\x07'):
        asked = {**ASKED, "messages": [{"role": "user", "content": prompt}]}
        assert json.loads((await client.post(CHAT, json=asked)).content)["usage"]["completion_tokens"] > 0


async def test_an_offered_tool_is_called(client):
    tools = [{"type": "function", "function": {"name": "get_weather", "description": "Of a town."}}]
    messages = [{"role": "user", "content": "What is the weather in Oslo now?"}]
    answer = await client.post(CHAT, json={**ASKED, "messages": messages, "tools": tools, "logprobs": False})
    response = openai_chat.decode(answer.content)
    assert [name for name, _ in response.tool_calls] == ["get_weather"]
    assert (response.text, response.finish) == ("", "stop")


@pytest.mark.parametrize(("at_once", "struck"), [(1, 0), (8, 8)])
async def test_a_fault_of_large_batches_strikes_bursts_alone(client, app, at_once, struck):
    app.fleet.switch([Fault(FaultKind.SWAP, rate=1.0, batch=8)])
    answers = await asyncio.gather(*(client.post(CHAT, json=ASKED) for _ in range(at_once)))
    assert sum(not openai_chat.decode(answer.content).text.isascii() for answer in answers) == struck
