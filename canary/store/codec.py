"""Records as kept: moments as whole microseconds, bodies and documents with a version that says how to read them.

Bodies are MessagePack, which keeps floats, `bytes` and integers exactly; the text may hold lone surrogates (a server
can send them), so it travels as bytes. Fields that are added to a record later need a default, and no new version.
"""

from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from canary.errors import StoreError
from canary.records import Finish, Logprobs, Response

VERSION = 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

R = TypeVar("R")


class _Body(msgspec.Struct, array_like=True):
    version: int
    text: bytes
    finish: Finish
    model: bytes
    server: bytes
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    logprobs: Logprobs | None
    prompt_logprobs: Logprobs | None = None
    tool_calls: tuple[tuple[bytes, bytes], ...] = ()


_pack = msgspec.msgpack.Encoder().encode
_body = msgspec.msgpack.Decoder(_Body).decode


def micros(when: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of an aware moment."""
    return (when - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


def span(length: timedelta) -> int:
    return length // _MICROSECOND


def pack_response(response: Response) -> bytes:
    return _pack(
        _Body(
            VERSION,
            _to_bytes(response.text),
            response.finish,
            _to_bytes(response.model),
            _to_bytes(response.server),
            response.prompt_tokens,
            response.completion_tokens,
            response.cached_tokens,
            response.logprobs,
            response.prompt_logprobs,
            tuple((_to_bytes(name), _to_bytes(arguments)) for name, arguments in response.tool_calls),
        )
    )


def unpack_response(data: bytes) -> Response:
    try:
        body = _body(data)
    except msgspec.MsgspecError as error:
        raise StoreError(f"an answer cannot be read: {error}") from error
    _require_version(body.version)
    return Response(
        text=_to_text(body.text),
        finish=body.finish,
        model=_to_text(body.model),
        server=_to_text(body.server),
        prompt_tokens=body.prompt_tokens,
        completion_tokens=body.completion_tokens,
        cached_tokens=body.cached_tokens,
        logprobs=body.logprobs,
        prompt_logprobs=body.prompt_logprobs,
        tool_calls=tuple((_to_text(name), _to_text(arguments)) for name, arguments in body.tool_calls),
    )


def pack(record: object) -> bytes:
    return _pack((VERSION, record))


def unpack(data: bytes, kind: type[R]) -> R:
    try:
        version, raw = msgspec.msgpack.decode(data, type=tuple[int, msgspec.Raw])
        _require_version(version)
        return msgspec.msgpack.decode(raw, type=kind)
    except msgspec.MsgspecError as error:
        raise StoreError(f"a kept {kind.__name__} cannot be read: {error}") from error


def dumps(record: object) -> str:
    """As JSON, for what a person may want to read in the database.

    Raises: StoreError when JSON cannot keep it: an infinity, NaN, a lone surrogate.
    """
    try:
        text = msgspec.json.encode({"version": VERSION, "record": record}).decode()
    except UnicodeEncodeError:
        raise StoreError(f"this {type(record).__name__} cannot be kept: its text is not Unicode") from None
    loads(text, type(record))  # better refused now than unreadable for ever
    return text


def loads(text: str, kind: type[R]) -> R:
    try:
        document = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        _require_version(msgspec.json.decode(document["version"], type=int))
        return msgspec.json.decode(document["record"], type=kind)
    except (msgspec.MsgspecError, KeyError) as error:
        raise StoreError(f"a kept {kind.__name__} cannot be read: {error}") from error


def _require_version(version: int) -> None:
    if version != VERSION:
        raise StoreError(f"a kept record has version {version}, this Canary reads {VERSION}")


def _to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _to_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
