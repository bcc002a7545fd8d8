"""The request that every dialect makes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import msgspec

from canary.records import Endpoint


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A POST of JSON. `echo` is what the answer is asked to begin with: the prompt, or nothing."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    echo: str = field(default="", repr=False)


def wire_request(endpoint: Endpoint, path: str, fields: Mapping[str, object], echo: str = "") -> WireRequest:
    """`fields` without those that are None, under the endpoint's `extra_body`; a null there takes a field out."""
    merged = {**fields, "model": endpoint.model, "stream": False, **endpoint.extra_body}
    body = {name: value for name, value in merged.items() if value is not None}
    return WireRequest(_join(endpoint.base_url, path), msgspec.json.encode(body), echo)


def _join(base_url: str, path: str) -> str:
    """A base URL without a path gets the usual /v1; its query stays."""
    base = urlsplit(base_url)
    return urlunsplit(base._replace(path=(base.path.rstrip("/") or "/v1") + path, fragment=""))
