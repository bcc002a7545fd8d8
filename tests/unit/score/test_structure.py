import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.records import Finish, Response, UnscoredReason
from canary.score.json_schema import errors, parse, unusable
from tests.unit.score.build import note, scored, why_not

SHIP = json.dumps(
    {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "tons": {"type": "integer", "minimum": 1, "maximum": 100},
            "ports": {"type": "array", "items": {"enum": ["Genoa", "Oslo"]}, "minItems": 1},
        },
        "required": ["name", "tons"],
        "additionalProperties": False,
    }
)
TOOLS = json.dumps(
    [{"type": "function", "function": {"name": "sail", "parameters": json.loads(SHIP)}}, {"function": {"name": "rest"}}]
)
GOOD = '{"name": "Ibis", "tons": 7, "ports": ["Oslo"]}'

values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)
types = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])
schemas = st.recursive(
    st.booleans() | st.fixed_dictionaries({}, optional={"type": types | st.lists(types, min_size=1, unique=True)}),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": types,
            "properties": st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
            "required": st.lists(st.text("ab", max_size=2), max_size=2, unique=True),
            "additionalProperties": inner,
            "items": inner,
            "minimum": st.integers(-2, 2),
            "maximum": st.floats(-2, 2),
            "minLength": st.integers(0, 2),
            "maxLength": st.integers(0, 2),
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "enum": st.lists(st.none() | st.text("ab", max_size=2) | st.integers(-2, 2) | st.booleans(), max_size=3),
            "const": st.none() | st.booleans() | st.integers(-1, 1),
        },
    ),
    max_leaves=6,
)


@given(values, schemas)
def test_a_value_is_valid_where_the_reference_validator_says_so(value: Any, schema: Any) -> None:
    assert not unusable(schema)
    assert (not errors(value, schema)) == jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    "schema",
    [
        3,
        {"$ref": "#"},
        {"pattern": "a"},
        {"type": "text"},
        {"type": []},
        {"items": [1]},
        {"required": "a"},
        {"minimum": "1"},
    ],
)
def test_a_schema_that_is_not_wholly_understood_is_unusable(schema: object) -> None:
    assert unusable(schema)
    assert why_not("schema", GOOD, schema=json.dumps(schema)) is UnscoredReason.UNSUPPORTED


def test_a_schema_without_a_bottom_is_unusable() -> None:
    schema: dict[str, object] = {}
    for _ in range(50):
        schema = {"items": schema}
    assert unusable(schema) == "a schema has at most 32 levels"


@pytest.mark.parametrize("text", ["NaN", "[1,]", "{'a': 1}", "", "[" * 100_000, '{"a": 1} and more'])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)


@pytest.mark.parametrize("text", [GOOD, f"\n{GOOD}\n", f"```json\n{GOOD}\n```\n"], ids=["bare", "space", "fenced"])
def test_a_valid_answer_has_no_error(text: str) -> None:
    assert scored("schema", text, schema=SHIP) == 0


@pytest.mark.parametrize(
    ("text", "count", "first"),
    [
        ("Here you are.", 1, "not JSON"),
        ('{"name": "Ibis", "tons": 7', 1, "not JSON"),
        ('{"name": "Ibis"}', 1, "$: required tons"),
        ('{"name": "", "tons": 7.5}', 2, "$.name: minLength and 1 more"),
        ('{"name": "Ibis", "tons": 7, "secret": 1}', 1, "$.?: not allowed"),
        ('{"name": "Ibis", "tons": true, "ports": ["Rome"]}', 2, "$.tons: type and 1 more"),
    ],
)
def test_every_broken_rule_counts_and_the_note_names_the_first(text: str, count: int, first: str) -> None:
    assert scored("schema", text, schema=SHIP) == count
    assert note("schema", text, schema=SHIP) == first


def test_errors_are_bounded() -> None:
    assert scored("schema", json.dumps([0] * 500), schema='{"items": {"type": "string"}}') == 100


def called(*calls: tuple[str, str]) -> Response:
    return Response("", Finish.STOP, tool_calls=calls)


@pytest.mark.parametrize("calls", [(("sail", GOOD),), (("rest", "{}"), ("sail", GOOD))], ids=["one", "two"])
def test_a_call_of_an_offered_tool_with_good_arguments_has_no_error(calls: tuple[tuple[str, str], ...]) -> None:
    assert scored("tool_call", called(*calls), tools=TOOLS) == 0


@pytest.mark.parametrize(
    ("calls", "first"),
    [
        ((), "no call"),
        ((("fly", "{}"),), "a call of a tool that was not offered"),
        ((("sail", '{"name": "Ibis"}'),), "$: required tons"),
        ((("sail", '{"name": '),), "not JSON"),
        ((("rest", "[]"),), "$: type"),
    ],
)
def test_a_bad_call_is_an_error(calls: tuple[tuple[str, str], ...], first: str) -> None:
    assert note("tool_call", called(*calls), tools=TOOLS) == first


def test_the_probes_own_schema_binds_the_arguments_too() -> None:
    small = '{"properties": {"tons": {"maximum": 5}}}'
    assert scored("tool_call", called(("sail", GOOD)), tools=TOOLS, schema=small) == 1


@pytest.mark.parametrize(
    "tools", [None, "", "{}", "[]", "[1]", '[{"function": {"name": "f", "parameters": {"$ref": "#"}}}]']
)
def test_tools_that_cannot_be_read_are_unscored(tools: str | None) -> None:
    assert why_not("tool_call", called(("f", "{}")), tools=tools) is UnscoredReason.UNSUPPORTED
