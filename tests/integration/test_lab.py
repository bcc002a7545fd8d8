from datetime import UTC, datetime, timedelta

import httpx
import pytest

from canary.clock import SystemClock
from canary.http import HttpClient
from canary.lab.run import in_process, in_thread
from canary.lab.spec import default_spec
from canary.probe.client import ProbeClient
from canary.records import Dialect, Endpoint, FailureKind, Limits, Message, Probe, Run, Sampling, Target

SPEC = default_spec(latency=0.0)
ASKED = {
    "model": "small",
    "messages": [{"role": "user", "content": "Explain tides."}],
    "max_tokens": 20,
    "temperature": 0,
}
CHAT = "/cloud/short/v1/chat/completions"


@pytest.mark.parametrize("run", [in_thread, in_process])
def test_a_lab_is_ready_when_it_returns(run):
    with run(SPEC) as url:
        assert httpx.post(url + CHAT, json=ASKED).json()["usage"]["completion_tokens"] == 20


@pytest.mark.parametrize("run", [in_thread, in_process])
def test_a_lab_is_gone_after_its_block(run):
    with run(SPEC) as url:
        pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health")


def test_an_unreachable_server_cuts_the_connection():
    with in_thread(SPEC) as url:
        httpx.put(f"{url}/lab/faults", json=[{"kind": "unreachable"}])
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(url + CHAT, json=ASKED)


def test_two_labs_of_one_seed_say_the_same_over_http():
    def observed():
        with in_thread(SPEC) as url, httpx.Client(base_url=url) as client:
            asked = {**ASKED, "logprobs": True, "top_logprobs": 5}
            return [client.post(CHAT, json=asked, headers={"x-session-id": str(i)}).json() for i in range(20)]

    assert observed() == observed()


async def fired(url, faults, **endpoint):
    """What Canary's own client observes of one run."""
    async with httpx.AsyncClient() as control:
        await control.put(f"{url}/lab/faults", json=faults)
    probe = Probe("p", "prose", (Message("user", "Explain tides."),), Sampling(20, logprobs=5), ("script",), "")
    reached = Endpoint(
        base_url=f"{url}/api/short/v1",
        model="mid",
        affinity_header="x-session-id",
        replica_header="x-replica",
        **{"dialect": Dialect.OPENAI_CHAT, **endpoint},
    )
    target = Target("mid", "api", "short", reached, Limits(timeout=timedelta(seconds=1)))
    http = HttpClient()
    try:
        return await ProbeClient(http, SystemClock()).fire(
            Run(probe, target, "local", datetime(2025, 8, 5, tzinfo=UTC))
        )
    finally:
        await http.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize("dialect", Dialect)
async def test_a_healthy_lab_is_observed_with_text_logprobs_and_replica(dialect):
    with in_thread(SPEC) as url:
        seen = await fired(url, [], dialect=dialect)
    assert seen.response.completion_tokens == len(seen.response.logprobs.chosen) == 20
    assert seen.replica.startswith("api-short-")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "unreachable"}, FailureKind.UNREACHABLE),
        ({"kind": "throttled"}, FailureKind.THROTTLED),
        ({"kind": "slow", "seconds": 30}, FailureKind.TIMEOUT),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_availability_fault_is_observed_as_its_kind(fault, kind):
    with in_thread(SPEC) as url:
        seen = await fired(url, [fault])
    assert seen.failure.kind is kind
