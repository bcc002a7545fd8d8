import pytest

from canary.lab import corpus
from canary.lab.corpus import segments
from canary.lab.prompts import outline

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
