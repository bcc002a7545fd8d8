"""One HTTP request of a receiver: sent, judged by its answer, or shown without its secrets."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit

from canary.errors import DeliveryError
from canary.http import Answer, Http, NoAnswer

TIMEOUT = timedelta(seconds=10)
ANSWER_BYTES = 65_536

_TRY_AGAIN = frozenset({408, 425, 429})
_PAUSING = frozenset({429, 503})
_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent; URL, headers and body may hold secrets."""

    method: str
    url: str = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of_json(cls, method: str, url: str, facts: object, headers: Mapping[str, str] | None = None) -> "Request":
        """With a JSON body."""
        body = json.dumps(facts, separators=(",", ":"), allow_nan=False).encode()
        return cls(method, url, body, {"Content-Type": "application/json", **(headers or {})})


async def send(http: Http, request: Request) -> bytes:
    """The body of a good answer. Redirects are not followed. Raises: DeliveryError, without quoting anybody."""
    answer = await http.send(
        request.method,
        request.url,
        headers=request.headers,
        body=request.body,
        within=TIMEOUT,
        max_bytes=ANSWER_BYTES,
    )
    match answer:
        case NoAnswer():
            raise DeliveryError(answer.detail)
        case Answer(status=status) if 200 <= status < 300:
            return answer.body
        case Answer(status=status):
            refused = 300 <= status < 500 and status not in _TRY_AGAIN
            asked = pause_of(answer.headers) if status in _PAUSING else None
            raise DeliveryError(f"answered {status}", refused=refused, pause=asked)


def pause_of(headers: Mapping[str, str]) -> timedelta | None:
    """For how long the sender is asked to wait, by Retry-After: seconds, or a moment by the answer's own clock.

    >>> pause_of({"retry-after": "120"})
    datetime.timedelta(seconds=120)
    """
    written = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", written):
        return timedelta(seconds=int(written))
    try:
        pause = parsedate_to_datetime(written) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    return max(timedelta(0), pause)


def shown(request: Request, *secrets: str | None, url_is_secret: bool = False) -> str:
    """As text for a person."""
    url = _origin(request.url) if url_is_secret else request.url
    head = [f"{request.method} {url}", *(f"{name}: {value}" for name, value in request.headers.items())]
    return hidden("\n".join([*head, "", _readable(request.body)]), *secrets)


def hidden(text: str, *secrets: str | None) -> str:
    r"""The text without these, however JSON or a URL writes them.

    >>> hidden('{"key": "a\\"b"}', 'a"b')
    '{"key": "***"}'
    """
    written = {form for secret in filter(None, secrets) for form in _forms(secret)}
    for form in sorted(written, key=len, reverse=True):
        text = text.replace(form, _HIDDEN)
    return text


def _forms(secret: str) -> tuple[str, ...]:
    plain = json.dumps(secret, ensure_ascii=False)[1:-1]
    return secret, plain, json.dumps(secret)[1:-1], quote(secret), quote(secret, safe="")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{_HIDDEN}"


def _readable(body: bytes) -> str:
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False) if body else ""
