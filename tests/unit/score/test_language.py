import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.records import Score, Unscored, UnscoredReason
from canary.score.confusion import lines_pass, pass_rates, words_pass
from canary.score.foreign import letters
from canary.score.language import WINDOW_LETTERS, windows
from canary.score.tongues import SCRIPTS
from tests.unit.score.build import fenced, judge, probe, value
from tests.unit.score.samples import FOREIGN, PROSE

ENGLISH = probe("language")


@pytest.mark.parametrize("language", PROSE)
def test_a_clean_answer_in_its_own_language_scores_zero(language: str) -> None:
    assert value(judge(probe("language", language=language), PROSE[language])) == 0


@pytest.mark.parametrize("language", FOREIGN)
def test_one_foreign_sentence_inside_english_is_seen(language: str) -> None:
    first, second, *rest = PROSE["en"].split(". ")
    drifted = ". ".join([first, f"{second}. {FOREIGN[language]}", *rest])
    assert 0 < value(judge(ENGLISH, drifted)) < 1


@pytest.mark.parametrize("language", [language for language in PROSE if language != "en"])
def test_an_answer_in_another_language_is_wholly_off(language: str) -> None:
    assert value(judge(ENGLISH, PROSE[language])) == 1


@pytest.mark.parametrize(("expected", "drift"), [("zh", "ja"), ("ja", "zh"), ("ko", "zh"), ("zh", "ko")])
def test_chinese_japanese_and_korean_are_told_apart(expected: str, drift: str) -> None:
    text = f"{PROSE[expected]}\n\n{PROSE[drift]}"
    assert 0 < value(judge(probe("language", language=expected), text)) < 1


@pytest.mark.parametrize("language", ["th", "ru", "ar", "zh"])
def test_a_latin_sentence_is_seen_inside_a_sentence_of_another_script(language: str) -> None:
    words = PROSE[language].rstrip("。.")
    text = f"{words} {FOREIGN['fr'].rstrip('.')} {words}"
    assert 0 < value(judge(probe("language", language=language), text)) < 1


@pytest.mark.parametrize("language", ["th", "ru", "zh"])
def test_a_latin_name_inside_another_script_is_no_drift(language: str) -> None:
    text = f"{PROSE[language]} Debian GNU Linux Bookworm {PROSE[language]}"
    assert value(judge(probe("language", language=language), text)) == 0


@pytest.mark.parametrize("expected", ["de", "fr", "es", "pt", "it", "ru", "ja", "zh", "th", "ar"])
def test_an_english_sentence_is_seen_inside_another_language(expected: str) -> None:
    text = f"{PROSE[expected]} This object is then passed to the method to register the listener. {PROSE[expected]}"
    assert 0 < value(judge(probe("language", language=expected), text)) < 1


@pytest.mark.parametrize(
    "names",
    [
        "ODBC (Open Database Connectivity), OLE (Object Linking and Embedding), NetworkManager.",
        "Unterstützt werden Firefox, Epiphany, Flock, Seamonkey, Galeon, Thunderbird.",
        "WORLD.EXP.ADD, WORLD.EXP.MULT, WORLD.EXP.STAT.ADD, GlobalScope.BasicLibraries.LoadLibrary",
    ],
)
def test_names_and_lists_of_names_are_no_drift(names: str) -> None:
    assert value(judge(probe("language", language="de"), f"{PROSE['de']}\n\n{names}\n")) == 0


def test_spanish_inside_portuguese_is_seen() -> None:
    text = f"{PROSE['pt']} Los trenes de la mañana salen con retraso y el andén está lleno. {PROSE['pt']}"
    assert 0 < value(judge(probe("language", language="pt"), text)) < 1


def test_portuguese_close_to_spanish_is_no_drift() -> None:
    text = f"{PROSE['pt']} Clique no ícone para fechar a caixa de diálogo para terminar o modo de teste."
    assert value(judge(probe("language", language="pt"), text)) == 0


def test_a_foreign_sentence_that_follows_an_unfinished_line_is_seen() -> None:
    own = "Die Festplatten werden auf der Grundlage der bereitgestellten Informationen partitioniert und formatiert und"
    foreign = "These two rights allow any user to execute the program with the rights of its owner or its group."
    assert value(judge(probe("language", language="de"), f"{PROSE['de']} {own} {foreign}")) > 0


def test_thirty_languages_and_more_are_known() -> None:
    assert len(SCRIPTS) >= 30


@pytest.mark.parametrize("language", PROSE)
def test_a_clean_answer_passes_by_line_and_word(language: str) -> None:
    assert pass_rates([PROSE[language]], language) == (1.0, 1.0)


def test_one_foreign_line_fails_a_text_by_line() -> None:
    assert not lines_pass(f"{PROSE['en']}\n{FOREIGN['de']}\n", "en")


def test_one_foreign_word_fails_a_text_by_word_alone() -> None:
    text = PROSE["ru"].replace("тропинку", "path")
    assert (lines_pass(text, "ru"), words_pass(text, "ru")) == (True, False)


def test_pass_rates_of_no_text_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one text"):
        pass_rates([], "en")


@given(st.lists(st.text(st.sampled_from("ab é茶ж,"), max_size=400), max_size=12))
def test_windows_leave_out_a_short_rest_alone(sentences: list[str]) -> None:
    left_out = sum(map(letters, sentences)) - sum(map(letters, windows(sentences)))
    assert 0 <= left_out < WINDOW_LETTERS


def test_a_very_long_sentence_is_read_in_pieces() -> None:
    assert [letters(window) for window in windows(["word " * 110])] == [108, 112, 108, 112]


def test_windows_are_the_exposure() -> None:
    judged = judge(ENGLISH, PROSE["en"])
    assert isinstance(judged, Score)
    assert judged.exposure == 4


def test_code_links_and_quotes_of_the_prompt_are_not_read() -> None:
    quoted = probe("language", prompt=f"Translate: {FOREIGN['fr']}")
    text = f"{FOREIGN['fr']}\n{PROSE['en']}\nhttps://beispiel.example/eine/lange/deutsche/adresse/mit/vielen/worten\n"
    assert value(judge(quoted, text + fenced("", FOREIGN["de"] + "\n"))) == 0


@pytest.mark.parametrize("quotes", ["“{}”", "„{}“", "« {} »", '"{}"', "「{}」"])
def test_a_quotation_is_not_read(quotes: str) -> None:
    first, rest = PROSE["en"].split(". ", 1)
    assert value(judge(ENGLISH, f"{first}. As they say: {quotes.format(FOREIGN['fr'])} {rest}")) == 0


def test_a_short_answer_is_unscored() -> None:
    assert judge(ENGLISH, "Guten Tag!") == Unscored("language", 2, UnscoredReason.TOO_SHORT)


def test_a_probe_without_a_language_is_unscored() -> None:
    judged = judge(probe("language", language=None), PROSE["en"])
    assert judged == Unscored("language", 2, UnscoredReason.UNSUPPORTED)
