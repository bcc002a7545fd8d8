import json
from datetime import UTC, datetime, timedelta

import pytest

from canary.drill.clock import VirtualClock
from canary.drill.wire import LabWire
from canary.http import Answer, NoAnswer, Trouble
from canary.lab.faults import Fault, FaultKind
from canary.lab.fleet import Fleet
from canary.lab.spec import default_spec

pytestmark = pytest.mark.anyio
START = datetime(2025, 8, 5, tzinfo=UTC)
BODY = json.dumps({"model": "mid", "messages": [{"role": "user", "content": "Why is the sky blue?"}], "max_tokens": 8})
DOWN = Fault(FaultKind.UNREACHABLE)


async def sent(clock, faults=lambda _: (), *, latency=1.0, within=10.0, most=100_000):
    wire = LabWire(Fleet(default_spec(latency=latency)), faults, clock)
    url = "http://lab/api/short/v1/chat/completions"
    headers = {"X-Session-Id": "one"}
    return await wire.send(
        "POST", url, headers=headers, body=BODY.encode(), within=timedelta(seconds=within), max_bytes=most
    )


async def test_an_answer_comes_after_its_latency_in_virtual_time():
    clock = VirtualClock(START)
    answer = await sent(clock, latency=4.0)
    assert isinstance(answer, Answer)
    assert answer.status == 200
    assert 3.0 <= clock.monotonic() <= 5.0


async def test_the_faults_are_those_of_the_moment():
    later = START + timedelta(hours=1)
    clock = VirtualClock(later)
    answer = await sent(clock, lambda now: (DOWN,) if now >= later else ())
    assert answer == NoAnswer(Trouble.BROKEN_OFF, "the connection broke off")


async def test_a_late_answer_is_none():
    answer = await sent(VirtualClock(START), latency=30.0)
    assert isinstance(answer, NoAnswer)
    assert answer.trouble is Trouble.TIMEOUT


async def test_an_answer_beyond_the_bound_is_none():
    answer = await sent(VirtualClock(START), most=10)
    assert isinstance(answer, NoAnswer)
    assert answer.trouble is Trouble.TOO_LARGE
