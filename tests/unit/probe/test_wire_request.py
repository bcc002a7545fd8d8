import json
from typing import Any

import pytest

from canary.probe.wire import encode
from canary.records import Dialect, Message, Sampling
from tests.unit.probe.builders import endpoint

MESSAGES = (Message("system", "Be brief."), Message("user", "Name a river."))


def body(dialect: Dialect, sampling: Sampling, **more: Any) -> dict[str, object]:
    parsed: dict[str, object] = json.loads(encode(endpoint(dialect, **more), MESSAGES, sampling).body)
    return parsed


def test_chat_carries_messages_and_asks_for_the_top_k() -> None:
    assert body(Dialect.OPENAI_CHAT, Sampling(8, logprobs=5, seed=7, stop=("END",))) == {
        "model": "small",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a river."}],
        "max_tokens": 8,
        "temperature": 0.0,
        "top_p": 1.0,
        "seed": 7,
        "stop": ["END"],
        "logprobs": True,
        "top_logprobs": 5,
        "stream": False,
    }


def test_completions_join_the_messages_into_one_prompt() -> None:
    assert body(Dialect.OPENAI_COMPLETIONS, Sampling(8, logprobs=5)) == {
        "model": "small",
        "prompt": "Be brief.\n\nName a river.",
        "max_tokens": 8,
        "temperature": 0.0,
        "top_p": 1.0,
        "logprobs": 5,
        "stream": False,
    }


@pytest.mark.parametrize("dialect", Dialect)
def test_no_logprobs_are_asked_for_unless_the_probe_wants_them(dialect: Dialect) -> None:
    assert not {"logprobs", "top_logprobs"} & body(dialect, Sampling(8)).keys()


def test_extra_body_adds_and_changes_fields() -> None:
    sent = body(Dialect.OPENAI_CHAT, Sampling(8), extra_body={"min_p": 0.1, "temperature": 1.0})
    assert (sent["min_p"], sent["temperature"]) == (0.1, 1.0)


def test_a_null_in_extra_body_takes_a_field_out() -> None:
    sent = body(Dialect.OPENAI_CHAT, Sampling(8), extra_body={"max_tokens": None, "max_completion_tokens": 8})
    assert "max_tokens" not in sent


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://h:8000", "http://h:8000/v1/chat/completions"),
        ("http://h:8000/", "http://h:8000/v1/chat/completions"),
        ("https://h/v1/", "https://h/v1/chat/completions"),
        (
            "https://h/openai/deployments/x?api-version=1",
            "https://h/openai/deployments/x/chat/completions?api-version=1",
        ),
    ],
)
def test_a_base_url_without_a_path_gets_v1(base_url: str, url: str) -> None:
    assert encode(endpoint(base_url=base_url), MESSAGES, Sampling(8)).url == url


def test_chat_offers_the_probes_tools() -> None:
    offered = '[{"type": "function", "function": {"name": "sail"}}]'
    request = encode(endpoint(Dialect.OPENAI_CHAT), MESSAGES, Sampling(8), offered)
    assert json.loads(request.body)["tools"] == json.loads(offered)


@pytest.mark.parametrize("dialect", Dialect)
def test_prompt_logprobs_are_asked_for_where_the_probe_wants_them(dialect: Dialect) -> None:
    assert body(dialect, Sampling(8, prompt_logprobs=1))["prompt_logprobs"] == 1


@pytest.mark.parametrize(
    ("dialect", "extra_body", "echo"),
    [
        (Dialect.OPENAI_COMPLETIONS, {"echo": True}, "Be brief.\n\nName a river."),
        (Dialect.OPENAI_COMPLETIONS, {"echo": False}, ""),
        (Dialect.OPENAI_COMPLETIONS, {}, ""),
        (Dialect.OPENAI_CHAT, {"echo": True}, ""),
    ],
)
def test_an_echo_that_the_endpoint_asks_for_is_expected(
    dialect: Dialect, extra_body: dict[str, object], echo: str
) -> None:
    assert encode(endpoint(dialect, extra_body=extra_body), MESSAGES, Sampling(8)).echo == echo


def test_a_server_that_does_not_know_prompt_logprobs_is_not_asked() -> None:
    asked = body(Dialect.OPENAI_CHAT, Sampling(8, prompt_logprobs=1), extra_body={"prompt_logprobs": None})
    assert "prompt_logprobs" not in asked
