"""`canary probe` and its words, against a lab where something has to answer."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from canary.cli import words
from canary.lab.run import in_thread
from canary.lab.spec import config_text, default_spec

SPOILT = """\
id: spoilt
family: mine
why: It is here so that lint has something to find, and finds it.
messages: [{role: user, content: Say something.}]
sampling: {max_tokens: 5}
scorers: [script]
expect: {min_tokens: 9}
"""


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with in_thread(default_spec(latency=0.0)) as url:
        yield url


@pytest.fixture
def config(tmp_path: Path, base_url: str) -> Path:
    path = tmp_path / "canary.yaml"
    path.write_text(config_text(default_spec(), base_url, choice="families: [border, recall, context]"))
    return path


def canary(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(words, ["-c", str(config), "probe", *arguments], catch_exceptions=False)


def listed(config: Path, *arguments: str) -> dict[str, dict[str, object]]:
    return {row["id"]: row for row in json.loads(canary(config, "list", "--json", *arguments).stdout)}


def test_the_list_tells_what_a_round_costs(config: Path):
    row = listed(config)["recall-password"]
    assert row["runs_per_round"] == len(default_spec().targets)
    assert row["tokens_per_round"] == row["runs_per_round"] * (row["prompt_tokens"] + row["max_tokens"])


def test_a_burst_costs_as_many_runs_a_round_as_it_has(tmp_path: Path, base_url: str):
    path = tmp_path / "bursts.yaml"
    path.write_text(config_text(default_spec(), base_url, choice="families: [onetoken]\n    burst: [1, 8]"))
    assert listed(path)["onetoken-capital"]["runs_per_round"] == 9 * len(default_spec().targets)


def test_a_probe_that_no_suite_fires_costs_nothing(config: Path):
    assert {listed(config)[name]["tokens_per_round"] for name in ("prose-tides", "context-120k-start")} == {0}


def test_the_list_shows_what_one_suite_fires(config: Path):
    assert {row["family"] for row in listed(config, "--suite", "all").values()} == {"border", "recall", "context"}


def test_prices_turn_tokens_into_money(config: Path):
    row = listed(config, "--prices", "1", "10")["recall-password"]
    assert row["cost_per_round"] == pytest.approx(6 * (row["prompt_tokens"] + 10 * row["max_tokens"]) / 1_000_000)


def test_the_table_ends_with_the_sum_of_a_round(config: Path):
    assert "one round is" in canary(config, "list", "--suite", "all", "--prices", "1", "10").stdout


def test_a_long_message_is_shown_without_its_middle(config: Path):
    (message,) = json.loads(canary(config, "show", "context-120k-start", "--json").stdout)["messages"]
    shown = canary(config, "show", "context-120k-start").stdout
    assert len(shown) < 10_000
    assert f"… {len(message['content']) - 2_000:,} more characters (--whole to print all) …" in shown
    assert message["content"].rsplit(maxsplit=1)[-1] in shown.splitlines()[-2]


def test_a_long_message_is_shown_whole_when_asked_for(config: Path):
    (message,) = json.loads(canary(config, "show", "context-1k-middle", "--json").stdout)["messages"]
    shown = canary(config, "show", "context-1k-middle", "--whole").stdout
    assert "more characters" not in shown
    assert len(shown) > len(message["content"])


def test_a_short_message_is_always_whole(config: Path):
    assert "more characters" not in canary(config, "show", "recall-password").stdout


def test_a_shown_probe_tells_what_it_expects(config: Path):
    shown = canary(config, "show", "code-python").stdout
    assert "expects language en, scripts Latn, code python, tokens 60 to" in shown


def test_a_fired_probe_shows_the_calls_of_tools(config: Path):
    shown = canary(config, "fire", "toolcall-weather", "--target", "mid/api/short").stdout
    title, call = shown.splitlines()[:2]
    assert "calls get_weather, " in title
    assert '"town": "Oslo"' in call


def test_the_calls_of_a_fired_probe_are_in_its_json(config: Path):
    told = json.loads(canary(config, "fire", "toolcall-weather", "--target", "mid/api/short", "--json").stdout)
    (call,) = told["tool_calls"]
    assert (call["name"], told["answer"]) == ("get_weather", "")
    assert json.loads(call["arguments"])["town"] == "Oslo"


def test_a_probe_with_a_scorer_of_ones_own_is_fired(config: Path):
    (config.parent / "mine.py").write_text(
        "from canary.records import Signal, SignalKind, Symptom\n"
        "from canary.score import Measure, Scorer\n"
        "signal = Signal('mine', 1, SignalKind.EVENT, Symptom.SHAPE, 'wonders', 'answers')\n"
        "SCORERS = [Scorer(signal, lambda case: Measure(0.0, 1.0))]\n"
    )
    (config.parent / "own").mkdir()
    (config.parent / "own" / "spoilt.yaml").write_text(SPOILT.replace("[script]", "[mine]"))
    text = config.read_text().replace("version: 1\n", "version: 1\nscorers: [mine.py]\n")
    config.write_text(text + "probes: {folders: [own]}\n")
    result = canary(config, "fire", "spoilt", "--target", "mid/api/short")
    assert (result.exit_code, "wonders" in result.stdout) == (0, True)


def test_lint_without_a_path_looks_at_all_probes_of_the_config(config: Path):
    result = canary(config, "lint")
    assert (result.exit_code, "nothing to mend" in result.stdout) == (0, True)


def test_lint_names_file_line_and_key(config: Path):
    file = config.parent / "spoilt.yaml"
    file.write_text(SPOILT)
    result = canary(config, "lint", str(file))
    assert result.exit_code == 1
    assert result.stdout.strip() == f"{file}:7: expect.min_tokens: is more than sampling.max_tokens, 5"


def test_lint_needs_no_config_for_files(tmp_path: Path):
    (tmp_path / "spoilt.yaml").write_text(SPOILT)
    (row,) = json.loads(canary(tmp_path / "none.yaml", "lint", "--json", str(tmp_path)).stdout)
    assert (row["line"], row["place"]) == (7, "expect.min_tokens")


def test_lint_holds_scorers_of_ones_own_to_the_contract(config: Path):
    (config.parent / "mine.py").write_text(
        "from canary.records import Signal, SignalKind, Symptom\n"
        "from canary.score import Measure, Scorer\n"
        "signal = Signal('mine', 1, SignalKind.EVENT, Symptom.SHAPE, 'answers', 'answers')\n"
        "SCORERS = [Scorer(signal, lambda case: Measure(-1.0, 1.0))]\n"
    )
    config.write_text(config.read_text().replace("version: 1\n", "version: 1\nscorers: [mine.py]\n"))
    result = canary(config, "lint")
    assert (result.exit_code, "scorer mine: " in result.stdout) == (1, True)


def test_calibration_tells_the_noise_of_each_signal_and_what_it_would_see(config: Path):
    result = canary(config, "calibrate", "recall-password", "--target", "mid/api/short", "-n", "40", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["answered"], found["distinct"], found["useful"]) == (0, 70, 1, True)
    recall = next(noise for noise in found["noise"] if noise["signal"] == "recall")
    assert (recall["answers"], recall["events"]) == (40, 0)
    assert recall["delays"][0][1] > recall["delays"][1][1]
    assert 0.9 < found["certainty"]["first"] <= 1


def test_a_probe_whose_every_answer_is_wrong_is_not_useful(config: Path):
    folder = config.parent / "probes"
    folder.mkdir()
    wrong = SPOILT.replace("[script]", "[recall]").replace("min_tokens: 9", "answer: never said")
    (folder / "spoilt.yaml").write_text(wrong.replace("family: mine", "family: border"))
    config.write_text(config.read_text() + "probes: {folders: [probes]}\n")
    result = canary(config, "calibrate", "spoilt", "--target", "mid/api/short", "-n", "20")
    assert (result.exit_code, "not useful here" in result.stdout) == (1, True)
