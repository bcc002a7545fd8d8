from pathlib import Path

import jsonschema
import pytest
import yaml

from canary.config import json_schema, load, write_starter
from canary.errors import ConfigError


def test_the_starter_is_valid_as_it_is(tmp_path: Path):
    config_file, _ = write_starter(tmp_path / "new")
    config = load(config_file, {})
    assert [target.name for target in config.targets] == ["my-model/local/main"]
    assert "tides" in {probe.id for probe in config.probes}


def test_the_starter_with_every_comment_taken_up_is_valid_yaml_of_known_keys(tmp_path: Path):
    config_file, _ = write_starter(tmp_path)
    lines = config_file.read_text().splitlines()
    optional = [
        "token:",
        "headers:",
        "affinity_header:",
        "replica_header:",
        "extra_body:",
        "tokens_per_day:",
    ]
    taken = [line.replace("# ", "", 1) if line.strip("# ").startswith(tuple(optional)) else line for line in lines]
    config_file.write_text("\n".join(taken))
    assert load(config_file, {"API_TOKEN": "x"}).targets[0].endpoint.headers == {"x-team": "canary"}


def test_the_schema_takes_the_starter(tmp_path: Path):
    config_file, _ = write_starter(tmp_path)
    jsonschema.validate(yaml.safe_load(config_file.read_text()), json_schema())


@pytest.mark.parametrize("change", [{"extra": 1}, {"version": 2}, {"budget": {"delta": 3}}, {"suites": "x"}])
def test_the_schema_refuses_what_the_config_refuses(tmp_path: Path, change: dict[str, object]):
    config_file, _ = write_starter(tmp_path)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(config_file.read_text()) | change, json_schema())


@pytest.mark.parametrize(
    "change",
    [
        {"region": "${REGION}"},
        {"web": {"port": "${PORT:-1}"}},
        {"models": ["${MODEL}"]},
        {"suites": [{"name": "main", "interval": "${INTERVAL}"}]},
        {"probes": {"builtin": "${BUILTIN}"}},
        {"receivers": [{"name": "a", "kind": "webhook", "url": "${URL}"}]},
    ],
)
def test_the_schema_takes_variables_of_the_environment(tmp_path: Path, change: dict[str, object]):
    config_file, _ = write_starter(tmp_path)
    jsonschema.validate(yaml.safe_load(config_file.read_text()) | change, json_schema())


@pytest.mark.parametrize("name", ["canary.yaml", "my-probes/tides.yaml"])
def test_nothing_is_overwritten(tmp_path: Path, name: str):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        write_starter(tmp_path)
    assert [path.name for path in tmp_path.rglob("*.yaml")] == [Path(name).name]
    assert (tmp_path / name).read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        write_starter(tmp_path / "file" / "folder")
