"""A fast drill and a full one of the same small scenario: the same law, by two-sample tests at a stated level."""

import json

import pytest
from click.testing import CliRunner
from scipy.stats import fisher_exact, ks_2samp, mannwhitneyu

from canary.cli import words
from canary.drill.perform import perform
from canary.drill.scenario import load
from tests.unit.drill.small import written

pytestmark = pytest.mark.slow

SEEDS = range(1, 11)
LEVEL = 1e-3  # of all tests together: a wrong alarm of this file in a thousand changes of the seeds


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """By kind of drill, those of all seeds."""
    scenario = load(written(tmp_path_factory.mktemp("law"), ("share: 0.5, rate: 0.1", "share: 0.3, rate: 0.03")))
    return {fast: [perform(scenario, seed, lambda *_: None, fast=fast) for seed in SEEDS] for fast in (False, True)}


def delays(reports):
    (outcomes,) = zip(*(one.judgement.outcomes for one in reports), strict=True)
    return [one.delay.time.total_seconds() if one.delay else 1e9 for one in outcomes]


def test_delays_have_the_same_law(reports):
    assert mannwhitneyu(delays(reports[False]), delays(reports[True])).pvalue > LEVEL / 8
    assert ks_2samp(delays(reports[False]), delays(reports[True])).pvalue > LEVEL / 8


def test_as_many_drills_go_as_expected(reports):
    full, fast = (sum(one.judgement.held for one in reports[kind]) for kind in (False, True))
    assert fisher_exact([[full, 10 - full], [fast, 10 - fast]]).pvalue > LEVEL / 8


@pytest.mark.parametrize("nth", range(4))
def test_common_rules_say_the_same_of_the_scores(reports, nth):
    """What they count depends on the scores alone, values and events: so those have the same law."""
    full, fast = ([one.rules[nth].false_alarms for one in reports[kind]] for kind in (False, True))
    assert mannwhitneyu(full, fast).pvalue > LEVEL / 8


def test_answers_take_the_same_tokens(reports):
    full, fast = ([one.tokens / one.runs for one in reports[kind]] for kind in (False, True))
    assert fast == pytest.approx(full, rel=0.02)


def test_as_many_series_are_armed(reports):
    full, fast = ([(one.armed, one.learning, one.runs) for one in reports[kind]] for kind in (False, True))
    assert fast == full


def test_the_command_says_how_many_answers_were_fired(tmp_path):
    result = CliRunner().invoke(words, ["drill", str(written(tmp_path)), "--fast", "--json"])
    facts = json.loads(result.stdout)
    assert (result.exit_code, facts["held"]) == (0, True)
    assert 0 < facts["vectors"] < facts["runs"]


def test_a_fast_drill_has_a_page_with_evidence_too(tmp_path):
    folder = tmp_path / "out"
    CliRunner().invoke(words, ["drill", str(written(tmp_path)), "--fast", "--report", str(folder)])
    assert (folder / "index.html").read_text("utf-8").count("<svg") == 2
