import json

import pytest

from canary.lab import corpus
from canary.lab.corpus import segments
from canary.lab.prompts import TOOLS, outline

LANGUAGES = {
    "German": "de",
    "French": "fr",
    "Spanish": "es",
    "Portuguese": "pt",
    "Italian": "it",
    "Dutch": "nl",
    "Polish": "pl",
    "Turkish": "tr",
    "Russian": "ru",
    "Ukrainian": "uk",
    "Chinese": "zh",
    "Japanese": "ja",
    "Korean": "ko",
    "Thai": "th",
    "Arabic": "ar",
    "Hindi": "hi",
}
CODE = {
    "Python": "python",
    "JavaScript": "javascript",
    "TypeScript": "typescript",
    "Go": "go",
    "Rust": "rust",
    "Java": "java",
    "C": "c",
    "C++": "cpp",
    "Bash": "bash",
    "SQL": "sql",
    "HTML": "html",
    "CSS": "css",
    "JSON": "json",
    "YAML": "yaml",
    "TOML": "toml",
}


def written(prompt, salt="mid"):
    return "".join(words[0] for words in outline(prompt, salt).text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_named_language_is_answered_in(language):
    (document,) = corpus.of_kind(LANGUAGES[language])
    first = "".join(words[0] for words in segments(document.sentences[0])).strip()
    assert first in written(f"Explain in {language} how a kitchen garden works.")


@pytest.mark.parametrize(
    "document", [d for d in corpus.documents() if d.kind in LANGUAGES.values()], ids=lambda d: d.kind
)
def test_a_prompt_is_answered_in_its_own_language(document):
    prompt = "".join(words[0] for words in segments(document.sentences[0]))
    assert set(written(prompt)) <= set("".join(words[0] for words in segments(document.text)) + " ")


@pytest.mark.parametrize("language", CODE)
def test_code_comes_in_the_language_that_is_asked_for(language):
    assert written(f"Write a short program in {language}.").startswith(f"```{CODE[language]}\n")


def test_a_text_is_copied_verbatim():
    text = 'Line one: "a" — ไทย\n\n    indented, twice  \n\tand more'
    assert written(f"Repeat the following text verbatim.\n\n{text}") == text


def test_counting_names_every_number():
    assert written("Count from 3 to 6, separated by commas.") == "3, 4, 5, 6"


def test_counting_takes_the_separator_that_is_asked_for():
    assert written("Count from 3 to 6, separated by single spaces.") == "3 4 5 6"


def test_one_word_is_answered_with_one_word():
    assert written("Answer with one word: heads or tails?") == "heads"


def test_a_question_of_fact_gets_its_fact():
    assert written("What is the capital of Thailand?").startswith("The capital of Thailand is Bangkok")


def test_prose_follows_the_topic_of_the_prompt():
    assert written("Explain how the tide follows the moon.").startswith("The tides are caused mainly by")


def test_prose_that_no_topic_decides_varies_with_the_prompt():
    assert len({written(f"Tell me story {i}.") for i in range(10)}) == 10


def test_the_same_prompt_gets_the_same_outline():
    assert outline("Tell me a story.", "mid") == outline("Tell me a story.", "mid")


def test_a_space_before_a_choice_belongs_to_its_words():
    assert segments("a ‹fast|quick› car") == (("a",), (" fast", " quick"), (" car",))


def test_counting_goes_down_and_in_steps():
    assert written("Count backwards from 9 to 6, separated by single spaces.") == "9 8 7 6"
    assert written("Count from 3 to 12 in steps of 3, separated by commas and single spaces.") == "3, 6, 9, 12"


def test_the_last_count_of_a_talk_is_the_one_that_is_wanted():
    assert written("Count from 1 to 3.\n\n1, 2, 3\n\nNow count from 4 to 6.") == "4, 5, 6"


def test_a_fact_of_the_prompt_is_recalled():
    fact = "The password of the mill is thistle. The password of the inn is oak."
    assert written(f"{fact}\n\nWhat is the password of the mill? Answer with that one word.") == "thistle"


def test_of_two_statements_the_later_one_counts():
    assert written("The key is red. Now the key is blue. What is the key?") == "blue"


def test_a_value_is_found_by_its_key():
    assert written("A1 = 10\nB2 = 20\n\nWhat is the value of B2?") == "20"


def test_a_translation_is_in_the_language_that_it_goes_into():
    german = "Translate the text from German into English.\n\nDer Garten ist groß und schön."
    assert written(german).isascii()


def test_an_object_is_answered_without_a_fence():
    assert json.loads(written("Describe a bus route as a JSON object with the keys line and stops."))["line"] == 7


def test_tools_are_called_by_name_with_arguments():
    name, _, arguments = written(f"{TOOLS}get_weather (of a town)\n\nWhat is the weather in Oslo?").partition(" ")
    assert (name, json.loads(arguments)["town"]) == ("get_weather", "Oslo")


def test_a_long_text_is_as_long_as_asked():
    assert 1_000 < len(written("Write about a garden in at least 1,200 words of plain English.").split()) < 1_600
