from canary.baseline import Scales, restricted
from canary.baseline.calibration import baselines
from canary.records import Baseline, Run
from tests.unit.baseline.golden import AT, RECORDING, SIGNALS, TARGET, answer, probe, score

PROBES = [probe("often"), probe("never")]


def golden(
    signal: str, often: list[float], never: list[float], exposure: float = 1.0, scales: Scales | None = None
) -> Baseline:
    rows = [
        (answer(Run(each, TARGET, "eu", AT, ordinal)), [score(signal, value, exposure)])
        for each, values in zip(PROBES, (often, never), strict=True)
        for ordinal, value in enumerate(values)
    ]
    (found,) = baselines(RECORDING, rows, {}, SIGNALS, now=AT, scales=scales or {})
    return found


def test_all_of_its_probes_leave_a_baseline_as_it_is() -> None:
    whole = golden("script", [1.0] * 5, [0.0] * 95)
    assert restricted(whole, {each.digest for each in PROBES}) is whole


def test_a_probe_that_goes_takes_its_answers_and_events_with_it() -> None:
    left = restricted(golden("script", [1.0] * 5 + [0.0] * 5, [0.0] * 90, exposure=3.0), {PROBES[0].digest})
    assert left is not None
    assert (left.n, left.events, left.exposure) == (10, 5, 10.0)


def test_golden_values_of_a_probe_that_goes_are_forgotten() -> None:
    left = restricted(golden("logprob", [0.3, 0.1], [9.0]), {PROBES[0].digest})
    assert left is not None
    assert left.calibration == (0.1, 0.3)


def test_a_probe_that_stays_keeps_its_scale() -> None:
    scales = {(PROBES[0].digest, "logprob"): 2.0, (PROBES[1].digest, "logprob"): 0.5}
    left = restricted(golden("logprob", [0.3, 0.1], [9.0], scales=scales), {PROBES[0].digest})
    assert left is not None
    assert left.calibration == (0.05, 0.15)


def test_a_baseline_of_other_probes_says_nothing() -> None:
    assert restricted(golden("script", [0.0], [0.0]), {"another"}) is None


def test_parts_add_up_to_the_whole() -> None:
    whole = golden("script", [1.0] * 5, [0.0] * 95, exposure=2.5)
    assert sum(part.n for part in whole.parts) == whole.n
    assert sum(part.events for part in whole.parts) == whole.events
