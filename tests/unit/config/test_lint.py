"""What `canary probe lint` finds, and the probes and examples that ship, in which it finds nothing."""

import re
from pathlib import Path

import pytest

from canary.config import lint, load_probes
from canary.resources import data_folder

GOOD = """\
id: my-probe
family: mine
why: It exists so that every test of lint has a probe to spoil.
messages:
  - {role: user, content: "Write a line of prose."}
sampling: {max_tokens: 100, temperature: 0, logprobs: 5}
scorers: [script, language, copy]
expect:
  language: de
  scripts: [Latn]
  answer: Ein Satz.
  json_schema: {type: object}
"""
SHIPPED = data_folder("probes")
EXAMPLES = re.findall(r"```yaml\n(id: .*?)```", (SHIPPED / "README.md").read_text("utf-8"), re.DOTALL)


def found(folder: Path, text: str, name: str = "a.yaml") -> list[str]:
    (folder / name).write_text(text, encoding="utf-8")
    return [f"{one.line}: {one.place}: {one.text}" for one in lint([folder])]


def test_nothing_is_to_mend_in_a_good_probe(tmp_path: Path):
    assert found(tmp_path, GOOD) == []


def test_nothing_is_to_mend_in_the_probes_that_ship():
    assert lint([SHIPPED]) == ()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split("\n")[0])
def test_every_example_of_the_readme_is_a_good_probe(tmp_path: Path, example: str):
    assert found(tmp_path, example) == []
    assert len(load_probes([tmp_path])) == 1


def test_the_readme_has_an_example_of_every_family():
    families = {path.parent.name for path in SHIPPED.glob("*/*.yaml")}
    assert families <= {re.search(r"^family: (\S+)", text, re.MULTILINE)[1] for text in EXAMPLES}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("so that every test of lint has a probe to spoil.", "for a test of it.", "3: why: gives no reason"),
        ("max_tokens: 100", "max_tokens: 2", "11: expect.answer: does not fit into sampling.max_tokens, 2"),
        ("max_tokens: 100", "max_tokens: 8", "7: scorers: language never has enough to judge"),
        ("Latn]", "Latn]\n  min_tokens: 101", "11: expect.min_tokens: is more than sampling.max_tokens, 100"),
        ("language, copy", "border", "6: sampling.max_tokens: is more than 4"),
        ("temperature: 0", "temperature: 1", "6: sampling.temperature: is above 0"),
        ("[script, language, copy]", "[]", "7: scorers: is empty"),
        ("type: object", "type: thing", "12: expect.json_schema: is a schema that answers cannot be held to"),
        ("[script, language, copy]", "[greedi]", "7: scorers: has an unknown scorer"),
        ("why:", "wy:", "3: wy: unknown key"),
        ("  answer: Ein Satz.\n", "", "7: scorers: needs expect.answer for copy"),
    ],
)
def test_what_cannot_show_a_fault_is_found(tmp_path: Path, old: str, new: str, said: str):
    assert old in GOOD
    assert any(line.startswith(said) for line in found(tmp_path, GOOD.replace(old, new)))


def test_a_language_whose_script_is_not_allowed_is_found(tmp_path: Path):
    text = GOOD.replace("[Latn]", "[Cyrl]").replace("Write a line of prose.", "Напиши строку.")
    said = '9: expect.language: "de" is written in Latn, which no script of expect allows'
    assert found(tmp_path, text) == [said]


def test_the_scripts_of_the_prompt_are_allowed(tmp_path: Path):
    assert found(tmp_path, GOOD.replace("[Latn]", "[Cyrl]")) == []


def test_a_prompt_longer_than_its_context_class_is_found(tmp_path: Path):
    text = GOOD.replace("id: my-probe", "id: my-1k-probe").replace("a line of prose.", "{filler}")
    lines = found(tmp_path, text.replace("sampling:", "filler: {tokens: 1000, seed: 1}\nsampling:"))
    assert lines == ["6: filler.tokens: leaves no room for the rest of the prompt and the answer in 1k tokens"]


def test_an_id_used_twice_is_found_in_the_second_file(tmp_path: Path):
    found(tmp_path, GOOD)
    lines = found(tmp_path, GOOD.replace("a line", "another line"), "b.yaml")
    assert lines == [f'1: id: "my-probe" is the id of {tmp_path / "a.yaml"} too: ids are unique']


def test_two_probes_that_ask_the_same_are_found(tmp_path: Path):
    found(tmp_path, GOOD)
    lines = found(tmp_path, GOOD.replace("my-probe", "your-probe"), "b.yaml")
    assert lines == [f"4: messages: asks just what {tmp_path / 'a.yaml'} asks: keep one"]
