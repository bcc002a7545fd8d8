import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.records import Score, Unscored, UnscoredReason
from canary.score._unicode import CLASSES, KINDS, STARTS
from canary.score.characters import Kind, char_class, scan
from canary.score.script import scan_answer
from tests.unit.score.build import fenced, judge, probe, value
from tests.unit.score.samples import CODE, PROSE, SCRIPTS

LATIN = frozenset(["Latn"])
ANYTHING = frozenset(script for _, _, scripts in KINDS for script in scripts)
STRAY = probe("script")


@pytest.mark.parametrize("language", PROSE)
def test_a_clean_answer_in_its_own_script_scores_zero(language: str) -> None:
    own = probe("script", prompt="123", scripts=SCRIPTS.get(language, ("Latn",)))
    assert value(judge(own, PROSE[language])) == 0


@pytest.mark.parametrize("language", CODE)
def test_clean_code_scores_zero(language: str) -> None:
    assert value(judge(STRAY, fenced(language, CODE[language]) + "naïve — done")) == 0


@pytest.mark.parametrize(
    ("text", "kind", "count"),
    [
        ("The garden was quiet สวัสดี and the gate stood open.", Kind.FOREIGN, 6),
        ("A small 极 in the middle.", Kind.FOREIGN, 1),
        ("Он came home.", Kind.FOREIGN, 2),
        ("So αβγ is a word.", Kind.FOREIGN, 3),
        ("It ends。 Like this.", Kind.FOREIGN, 1),
        ("The wor\ufffdd was broken.", Kind.REPLACEMENT, 1),
        ("Half a pair: \ud83d", Kind.REPLACEMENT, 1),
        ("Private \ue000 use", Kind.PRIVATE_USE, 1),
        ("Un\u0378assigned", Kind.UNASSIGNED, 1),
        ("Bell\x07 and C1 \x9b", Kind.CONTROL, 2),
        ("over\u202eride", Kind.BIDI, 1),
        ("zero\u200bwidth\u2060joiner", Kind.ZERO_WIDTH, 2),
        ("tag\U000e0041", Kind.TAG, 1),
        ("Ｗｉｄｅ letters", Kind.FULLWIDTH, 4),
        ("A cafÃ© isnâ€™t far.", Kind.MOJIBAKE, 5),
    ],
)
def test_what_does_not_belong_in_english_is_counted_by_kind(text: str, kind: Kind, count: int) -> None:
    assert scan(text, LATIN).counts == {kind: count}


@pytest.mark.parametrize(
    "text",
    [
        "The angle θ, a step Δt, 5 µm, 3 Ω and π ≈ 3.14159",
        "l·l, O'Hara, naïve, Dvořák, Nguyễn, Łódź, São Paulo, İstanbul",
        "“CAFÉ” — »Spaß« voilà… «\u00a0déjà\u00a0» 20\u00a0°C",
        "Family 👨‍👩‍👧‍👦, scientist 👩🏽‍🔬, heart ❤️‍🔥, Wales 🏴󠁧󠁢󠁷󠁬󠁳󠁿, keycap 1️⃣",
        "∀x ∈ ℝ: x² ≥ 0 ⇒ √x → ∞ ½ № ™ 𝑓(𝑥)",
        "│ ├── src ✓ ✗ • ▪ \t tab\r\nand line ends",
    ],
)
def test_typography_of_english_text_is_expected(text: str) -> None:
    assert scan(text, LATIN).counts == {}


def test_joiners_are_expected_in_the_scripts_that_need_them() -> None:
    assert scan("می\u200cخواهم क्\u200dष", frozenset(["Arab", "Deva"])).unexpected == 0


def test_fullwidth_punctuation_is_expected_in_chinese() -> None:
    assert scan("好，谢谢！", frozenset(["Hani"])).unexpected == 0


def test_the_scripts_of_the_prompt_are_allowed() -> None:
    assert value(judge(probe("script", prompt="What does 谢谢 mean?"), "谢谢 means thank you.")) == 0


