"""Scorers of structured answers: JSON that satisfies the probe's schema, and calls of the tools that were offered."""

from collections.abc import Mapping
from functools import lru_cache

from canary.records import UnscoredReason
from canary.score.case import Case
from canary.score.fences import fences
from canary.score.json_schema import MOST_ERRORS, Schema, errors, parse, unusable
from canary.score.measure import Judgement, Measure


def measure_schema(case: Case) -> Judgement:
    """Count the places at which the answer's JSON breaks the probe's schema.

    The JSON is the whole answer, or its first fenced block. An answer that is not JSON is one error.

    Shape:
        One case to one value.
    Unit:
        Errors; exposure always 1.
    Range:
        0 <= value <= 100.

    Raises:
        Nothing.

    References:
        JSON Schema 2020-12, the part that `canary.score.json_schema` names.
    """
    schema = _schema(case.probe.schema or "")
    if schema is None:
        return UnscoredReason.UNSUPPORTED
    blocks = fences(case.response.text)
    return _measure(_faults(blocks[0].code if blocks else case.response.text, schema))


def measure_tool_call(case: Case) -> Judgement:
    """Count what is wrong with the calls of an answer that was to call one of the tools offered.

    No call at all is one error; so is each call of a tool that was not offered, or whose arguments are no JSON object;
    else the places at which the arguments break the tool's parameters, and the probe's schema where it has one.

    Shape:
        One case to one value.
    Unit:
        Errors; exposure always 1.
    Range:
        0 <= value <= 100.

    Raises:
        Nothing.

    References:
        JSON Schema 2020-12, the part that `canary.score.json_schema` names.
    """
    offered = _tools(case.probe.tools or "")
    extra = _schema(case.probe.schema or "true")
    if not offered or extra is None:
        return UnscoredReason.UNSUPPORTED
    if not case.response.tool_calls:
        return Measure(1.0, 1.0, "no call")
    faults: list[str] = []
    for name, arguments in case.response.tool_calls:
        if name not in offered:
            faults.append("a call of a tool that was not offered")
        else:
            faults += _faults(arguments, offered[name]) or _faults(arguments, extra)
    return _measure(faults)


def _measure(faults: list[str]) -> Measure:
    note = f"{faults[0][:150]}" + (f" and {len(faults) - 1} more" if len(faults) > 1 else "") if faults else ""
    return Measure(float(min(len(faults), MOST_ERRORS)), 1.0, note)


def _faults(text: str, schema: Schema) -> list[str]:
    try:
        value = parse(text)
    except ValueError:
        return ["not JSON"]
    return errors(value, schema)


@lru_cache(maxsize=256)
def _schema(text: str) -> Schema | None:
    try:
        found = parse(text)
    except ValueError:
        return None
    return found if isinstance(found, dict | bool) and not unusable(found) else None


@lru_cache(maxsize=256)
def _tools(text: str) -> Mapping[str, Schema]:
    """What the request offers, by name; empty where any of it cannot be used."""
    try:
        offered = parse(text)
    except ValueError:
        return {}
    tools = [_tool(one) for one in (offered if isinstance(offered, list) else [])]
    return {} if None in tools else dict(tool for tool in tools if tool is not None)


def _tool(offered: object) -> tuple[str, Schema] | None:
    function = _field(offered, "function")
    name, parameters = _field(function, "name"), _field(function, "parameters") or {}
    if not isinstance(name, str) or not isinstance(parameters, dict) or unusable(parameters):
        return None
    return name, {"type": "object", **parameters}


def _field(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
