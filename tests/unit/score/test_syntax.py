import pytest

from canary.records import Score, Unscored, UnscoredReason
from canary.score.fences import MOST_LINES, fences
from tests.unit.score.build import fenced, judge, probe, value
from tests.unit.score.samples import CODE, PROSE

ANY = probe("syntax")

BROKEN = {
    "python": ("return math", "return math math"),
    "json": ('"b"]', '"b"'),
    "toml": ("[server]", "[server"),
    "yaml": ("{A: 1}", "{A: 1"),
    "javascript": ("(a, b) =>", "(a, b =>"),
    "typescript": ("x: number;", "x number;"),
    "go": ("i := 0;", "i := ;"),
    "rust": ("for word in words", "for word words"),
    "java": ("(T item) {", "(T item {"),
    "c": ("int i = 0;", "int i 极 = = 0;"),
    "cpp": ("sum += x;", "sum += ;"),
    "bash": ("    fi\n", ""),
    "sql": ("FROM customers c", "FROM customers c FROM"),
    "html": ("<ul class", "ul class"),
    "css": ("margin: 0;", "margin 0 {;"),
}


@pytest.mark.parametrize("language", CODE)
def test_clean_code_has_no_errors(language: str) -> None:
    assert value(judge(ANY, fenced(language, CODE[language]))) == 0


@pytest.mark.parametrize("language", CODE)
def test_broken_code_has_errors(language: str) -> None:
    broken = CODE[language].replace(*BROKEN[language])
    assert value(judge(ANY, fenced(language, broken))) >= 1


@pytest.mark.parametrize("language", CODE)
@pytest.mark.parametrize("opening", ["```{}\n", ""])
def test_code_cut_anywhere_by_the_token_limit_is_no_error(language: str, opening: str) -> None:
    asked = probe("syntax", code=language)
    cuts = (opening.format(language) + CODE[language][:end] for end in range(1, len(CODE[language])))
    assert [text for text in cuts if text.strip() and value(judge(asked, text, cut=True))] == []


def test_an_error_before_the_cut_still_counts() -> None:
    assert value(judge(ANY, "```js\nlet a = ;\nfunction f() {\n  retu", cut=True)) == 1


def test_an_undefined_name_in_python_is_an_error() -> None:
    assert value(judge(ANY, fenced("python", "def f(x):\n    return y + x\n"))) == 1


@pytest.mark.parametrize("imported", ["from typing import cast\ncast", "import typing as t\nt.cast"])
def test_an_undefined_name_in_a_type_that_a_call_is_given_is_an_error(imported: str) -> None:
    assert value(judge(ANY, fenced("python", f'{imported}("Unknown", 1)\n'))) == 1


def test_an_unclosed_fence_is_an_error() -> None:
    assert value(judge(ANY, "```python\nx = 1\n")) == 1


def test_an_unclosed_fence_of_a_cut_answer_is_none() -> None:
    assert value(judge(ANY, "```python\nx = 1\n", cut=True)) == 0


@pytest.mark.parametrize("language", CODE)
def test_bare_code_is_judged_where_the_probe_asks_for_code(language: str) -> None:
    assert value(judge(probe("syntax", code=language), CODE[language])) == 0


@pytest.mark.parametrize("language", sorted(set(CODE) - {"bash"}))  # any words are a command in bash
def test_prose_where_the_probe_asks_for_code_is_an_error(language: str) -> None:
    assert value(judge(probe("syntax", code=language), "I am sorry, but I cannot write that.")) >= 1


def test_only_code_in_another_language_than_asked_is_an_error() -> None:
    assert value(judge(probe("syntax", code="rust"), fenced("go", CODE["go"]))) == 1


def test_a_fence_without_a_tag_is_in_the_language_asked_for() -> None:
    assert value(judge(probe("syntax", code="json"), fenced("", CODE["json"]))) == 0


def test_prose_without_code_is_unscored() -> None:
    assert judge(ANY, PROSE["en"]) == Unscored("syntax", 3, UnscoredReason.NO_CODE)


def test_a_fence_in_an_unknown_language_is_unscored() -> None:
    assert judge(ANY, fenced("mermaid", "graph TD\n")) == Unscored("syntax", 3, UnscoredReason.NO_CODE)


@pytest.mark.parametrize(
    "text",
    [
        fenced("python", "x = 'a longer line of code'\n" * 300),
        fenced("python", "x = 'a longer line of code'\n" * 150) * 2,
        fenced("bash", "echo a\n" * 800),
        fenced("python", "x = 1\n") * 51,
        "\n" * 1000 + fenced("python", "x = 1\n"),
    ],
    ids=["much code in one block", "much code in two", "much Bash", "many blocks", "many lines"],
)
def test_code_without_bound_is_unscored(text: str) -> None:
    judged = judge(ANY, text)
    assert isinstance(judged, Unscored)
    assert judged.reason is UnscoredReason.TOO_LONG


def test_lines_of_code_are_the_exposure() -> None:
    judged = judge(ANY, fenced("python", "x = 1\n\ny = 2\n") + fenced("json", "[1]\n"))
    assert isinstance(judged, Score)
    assert judged.exposure == 3


