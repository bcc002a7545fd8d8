"""Logprobs in the shapes that servers give them, whatever the dialect.

Chat: `content`, one entry a token with its id, bytes and top. Legacy: parallel lists, keyed by text, since nothing
better is there. A text "token_id:123" (vLLM's `return_tokens_as_token_ids`) is the id itself.

Of the prompt's own tokens: vLLM's `prompt_logprobs`, for each position a mapping from id to logprob with the prompt's
token first, null at the start; or `echo` (vLLM, SGLang, llama-cpp-python), for which the legacy lists begin with the
prompt's tokens, the first of them without a logprob. Nothing is known of a prompt's first token, so it is left out.
Offsets into the text are not read: vLLM counts a token before the text that is not in it, SGLang says -1.
"""

import re
from collections.abc import Sequence
from itertools import accumulate, chain, pairwise
from typing import Annotated

from msgspec import Meta, Raw, Struct
from msgspec.json import Decoder

from canary.records import Logprobs, TokenKey

FLOOR = -100.0
"""Nats. What stands for "less than can be told": null, -inf and sentinels such as -9999 are raised to it."""

MAX_TOKENS = 32_768
MAX_PROMPT = 262_144
MAX_TOP = 128

Id = Annotated[int, Meta(ge=0, le=2**62)]
Byte = Annotated[int, Meta(ge=0, le=255)]
Bytes = Annotated[list[Byte], Meta(max_length=4_096)]
Token = Annotated[str, Meta(max_length=4_096)]

_NULL = Raw(b"null")
_bytes = Decoder(Bytes | None)
_ID_TEXT = re.compile(r"token_id:([0-9]{1,18})")


class Entry(Struct, gc=False):
    token: Token
    logprob: float | None = None
    id: Id | None = None
    bytes: Raw = _NULL  # read only where there is no id: they are most of the work


class Position(Entry, gc=False):
    top_logprobs: Annotated[list[Entry], Meta(max_length=MAX_TOP)] | None = None


Top = Annotated[dict[Token, float | None], Meta(max_length=MAX_TOP)]


class LogprobsBlock(Struct):
    content: Annotated[list[Position], Meta(max_length=MAX_TOKENS)] | None = None
    tokens: Annotated[list[Token], Meta(max_length=MAX_PROMPT)] | None = None
    token_logprobs: Annotated[list[float | None], Meta(max_length=MAX_PROMPT)] | None = None
    top_logprobs: Annotated[list[Top | None], Meta(max_length=MAX_PROMPT)] | None = None


class PromptEntry(Struct, gc=False):
    logprob: float | None = None


PromptTop = Annotated[dict[Id, PromptEntry], Meta(max_length=MAX_TOP)]
PromptPositions = Annotated[list[PromptTop | None], Meta(max_length=MAX_PROMPT)]


def logprobs(block: LogprobsBlock | None) -> Logprobs | None:
    """None where none are offered, or their lists do not fit together. Impossible values stay, to be judged."""
    positions = [] if block is None else block.content or _from_legacy(block)
    if not positions:
        return None
    tops = [position.top_logprobs or [] for position in positions]
    entries = [*positions, *chain.from_iterable(tops)]
    keys, values = _keys(entries), _values(entries)
    ends = accumulate(map(len, tops), initial=len(positions))
    ranked = [_ranked(keys[start:end], values[start:end]) for start, end in pairwise(ends)]
    return Logprobs(
        chosen=tuple(keys[: len(positions)]),
        chosen_logprob=tuple(values[: len(positions)]),
        top=tuple([top for top, _ in ranked]),
        top_logprob=tuple([top for _, top in ranked]),
    )


def prompt_logprobs(positions: PromptPositions | None) -> Logprobs | None:
    """The prompt's, as vLLM gives them. None where none are offered, or a position after the first has none."""
    known = (positions or [])[1:]
    rows = [list(top.items()) for top in known if top]
    if not rows or len(rows) < len(known):
        return None
    values = [_values([entry for _, entry in row]) for row in rows]
    ranked = [_ranked([token for token, _ in row], value) for row, value in zip(rows, values, strict=True)]
    return Logprobs(
        chosen=tuple([row[0][0] for row in rows]),
        chosen_logprob=tuple([value[0] for value in values]),
        top=tuple([top for top, _ in ranked]),
        top_logprob=tuple([top for _, top in ranked]),
    )


def parted(
    block: LogprobsBlock | None, prompt_tokens: int | None, answered: int
) -> tuple[Logprobs | None, Logprobs | None]:
    """Of an echoed prompt, and of the `answered` tokens after it; None where one cannot be told from the other.

    llama-cpp-python counts the token that begins every prompt, but does not list it.
    """
    found, values = logprobs(block), (block.token_logprobs if block else None) or []
    if found is None or prompt_tokens is None:
        return None, None
    if len(found.chosen) == answered:
        return None, found
    n = prompt_tokens - 1 if answered and len(values) == prompt_tokens - 1 + answered else prompt_tokens
    return None if None in values[1:n] else _part(found, 1, n), _part(found, n, None)


def _part(found: Logprobs, start: int, end: int | None) -> Logprobs | None:
    if not found.chosen[start:end]:
        return None
    here = slice(start, end)
    return Logprobs(found.chosen[here], found.chosen_logprob[here], found.top[here], found.top_logprob[here])


def _from_legacy(block: LogprobsBlock) -> list[Position]:
    tokens, values = block.tokens or [], block.token_logprobs or []
    tops = block.top_logprobs or [None] * len(tokens)
    if not len(tokens) == len(values) == len(tops):
        return []
    return [
        Position(token, value, top_logprobs=[Entry(*pair) for pair in (top or {}).items()])
        for token, value, top in zip(tokens, values, tops, strict=True)
    ]


def _keys(entries: Sequence[Entry]) -> Sequence[TokenKey]:
    """One kind of key for the whole answer: ids only where every token has one."""
    ids = [entry.id for entry in entries]
    if None in ids:
        ids = [_id_in(entry.token) for entry in entries]
    known = [key for key in ids if key is not None]
    return known if len(known) == len(entries) else [_bytes_of(entry) for entry in entries]


def _values(entries: Sequence[Entry] | Sequence[PromptEntry]) -> list[float]:
    return [FLOOR if (value := entry.logprob) is None or value < FLOOR else value for entry in entries]


def _ranked(keys: Sequence[TokenKey], values: list[float]) -> tuple[tuple[TokenKey, ...], tuple[float, ...]]:
    """Most probable first, as most servers give them."""
    if sorted(values, reverse=True) == values:
        return tuple(keys), tuple(values)
    order = sorted(range(len(values)), key=lambda place: -values[place])
    return tuple([keys[place] for place in order]), tuple([values[place] for place in order])


def _id_in(text: str) -> int | None:
    found = _ID_TEXT.fullmatch(text)
    return int(found[1]) if found else None


def _bytes_of(entry: Entry) -> bytes:
    values = _bytes.decode(entry.bytes)
    return entry.token.encode() if values is None else bytes(values)
