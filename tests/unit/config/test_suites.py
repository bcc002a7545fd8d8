"""What a suite fires: built-in suites, and what they cost."""

from pathlib import Path

import pytest

from canary.config import builtin_suites, cost, load_probes
from canary.resources import data_folder
from tests.unit.config.conftest import PROBE, Failing, Loading
from tests.unit.config.texts import PROBES, WHOLE, with_suite

BUILTIN = WHOLE.replace(PROBES, "")
ROOMY = WHOLE.replace("/v1\n", "/v1\n    limits: {concurrency: 64, rate_per_second: 64}\n")


def suite(text: str, lines: str) -> str:
    return text + "".join(f"    {line}\n" for line in lines.splitlines())


def fired(loading: Loading, text: str) -> set[str]:
    return {probe.id for one in loading(text).assignments() for probe in one.probes}


@pytest.mark.parametrize("name", sorted(builtin_suites()))
def test_every_suite_that_ships_can_be_used(loading: Loading, name: str):
    text = BUILTIN.replace("/v1\n", "/v1\n    limits: {concurrency: 64, rate_per_second: 64}\n")
    assert fired(loading, suite(text, f"use: {name}"))


def test_the_deep_suite_fires_every_probe_but_the_tiny_ones(loading: Loading):
    every = {probe.id for probe in load_probes([data_folder("probes")]) if probe.family != "tiny"}
    assert fired(loading, suite(BUILTIN, "use: deep")) == every


def test_the_smoke_suite_has_a_probe_of_every_symptom(loading: Loading):
    chosen = [
        probe
        for probe in load_probes([data_folder("probes")])
        if probe.id in fired(loading, suite(BUILTIN, "use: smoke"))
    ]
    scored = {name for probe in chosen for name in probe.scorers}
    assert scored >= {
        "script",
        "language",
        "syntax",
        "schema",
        "tool_call",
        "logprob",
        "greedy",
        "copy",
        "recall",
        "border",
    }


def test_what_a_suite_says_itself_counts_before_what_it_uses(loading: Loading):
    wide, narrow = (
        fired(loading, suite(BUILTIN, f"use: standard{more}")) for more in ("", "\nmax_tokens_per_run: 100")
    )
    assert narrow < wide


def test_no_suite_fires_a_dear_probe_by_accident(loading: Loading):
    for probe in (p for one in loading(BUILTIN).assignments() for p in one.probes):
        assert cost(probe).total <= 4_000


def test_a_dear_probe_is_fired_when_it_is_named(loading: Loading):
    assert fired(loading, suite(BUILTIN, "probes: [context-120k-start]")) == {"context-120k-start"}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("use: standart", '11: suites[0].use: there is no suite "standart"; did you mean "standard"?'),
        ("use: cheap\nfamilies: [prose]", "12: suites[0].families: stands beside use: give one of the two"),
        ("use: cheap\nprobes: [prose-a]", "12: suites[0].probes: stands beside use: give one of the two"),
        ("max_tokens_per_run: 10", "9: suites[0]: fires nothing"),
    ],
)
def test_a_suite_that_cannot_be_fired_is_refused(failing: Failing, lines: str, said: str):
    (line,) = failing(with_suite(lines))
    assert said in line


def test_cost_counts_the_prompt_the_tools_and_the_longest_answer(tmp_path: Path):
    (tmp_path / "a.yaml").write_text(PROBE.format(id="a", family="x").replace("Describe glass.", "x" * 400))
    assert cost(load_probes([tmp_path])[0]).total == 100 + 100