def test_python_is_never_run(capsys: pytest.CaptureFixture[str]) -> None:
    judge(ANY, fenced("python", "print('run')\nraise SystemExit\n"))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "(" * 7000),
        ("python", "-" * 7000 + "1"),
        ("python", "a" + ".b" * 3500),
        ("python", "'\\d' is 1\n"),
        ("json", "[" * 7000),
        ("json", "9" * 7000),
        ("toml", "a = " + "[" * 7000),
        ("toml", "a." * 3500 + "a = 1"),
        ("toml", "[" + "'a'." * 1500 + "a]"),
        ("yaml", "[" * 7000),
        ("yaml", "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n" * 150),
        ("javascript", "(" * 7000),
        ("html", "<div>" * 1500),
        ("html", "<!--" * 1900),
        ("bash", "$(" * 2400),
        ("bash", "(a)" * 1600),
        ("bash", "select(" * 700),
    ],
)
def test_hostile_code_gets_a_score_in_range(language: str, code: str) -> None:
    assert 0 <= value(judge(ANY, fenced(language, code + "\n"))) <= 100


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("~~~py\nx\n~~~", [("python", "x\n", True)]),
        ("- item\n\n  ```js\n  x\n  ```\n", [("javascript", "x\n", True)]),
        ("> ```\n> x\n> ```\n", [("", "x\n", True)]),
        ("````md\n```py\nx\n```\n````", [("", "```py\nx\n```\n", True)]),
        ("```py", [("python", "", False)]),
        ("text ``` inline ``` text", []),
        ("```py\r\nx\r\n```\r\n", [("python", "x\n", True)]),
    ],
)
def test_fences_are_found_as_commonmark_says(text: str, found: list[tuple[str, str, bool]]) -> None:
    assert [(fence.language, fence.code, fence.closed) for fence in fences(text)] == found


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("c", "static DWORD WINAPI run(void *p);\n"),
        ("c", "int main(int argc UNUSED, char **argv UNUSED) { return 0; }\n"),
        ("c", "EXPORT_SYMBOL(x) int run(void) { return 1; }\n"),
        ("cpp", "void f() {\n    emit changed(1);\n    forever { g(); }\n}\n"),
        ("sql", "INSERT INTO hits (page) VALUES ('a') ON CONFLICT (page) DO UPDATE SET n = hits.n + 1;\n"),
        ("sql", "SELECT id FROM jobs ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED;\n"),
        ("sql", "SELECT id FROM jobs ORDER BY id OFFSET 20 ROWS FETCH NEXT 10 ROWS ONLY;\n"),
        ("sql", "START TRANSACTION;\nDELETE FROM queue;\nROLLBACK;\n"),
        ("css", "a { background: url(../images/a.png) right 120% no-repeat; }\n"),
        ("html", "<ul>\n<li>One\n<li>Two\n</ul>\n<p>A\n<p>B\n<br>\n"),
        ("bash", "cat <<EOF > out.txt\nfirst ( line\nEOF\necho done\n"),
        ("typescript", "const a = <b title={c}>d</b>;\n"),
        ("sql", "PRAGMA foreign_keys = ON;\n"),
        ("sql", "CREATE FUNCTION f() RETURNS trigger AS $$\nBEGIN\n  NEW.a = 1;\nEND;\n$$ LANGUAGE plpgsql;\n"),
        ("css", "@container card (width > 30em) { a { top: 0 } }\n"),
        ("sql", "INSERT IGNORE INTO a (b) VALUES ('c');\n"),
        ("sql", "SELECT * FROM a WHERE b && ARRAY['x'] AND c = '{1}'::int[];\n"),
        ("sql", "CREATE TABLE a (b INT, CONSTRAINT one UNIQUE (b), FULLTEXT KEY text_of (b));\n"),
        ("css", "@keyframes a { 0%, 100% { opacity: 1 } 33.3% { opacity: .5 } }\n"),
        ("css", "@layer theme.dark { a { top: 0 } }\n"),
        ("cpp", "export module math;\n"),
        ("bash", "rm -- !(*.txt|keep)\n"),
    ],
)
def test_a_dialect_of_a_language_is_no_error(language: str, code: str) -> None:
    assert value(judge(ANY, fenced(language, code))) == 0


def test_typescript_that_only_looks_like_a_dialect_is_no_error() -> None:
    assert value(judge(ANY, fenced("ts", 'const end = "</p>";\nconst name = <string>end;\n'))) == 0


def test_a_text_whose_reading_is_given_up_is_one_error() -> None:
    assert value(judge(ANY, fenced("ts", "a{b{" * 1950 + "\n"))) == 1


def test_a_fault_beside_a_dialect_is_an_error() -> None:
    assert value(judge(ANY, fenced("c", "static DWORD WINAPI run(void *p {\n    return 0;\n}\n"))) >= 1


def test_a_block_that_is_open_where_reading_stops_counts_as_closed() -> None:
    [block] = fences("```\n" + "x\n" * 2000)
    assert (block.closed, block.end_line) == (True, MOST_LINES)
