"""A reply as OpenAI-like servers write it: JSON, put together from pieces that are made once for each token."""

import codecs
import json
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain

import msgspec
import numpy as np

from canary.lab.decode import Decoded
from canary.lab.engine import Answer
from canary.lab.fleet import Request
from canary.lab.model import vocabulary

_CREATED = 1_754_352_000  # the lab knows no time


def chat(request: Request, answer: Answer, identity: str) -> bytes:
    """The body of /v1/chat/completions; `prompt_logprobs` stand in it as vLLM has them."""
    name, _, arguments = answer.text.partition(" ")
    if name in request.tools:
        call = {"id": f"call-{identity}", "type": "function", "function": {"name": name, "arguments": arguments}}
        called = {"message": {"role": "assistant", "content": None, "tool_calls": [call]}}
        finish = "tool_calls" if answer.finish == "stop" else answer.finish
        return _identified(f"chatcmpl-{identity}", _chat(request, answer, called, finish))
    if "chat" not in answer.written:
        message = {"message": {"role": "assistant", "content": answer.text}}
        answer.written["chat"] = _chat(request, answer, message, answer.finish)
    return _identified(f"chatcmpl-{identity}", answer.written["chat"])


def completion(request: Request, answer: Answer, identity: str) -> bytes:
    """The body of the legacy /v1/completions; vLLM's `prompt_logprobs` stand in its choice, an echo in the lists."""
    text = request.prompt + answer.text if request.echo else answer.text
    logprobs = b"null" if request.sampling.logprobs is None else _legacy_logprobs(request, answer)
    choice = {"text": text, **_of_prompt(request, answer), "finish_reason": answer.finish}
    return _identified(f"cmpl-{identity}", _body({"object": "text_completion"}, answer, choice, logprobs))


def _chat(request: Request, answer: Answer, message: Mapping[str, object], finish: str) -> bytes:
    logprobs = b"null" if request.sampling.logprobs is None else _chat_logprobs(answer)
    head = {"object": "chat.completion", **_of_prompt(request, answer)}
    return _body(head, answer, {**message, "finish_reason": finish}, logprobs)


def _identified(identity: str, body: bytes) -> bytes:
    """A body that begins with its identity: all else of it is kept for the next time."""
    return b'{"id":%b,%b' % (json.dumps(identity).encode(), body[1:])


def _of_prompt(request: Request, answer: Answer) -> dict[str, object]:
    """Nothing for the first token, and for each other one its own logprob before those of the most probable."""
    if answer.prompt is None or request.echo:
        return {}
    prompt = answer.prompt
    rows = zip(prompt.tokens, prompt.logprobs, prompt.top, prompt.top_logprobs, strict=True)
    return {"prompt_logprobs": [None, *(_position(*row) for row in rows)]}


def _position(token: int, logprob: float, top: Sequence[int], logprobs: Sequence[float]) -> Mapping[int, object]:
    ranked = zip(range(1, len(top) + 1), top, logprobs, strict=True)
    return {token: _entry(token, logprob, None)} | {other: _entry(other, p, rank) for rank, other, p in ranked}


def _entry(token: int, logprob: float, rank: int | None) -> dict[str, object]:
    return {"logprob": logprob, "rank": rank, "decoded_token": _names()[token]}


def _body(head: Mapping[str, object], answer: Answer, content: Mapping[str, object], logprobs: bytes) -> bytes:
    written = len(answer.decoded.tokens)
    usage = {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": written,
        "total_tokens": answer.prompt_tokens + written,
    }
    start = json.dumps({**head, "created": _CREATED, "model": answer.model, "usage": usage})[:-1]
    choice = json.dumps({"index": 0, **content})[:-1]
    return b'%b,"choices":[%b,"logprobs":%b}]}' % (start.encode(), choice.encode(), logprobs)


def _chat_logprobs(answer: Answer) -> bytes:
    """One template of all tokens, filled with all numbers at once."""
    decoded = answer.decoded
    template = ",".join([_template(token, *top) for token, top in zip(decoded.tokens, decoded.top, strict=True)])
    numbers = zip(decoded.logprobs, decoded.top_logprobs, strict=True)
    rounded = np.round(list(chain.from_iterable((own, *top) for own, top in numbers)), 8).tolist()
    filled = template % tuple(msgspec.json.encode(rounded)[1:-1].decode().split(",")) if rounded else ""
    return b'{"content":[%b]}' % filled.encode()


@lru_cache(1 << 16)
def _template(token: int, *top: int) -> str:
    entries = _entries()
    best = ",".join(entries[other] + "}" for other in top)
    return f'{entries[token]},"top_logprobs":[{best}]}}'


def _legacy_logprobs(request: Request, answer: Answer) -> bytes:
    """Parallel lists; with an echo they begin with the prompt's tokens, the first of which has no logprob."""
    names = _names()
    first = vocabulary().encode(request.prompt)[:1] if request.echo else []
    parts = [answer.prompt, answer.decoded] if request.echo and answer.prompt else [answer.decoded]
    tokens = [*first, *(token for part in parts for token in part.tokens)]
    nothing = [None] * len(first)
    block = {
        "tokens": [names[token] for token in tokens],
        "token_logprobs": [*nothing, *(p for part in parts for p in part.logprobs)],
        "top_logprobs": [*nothing, *(top for part in parts for top in _named_tops(part))],
        "text_offset": _offsets(tokens),
    }
    return json.dumps(block).encode()


def _named_tops(decoded: Decoded) -> list[dict[str, float]]:
    names = _names()
    return [
        dict(zip([names[token] for token in top], logprobs, strict=True))
        for top, logprobs in zip(decoded.top, decoded.top_logprobs, strict=True)
    ]


def _offsets(tokens: Sequence[int]) -> list[int]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    pieces, offsets, written = vocabulary().pieces, [], 0
    for token in tokens:
        offsets.append(written)
        written += len(decoder.decode(pieces[token]))
    return offsets


@cache
def _names() -> tuple[str, ...]:
    return tuple(piece.decode(errors="replace") for piece in vocabulary().pieces)


@cache
def _entries() -> tuple[str, ...]:
    """Each token's entry up to its logprob, with a place for it."""
    pieces = zip(_names(), vocabulary().pieces, strict=True)
    facts = ({"token": name, "id": i, "bytes": list(piece)} for i, (name, piece) in enumerate(pieces))
    return tuple(json.dumps(fact)[:-1].replace("%", "%%") + ',"logprob":%s' for fact in facts)
