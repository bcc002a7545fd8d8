import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from typing_extensions import override

from canary.http import Answer, NoAnswer, Trouble
from canary.probe.affinity import affinity_key
from canary.probe.client import ProbeClient
from canary.records import Dialect, Failure, FailureKind, Limits, Observation, Run
from canary.testing import FakeClock, ScriptedModel
from tests.unit.probe.builders import SLOT, chat, endpoint, run

pytestmark = pytest.mark.anyio


class SlowModel(ScriptedModel):
    """Takes two seconds of a fake clock."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__("Paris.")
        self._clock = clock

    @override
    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, within: timedelta, max_bytes: int
    ) -> Answer | NoAnswer:
        self._clock.advance(timedelta(seconds=2))
        return await super().send(method, url, headers=headers, body=body, within=within, max_bytes=max_bytes)


async def fire(model: ScriptedModel, one: Run | None = None) -> Observation:
    return await ProbeClient(model, FakeClock(SLOT)).fire(one or run())


@pytest.mark.parametrize("dialect", Dialect)
async def test_an_answer_becomes_a_response(dialect: Dialect) -> None:
    seen = await fire(ScriptedModel("Paris."), run(endpoint(dialect)))
    assert seen.response is not None
    assert (seen.response.text, seen.failure) == ("Paris.", None)


async def test_an_observation_says_which_run_it_is_of() -> None:
    one = replace(run(ordinal=3), salt=1)
    seen = await fire(ScriptedModel("Paris."), one)
    said = (
        seen.slot_id,
        seen.probe_id,
        seen.probe_digest,
        seen.group,
        seen.target,
        seen.region,
        seen.ordinal,
        seen.salt,
    )
    assert said == (one.slot_id, "capital", one.probe.digest, "facts", "small/cpu/a", "here", 3, 1)


async def test_an_echo_that_was_asked_for_is_no_part_of_the_answer() -> None:
    at = endpoint(Dialect.OPENAI_COMPLETIONS, extra_body={"echo": True})
    seen = await fire(ScriptedModel("What is the capital of France? Paris."), run(at))
    assert seen.response is not None
    assert seen.response.text == " Paris."


async def test_the_length_that_is_expected_is_not_asked_for() -> None:
    model, one = ScriptedModel("Paris."), run()
    await fire(model, replace(one, probe=replace(one.probe, min_tokens=8)))
    assert b"min_tokens" not in model.sent[0].body


async def test_a_run_is_one_attempt_even_when_it_fails() -> None:
    model = ScriptedModel(NoAnswer(Trouble.BROKEN_OFF, "the connection broke off"), "Paris.")
    await fire(model)
    assert len(model.sent) == 1


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (Trouble.TIMEOUT, FailureKind.TIMEOUT),
        (Trouble.UNREACHABLE, FailureKind.UNREACHABLE),
        (Trouble.BROKEN_OFF, FailureKind.UNREACHABLE),
        (Trouble.NOT_HTTP, FailureKind.MALFORMED),
        (Trouble.COMPRESSED, FailureKind.MALFORMED),
        (Trouble.TOO_LARGE, FailureKind.MALFORMED),
        (Trouble.UNSENDABLE, FailureKind.REFUSED),
    ],
)
async def test_every_trouble_is_a_kind_of_failure(trouble: Trouble, kind: FailureKind) -> None:
    seen = await fire(ScriptedModel(NoAnswer(trouble, "why")))
    assert (seen.failure, seen.response) == (Failure(kind, "why"), None)


async def test_the_duration_is_of_the_exchange() -> None:
    clock = FakeClock(SLOT)
    seen = await ProbeClient(SlowModel(clock), clock).fire(run())
    assert (seen.started_at, seen.duration) == (SLOT, timedelta(seconds=2))


async def test_the_wait_for_a_turn_is_not_in_the_times() -> None:
    clock = FakeClock(SLOT)
    client = ProbeClient(ScriptedModel(Answer(429, {"retry-after": "4"}, b""), "Paris."), clock)
    await client.fire(run())
    seen = await client.fire(run())
    assert (seen.started_at, seen.duration) == (SLOT + timedelta(seconds=4), timedelta(0))


async def test_a_target_that_asked_for_silence_gets_it() -> None:
    model = ScriptedModel(Answer(429, {"retry-after": "300"}, b""))
    client = ProbeClient(model, FakeClock(SLOT))
    await client.fire(run())
    seen = await client.fire(run())
    assert seen.failure == Failure(
        FailureKind.THROTTLED, "not sent: the target asked for silence", retry_after=timedelta(minutes=5)
    )
    assert len(model.sent) == 1


async def test_limits_bound_the_exchange() -> None:
    model = ScriptedModel("Paris.")
    one = run()
    await fire(model, one)
    assert (model.sent[0].within, model.sent[0].max_bytes) == (one.target.limits.timeout, one.target.limits.max_bytes)


async def test_the_token_goes_as_a_bearer() -> None:
    model = ScriptedModel("Paris.")
    await fire(model, run(endpoint(token="hush")))
    assert model.sent[0].headers["authorization"] == "Bearer hush"


async def test_the_endpoints_own_headers_stand_over_ours() -> None:
    model = ScriptedModel("Paris.")
    await fire(model, run(endpoint(token="hush", headers={"Authorization": "Basic eA==", "Api-Key": "k"})))
    assert (model.sent[0].headers["authorization"], model.sent[0].headers["api-key"]) == ("Basic eA==", "k")


async def test_no_secret_is_in_what_is_shown_of_an_observation() -> None:
    model = ScriptedModel(Answer(401, {}, b"hush is not a token"))
    seen = await fire(model, run(endpoint(token="hush", headers={"api-key": "hush"})))
    assert "hush" not in f"{seen!r} {model.sent!r} {run(endpoint(token='hush'))!r}"


async def test_each_run_has_an_affinity_key_of_its_own() -> None:
    model = ScriptedModel("Paris.")
    at = endpoint(affinity_header="X-Session")
    seen = [await fire(model, run(at, ordinal=ordinal)) for ordinal in range(3)]
    assert [sent.headers["x-session"] for sent in model.sent] == [one.affinity for one in seen]
    assert len({one.affinity for one in seen}) == 3


async def test_the_same_run_has_the_same_affinity_key() -> None:
    assert (await fire(ScriptedModel("a"))).affinity == (await fire(ScriptedModel("b"))).affinity


@pytest.mark.parametrize(
    ("header", "sent", "replica"),
    [
        (None, "pod-7", ""),
        ("X-Replica", "pod-7", "pod-7"),
        ("X-Other", "pod-7", ""),
        ("X-Replica", "pod\x1b[31m" + "x" * 999, ("pod[31m" + "x" * 999)[:199]),
    ],
)
async def test_the_replica_is_read_from_its_header(header: str | None, sent: str, replica: str) -> None:
    model = ScriptedModel(Answer(200, {"x-replica": sent}, chat()))
    assert (await fire(model, run(endpoint(replica_header=header)))).replica == replica


async def test_a_failure_names_its_replica_too() -> None:
    model = ScriptedModel(Answer(500, {"x-replica": "pod-7"}, b""))
    assert (await fire(model, run(endpoint(replica_header="x-replica")))).replica == "pod-7"


def a_burst(size: int = 8) -> tuple[Run, ...]:
    limits = Limits(concurrency=size, rate_per_second=float(size))
    return replace(run(endpoint(affinity_header="x-session-id"), limits=limits), burst=size).volley


class Gathering(ScriptedModel):
    """Answers nobody before it was asked by all."""

    def __init__(self, size: int) -> None:
        super().__init__("Paris.")
        self._all = asyncio.Barrier(size)

    @override
    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, within: timedelta, max_bytes: int
    ) -> Answer | NoAnswer:
        await self._all.wait()
        return await super().send(method, url, headers=headers, body=body, within=within, max_bytes=max_bytes)


async def test_all_runs_of_a_burst_are_in_flight_together() -> None:
    async with asyncio.timeout(5):
        seen = await ProbeClient(Gathering(8), FakeClock(SLOT)).fire_at_once(a_burst())
    assert [one.ordinal for one in seen] == list(range(8))


async def test_a_burst_is_one_session() -> None:
    model = ScriptedModel("Paris.")
    seen = await ProbeClient(model, FakeClock(SLOT)).fire_at_once(a_burst())
    sent = {each.headers["x-session-id"] for each in model.sent}
    assert sent == {one.affinity for one in seen} == {affinity_key(a_burst()[0].slot_id)}


async def test_the_observations_of_a_burst_are_one_unit_of_the_group_of_its_size() -> None:
    seen = await ProbeClient(ScriptedModel("Paris."), FakeClock(SLOT)).fire_at_once(a_burst())
    assert {(one.group, one.burst) for one in seen} == {("facts@8", 8)}
    assert len({one.unit for one in seen}) == 1
    assert len({one.slot_id for one in seen}) == 8


async def test_one_run_of_a_burst_may_fail_alone() -> None:
    model = ScriptedModel("Paris.", NoAnswer(Trouble.TIMEOUT, "60 s"), "Paris.")
    seen = await ProbeClient(model, FakeClock(SLOT)).fire_at_once(a_burst(4))
    assert [one.failure is None for one in seen] == [True, False, True, True]


async def test_into_a_long_silence_no_run_of_a_burst_is_sent() -> None:
    model, clock = ScriptedModel(Answer(429, {"retry-after": "300"}, b"{}"), "Paris."), FakeClock(SLOT)
    client = ProbeClient(model, clock)
    await client.fire_at_once(a_burst())
    sent = len(model.sent)
    seen = await client.fire_at_once(a_burst())
    assert {one.failure.kind for one in seen if one.failure} == {FailureKind.THROTTLED}
    assert len(model.sent) == sent
