"""The JSON answer that all OpenAI-like servers give, parsed strictly where we use it and bounded everywhere.

Unknown fields are skipped; a known one of the wrong type or size makes the whole answer malformed. JSON has no NaN, but
Python's servers write it: NaN and Infinity are read as an impossible logprob, so that they are judged, not hidden.
"""

import re
from collections.abc import Callable
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.json import Decoder

from canary.probe.wire.failures import malformed
from canary.probe.wire.logprobs import LogprobsBlock, PromptPositions, logprobs, parted, prompt_logprobs
from canary.records import Failure, FailureKind, Finish, Logprobs, Response

Text = Annotated[str, Meta(max_length=1_000_000)]
Count = Annotated[int, Meta(ge=0, le=100_000_000)]

_FINISH = {
    "stop": Finish.STOP,
    "eos": Finish.STOP,
    "eos_token": Finish.STOP,
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "tool_calls": Finish.STOP,
    "function_call": Finish.STOP,
    "length": Finish.LENGTH,
    "max_tokens": Finish.LENGTH,
}
_STRING_OR_NOT_A_NUMBER = re.compile(rb'"(?:[^"\\]|\\.)*+"?|(-?)(?:NaN|Infinity)', re.DOTALL)
_LABEL_LENGTH = 200


class Part(Struct):
    text: Text | None = None


class Function(Struct):
    name: Annotated[str, Meta(max_length=1_000)] = ""
    arguments: Text | None = None


class ToolCall(Struct):
    function: Function | None = None


class Message(Struct):
    content: Text | Annotated[list[Part], Meta(max_length=1_000)] | None = None
    tool_calls: Annotated[list[ToolCall], Meta(max_length=128)] | None = None


class Choice(Struct):
    message: Message | None = None
    text: Text | None = None
    finish_reason: str | None = None
    logprobs: LogprobsBlock | None = None
    prompt_logprobs: PromptPositions | None = None  # vLLM's, of completions


class PromptDetails(Struct):
    cached_tokens: Count | None = None


class Usage(Struct):
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    prompt_tokens_details: PromptDetails | None = None


class Timings(Struct):
    """llama.cpp's."""

    cache_n: Count | None = None


class Body(Struct):
    choices: Annotated[list[Choice], Meta(max_length=16)] | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    usage: Usage | None = None
    timings: Timings | None = None
    prompt_logprobs: PromptPositions | None = None  # vLLM's, of chat
    error: object = None


_decoder = Decoder(Body)


def response(body: bytes, text_of: Callable[[Choice], str | None], echo: str = "") -> Response | Failure:
    """The first choice of `body`, without the `echo` that it was asked for. Raises: ValueError, RecursionError."""
    answer = _parse(body)
    if not answer.choices:
        if answer.error is not None:
            return Failure(FailureKind.FAILED, "an error under a status of success")
        return malformed("the answer has no choice")
    choice = answer.choices[0]
    text = text_of(choice)
    if text is None:
        return malformed("the answer has no text of its dialect")
    usage = answer.usage or Usage()
    of_prompt, of_answer = _logprobs(answer, choice, text, echo)
    return Response(
        text=text.removeprefix(echo),
        finish=_FINISH.get(choice.finish_reason or "", Finish.OTHER),
        model=label(answer.model or ""),
        server=label(answer.system_fingerprint or ""),
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=_cached(usage, answer.timings or Timings()),
        logprobs=of_answer,
        prompt_logprobs=of_prompt,
        tool_calls=_tool_calls(choice.message),
    )


def label(text: str) -> str:
    """A foreign name, made fit for a table and a log line."""
    return "".join(char for char in text[:_LABEL_LENGTH] if char.isprintable())


def _logprobs(answer: Body, choice: Choice, text: str, echo: str) -> tuple[Logprobs | None, Logprobs | None]:
    """Of the prompt, and of the answer."""
    given = prompt_logprobs(choice.prompt_logprobs or answer.prompt_logprobs)
    if not echo or not text.startswith(echo):
        return given, logprobs(choice.logprobs)
    usage = answer.usage or Usage()
    answered = 0 if text == echo else usage.completion_tokens or 0
    of_prompt, of_answer = parted(choice.logprobs, usage.prompt_tokens, answered)
    return given or of_prompt, of_answer


def _tool_calls(message: Message | None) -> tuple[tuple[str, str], ...]:
    calls = (message.tool_calls if message else None) or []
    return tuple((call.function.name, call.function.arguments or "") for call in calls if call.function is not None)


def _parse(body: bytes) -> Body:
    try:
        return _decoder.decode(body)
    except ValueError:
        if b"NaN" not in body and b"Infinity" not in body:
            raise
        return _decoder.decode(_STRING_OR_NOT_A_NUMBER.sub(_impossible, body))


def _impossible(found: re.Match[bytes]) -> bytes:
    if found[1] is None:
        return found[0]
    return b"-1e308" if found[0] == b"-Infinity" else b"1e308"


def _cached(usage: Usage, timings: Timings) -> int | None:
    details = usage.prompt_tokens_details
    if details is not None and details.cached_tokens is not None:
        return details.cached_tokens
    return timings.cache_n
