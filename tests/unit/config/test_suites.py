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
        ("burst: []", "11: suites[0].burst: should have at least one entry"),
        ("burst: [8, 8]", "11: suites[0].burst: should not repeat itself"),
        ("burst: [0]", "11: suites[0].burst[0]: should be greater"),
        ("burst: [257]", "11: suites[0].burst[0]: should be less"),
        (
            "burst: [1, 64]",
            "11: suites[0].burst: 64 at once are more than mid/api/short may be asked: its endpoint's limits need "
            "concurrency and rate_per_second of at least 64",
        ),
    ],
)
def test_a_suite_that_cannot_be_fired_is_refused(failing: Failing, lines: str, said: str):
    (line,) = failing(with_suite(lines))
    assert said in line


def test_each_burst_is_a_probe_group_of_its_own(loading: Loading):
    text = suite(ROOMY, "families: [prose]\nburst: [1, 8, 64]\ntargets: {model: mid, platform: api, pool: long}")
    assert [(a.group, a.burst) for a in loading(text).assignments()] == [("prose", 1), ("prose@8", 8), ("prose@64", 64)]


def test_the_bursts_are_fired_alone_and_eight_and_64_at_once(loading: Loading):
    text = suite(ROOMY.replace(PROBES, ""), "use: bursts\ntargets: {model: mid, platform: api, pool: long}")
    assert {a.group for a in loading(text).assignments()} == {"onetoken", "onetoken@8", "onetoken@64"}


def test_the_bursts_go_beside_a_suite_that_fires_the_same_probes_alone(loading: Loading):
    both = suite(ROOMY.replace(PROBES, ""), "use: standard\n\n") + (
        "  - {name: bursts, interval: 10m, use: bursts, burst: [8, 64]}\n"
    )
    assert {a.group for a in loading(both).assignments()} >= {"onetoken", "onetoken@8", "onetoken@64", "prose"}


def test_a_burst_that_a_day_of_tokens_could_not_pay_is_refused(failing: Failing):
    limits = "limits: {concurrency: 64, rate_per_second: 64, tokens_per_day: 500}"
    text = with_suite("families: [prose]\nburst: [8]").replace("/v1\n", f"/v1\n    {limits}\n")
    (line,) = failing(text)
    assert "suites[0].burst: 8 at once may cost " in line
    assert line.endswith("mid/api/short has 500 tokens_per_day")


def test_cost_counts_the_prompt_the_tools_and_the_longest_answer(tmp_path: Path):
    (tmp_path / "a.yaml").write_text(PROBE.format(id="a", family="x").replace("Describe glass.", "x" * 400))
    assert cost(load_probes([tmp_path])[0]).total == 100 + 100


def test_a_built_in_suite_that_nobody_schedules_is_fired_by_its_name(loading: Loading):
    config = loading(suite(BUILTIN, "use: standard"))
    unscheduled = {probe.id for one in config.fired_by("smoke") for probe in one.probes}
    assert unscheduled == set(builtin_suites()["smoke"].probes or ())


def test_a_suite_of_the_config_goes_before_a_built_in_one_of_its_name(loading: Loading):
    config = loading(suite(BUILTIN, "use: standard"))
    assert [config.fired_by(one.name) for one in config.suites] == [config.assignments()]
    assert config.fired_by("unheard-of") == ()
