"""`${NAME}` and `${NAME:-default}` in string values; `$$` is a dollar sign, and so is one before anything else."""

import re
from collections.abc import Mapping

from canary.config.document import Document, Value
from canary.config.problem import Place, Problem

_REFERENCE = re.compile(
    r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<open>\{))"
)
_LONGEST = 100_000


class Interpolated(str):
    """A string with the environment put in: it may stand for a number, and a `file:` from there is no command."""

    __slots__ = ("template",)

    template: str


def interpolate(document: Document, environ: Mapping[str, str]) -> Value:
    """The document's values with the environment's put in; what cannot be is added to its problems."""

    def filled(value: Value, place: Place) -> Value:
        match value:
            case str() if "$" in value:
                return _string(value, place)
            case tuple():
                return tuple([filled(item, (*place, index)) for index, item in enumerate(value)])
            case dict():
                return {key: filled(item, (*place, key)) for key, item in value.items()}
            case _:
                return value

    def _string(template: str, place: Place) -> Value:
        try:
            return _filled(template, environ)
        except _Unset as unset:
            document.problems.append(Problem(place, str(unset), document.line(place)))
            return template

    return filled(document.data, ())


class _Unset(Exception):
    """The environment does not hold what a string refers to."""


def _filled(template: str, environ: Mapping[str, str]) -> str:
    def put(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        if match["open"]:
            raise _Unset("a ${ is not closed or names no variable: write ${NAME}, or $${ for the characters themselves")
        name, default = match["name"], match["default"]
        value = environ.get(name)
        if default is not None:
            return value or default
        if value is None:
            raise _Unset(f"environment variable {name} is not set: set it, or write ${{{name}:-default}}")
        return value

    text = _REFERENCE.sub(put, template)
    if len(text) > _LONGEST:
        raise _Unset(f"is longer than {_LONGEST} characters once the environment is put in")
    filled = Interpolated(text)
    filled.template = template
    return filled
