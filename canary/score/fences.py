"""Where the code stands in an answer: CommonMark fences, closed or not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice

from markdown_it import MarkdownIt

_LANGUAGES = {
    "python": ("py", "python3", "py3"),
    "json": (),
    "toml": (),
    "yaml": ("yml",),
    "javascript": ("js", "jsx", "node", "mjs", "es6"),
    "typescript": ("ts",),
    "go": ("golang",),
    "rust": ("rs",),
    "java": (),
    "c": ("h",),
    "cpp": ("c++", "cxx", "cc", "hpp"),
    "bash": ("sh", "shell", "zsh"),
    "sql": ("postgresql", "mysql", "sqlite", "postgres"),
    "html": ("htm",),
    "css": (),
}
_NAMES = {alias: name for name, aliases in _LANGUAGES.items() for alias in (name, *aliases)}

MOST_LINES = 1_000
"""Lines of an answer in which blocks are looked for."""

LINE_END = re.compile(r"\r\n?|\n")
"""What CommonMark calls a line ending."""
_MARKUP = {  # where the rest is text: what of it is code
    "html": re.compile(r"<(?!!--)[^<>]*>"),
    "yaml": re.compile(r"^[ \t-]*+[^\s'\"#:][^\n'\"#:]*+:(?=\s)", re.MULTILINE),
}
LITERAL = re.compile(  # unterminated ones reach to the end: every match is linear
    r'"""[\s\S]*?(?:"""|\Z)'
    r"|'''[\s\S]*?(?:'''|\Z)"
    r"|`(?:\\.|[^`\\])*`?"
    r'|"(?:\\.|[^"\\\n])*"?'
    r"|'(?:\\.|[^'\\\n])*'?"
    r"|/\*[\s\S]*?(?:\*/|\Z)"
    r"|(?://|#|--)[^\n]*"
)
"""A string or a comment, near enough in every language."""


@dataclass(frozen=True, slots=True)
class Fence:
    """One fenced block: its language ("" where none is named or known), its code, whether it is closed, its lines."""

    language: str
    tag: str
    code: str
    closed: bool
    first_line: int
    end_line: int


def language_name(tag: str) -> str:
    """The language that a fence's tag names, or "".

    Shape:
        Any tag, in any case, to a name of `canary.score.parsers.CHECKERS` or "".

    Raises:
        Nothing.

    >>> language_name("Py"), language_name("c++"), language_name("mermaid")
    ('python', 'cpp', '')
    """
    return _NAMES.get(tag.lower(), "")


@lru_cache(maxsize=4)
def fences(text: str) -> tuple[Fence, ...]:
    r"""The fenced code blocks of a Markdown text, nested in lists and quotes too.

    Nested lists cost most to read, so blocks are looked for in the first 1,000 lines alone; one that is open there
    counts as closed.

    Shape:
        Any string to its blocks in order; lines count from 0 and `end_line` is exclusive.

    Raises:
        Nothing.

    References:
        CommonMark 0.31, section 4.5, Fenced code blocks.

    >>> [(f.language, f.code, f.closed) for f in fences("Like so:\n```py\nx = 1\n```\n~~~\nopen")]
    [('python', 'x = 1\n', True), ('', 'open', False)]
    """
    if "```" not in text and "~~~" not in text:
        return ()
    beyond = next(islice(LINE_END.finditer(text), MOST_LINES - 1, None), None)
    tokens = _parser().parse(text[: beyond.start()] if beyond else text)
    return tuple(
        _fence(token.info, token.content, token.map[0], token.map[1], open_end=MOST_LINES if beyond else None)
        for token in tokens
        if token.type == "fence" and token.map is not None
    )


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def _fence(info: str, code: str, first: int, end: int, *, open_end: int | None) -> Fence:
    tag = info.split(maxsplit=1)[0].strip("{}.,:") if info.strip() else ""
    lines = code.count("\n") + (not code.endswith("\n") and code != "")
    closed = end - first == lines + 2 or end == open_end
    return Fence(language_name(tag), tag, code, closed, first, end)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of code, and whether its answer was cut by the token limit before it was complete."""

    code: str
    cut: bool = False

    @property
    def whole(self) -> str:
        r"""The code, but for the last line of a cut piece: it may be half a line.

        >>> Piece("a = 1\nb = ", cut=True).whole
        'a = 1\n'
        """
        if not self.cut:
            return self.code
        ends = [end.end() for end in LINE_END.finditer(self.code.rstrip("\r\n"))]
        return self.code[: ends[-1]] if ends else ""


def split_code(text: str, found: tuple[Fence, ...]) -> tuple[str, str]:
    r"""`text` twice, equally long: without its bare code (identifiers, keywords), and with nothing else.

    What is left out is blanked, so that offsets hold. Strings and comments inside code count as prose, and so do blocks
    in no known language, and in markup all but tags and keys. The lexing is one rule for all languages: where it errs
    it calls code prose.

    Shape:
        A text and its fences to two strings of its length.

    Raises:
        Nothing.

    >>> split_code("So:\n```js\nlet x = 'y'\n```", fences("So:\n```js\nlet x = 'y'\n```"))
    ("So:\n```js\n        'y'\n```", '   \n     \nlet x =    \n   ')
    """
    starts = [0, *(end.end() for end in LINE_END.finditer(text)), len(text)]
    prose, code = list(text), [char if char == "\n" else " " for char in text]
    for start, end in _bare(text, starts, found):
        code[start:end] = text[start:end]
        prose[start:end] = [char if char == "\n" else " " for char in text[start:end]]
    return "".join(prose), "".join(code)


def _bare(text: str, starts: list[int], found: tuple[Fence, ...]) -> Iterator[tuple[int, int]]:
    for fence in found:
        start, end = starts[fence.first_line + 1], starts[fence.end_line - fence.closed]
        if fence.language in _MARKUP:
            for region in _MARKUP[fence.language].finditer(text, start, end):
                yield from _outside_literals(text, *region.span())
        elif fence.language:
            yield from _outside_literals(text, start, end)


def _outside_literals(text: str, at: int, end: int) -> Iterator[tuple[int, int]]:
    for literal in LITERAL.finditer(text, at, end):
        yield at, literal.start()
        at = literal.end()
    yield at, end
