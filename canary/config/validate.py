"""pydantic's errors as problems: at the line where the user wrote it, in the user's words."""

from collections.abc import Iterator
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from canary.config.document import Document, Value
from canary.config.problem import Place, Problem, suggestion

_MAPPING = "should be a mapping of keys to values"
_WORDS = {
    "missing": "is required",
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dict_type": _MAPPING,
    "tuple_type": "should be a list",
    "string_type": "should be a string: quote it",
    "union_tag_not_found": "needs a kind",
}

M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], document: Document, data: Value, context: dict[str, Any]) -> M | None:
    """The data as `model`, or None with what is wrong added to the document's problems."""
    try:
        return model.model_validate(data, context=context)
    except ValidationError as error:
        known = {problem.place for problem in document.problems}
        found = [
            _problem(model, document, data, details) for details in error.errors(include_url=False, include_input=False)
        ]
        document.problems.extend(problem for problem in found if problem.place not in known)
        return None


def _problem(model: type[BaseModel], document: Document, data: Value, details: ErrorDetails) -> Problem:
    place = _place(data, details)
    text = _text(model, place, details)
    return Problem(place, text, document.line(place), about_secret=details["type"] == "secret")


def _place(data: Value, details: ErrorDetails) -> Place:
    """The error's location without what pydantic adds to it: tags of unions, marks of keys."""
    place: list[str | int] = []
    steps = details["loc"]
    for step in steps:
        if isinstance(data, dict) and step in data:
            data = data[str(step)]
        elif isinstance(data, tuple) and isinstance(step, int):
            data = data[step]
        elif details["type"] != "missing" or step is not steps[-1]:
            continue
        place.append(step)
    return tuple(place)


def _text(model: type[BaseModel], place: Place, details: ErrorDetails) -> str:
    match details["type"]:
        case "extra_forbidden":
            return f"unknown key; {suggestion(str(place[-1]), _keys(model, place[:-1]))}"
        case "union_tag_invalid":
            return f"has an unknown kind; known: {details['ctx']['expected_tags']}"
        case "value_error":
            return str(details["ctx"]["error"])
        case kind:
            return _WORDS.get(kind) or details["msg"].removeprefix("Input ")


def _keys(model: type[BaseModel], place: Place) -> set[str]:
    """The keys that may stand at `place`."""
    models = {model}
    for step in place:
        if isinstance(step, str):
            models = {
                inner for m in models if step in m.model_fields for inner in _models(m.model_fields[step].annotation)
            }
    return {field.alias or key for m in models for key, field in m.model_fields.items()}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
