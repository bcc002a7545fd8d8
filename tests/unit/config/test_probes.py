"""Probe files and the folders they lie in."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from canary.config import load_probes, probe_schema
from canary.errors import ProbeFileError
from canary.records import Message, Probe, Sampling
from canary.resources import data_folder
from tests.unit.config.conftest import PROBE

FULL = """\
id: prose-glass
family: prose
why: >-
  Plain prose of some length, on which stray characters stand out.
messages:
  - {role: system, content: Be brief.}
  - {role: user, content: Describe glass.}
sampling: {max_tokens: 400, temperature: 0, top_p: 1, seed: 7, stop: [END], logprobs: 5}
scorers: [script, language, syntax, logprob, greedy]
expect: {language: en, scripts: [Latn], allow_scripts: [Grek], code_language: python, min_tokens: 3}
salts: ["Request 1.", "Request 2."]
"""
SHORT = PROBE.format(id="prose-a", family="prose")


def write(folder: Path, text: str | bytes, name: str = "a.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def fault(folder: Path, text: str | bytes) -> str:
    write(folder, text)
    with pytest.raises(ProbeFileError) as caught:
        load_probes([folder])
    return str(caught.value).replace(f"{folder}/", "")


def test_a_probe_file_is_read_whole(tmp_path: Path):
    write(tmp_path, FULL)
    assert load_probes([tmp_path]) == (
        Probe(
            id="prose-glass",
            family="prose",
            messages=(Message("system", "Be brief."), Message("user", "Describe glass.")),
            sampling=Sampling(400, 0.0, 1.0, 7, ("END",), 5),
            scorers=("script", "language", "syntax", "logprob", "greedy"),
            why="Plain prose of some length, on which stray characters stand out.",
            language="en",
            scripts=("Latn",),
            allow_scripts=("Grek",),
            code_language="python",
            min_tokens=3,
            salts=("Request 1.", "Request 2."),
        ),
    )


def test_what_a_probe_file_leaves_out_has_the_defaults_of_the_record(tmp_path: Path):
    write(tmp_path, SHORT)
    why = "It exists so that the tests of the config have a probe."
    bare = Probe("prose-a", "prose", (Message("user", "Describe glass."),), Sampling(100), ("script",), why)
    assert load_probes([tmp_path]) == (bare,)


def test_a_prompt_is_taken_to_the_letter(tmp_path: Path):
    write(tmp_path, SHORT.replace("Describe glass.", "'Say ${HOME} and $$.'"))
    assert load_probes([tmp_path])[0].messages[0].content == "Say ${HOME} and $$."


def test_probes_come_by_family_and_id(tmp_path: Path):
    for family, name in (("b", "x"), ("a", "z"), ("b", "a")):
        write(tmp_path, PROBE.format(id=name, family=family), f"{name}.yaml")
    assert [probe.id for probe in load_probes([tmp_path])] == ["z", "a", "x"]


def test_folders_are_searched_through(tmp_path: Path):
    write(tmp_path, SHORT, "deep/er/a.yaml")
    assert len(load_probes([tmp_path])) == 1


@pytest.mark.parametrize("name", ["README.md", "README", "a.yaml.bak", ".hidden.yaml", "..data/a.yaml", "notes.txt"])
def test_what_is_no_probe_file_is_passed_over(tmp_path: Path, name: str):
    write(tmp_path, "nonsense: [", name)
    assert load_probes([tmp_path]) == ()


def test_a_link_to_a_file_is_followed_but_none_to_a_folder(tmp_path: Path):
    real = write(tmp_path / "elsewhere", SHORT)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.yaml").symlink_to(real)
    (folder / "loop").symlink_to(folder)
    assert len(load_probes([folder])) == 1


def test_an_id_used_twice_names_both_files(tmp_path: Path):
    first, second = write(tmp_path, SHORT, "one/a.yaml"), write(tmp_path, SHORT, "two/b.yaml")
    with pytest.raises(ProbeFileError) as caught:
        load_probes([tmp_path / "one", tmp_path / "two"])
    assert str(caught.value) == f'{second}:1: id: "prose-a" is the id of {first} too: ids are unique'


def test_the_faults_of_all_files_are_told_at_once(tmp_path: Path):
    for name in ("a", "b", "c"):
        write(tmp_path, SHORT.replace("why", "wy"), f"{name}.yaml")
    with pytest.raises(ProbeFileError) as caught:
        load_probes([tmp_path])
    assert len(str(caught.value).split("\n")) == 6


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("canary.config.probes._MOST_FILES", 3)
    for number in range(4):
        write(tmp_path, SHORT, f"{number}.yaml")
    with pytest.raises(ProbeFileError, match="more than 3 probe files"):
        load_probes([tmp_path])


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(ProbeFileError, match="cannot be read"):
        load_probes([tmp_path / "none"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id: prose-glass", "id: Prose_Glass", "a.yaml:1: id: "),
        ("id: prose-glass", f"id: {'x' * 61}", "a.yaml:1: id: "),
        ("family: prose", "family: 5", "a.yaml:2: family: should be a string: quote it"),
        ("  Plain prose of some length, on which stray characters stand out.", "  Short.", "a.yaml:3: why: "),
        ("role: user", "role: tool", "a.yaml:7: messages[1].role: should be 'system', 'user' or 'assistant'"),
        ("role: user", "role: assistant", "a.yaml:5: messages: should end with a user's message"),
        ("content: Describe glass.", "content: ''", "a.yaml:7: messages[1].content: "),
        ("content: Describe glass.", "content: [x]", "a.yaml:7: messages[1].content: should be a string"),
        ("content: D", "contnt: D", 'a.yaml:7: messages[1].contnt: unknown key; did you mean "content"?'),
        ("max_tokens: 400", "max_tokens: 0", "a.yaml:8: sampling.max_tokens: should be greater"),
        ("max_tokens: 400", "max_tokens: '400'", "a.yaml:8: sampling.max_tokens: should be a valid integer"),
        ("max_tokens: 400, ", "", "a.yaml:8: sampling.max_tokens: is required"),
        ("temperature: 0", "temperature: 2.1", "a.yaml:8: sampling.temperature: should be less"),
        ("temperature: 0", "temperature: 1", "a.yaml:9: scorers: needs sampling.temperature 0 for greedy"),
        ("temperature", "temprature", 'a.yaml:8: sampling.temprature: unknown key; did you mean "temperature"?'),
        ("top_p: 1", "top_p: 0", "a.yaml:8: sampling.top_p: should be greater"),
        ("seed: 7", "seed: -1", "a.yaml:8: sampling.seed: should be greater"),
        ("logprobs: 5", "logprobs: 21", "a.yaml:8: sampling.logprobs: should be less"),
        (", logprobs: 5", "", "a.yaml:9: scorers: needs sampling.logprobs for logprob and greedy"),
        ("language, syntax", "langauge", 'a.yaml:9: scorers: has an unknown scorer; did you mean "language"?'),
        ("language, syntax", "script", "a.yaml:9: scorers: should not repeat itself"),
        ("language: en, ", "", "a.yaml:9: scorers: needs expect.language for language"),
        ("[Latn]", "[latin]", "a.yaml:10: expect.scripts[0]: "),
        ("expect:", "expects:", 'a.yaml:10: expects: unknown key; did you mean "expect"?'),
        ("Request 2.", "Request 1.", "a.yaml:11: salts: should not repeat itself"),
        ('"Request 2."', '"a\\nb"', "a.yaml:11: salts[1]: "),
        ("scorers:", "family: x\nscorers:", "a.yaml:9: family: is given twice, first on line 2"),
    ],
)
def test_a_wrong_probe_file_is_refused_with_line_and_key(tmp_path: Path, old: str, new: str, said: str):
    assert old in FULL
    assert said in fault(tmp_path, FULL.replace(old, new))


@pytest.mark.parametrize("text", ["", "[]", "x", b"\xff", "a: [", "a: *b"])
def test_what_is_no_probe_at_all_is_refused(tmp_path: Path, text: str | bytes):
    assert fault(tmp_path, text).startswith("a.yaml:")


def test_the_schema_takes_a_full_probe_file():
    jsonschema.validate(yaml.safe_load(FULL), probe_schema())


def test_the_schema_refuses_an_unknown_key():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(FULL) | {"extra": 1}, probe_schema())


def test_the_probes_that_ship_are_all_read():
    files = {path.stem: path.parent.name for path in data_folder("probes").glob("*/*.yaml")}
    assert {probe.id: probe.family for probe in load_probes([data_folder("probes")])} == files
