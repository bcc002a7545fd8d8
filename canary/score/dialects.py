"""What people write that a grammar does not know, put into words that it knows.

A grammar is one dialect of its language, and reads no macros. A second reading of code in which a parse found errors
tells a dialect from a fault: what is replaced here is valid somewhere, and cannot mend a broken text but by chance.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

_MACRO = r"(?<![\w.])(?<!#define )(?<!#ifdef )[A-Z][A-Z0-9_]{2,}\b"
_C = (
    (r"\bva_arg\s*\(([^(),]+),[^(),]*\*\s*\)", r"va_arg(\1)"),  # va_arg(rest, struct point *)
    (
        rf"(?<=[\w*>])(\s+){_MACRO}(?:\s+{_MACRO}\([^()\n]*\))?(?=\s+(?:[a-z_]\w*[\s*]+)?\w+\s*\()",
        r"\1",
    ),  # static DWORD WINAPI run(
    (rf"(?<=\w)(\s+){_MACRO}(?=\s*[,)])", r"\1"),  # int main(int argc UNUSED)
    (rf"(?<=[=,(])(\s*){_MACRO}(?=\s+\w)", r"\1"),  # write(file, BYTES text)
    (rf"^([ \t]*){_MACRO}(?:\([^()\n]*\))?(?=\s+[a-z_])", r"\1"),  # EXPORT int run(
)
_QT = (
    (r"\b(?:emit|Q_EMIT)\b(?=\s+\w)", ""),
    (r"\bQ_OBJECT\b", ""),
    (r"\bforever\b(?=\s*\{)", "for (;;)"),
)
_SQL = (
    (r"\bSTART\s+TRANSACTION\b", "BEGIN"),
    (r"\bDEFAULT\s+CURRENT_(?:DATE|TIME)\b", "DEFAULT NULL"),
    (r"\bFOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|SHARE)(?:\s+OF\s+\w+)?(?:\s+(?:SKIP\s+LOCKED|NOWAIT))?(?=\s*(?:;|\)|$))", ""),
    (r"\bOFFSET\s+\d+\s+ROWS?\b", ""),
    (r"\bFETCH\s+(?:FIRST|NEXT)\s+\d+\s+ROWS?\s+ONLY\b", ""),
    (r"\bTRIM\s*\(\s*(?:BOTH|LEADING|TRAILING)\b[^()]*?\bFROM\b", "TRIM("),
    (r"\bON\s+CONFLICT\s*(?:\([\w\s,]*\)\s*)?DO\s+UPDATE\s+SET\b", "ON DUPLICATE KEY UPDATE"),
)
_READINGS: Mapping[str, tuple[tuple[re.Pattern[str], str], ...]] = MappingProxyType(
    {
        language: tuple(
            (re.compile(pattern, re.IGNORECASE * (language == "sql") | re.MULTILINE), new) for pattern, new in rules
        )
        for language, rules in {
            "c": _C,
            "cpp": (*_C, *_QT),
            "sql": _SQL,
            "html": ((r"\A\s*<\?xml\b[^<>]*\?>", ""),),
            "css": ((r"""\burl\(\s*([^\s'"()]+)\s*\)""", r'url("\1")'),),
        }.items()
    }
)


def plainer(language: str, code: str) -> str:
    """`code` with what its grammar does not know replaced by what it does; the same where there is nothing of it.

    Shape:
        A language and a text to a text.

    Raises:
        Nothing.

    >>> plainer("c", "static DWORD WINAPI run(void *p);"), plainer("go", "a := 1")
    ('static DWORD  run(void *p);', 'a := 1')
    >>> plainer("sql", "START TRANSACTION;")
    'BEGIN;'
    """
    for pattern, known in _READINGS.get(language, ()):
        code = pattern.sub(known, code)
    return code
