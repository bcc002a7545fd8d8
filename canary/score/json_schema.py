"""A small, strict, bounded validator for the part of JSON Schema that probes need.

Understood: type, properties, required, additionalProperties, items, enum, const, minimum, maximum, minLength,
maxLength, minItems, maxItems. Passed over, as they constrain nothing: title, description, default, examples, $schema,
$id, $comment. Anything else makes a schema unusable: a rule that is not checked would pass for one that is kept.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import NoReturn

MOST_ERRORS = 100
DEEPEST = 32

_PASSED_OVER = frozenset(["title", "description", "default", "examples", "$schema", "$id", "$comment"])
_TYPES: Mapping[str, Callable[[object], bool]] = MappingProxyType(
    {
        "object": lambda value: isinstance(value, dict),
        "array": lambda value: isinstance(value, list),
        "string": lambda value: isinstance(value, str),
        "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
        "integer": lambda value: (
            (isinstance(value, int) and not isinstance(value, bool))
            or (isinstance(value, float) and value.is_integer())
        ),
        "boolean": lambda value: isinstance(value, bool),
        "null": lambda value: value is None,
    }
)

Schema = Mapping[str, object] | bool


def parse(text: str) -> object:
    """JSON as RFC 8259 has it: no NaN, no Infinity.

    Shape:
        Any string to its value.

    Raises:
        ValueError: it is not JSON, or nested too deeply to be read.

    >>> parse('{"a": [1, null]}')
    {'a': [1, None]}
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def unusable(schema: object, depth: int = 0) -> str:
    """Why a schema cannot be used, or "".

    Shape:
        Any JSON value to one sentence or "".

    Raises:
        Nothing.

    >>> unusable({"type": "object", "patternProperties": {}})
    'patternProperties is not understood'
    """
    if isinstance(schema, bool):
        return ""
    if not isinstance(schema, dict):
        return "a schema is an object"
    if depth > DEEPEST:
        return f"a schema has at most {DEEPEST} levels"
    faults = (_misuse(key, value) for key, value in schema.items())
    inner = (unusable(part, depth + 1) for part in _parts(schema))
    return next((fault for fault in (*faults, *inner) if fault), "")


def errors(value: object, schema: Schema, at: str = "$") -> list[str]:
    """Where a value breaks a usable schema: at most 100 places, each with the rule.

    Names that the schema does not have are not repeated.

    Shape:
        Any JSON value and a schema that `unusable` has nothing against to a list.

    Raises:
        Nothing.

    >>> rules = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n", "m"]}
    >>> errors({"n": 0}, rules)
    ['$: required m', '$.n: minimum']
    """
    return list(islice(_errors(value, schema, at), MOST_ERRORS))


def _errors(value: object, schema: Schema, at: str) -> Iterator[str]:
    if isinstance(schema, bool):
        if not schema:
            yield f"{at}: not allowed"
        return
    yield from (f"{at}: {rule}" for rule, broken in _RULES.items() if rule in schema and broken(value, schema[rule]))
    if isinstance(value, dict):
        yield from _object_errors(value, schema, at)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _errors(item, _schema(schema["items"]), f"{at}[{index}]")


def _object_errors(value: dict[str, object], schema: Mapping[str, object], at: str) -> Iterator[str]:
    yield from (f"{at}: required {name}" for name in _list(schema.get("required")) if name not in value)
    known = schema.get("properties")
    properties = known if isinstance(known, dict) else {}
    for name, item in value.items():
        if name in properties:
            yield from _errors(item, _schema(properties[name]), f"{at}.{name}")
        else:
            yield from _errors(item, _schema(schema.get("additionalProperties", True)), f"{at}.?")


def _is_type(value: object, names: object) -> bool:
    return any(_TYPES[str(name)](value) for name in (names if isinstance(names, list) else [names]))


def _same(a: object, b: object) -> bool:
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _size(value: object, kind: type) -> int | None:
    return len(value) if isinstance(value, kind) and isinstance(value, str | list) else None


def _below(size: float | None, bound: object) -> bool:
    return size is not None and (limit := _number(bound)) is not None and size < limit


def _above(size: float | None, bound: object) -> bool:
    return size is not None and (limit := _number(bound)) is not None and size > limit


_RULES: Mapping[str, Callable[[object, object], bool]] = MappingProxyType(
    {
        "type": lambda value, names: not _is_type(value, names),
        "enum": lambda value, allowed: not any(_same(value, one) for one in _list(allowed)),
        "const": lambda value, one: not _same(value, one),
        "minimum": lambda value, bound: _below(_number(value), bound),
        "maximum": lambda value, bound: _above(_number(value), bound),
        "minLength": lambda value, bound: _below(_size(value, str), bound),
        "maxLength": lambda value, bound: _above(_size(value, str), bound),
        "minItems": lambda value, bound: _below(_size(value, list), bound),
        "maxItems": lambda value, bound: _above(_size(value, list), bound),
    }
)


def _misuse(key: str, value: object) -> str:
    if key in _PASSED_OVER:
        return ""
    if key == "type":
        names = value if isinstance(value, list) and value else [value]
        return "" if all(isinstance(name, str) and name in _TYPES for name in names) else "type names no type"
    shape = _SHAPES.get(key)
    if shape is None:
        return f"{key} is not understood"
    return "" if shape(value) else f"{key} has a value of the wrong type"


_SHAPES: Mapping[str, Callable[[object], bool]] = MappingProxyType(
    {
        "properties": lambda value: isinstance(value, dict),
        "required": lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value),
        "additionalProperties": lambda value: isinstance(value, dict | bool),
        "items": lambda value: isinstance(value, dict | bool),
        "enum": lambda value: isinstance(value, list),
        "const": lambda _: True,
        **{
            rule: (lambda value: _number(value) is not None)
            for rule in ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
        },
    }
)


def _parts(schema: Mapping[str, object]) -> Iterator[object]:
    properties = schema.get("properties")
    yield from properties.values() if isinstance(properties, dict) else ()
    yield from (schema[key] for key in ("items", "additionalProperties") if key in schema)


def _schema(value: object) -> Schema:
    return value if isinstance(value, dict | bool) else True


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
