"""Errors in a piece of code, by the language's own parser. Nothing is ever run, constructed or included.

Every checker takes a piece of code and counts errors. In a cut piece the
last line may be half a line and what is open stays open: an error that says no more than "the text ends here" does
not count.
"""

import ast
import codeop
import json
import re
import tomllib
import warnings
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from types import MappingProxyType
from typing import NoReturn
from unicodedata import normalize

import yaml
from pyflakes import checker, messages

from canary.score import grammars
from canary.score.fences import Piece

Checker = Callable[[Piece], int]
"""A piece of code -> number of errors (>= 0)."""

MOST_DEPTH = 200
"""Collections in one another, beyond which YAML is an error: they cost the square of their depth."""

_ONE_AT_A_TIME = Lock()  # CPython 3.11 counts the depth of its parser for all threads together, and then fails
_WORD = re.compile(r"\w+")
_LAST_WORD = re.compile(r"\s*[\w+.-]*\s*\Z")
_NAMES = (messages.UndefinedName, messages.UndefinedLocal)
_DEEP_KEY = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){32}"""
)  # costs the square of its depth
_TOO_DEEP = (RecursionError, MemoryError)
_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def python_errors(piece: Piece) -> int:
    r"""A syntax error counts one, else each use of an undefined name.

    Shape:
        One piece to one count.
    Unit:
        Errors.
    Range:
        errors >= 0

    Raises:
        Nothing.

    References:
        The Python Language Reference; pyflakes (PyCQA)

    >>> python_errors(Piece("def f(x):\n    return x +")), python_errors(Piece("print(y)"))
    (1, 1)
    >>> python_errors(Piece("def f(x):\n    return x +", cut=True))
    0
    """
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if piece.cut:
                return _incomplete(piece.whole)
            tree = ast.parse(piece.code)
            compile(tree, "<answer>", "exec", dont_inherit=True)
            return _undefined(tree, piece.code)
        except (SyntaxError, ValueError, OverflowError, *_TOO_DEEP):
            return 1


def _incomplete(code: str) -> int:
    flags = ast.PyCF_ONLY_AST | codeop.PyCF_ALLOW_INCOMPLETE_INPUT  # type: ignore[attr-defined]
    try:
        compile(code, "<answer>", "exec", flags, dont_inherit=True)
    except SyntaxError as error:
        return int("incomplete input" not in str(error.msg))
    return 0


def _undefined(tree: ast.Module, code: str) -> int:
    words = frozenset(_WORD.findall(normalize("NFKC", code)))
    return sum(isinstance(message, _NAMES) for message in _Names(tree, words).messages)


class _Names(checker.Checker):  # type: ignore[misc]  # pyflakes has no types
    """pyflakes, without what says nothing of undefined names.

    Of all builtins, which it binds one by one, it has those alone that the code names. It looks neither for late
    imports from the future nor for unused names, and for types in calls only where the code names `typing`.
    """

    futuresAllowed = False  # noqa: N815  # pyflakes' name

    def __init__(self, tree: ast.Module, words: frozenset[str]) -> None:
        self._words = words
        if words.isdisjoint(checker.TYPING_MODULES):
            self.CALL = self.handleChildren
        super().__init__(tree, "<answer>")

    def checkDeadScopes(self) -> None:  # noqa: N802  # pyflakes' name
        pass

    @property
    def builtIns(self) -> frozenset[str]:  # noqa: N802  # pyflakes' name
        return self._named

    @builtIns.setter
    def builtIns(self, every: frozenset[str]) -> None:  # noqa: N802
        self._named = every & self._words


def json_errors(piece: Piece) -> int:
    """One where the text is not JSON (RFC 8259).

    Shape:
        One piece to one count.
    Unit:
        Errors.
    Range:
        0 or 1.

    Raises:
        Nothing.

    References:
        RFC 8259.

    >>> json_errors(Piece('{"a": 1,}')), json_errors(Piece('{"a": "b')), json_errors(Piece('{"a": "b', cut=True))
    (1, 1, 0)
    """
    try:
        json.loads(piece.code, parse_int=float, parse_constant=_reject)
    except json.JSONDecodeError as error:
        ends = error.msg.startswith("Unterminated string") or _LAST_WORD.match(piece.code, error.pos)
        return int(not (piece.cut and ends))
    except (ValueError, *_TOO_DEEP):
        return 1
    return 0


def _reject(constant: str) -> NoReturn:
    raise ValueError(constant)


def toml_errors(piece: Piece) -> int:
    r"""One where the text is not TOML 1.0, or has a key of more than 32 parts.

    Shape:
        One piece to one count.
    Unit:
        Errors.
    Range:
        0 or 1.

    Raises:
        Nothing.

    References:
        https://toml.io/en/v1.0.0

    >>> toml_errors(Piece("a = ")), toml_errors(Piece("a = 1\nb = ", cut=True))
    (1, 0)
    """
    if _DEEP_KEY.search(piece.whole):
        return 1
    try:
        tomllib.loads(piece.whole)
    except tomllib.TOMLDecodeError as error:
        return int(not (piece.cut and ("at end of document" in str(error) or "Unclosed" in str(error))))
    except (ValueError, *_TOO_DEEP):
        return 1
    return 0


def yaml_errors(piece: Piece) -> int:
    """One where the text is not YAML 1.1, is no more than a scalar, or too deep.

    Only events are read, so aliases do not expand.

    Shape:
        One piece to one count.
    Unit:
        Errors.
    Range:
        0 or 1.

    Raises:
        Nothing.

    References:
        https://yaml.org/spec/1.1

    >>> yaml_errors(Piece("a: [1, 2")), yaml_errors(Piece("just words")), yaml_errors(Piece("a: 1"))
    (1, 1, 0)
    """
    try:
        structured = _has_collection(yaml.parse(piece.whole, Loader=_YAML_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return int(not (piece.cut and mark is not None and mark.line >= piece.whole.count("\n")))
    except (yaml.YAMLError, ValueError, *_TOO_DEEP):
        return 1
    return int(not structured and not piece.cut)


def _has_collection(events: Iterable[yaml.Event]) -> bool:
    found = depth = 0
    for event in events:
        found += isinstance(event, yaml.CollectionStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            raise RecursionError
    return found > 0


CHECKERS: Mapping[str, Checker] = MappingProxyType(
    {
        "python": python_errors,
        "json": json_errors,
        "toml": toml_errors,
        "yaml": yaml_errors,
        **grammars.CHECKERS,
    }
)
"""Language -> its checker."""
