"""What a config costs and what it can see, before the first probe is fired."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from canary.baseline import plan_recording
from canary.config import Config, Escalation, load
from canary.daemon.assembly import probes_on
from canary.detect import answers_needed
from canary.forecast import Forecast, forecast, golden_answers
from canary.records import Message, Probe, Recording, Sampling, SignalKind

NOON = datetime(2025, 8, 5, 12, tzinfo=UTC)
CONFIG = """\
version: 1
models: [{models}]
platforms: [api]
pools: [short]
detect: {{smallest_share: {share}}}
budget: {{false_alarms_per_week: {budget}}}
endpoints: [{{base_url: "http://127.0.0.1:1/v1", limits: {{rate_per_second: {rate}}}}}]
suites: [{{name: all, interval: {interval}, families: [prose], burst: {burst}}}]
"""


def a_config(
    folder: Path,
    *,
    models: str = "mid",
    share: float = 0.05,
    budget: float = 0.25,
    interval: str = "60s",
    rate: int = 2,
    burst: str = "[1]",
) -> Config:
    path = folder / "canary.yaml"
    facts = {"models": models, "share": share, "budget": budget, "interval": interval, "rate": rate, "burst": burst}
    path.write_text(CONFIG.format(**facts), encoding="utf-8")
    return load(path, {})


def first_delay(outlook: Forecast, share: float) -> timedelta | None:
    (found,) = (delay.time for sight in outlook.sights[1:2] for delay in sight.delays if delay.share == share)
    return found


def test_a_run_per_interval_and_group(tmp_path: Path) -> None:
    assert forecast(a_config(tmp_path, models="mid, small", interval="10s")).runs_per_second == pytest.approx(0.2)


def test_a_burst_costs_as_much_as_its_runs(tmp_path: Path) -> None:
    lone, burst = (forecast(a_config(tmp_path, rate=8, burst=size), golden=100) for size in ("[1]", "[8]"))
    assert burst.runs_per_second == pytest.approx(8 * lone.runs_per_second)
    assert burst.tokens_per_day == pytest.approx(8 * lone.tokens_per_day, rel=1e-4)
    assert (burst.recording.runs, burst.recording.least) == (8 * lone.recording.runs, 8 * lone.recording.least)
    assert burst.recording.tokens == pytest.approx(8 * lone.recording.tokens, rel=1e-4)


def test_each_size_of_burst_adds_series_which_share_the_budget(tmp_path: Path) -> None:
    lone, both = (forecast(a_config(tmp_path, rate=8, burst=sizes)) for sizes in ("[1]", "[1, 8]"))
    assert both.series == 2 * lone.series
    assert both.false_alarms_per_week == lone.false_alarms_per_week


def test_tokens_are_a_prompt_and_the_longest_answer_for_each_run(tmp_path: Path) -> None:
    probe = Probe("long", "prose", (Message("user", "a" * 400),), Sampling(900), ("script",), "test")
    config = a_config(tmp_path, interval="24h").model_copy(update={"probes": (probe,)})
    assert forecast(config).tokens_per_day == 400 / 4 + 900


def test_the_budget_is_one_for_the_whole_fleet(tmp_path: Path) -> None:
    small, large = a_config(tmp_path), a_config(tmp_path, models="a, b, c, d")
    assert forecast(small).false_alarms_per_week == forecast(large).false_alarms_per_week == 0.25


def test_a_larger_fleet_divides_the_budget_and_sees_later(tmp_path: Path) -> None:
    small = forecast(a_config(tmp_path), golden=5_000)
    large = forecast(a_config(tmp_path, models=", ".join(f"m{i}" for i in range(50))), golden=5_000)
    one, other = first_delay(small, 0.16), first_delay(large, 0.16)
    assert one is not None
    assert other is not None
    assert one < other


def test_a_larger_share_is_seen_sooner(tmp_path: Path) -> None:
    outlook = forecast(a_config(tmp_path), golden=20_000)
    few, many = first_delay(outlook, 0.05), first_delay(outlook, 0.16)
    assert few is not None
    assert many is not None
    assert many < few


def test_more_golden_answers_bring_a_smaller_share_into_sight(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    assert first_delay(forecast(config), 0.008) is None
    assert first_delay(forecast(config, golden=20_000), 0.008) is not None


def test_time_is_probes_times_the_interval(tmp_path: Path) -> None:
    sight = forecast(a_config(tmp_path, interval="30s")).sights[0]
    assert all(delay.time == delay.probes * timedelta(seconds=30) for delay in sight.delays if delay.probes)


def test_a_smaller_share_to_see_asks_for_more_golden_answers(tmp_path: Path) -> None:
    coarse = golden_answers(a_config(tmp_path, share=0.1))
    assert golden_answers(a_config(tmp_path, share=0.01)) > 5 * coarse


def test_the_default_recording_arms_a_series_that_shows_one_event(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    delta = config.budget.delta / forecast(config).series
    assert golden_answers(config) >= answers_needed(1, SignalKind.EVENT, delta=delta, smallest_share=0.05)


@pytest.mark.parametrize("burst", ["[1]", "[1, 8]"])
def test_the_cost_of_a_recording_is_what_the_recorder_plans(tmp_path: Path, burst: str) -> None:
    config = a_config(tmp_path, models="mid, small", rate=8, burst=burst)
    outlook = forecast(config, golden=100)
    planned = 0
    for target in config.targets:
        recording = Recording("r", target.name, "local", 1, 100, NOON)
        planned += len(plan_recording(recording, target, probes_on(config, target)))
    assert outlook.recording.runs == planned


def test_a_recording_takes_at_least_what_the_slowest_target_is_allowed(tmp_path: Path) -> None:
    config = a_config(tmp_path, models="mid, small")
    outlook = forecast(config, golden=100)
    assert outlook.recording.least == timedelta(seconds=outlook.recording.runs / 2 / 2)


def test_the_forecast_supposes_the_default_recording(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    assert forecast(config) == forecast(config, golden_answers(config))


def test_a_forecast_counts_the_scopes_part_of_the_budget(tmp_path: Path) -> None:
    outlook = forecast(a_config(tmp_path, models="mid, small"))
    spent = sum(one.detectors * (timedelta(weeks=1) / one.arl) for one in outlook.sights)
    assert outlook.scopes > 0
    assert spent == pytest.approx(0.25)


def test_too_few_golden_answers_arm_nothing_and_say_how_many_it_takes(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    outlook = forecast(config, golden=50)
    assert (outlook.armed, outlook.sights) == (0, ())
    assert outlook.needed == golden_answers(config)


def test_the_fleets_arl_is_the_budgets(tmp_path: Path) -> None:
    assert forecast(a_config(tmp_path, budget=0.5)).arl == timedelta(weeks=2)


def test_escalation_costs_its_share_at_most_and_less_while_all_is_well(tmp_path: Path) -> None:
    outlook = forecast(a_config(tmp_path, models="a, b"), golden=5_000)
    assert outlook.escalation is not None
    assert outlook.escalation.tokens_per_week == pytest.approx(0.05 * 7 * outlook.tokens_per_day, rel=1e-3)
    assert 0 < outlook.escalation.tokens_while_healthy < outlook.escalation.tokens_per_week
    assert outlook.escalation.false_warnings_per_week == pytest.approx(160, abs=1)


def test_what_scopes_escalate_while_all_is_well_is_counted(tmp_path: Path) -> None:
    """Beside a second model the series of one have a quarter of its budget, and cost what they cost alone with that."""
    both = forecast(a_config(tmp_path, models="a, b"), golden=5_000).escalation
    alone = forecast(a_config(tmp_path, models="a", budget=0.25 / 4), golden=5_000)
    assert both is not None
    assert alone.escalation is not None
    assert alone.scopes == 0
    assert both.tokens_while_healthy > 1.2 * (2 * alone.escalation.tokens_while_healthy)


def test_escalation_that_is_off_is_not_forecast(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    off = config.detect.model_copy(update={"escalation": Escalation(extra_share=0.0)})
    outlook = forecast(config.model_copy(update={"detect": off}))
    assert outlook.escalation is None
