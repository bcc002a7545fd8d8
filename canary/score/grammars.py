"""Errors in a piece of code, by its tree-sitter grammar."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from importlib import import_module
from itertools import count
from types import MappingProxyType

from tree_sitter import Language, Node, Parser

from canary.score.dialects import plainer
from canary.score.fences import LITERAL, Piece

MOST_ERRORS = 100
"""Where counting stops."""
MOST_WORK = 170
"""Hundreds of steps after which a parse is given up; 8,000 characters of code take about 80, dense ones 130."""

_GRAMMARS = MappingProxyType(
    {
        "javascript": ("tree_sitter_javascript", "language"),
        "typescript": ("tree_sitter_typescript", "language_typescript"),
        "tsx": ("tree_sitter_typescript", "language_tsx"),
        "go": ("tree_sitter_go", "language"),
        "rust": ("tree_sitter_rust", "language"),
        "java": ("tree_sitter_java", "language"),
        "c": ("tree_sitter_c", "language"),
        "cpp": ("tree_sitter_cpp", "language"),
        "bash": ("tree_sitter_bash", "language"),
        "sql": ("tree_sitter_sql", "language"),
        "html": ("tree_sitter_html", "language"),
        "css": ("tree_sitter_css", "language"),
    }
)
_DIALECT = MappingProxyType({"typescript": "tsx"})
"""Language -> the grammar of its dialect with markup, which shares its name in answers."""
_MARKUP = re.compile("</|/>")
_CLOSERS = {"(": ")", "[": "]", "{": "}"}


def errors(language: str, piece: Piece) -> int:
    r"""The ERROR and MISSING nodes of a parse; HTML without any element counts one.

    TypeScript with markup is read as TSX first. Code with errors is read again with what its grammar does not know
    replaced (`canary.score.dialects`), and the better reading counts. A parse that takes too many steps, as no code
    that people write does, is the last, and counts one where it is the first. A cut piece
    loses its last line and has its open brackets closed, and an error that reaches its end does not count.

    Shape:
        A language of `CHECKERS` and a piece of its code to one count.
    Range:
        0 <= errors <= 100.

    Raises:
        KeyError: No such grammar.

    References:
        https://tree-sitter.github.io/tree-sitter/using-parsers

    >>> errors("javascript", Piece("let x = ;")), errors("go", Piece("package main"))
    (1, 0)
    >>> errors("c", Piece("int f(int a) {\n  if (a) {\n    retu", cut=True))
    0
    """
    if language == "html" and not piece.cut and ("<" not in piece.code or _open_comment(piece.code)):
        return 1
    least: int | None = None
    for grammar, code in _readings(language, piece.whole):
        found = _errors(grammar, code, cut=piece.cut)
        if found is None:
            break
        least = found if least is None else min(least, found)
        if not least:
            break
    return 1 if least is None else least


def _readings(language: str, code: str) -> Iterator[tuple[str, str]]:
    """What a text can be read as, the likeliest first: a grammar and the code."""
    if language in _DIALECT and _MARKUP.search(code):
        yield _DIALECT[language], code
    yield language, code
    if (plain := plainer(language, code)) != code:
        yield language, plain


def _open_comment(code: str) -> bool:
    return "<!--" in code[code.rfind("-->") + 1 :]


def _errors(language: str, code: str, *, cut: bool) -> int | None:
    """The errors of one reading; None where it is given up."""
    source = code.encode("utf-8", "replace")
    closing = _closing(code).encode() if cut else b""
    root = _parse(language, source + closing)
    return None if root is None else _count(root, len(source.rstrip()) if cut else None)


def _parse(language: str, source: bytes) -> Node | None:
    parser, work = _parser(language), count(1)
    try:
        return parser.parse(
            lambda offset, _: source[offset:], progress_callback=lambda *_: next(work) > MOST_WORK
        ).root_node
    except ValueError:  # given up
        parser.reset()
        return None


def _count(root: Node, end: int | None) -> int:
    found = 0
    rest = [root] if root.has_error else []
    while rest and found < MOST_ERRORS:
        node = rest.pop()
        if (node.is_error or node.is_missing) and (end is None or node.end_byte < end):
            found += 1
        rest.extend(child for child in node.children if child.has_error or child.is_missing)
    return found


def _closing(code: str) -> str:
    """What closes the brackets that `code` leaves open.

    >>> _closing("f(a[0], {")
    '})'
    """
    open_: list[str] = []
    for char in LITERAL.sub("", code):
        if char in _CLOSERS:
            open_.append(_CLOSERS[char])
        elif open_ and char == open_[-1]:
            open_.pop()
    return "".join(reversed(open_))


@cache
def _parser(language: str) -> Parser:
    module, function = _GRAMMARS[language]
    return Parser(Language(getattr(import_module(module), function)()))


CHECKERS: Mapping[str, Callable[[Piece], int]] = MappingProxyType(
    {language: partial(errors, language) for language in _GRAMMARS if language not in _DIALECT.values()}
)
"""Language -> its checker: a piece of code -> number of errors."""
