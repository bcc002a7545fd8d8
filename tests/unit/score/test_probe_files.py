from collections import Counter
from pathlib import Path

import pytest
import yaml

from canary.config.probes import load_probes
from canary.resources import data_folder
from canary.score._unicode import KINDS
from canary.score.parsers import CHECKERS

FOLDER = data_folder("probes")
FILES = sorted(FOLDER.glob("*/*.yaml"))
KNOWN_SCRIPTS = {script for _, _, scripts in KINDS for script in scripts} | {"Jpan", "Kore"}


def names(file: Path) -> str:
    return file.stem


each = pytest.mark.parametrize("file", FILES, ids=names)


def read(file: Path) -> dict[str, object]:
    facts: dict[str, object] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return facts


def test_every_file_loads_as_a_probe() -> None:
    assert len(load_probes([FOLDER])) == len(FILES) >= 120


def test_ids_are_unique() -> None:
    assert max(Counter(read(file)["id"] for file in FILES).values()) == 1


@each
def test_a_probe_is_named_as_its_file_and_stands_in_its_familys_folder(file: Path) -> None:
    facts = read(file)
    assert (facts["id"], facts["family"]) == (file.stem, file.parent.name)


@each
def test_a_probe_says_why_it_exists(file: Path) -> None:
    assert len(str(read(file)["why"]).split()) >= 8


def test_no_two_probes_ask_the_same() -> None:
    probes = load_probes([FOLDER])
    assert len({probe.messages for probe in probes}) == len(probes)


def test_every_script_and_code_language_is_one_that_scorers_know() -> None:
    probes = load_probes([FOLDER])
    assert {script for probe in probes for script in (*probe.scripts, *probe.allow_scripts)} <= KNOWN_SCRIPTS
    assert {probe.code_language for probe in probes if probe.code_language} <= set(CHECKERS)


def test_the_readme_says_why_every_family_exists() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [family for family in {file.parent.name for file in FILES} if f"| `{family}` |" not in readme] == []


def test_an_answer_of_a_tiny_probe_fits_256_tokens_with_its_prompt() -> None:
    tiny = [probe for probe in load_probes([FOLDER]) if probe.family == "tiny"]
    prompts = [sum(len(message.content) for message in probe.messages) for probe in tiny]
    assert max(n + probe.sampling.max_tokens for n, probe in zip(prompts, tiny, strict=True)) <= 256
