"""JSON Schemas for editors, of the config file and of probe files."""

from typing import Any

from canary.config.probes import ProbeFile
from canary.config.settings import Settings

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = {"type": "string", "pattern": r"\$\{[A-Za-z_]"}
_CLOSED = ("pattern", "enum")


def json_schema() -> dict[str, Any]:
    """Of the config file, where any value may be a `${NAME}`."""
    return {"$schema": _DRAFT, **_interpolable(Settings.model_json_schema())}


def probe_schema() -> dict[str, Any]:
    """Of a probe file."""
    return {"$schema": _DRAFT, **ProbeFile.model_json_schema()}


def _interpolable(schema: Any) -> Any:
    match schema:
        case list():
            return [_interpolable(item) for item in schema]
        case dict():
            inner = {key: item if key == "propertyNames" else _interpolable(item) for key, item in schema.items()}
            return {"anyOf": [inner, _REFERENCE]} if _refuses_references(schema) else inner
        case _:
            return schema


def _refuses_references(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    return kind in ("integer", "number", "boolean") or (kind == "string" and any(key in schema for key in _CLOSED))
