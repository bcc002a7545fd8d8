"""OpenAI's chat completions, as OpenAI, vLLM, SGLang and llama.cpp speak it."""

from collections.abc import Sequence

import msgspec

from canary.probe.wire.answer import Choice, response
from canary.probe.wire.request import WireRequest, wire_request
from canary.records import Endpoint, Failure, Message, Response, Sampling


def encode(endpoint: Endpoint, messages: Sequence[Message], sampling: Sampling, tools: str | None) -> WireRequest:
    asked = sampling.logprobs is not None
    fields = {
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "stop": sampling.stop or None,
        "logprobs": True if asked else None,
        "top_logprobs": sampling.logprobs,
        "prompt_logprobs": sampling.prompt_logprobs,
        "tools": None if tools is None else msgspec.Raw(tools.encode()),
    }
    return wire_request(endpoint, "/chat/completions", fields)


def decode(body: bytes, _: str = "") -> Response | Failure:
    """There is no echo here. Raises: ValueError, RecursionError."""
    return response(body, _text)


def _text(choice: Choice) -> str | None:
    if choice.message is None:
        return None
    match choice.message.content:
        case str() as text:
            return text
        case None:
            return ""  # a reasoning model that did not get to its answer
        case parts:
            return "".join(part.text or "" for part in parts)
