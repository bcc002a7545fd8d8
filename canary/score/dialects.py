"""What people write that a grammar does not know, put into words that it knows.

A grammar is one dialect of its language, and reads no macros. A second reading of code in which a parse found errors
tells a dialect from a fault: what is replaced here is valid somewhere, and cannot mend a broken text but by chance.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

_MACRO = r"(?<![\w.])(?<!#define )(?<!#ifdef )[A-Z][A-Z0-9_]{2,}\b"
_C = (
    (r'^#\s*ifdef\s+__cplusplus\s*\n\s*(?:extern\s+"C"\s*\{|\})[^\n]*\n#\s*endif', ""),
    (r"\b_Thread_local\b", ""),
    (r"(?<=\bint)\s*:(?=\s*\d+\s*;)", " unnamed :"),  # unsigned int : 4;
    (r"\b\w{0,40}?for_?each\w{0,40}\s*\([^();]*\)(?=\s*\{)", "for (;;)"),  # list_for_each(place, head) {
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
_CPP = (
    (r"^(?:export\s+)?module(?:\s+[\w.:]+)?\s*;", ""),
    (r"^(?:export\s+)?import\s+[\w.:]+\s*;", ""),
    (r"^export\s+(?=\w)", ""),
    (r"(\boperator\s*\(\))\s*\.\.\.", r"\1"),  # using Ts::operator()...;
    (r"=\s*\{\}(?=\s*[,)])", "= 0"),  # f(Less less = {})
    (r"->\*(?=\w)", "->"),
    (r"(:\s*\d+)\s*=\s*\w+(?=\s*;)", r"\1"),  # bool known : 1 = true;
    (r"\bsizeof\s*\(\s*typename\b", "sizeof("),
)
_UNKNOWN = (
    r"PRAGMA|ATTACH|DETACH|USE|FLUSH|SHOW|DESCRIBE|VACUUM|REINDEX|SAVEPOINT|RELEASE|ROLLBACK\s+TO"
    r"|ALTER\s+DEFAULT\s+PRIVILEGES|SET\s+@\w+"
)
_SQL = (
    (r"^DELIMITER[ \t]+\S+[ \t]*$(?s:.*?)^DELIMITER[ \t]*;", ""),
    (r"\bDO\s+\$(|body|func|function)\$(?s:.*?)\$\1\$\s*;", ""),
    (r"\$(|body|func|function)\$(?s:.*?)\$\1\$", "$$ SELECT 1; $$"),  # the body of a function, in another language
    (r"\bCREATE\s+TRIGGER\b(?>[^;()]{0,300}?\bBEGIN\b)((?s:.*?))^END\s*;", r"\1"),
    (r"\bCREATE\s+TRIGGER\b[^;()]{0,300}?\bFOR\s+EACH\s+ROW\s+SET\s[^;]*;", ""),
    (rf"^[ \t]*+(?:{_UNKNOWN})\b[^;()]*;", ""),
    (r"\bCREATE\s+VIRTUAL\s+TABLE\s+\w+\s+USING\s+\w+\s*\([^;()]*\)\s*;", ""),
    (
        r"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?\w+\s+PARTITION\s+OF\s+\w+\s+FOR\s+VALUES\s+FROM\s*\([^()]*\)\s*TO\s*\([^()]*\)\s*;",
        "",
    ),
    (r"\bBEGIN\s+(?:IMMEDIATE|DEFERRED|EXCLUSIVE)\b(?:\s+TRANSACTION\b)?", "BEGIN"),
    (r"\bEND\s+TRANSACTION\b", "COMMIT"),
    (r"\bEXPLAIN\s*(?:\([\w\s,]+\)|QUERY\s+PLAN\b)", "EXPLAIN"),
    (r"\bINSERT\s+(?:IGNORE|OR\s+(?:REPLACE|IGNORE|ABORT|FAIL|ROLLBACK))\b", "INSERT"),
    (r"\bFULLTEXT\s+(?:KEY|INDEX)\b", "KEY"),
    (r"\s&&\s", " = "),  # overlap of arrays
    (r"::(\w+)\[\]", r"::\1"),
    (r"\bCONSTRAINT\s+\w+\s+UNIQUE\s*(?=\()", "UNIQUE "),
    (r"\bVALUES\s*\(([^()]*)\)(?=\s*UNION\b)", r"SELECT \1"),
    (r"\b(DELETE\s+FROM\s+\w+)\s+USING\s+\w+(?=\s+WHERE\b)", r"\1"),
    (r"\b(TYPE\s+\w+(?:\([\d\s,]*\))?)\s+USING\s+\w+::\w+", r"\1"),
    (r"\bGROUPING\s+SETS\s*\((?:\s*+\([\w\s,]*+\)\s*+,?+)++\)", "1"),
    (r"\bWITH\s+ROLLUP\b", ""),
    (r"\bRESTART\s+IDENTITY\b", ""),
    (r"\bAT\s+TIME\s+ZONE\s+'[^']*'", ""),
    (r"\bCOLLATE\s+(?:NOCASE|BINARY|RTRIM)\b", ""),
    (r"(?<=\))\s*(?:STRICT|WITHOUT\s+ROWID)(?=\s*;)", ""),
    (r"\bINDEXED\s+BY\s+\w+", ""),
    (r"(?<=[\s=(,<>]):(?=[a-z_])", ""),  # :customer
    (r"\bGLOB\b|\bMATCH\b(?=\s*')", "LIKE"),
    (r"\bON\s+\w+\.\*(?=\s+TO\b)", "ON a"),
    (r"\bINTERVAL\s+\d+\s+(?:SECOND|MINUTE|HOUR|DAY|WEEK|MONTH|YEAR)\b", "1"),
    (r"\bLIMIT\s+(?:\d+\s*,\s*\d+|\$\d+|\?)", "LIMIT 1"),
    (r"\bADD\s+(?:UNIQUE\s+)?(?:INDEX|KEY)\s+\w+\s*\([\w\s,]*\)", "ADD COLUMN a INT"),
    (r"\bIN\s+(?:BOOLEAN|NATURAL\s+LANGUAGE)\s+MODE\b", ""),
    (r"@\w+\s*:=\s*", ""),
    (r"(?<![\w'])@(?=\w)", ""),
    (r"'(\w+)'@'[\w.%]+'", r"\1"),
    (r"\bIDENTIFIED\s+BY\s+'[^']*'", ""),
    (r"\bSTART\s+TRANSACTION\b", "BEGIN"),
    (r"\bDEFAULT\s+CURRENT_(?:DATE|TIME)\b", "DEFAULT NULL"),
    (r"\bFOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|SHARE)(?:\s+OF\s+\w+)?(?:\s+(?:SKIP\s+LOCKED|NOWAIT))?(?=\s*(?:;|\)|$))", ""),
    (r"\bOFFSET\s+\d+\s+ROWS?\b", ""),
    (r"\bFETCH\s+(?:FIRST|NEXT)\s+\d+\s+ROWS?\s+ONLY\b", ""),
    (r"\bTRIM\s*\(\s*(?:BOTH|LEADING|TRAILING)\b[^()]*?\bFROM\b", "TRIM("),
    (r"\bON\s+CONFLICT\s*(?:\([\w\s,]*\)\s*)?DO\s+UPDATE\s+SET\b", "ON DUPLICATE KEY UPDATE"),
)
_CSS = (
    (r"""\burl\(\s*([^\s'"()]+)\s*\)""", r'url("\1")'),
    (r"""(@import\s+(?:url\([^()]*\)|"[^"\n]*"|'[^'\n]*'))[^;{}]*;""", r"\1;"),
    (r"@container\b(?:\s+[\w-]+(?=\s*\())?", "@media"),
    (r"\((?:\s*[\w.-]+\s*[<>]=?)?\s*[\w-]+\s*[<>]=?\s*[\w.-]+\s*\)", "(min-width: 1px)"),  # (width >= 40rem)
    (r"(?<=[\w\])])[ ]&(?=\s*[{,])", ""),  # .dark & {
    (r"(^|(?<=[\s{},]))\d+\.\d+%(?=\s*[{,])", "50%"),
    (r"(@layer\s+[\w-]+)(?:\.[\w-]+)+", r"\1"),
    (r"""(?<=["'])[ ][is](?=\])""", ""),  # [type="a" i]
    (r"@page\s*:[\w-]+", "@page"),
)
_READINGS: Mapping[str, tuple[tuple[re.Pattern[str], str], ...]] = MappingProxyType(
    {
        language: tuple(
            (re.compile(pattern, re.IGNORECASE * (language == "sql") | re.MULTILINE), new) for pattern, new in rules
        )
        for language, rules in {
            "c": _C,
            "cpp": (*_C, *_CPP, *_QT),
            "sql": _SQL,
            "html": ((r"\A\s*<\?xml\b[^<>]*\?>", ""),),
            "css": _CSS,
            "bash": ((r"[@!?+*]\((?:[\w.*?-]+\|)*[\w.*?-]+\)", "x"),),  # *.@(jpg|png)
            "typescript": ((r"(?<=[<,])\s*(?:in\s+out|in|out)\s+(?=[A-Z]\w*\s*[,>=])", ""),),
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
    >>> plainer("sql", "START TRANSACTION;"), plainer("css", "@media (width >= 40rem) {}")
    ('BEGIN;', '@media (min-width: 1px) {}')
    """
    for pattern, known in _READINGS.get(language, ()):
        code = pattern.sub(known, code)
    return code
