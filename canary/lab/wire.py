"""OpenAI's requests, read strictly into the fleet's own."""

from dataclasses import replace
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from canary.lab.decode import Sampling
from canary.lab.fleet import Request
from canary.lab.prompts import TOOLS

_MAX_AFFINITY = 256

Text = Annotated[str, Meta(max_length=2_000_000)]
MaxTokens = Annotated[int, Meta(ge=1, le=8_192)]


class BadRequest(ValueError):
    """The request cannot be read, or asks for what the lab does not have."""


class _Base(Struct, kw_only=True):
    model: str
    max_tokens: MaxTokens = 256
    max_completion_tokens: MaxTokens | None = None
    temperature: Annotated[float, Meta(ge=0.0, le=2.0)] = 1.0
    top_p: Annotated[float, Meta(gt=0.0, le=1.0)] = 1.0
    top_k: Annotated[int, Meta(ge=-1)] = 0
    seed: int | None = None
    stop: str | Annotated[list[str], Meta(max_length=4)] | None = None
    n: Annotated[int, Meta(ge=1, le=1)] = 1
    stream: bool = False
    prompt_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None

    def sampling(self, logprobs: int | None) -> Sampling:
        if self.stream:
            raise BadRequest("the lab does not stream")
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        return Sampling(
            max_tokens=self.max_completion_tokens or self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=max(0, self.top_k),
            seed=self.seed,
            stop=tuple(word for word in stop if word),
            logprobs=logprobs,
            prompt_logprobs=self.prompt_logprobs,
        )


class _Message(Struct):
    role: str
    content: Text


class _Function(Struct):
    name: Annotated[str, Meta(max_length=64)]
    description: Annotated[str, Meta(max_length=2_000)] = ""


class _Tool(Struct):
    function: _Function


class _Chat(_Base):
    messages: Annotated[list[_Message], Meta(min_length=1, max_length=1_000)]
    tools: Annotated[list[_Tool], Meta(max_length=64)] | None = None
    logprobs: bool = False
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None


class _Completion(_Base):
    prompt: Text
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    echo: bool = False


_Shape = TypeVar("_Shape", bound=_Base)


def chat_request(platform: str, pool: str, body: bytes, affinity: str) -> Request:
    """Raises: BadRequest."""
    asked = _decode(body, _Chat)
    tools = [tool.function for tool in asked.tools or ()]
    offer = [TOOLS + "; ".join(f"{tool.name} ({tool.description})" for tool in tools)] if tools else []
    prompt = "\n\n".join([*offer, *(message.content for message in asked.messages)])
    return Request(
        model=asked.model,
        platform=platform,
        pool=pool,
        prompt=prompt,
        sampling=asked.sampling((asked.top_logprobs or 0) if asked.logprobs else None),
        affinity=affinity[:_MAX_AFFINITY],
        tools=tuple(tool.name for tool in tools),
    )


def completion_request(platform: str, pool: str, body: bytes, affinity: str) -> Request:
    """Raises: BadRequest."""
    asked = _decode(body, _Completion)
    sampling = asked.sampling(asked.logprobs)
    return Request(
        model=asked.model,
        platform=platform,
        pool=pool,
        prompt=asked.prompt,
        sampling=replace(sampling, prompt_logprobs=asked.logprobs) if asked.echo else sampling,
        affinity=affinity[:_MAX_AFFINITY],
        echo=asked.echo,
    )


def _decode(body: bytes, shape: type[_Shape]) -> _Shape:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(str(error)) from error
