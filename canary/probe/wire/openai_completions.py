"""OpenAI's legacy completions: a plain prompt. The messages' contents are joined by an empty line, without roles."""

from collections.abc import Sequence

from canary.probe.wire.answer import Choice, response
from canary.probe.wire.request import WireRequest, wire_request
from canary.records import Endpoint, Failure, Message, Response, Sampling


def encode(endpoint: Endpoint, messages: Sequence[Message], sampling: Sampling, _: str | None) -> WireRequest:
    """There are no tools to offer here. `echo`, where a server has it, goes into the endpoint's `extra_body`."""
    prompt = "\n\n".join(message.content for message in messages)
    fields = {
        "prompt": prompt,
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "stop": sampling.stop or None,
        "logprobs": sampling.logprobs,
        "prompt_logprobs": sampling.prompt_logprobs,
    }
    return wire_request(endpoint, "/completions", fields, prompt if endpoint.extra_body.get("echo") is True else "")


def decode(body: bytes, echo: str = "") -> Response | Failure:
    """Raises: ValueError, RecursionError."""
    return response(body, _text, echo)


def _text(choice: Choice) -> str | None:
    return choice.text
