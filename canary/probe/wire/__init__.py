"""What goes over the wire: a request out, bytes in. Pure, and total: any bytes give a Response or a Failure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from canary.probe.wire import openai_chat, openai_completions
from canary.probe.wire.failures import malformed, refused
from canary.probe.wire.request import WireRequest
from canary.records import Dialect, Endpoint, Failure, Message, Response, Sampling

__all__ = ["WireRequest", "decode", "encode"]


class _Codec(NamedTuple):
    encode: Callable[[Endpoint, Sequence[Message], Sampling, str | None], WireRequest]
    decode: Callable[[bytes, str], Response | Failure]


_DIALECTS = {
    Dialect.OPENAI_CHAT: _Codec(openai_chat.encode, openai_chat.decode),
    Dialect.OPENAI_COMPLETIONS: _Codec(openai_completions.encode, openai_completions.decode),
}


def encode(
    endpoint: Endpoint, messages: Sequence[Message], sampling: Sampling, tools: str | None = None
) -> WireRequest:
    """The request that asks `endpoint` for one answer; `tools` is what it offers, as JSON.

    What a probe expects is not asked for: a server that is told `min_tokens` would not end an answer too soon, and so
    would hide that it does.
    """
    return _DIALECTS[endpoint.dialect].encode(endpoint, messages, sampling, tools)


def decode(
    dialect: Dialect, status: int, headers: Mapping[str, str], body: bytes, now: datetime, echo: str = ""
) -> Response | Failure:
    """What the answer means. Header names are lower-case; `now` is when it came, for a dated Retry-After.

    `echo` is the request's: what the answer was asked to begin with.
    """
    if not 200 <= status < 300:
        return refused(status, headers, now)
    try:
        return _DIALECTS[dialect].decode(body, echo)
    except (ValueError, RecursionError):
        return malformed("the answer is not the JSON of its dialect")