def test_allow_scripts_are_allowed() -> None:
    assert value(judge(probe("script", allow=("Thai",)), "In Thai you say สวัสดี.")) == 0


def test_letters_are_the_exposure() -> None:
    judged = judge(STRAY, "abc, 123 é 极")
    assert isinstance(judged, Score)
    assert judged.exposure == 5


def test_missing_script_makes_every_letter_unexpected() -> None:
    asked = probe("script", prompt="Answer in Chinese.", scripts=("Hani",))
    assert value(judge(asked, "I would rather not.")) == 15


def test_an_identifier_is_held_to_latin_where_the_prose_is_not() -> None:
    found = scan_answer(fenced("python", "价 = 1  # 价格\nprint('价格')\n"), LATIN | {"Hani"})
    assert found.counts == {Kind.FOREIGN: 1}


IDENTIFIERS = {
    "python": "area(radius",
    "json": "true",
    "toml": "port",
    "yaml": "steps",
    "javascript": "reduce",
    "typescript": "Point {",
    "go": "Printf",
    "rust": "count(",
    "java": "Stack<",
    "c": "main(void",
    "cpp": "total(",
    "bash": "pipefail",
    "sql": "customers c",
    "html": "ul class",
    "css": "color",
}


@pytest.mark.parametrize("language", CODE)
def test_a_character_glued_to_an_identifier_is_seen_where_its_script_is_allowed(language: str) -> None:
    word = IDENTIFIERS[language]
    assert CODE[language].count(word) >= 1
    found = scan_answer(fenced(language, CODE[language].replace(word, f"极{word}", 1)), LATIN | {"Hani"})
    assert found.counts == {Kind.FOREIGN: 1}


@pytest.mark.parametrize("code", ["<p title='价格'>价格</p><!-- 价格 -->", "name: 价格  # 价格\n'价': 1"])
def test_the_text_of_markup_is_prose(code: str) -> None:
    language = "html" if code.startswith("<") else "yaml"
    assert scan_answer(fenced(language, code + "\n"), LATIN | {"Hani"}).counts == {}


def test_a_stray_character_in_code_is_placed() -> None:
    text = fenced("python", "def f(x):\n    return极 x\n")
    assert [span.offset for span in scan_answer(text, LATIN).spans] == [text.index("极")]


def test_the_note_holds_code_points_and_no_text() -> None:
    judged = judge(STRAY, "Hello 极 world")
    assert isinstance(judged, Score)
    assert judged.note == "foreign_script at 6, 1 long: U+6781"


def test_an_empty_answer_is_unscored() -> None:
    assert judge(STRAY, " \n") == Unscored("script", 1, UnscoredReason.EMPTY)


def test_every_letter_that_this_python_knows_has_a_script() -> None:
    letters = (chr(point) for point in range(0x110000) if unicodedata.category(chr(point)).startswith("L"))
    assert not [char for char in letters if not char_class(char).letter]


ALL_SCRIPTS = sorted({script for _, _, scripts in KINDS for script in scripts})


@pytest.mark.parametrize("script", [script for script in ALL_SCRIPTS if script != "Latn"])
def test_every_script_of_unicode_is_foreign_to_latin_and_expected_where_it_is_allowed(script: str) -> None:
    own = [
        chr(start) for start, number in zip(STARTS, CLASSES, strict=True) if KINDS[number][::2] == ("text", (script,))
    ]
    text = "".join(own) * 3
    assert scan(text, LATIN).unexpected == len(text) > 0
    assert scan(text, frozenset([script])).unexpected == 0


@given(st.text(max_size=60))
def test_letters_and_unexpected_characters_are_those_of_the_characters(text: str) -> None:
    found = scan(text, ANYTHING, symbols=False)
    assert found.letters == sum(char_class(char).letter for char in text)
    certain = sum(char_class(char).kind in {"control", "private_use", "unassigned", "replacement"} for char in text)
    assert found.unexpected >= certain
