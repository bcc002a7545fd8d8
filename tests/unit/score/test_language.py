import pytest

from canary.records import Score, Unscored, UnscoredReason
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


def test_windows_are_the_exposure() -> None:
    judged = judge(ENGLISH, PROSE["en"])
    assert isinstance(judged, Score)
    assert judged.exposure == 3


def test_code_links_and_quotes_of_the_prompt_are_not_read() -> None:
    quoted = probe("language", prompt=f"Translate: {FOREIGN['fr']}")
    text = f"{FOREIGN['fr']}\n{PROSE['en']}\nhttps://beispiel.example/eine/lange/deutsche/adresse/mit/vielen/worten\n"
    assert value(judge(quoted, text + fenced("", FOREIGN["de"] + "\n"))) == 0


def test_a_short_answer_is_unscored() -> None:
    assert judge(ENGLISH, "Guten Tag!") == Unscored("language", 1, UnscoredReason.TOO_SHORT)


def test_a_probe_without_a_language_is_unscored() -> None:
    judged = judge(probe("language", language=None), PROSE["en"])
    assert judged == Unscored("language", 1, UnscoredReason.UNSUPPORTED)
