"""Both dialects against a real inference engine: llama.cpp's own server, with a small model."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from canary.clock import SystemClock
from canary.http import HttpClient
from canary.probe.client import ProbeClient
from canary.records import Dialect, Endpoint, FailureKind, Finish, Message, Probe, Response, Run, Sampling, Target
from tests.unit.probe.builders import SLOT

pytestmark = [pytest.mark.anyio, pytest.mark.engine]

FOLDER = Path(os.environ.get("CANARY_ENGINE_DIR", Path(__file__).parents[2].parent / "shared" / "engine"))


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    """The base URL of a running engine."""
    if not (FOLDER / "serve.py").exists():
        pytest.skip(f"no engine in {FOLDER}: set CANARY_ENGINE_DIR")
    pytest.importorskip("xllamacpp", reason="needs the engine group: uv sync --group engine")
    model = FOLDER / "poly2m-f16.gguf"
    command: list[str | Path] = [
        sys.executable,
        FOLDER / "serve.py",
        "--model",
        model,
        "--port",
        "0",
        "--threads",
        "1",
        "--slots",
        "2",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        listening = next(line for line in process.stdout if line.startswith("LISTENING"))
        yield listening.split()[1]
        process.terminate()


@pytest.fixture
async def client() -> AsyncIterator[ProbeClient]:
    http = HttpClient()
    yield ProbeClient(http, SystemClock())
    await http.aclose()


def run(
    base_url: str,
    dialect: Dialect,
    *,
    logprobs: int | None = 5,
    prompt_logprobs: int | None = None,
    max_tokens: int = 8,
    prompt: str = "Hello",
    **extra_body: object,
) -> Run:
    sampling = Sampling(max_tokens, logprobs=logprobs, prompt_logprobs=prompt_logprobs)
    probe = Probe("hello", "hello", (Message("user", prompt),), sampling, (), "to meet an engine")
    at = Endpoint(dialect, base_url, "tiny", extra_body=extra_body)
    return Run(probe, Target("tiny", "cpu", "a", at), "here", SLOT)


async def response(client: ProbeClient, one: Run) -> Response:
    seen = await client.fire(one)
    assert seen.response is not None, seen.failure
    return seen.response


@pytest.mark.parametrize("dialect", Dialect)
async def test_an_answer_is_read_whole(client: ProbeClient, engine: str, dialect: Dialect) -> None:
    outcome = await response(client, run(engine, dialect))
    assert outcome.text
    assert (outcome.finish, outcome.model, outcome.completion_tokens) == (Finish.LENGTH, "tiny", 8)
    assert outcome.prompt_tokens is not None
    assert outcome.cached_tokens is not None


@pytest.mark.parametrize("dialect", Dialect)
async def test_each_token_has_its_id_and_the_top_k_that_were_asked_for(
    client: ProbeClient, engine: str, dialect: Dialect
) -> None:
    found = (await response(client, run(engine, dialect))).logprobs
    assert found is not None
    assert [len(top) for top in found.top] == [5] * 8
    assert all(isinstance(token, int) for token in found.chosen)


@pytest.mark.parametrize("dialect", Dialect)
async def test_greedy_tokens_are_the_first_of_their_top(client: ProbeClient, engine: str, dialect: Dialect) -> None:
    found = (await response(client, run(engine, dialect))).logprobs
    assert found is not None
    assert found.chosen == tuple(top[0] for top in found.top)


@pytest.mark.parametrize("dialect", Dialect)
async def test_no_logprobs_come_unless_asked_for(client: ProbeClient, engine: str, dialect: Dialect) -> None:
    assert (await response(client, run(engine, dialect, logprobs=None))).logprobs is None


@pytest.mark.parametrize("dialect", Dialect)
async def test_a_prompt_past_the_context_is_refused(client: ProbeClient, engine: str, dialect: Dialect) -> None:
    seen = await client.fire(run(engine, dialect, prompt="Hello there. " * 400))
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.status) == (FailureKind.REFUSED, 400)


@pytest.mark.parametrize("dialect", Dialect)
async def test_llama_cpp_passes_over_prompt_logprobs_and_answers(
    client: ProbeClient, engine: str, dialect: Dialect
) -> None:
    outcome = await response(client, run(engine, dialect, prompt_logprobs=2))
    assert (outcome.completion_tokens, outcome.prompt_logprobs) == (8, None)


async def test_llama_cpp_passes_over_an_echo_so_that_all_is_the_answer(client: ProbeClient, engine: str) -> None:
    plain = await response(client, run(engine, Dialect.OPENAI_COMPLETIONS))
    outcome = await response(client, run(engine, Dialect.OPENAI_COMPLETIONS, echo=True))
    assert (outcome.text, outcome.prompt_logprobs) == (plain.text, None)
    assert outcome.logprobs is not None
    assert len(outcome.logprobs.chosen) == 8
