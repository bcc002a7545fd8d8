"""What YAML can do to us."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.config.document import Document, read


@pytest.fixture
def reading(tmp_path: Path):
    def reads(text: str | bytes) -> Document:
        path = tmp_path / "a.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read(path)

    return reads


def faults(document: Document) -> list[tuple[int, str]]:
    return [(problem.line, problem.text.split(":")[0]) for problem in document.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("0x1f", "0x1f"),
        ("2025-08-05", "2025-08-05"),
        ("1_000", "1_000"),
        (".nan", ".nan"),
        ("1e9999", "1e9999"),
        ("9" * 30, 1e30),
        ("'5'", "5"),
        ("'true'", "true"),
        ("true", True),
        ("5", 5),
        ("-5", -5),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("~", None),
        ("", None),
        ("null", None),
        ("|\n  a\n  b\n", "a\nb\n"),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(reading, text: str, value: object):
    document = reading(f"key: {text}")
    assert (document.data, document.problems) == ({"key": value}, [])
    assert type(document.data["key"]) is type(value)


def test_every_place_has_its_line(reading):
    document = reading("a:\n  b: 1\n  c:\n    - x\n    - {d: 1}\n")
    places = {("a",): 1, ("a", "b"): 2, ("a", "c"): 3, ("a", "c", 0): 4, ("a", "c", 1): 5, ("a", "c", 1, "d"): 5}
    assert {place: line for place, line in document.lines.items() if place} == places


def test_an_unknown_place_has_the_line_of_the_place_around_it(reading):
    assert reading("a:\n  b: 1\n").line(("a", "b", "c", 0)) == 2


def test_an_alias_is_the_value_of_its_anchor(reading):
    assert reading("a: &x [1, 2]\nb: *x\n").data == {"a": (1, 2), "b": (1, 2)}


def test_a_key_given_twice_is_refused(reading):
    document = reading("a: 1\nb:\n  c: 1\n  d: 1\n  c: 2\n")
    assert [(p.place, p.line, p.text) for p in document.problems] == [
        (("b", "c"), 5, "is given twice, first on line 3: keep one")
    ]


def test_every_key_given_twice_is_reported(reading):
    assert len(reading("a: 1\na: 1\nb: 1\nb: 1\n").problems) == 2


@pytest.mark.parametrize(
    "text", ["a: !!python/object/apply:os.system [x]", "a: !secret x", "a: !!str 5", "a: !x {b: 1}", "a: !!binary aa"]
)
def test_tags_are_refused(reading, text: str):
    assert faults(reading(text)) == [(1, "has a tag")]


@pytest.mark.parametrize("key", ["1", "true", "~", "[a]", "{a: 1}", "&x a", "!t a", "? [a, b]\n", "x" * 201, "1.5"])
def test_keys_that_are_not_short_strings_are_refused(reading, key: str):
    assert "has a key that is not a short string" in str(reading(f"a: 1\n{key} : 1\n").problems)


def test_a_billion_laughs_are_refused(reading):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    assert faults(reading("\n".join(lines))) == [(5, "holds more than 100000 values, aliases spelt out")]


def test_an_alias_of_itself_is_refused(reading):
    assert faults(reading("a: &x [*x]")) == [(1, "is an alias without an anchor before it")]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused(reading, opening: str):
    assert "nested deeper than 32 levels" in str(reading("a:\n " + opening * 100_000).problems)


def test_nesting_by_way_of_aliases_is_refused(reading):
    lines = ["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 2_000))]
    assert faults(reading("\n".join(lines))) == [(32, "is nested deeper than 32 levels")]


def test_an_alias_may_stand_in_an_anchored_value(reading):
    assert reading("a: &a [1]\nb: &b {c: *a}\nd: [*b, *a]\n").data["d"] == ({"c": (1,)}, (1,))


def test_32_levels_are_read(reading):
    assert not reading("[" * 32 + "]" * 32).problems


def test_a_file_over_a_megabyte_is_refused(reading):
    assert faults(reading("#" * 1_000_001)) == [(1, "is larger than 1000000 bytes")]


def test_a_file_of_a_megabyte_is_read(reading):
    assert not reading("a: 1\n#" + "x" * 999_994).problems


def test_what_is_not_utf_8_is_refused_with_its_line(reading):
    assert faults(reading(b"a: 1\nb: caf\xe9\n")) == [(2, "is not UTF-8")]


def test_utf_16_is_refused(reading):
    assert faults(reading("a: 1".encode("utf-16"))) == [(1, "is not UTF-8")]


def test_a_byte_order_mark_is_passed_over(reading):
    assert reading(b"\xef\xbb\xbfa: 1").data == {"a": 1}


@pytest.mark.parametrize("text", ["a:\n\tb: 1", "a:\n  b: 1\n\tc: 2", "\ta: 1"])
def test_tabs_for_indentation_are_refused(reading, text: str):
    assert "has a tab: indent with spaces" in str(reading(text).problems)


def test_a_tab_inside_a_text_is_kept(reading):
    assert reading("a: |\n  x\n  \ty\n").data == {"a": "x\n\ty\n"}


def test_a_second_document_is_refused(reading):
    assert faults(reading("a: 1\n---\nb: 1\n")) == [(2, "holds a second document")]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file_holds_nothing(reading, text: str):
    assert reading(text) == Document(reading("").path, None, reading(text).lines, [])


@pytest.mark.parametrize("text", ["a: [", "a: 'x", "a: b: c", "}", "a: @x", "a: \x00", "%YAML 3.0\n---\na: 1", "a: *x"])
def test_what_is_not_yaml_is_refused(reading, text: str):
    (problem,) = reading(text).problems
    assert problem.line >= 1


@pytest.mark.parametrize(
    "text", ["a: *hunter2", "a: !hunter2!x y", "a: 'hunter2", "a: &hunter2", "a: %hunter2", "a: @hunter2"]
)
def test_what_is_not_yaml_is_not_quoted(reading, text: str):
    assert "hunter2" not in str([problem.text for problem in reading(text).problems])


def test_what_is_no_file_is_refused(tmp_path: Path):
    assert faults(read(tmp_path)) == faults(read(tmp_path / "none")) == [(1, "is not a file")]


@given(st.one_of(st.binary(max_size=300), st.text("a-:[]{}&*!|>'\"#% \n\t,?0", max_size=100).map(str.encode)))
def test_no_file_makes_the_reader_raise(tmp_path_factory: pytest.TempPathFactory, raw: bytes):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(raw)
    document = read(path)
    assert document.problems or document.data is None or all(_finite(value) for value in _leaves(document.data))


def _leaves(value: object):
    match value:
        case dict():
            for item in value.values():
                yield from _leaves(item)
        case tuple():
            for item in value:
                yield from _leaves(item)
        case _:
            yield value


def _finite(value: object) -> bool:
    return value is None or isinstance(value, str) or math.isfinite(value)
