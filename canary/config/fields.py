"""The kinds of value that a config file holds. Everything is strict: "5" is no number, and 5 is no string."""

import re
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from canary.config.document import plain
from canary.config.interpolate import Interpolated

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_DURATION = r"^([0-9]{1,12}(?:\.[0-9]{1,3})?)(ms|s|m|h|d|w)$"
_MOST_SECRET = 65_536


class Strict(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


def _duration(value: object) -> object:
    found = re.fullmatch(_DURATION, value) if isinstance(value, str) else None
    if found is not None:
        with suppress(OverflowError):
            return timedelta(seconds=float(found[1]) * _UNITS[found[2]])
    if isinstance(value, timedelta):
        return value
    raise PydanticCustomError("duration", "should be a duration such as 500ms, 30s, 5m, 2h, 7d or 2w")


def _day(value: object) -> object:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise PydanticCustomError("day", "should be a day such as 2026-01-31") from None


def between(least: timedelta, most: timedelta) -> AfterValidator:
    """Bounds of a duration, told as durations are written."""

    def check(duration: timedelta) -> timedelta:
        if not least <= duration <= most:
            raise ValueError(f"should be between {_as_written(least)} and {_as_written(most)}")
        return duration

    return AfterValidator(check)


def _as_written(duration: timedelta) -> str:
    """In the largest unit that fits without a fraction."""
    milliseconds = duration // timedelta(milliseconds=1)
    for unit, seconds in reversed(_UNITS.items()):
        if milliseconds and milliseconds % int(seconds * 1_000) == 0:
            return f"{milliseconds // int(seconds * 1_000)}{unit}"
    return "0s"


def _number(value: object) -> object:
    """The environment holds only strings."""
    return plain(value) if isinstance(value, Interpolated) else value


def _json(value: object) -> object:
    """Of the plain types that JSON libraries take."""
    match value:
        case str():
            return str(value)
        case tuple():
            return [_json(item) for item in value]
        case dict():
            return {key: _json(item) for key, item in value.items()}
        case _:
            return value


def _secret(value: object, info: ValidationInfo) -> object:
    """The content of the file, for a value that is written `file:/path` in the config itself."""
    written = value.template if isinstance(value, Interpolated) else value
    if not isinstance(value, str) or not isinstance(written, str) or not written.startswith("file:"):
        return value
    return _secret_file(folder(info) / value.removeprefix("file:"))


def _secret_file(path: Path) -> str:
    try:
        if not path.is_file():
            raise PydanticCustomError("secret", "names a secret file that is not there: check the path after file:")
        with path.open("rb") as file:
            raw = file.read(_MOST_SECRET + 1)
        if len(raw) > _MOST_SECRET:
            raise PydanticCustomError("secret", "names a secret file larger than 64 KB")
        return raw.decode().strip()
    except OSError as error:
        fault = f"names a secret file that cannot be read: {error.strerror}"
        raise PydanticCustomError("secret", "{fault}", {"fault": fault}) from None
    except UnicodeDecodeError:
        raise PydanticCustomError("secret", "names a secret file that is not UTF-8") from None


def _some(entries: tuple[object, ...]) -> tuple[object, ...]:
    """Judged after the entries, so that a bad one is not said to be missing."""
    if not entries:
        raise ValueError("should have at least one entry")
    return entries


def _has_content(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value():
        raise PydanticCustomError("secret", "is empty: set it, or leave the key out")
    return secret


def _fits_header(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x20-\x7e]*", secret.get_secret_value()):
        raise PydanticCustomError("secret", "should hold printable ASCII characters only: it goes into a header")
    return secret


def _http_secret(secret: SecretStr) -> SecretStr:
    http_url(secret.get_secret_value())
    return secret


def http_url(text: str) -> str:
    """An http or https URL with a host. Raises: ValueError."""
    try:
        parts = urlsplit(text)
        whole = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        whole = False
    if not whole or re.search(r"[\x00-\x20\x7f]", text):
        raise ValueError("should be a URL: http://host/path or https://host/path")
    return text


def folder(info: ValidationInfo) -> Path:
    """Where relative paths start: the folder of the config file."""
    context: dict[str, Any] = info.context or {}
    return Path(context.get("folder", "."))


Some = AfterValidator(_some)
Scalar = BeforeValidator(_number)
Flag = Annotated[bool, Scalar]
Json = Annotated[Any, BeforeValidator(_json)]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(_as_written, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _DURATION, "examples": ["500ms", "30s", "5m", "2h", "7d", "2w"]}),
]
Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "examples": ["2026-01-31"]}),
]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@+-]{1,80}$")]
Glob = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@+*?\[\]!-]{1,80}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]
Secret = Annotated[
    SecretStr,
    BeforeValidator(_secret),
    AfterValidator(_has_content),
    PlainSerializer(lambda _: "***", return_type=str),
    WithJsonSchema({"type": "string", "description": "A secret: ${NAME} or file:/path keep it out of this file."}),
]
HeaderSecret = Annotated[Secret, AfterValidator(_fits_header)]
UrlSecret = Annotated[Secret, AfterValidator(_http_secret)]
