"""Filler, and what else stands for another text in a message."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.config import load_probes
from canary.config.filler import LETTERS_PER_TOKEN, MARK, filled, filler
from canary.errors import ProbeFileError

LONG = """\
id: my-context
family: context
why: It exists so that the tests of the config have a long probe.
messages: [{role: user, content: "%s"}]
filler: {tokens: 500, seed: 3}
sampling: {max_tokens: 100}
scorers: [script]
"""


def prompts(folder: Path, text: str) -> list[str]:
    (folder / "a.yaml").write_text(text)
    return [message.content for message in load_probes([folder])[0].messages]


@given(st.integers(0, 20_000), st.integers(0, 1_000))
def test_filler_is_whole_sentences_of_at_most_the_length_asked_for(length: int, seed: int):
    text = filler(length, seed)
    assert len(text) <= length
    assert text == "" or (text[0].isupper() and text.endswith("."))


def test_filler_comes_near_the_length_asked_for():
    assert len(filler(40_000, 1)) > 39_000


def test_filler_is_the_same_for_ever():
    assert filler(170, 7) == (
        "One tired sailor washed three lamps behind the garden after supper. "
        "The old miller moved a few lamps across the school after supper."
    )


def test_another_seed_gives_another_text():
    assert filler(1_000, 1) != filler(1_000, 2)


def test_the_tokens_are_divided_evenly_among_the_places():
    (content,) = filled([f"{MARK}|{MARK}|{MARK}"], 3_000, 1)
    sizes = [len(part) for part in content.split("|")]
    assert max(sizes) - min(sizes) < 200
    assert 0.95 < sum(sizes) / (3_000 * LETTERS_PER_TOKEN) <= 1


def test_no_sentence_stands_in_two_places():
    first, second = filled([MARK, MARK], 2_000, 1)
    assert not set(first.split(". ")) & set(second.split(". "))


def test_a_message_gets_its_filler_when_it_is_read(tmp_path: Path):
    (content,) = prompts(tmp_path, LONG % "{filler} And now?")
    assert content == filler(500 * LETTERS_PER_TOKEN, 3) + " And now?"


def test_filler_without_a_place_is_refused(tmp_path: Path):
    with pytest.raises(ProbeFileError, match=r"a.yaml:5: filler: has no place: no message says \{filler\}"):
        prompts(tmp_path, LONG % "And now?")


def test_braces_stay_where_nothing_stands_for_them(tmp_path: Path):
    text = LONG.replace("filler: {tokens: 500, seed: 3}\n", "") % "{filler} {answer}"
    assert prompts(tmp_path, text) == ["{filler} {answer}"]


def test_the_answer_may_stand_in_the_prompt(tmp_path: Path):
    text = LONG.replace("filler: {tokens: 500, seed: 3}\n", "expect: {answer: 'one {filler} two'}\n") % "Copy: {answer}"
    assert prompts(tmp_path, text) == ["Copy: one {filler} two"]


def test_a_probe_file_offers_tools_as_the_api_has_them(tmp_path: Path):
    tool = "tools: [{name: f, description: It does., parameters: {type: object}}]\n"
    prompts(tmp_path, LONG.replace("filler: {tokens: 500, seed: 3}\n", tool) % "Do it.")
    function = {"name": "f", "description": "It does.", "parameters": {"type": "object"}}
    assert json.loads(load_probes([tmp_path])[0].tools or "") == [{"type": "function", "function": function}]


def test_a_schema_is_kept_as_json(tmp_path: Path):
    schema = "expect: {json_schema: {type: array, maxItems: 2}}\n"
    prompts(tmp_path, LONG.replace("filler: {tokens: 500, seed: 3}\n", schema) % "Do it.")
    assert json.loads(load_probes([tmp_path])[0].schema or "") == {"type": "array", "maxItems": 2}
