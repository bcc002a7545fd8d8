"""What the bench of a baseline makes of many probe groups together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from canary.detect import Detector, DistanceDetector, EventDetector, Rule, Verdict
from canary.pipeline.advance import Judged
from canary.records import Finish, Observation, Response, Score, SeriesKey, Yardstick
from canary.verdict.baseline import BaselineBench

WHEN = datetime(2025, 8, 25, 12, tzinfo=UTC)
TARGET = "mid/api/short"
GROUPS = ("code", "copy", "prose", "recall")
QUIET = EventDetector(rate_upper=0.004)
FAR = DistanceDetector.from_golden([0.0] * 3_000, 0.001)
GOLDEN = 12_000
RULE = Rule(share=0.012, beta=0.01)


def a_bench(
    planned: int, rule: Rule = RULE, signals: Mapping[str, Detector] | None = None, events: int = 0
) -> BaselineBench:
    """With so many answers planned over all groups, which `GOLDEN` golden ones each stand behind."""
    signals = signals or {"script": QUIET, "greedy": QUIET, "logprob": FAR}
    yardsticks = [
        Yardstick(
            SeriesKey(TARGET, "lab", group, name),
            1,
            detector.digest,
            {"d": 0.0},
            golden=GOLDEN,
            events=events if (group, name) == ("prose", "script") else 0,
        )
        for group in GROUPS
        for name, detector in signals.items()
    ]
    by_digest = {detector.digest: detector for detector in signals.values()}
    return BaselineBench(rule, yardsticks, by_digest, dict.fromkeys(GROUPS, planned // len(GROUPS)))


def an_answer(nth: int, **bad: float) -> Judged:
    group, slot = GROUPS[nth % len(GROUPS)], f"slot-{nth}"
    seen = Observation(
        slot, "p", "d", group, TARGET, "lab", WHEN, WHEN, timedelta(0), ordinal=nth, response=Response("", Finish.STOP)
    )
    values = {"script": 0.0, "greedy": 0.0, "logprob": 0.0, **bad}
    return Judged(seen, tuple(Score(name, 1, value) for name, value in values.items()))


def heard(bench: BaselineBench, answers: Sequence[Judged]) -> Iterator[Verdict]:
    for answer in answers:
        bench.hear([answer])
        yield bench.judgement().verdict


def last(bench: BaselineBench, answers: Sequence[Judged]) -> Verdict:
    return list(heard(bench, answers))[-1]


def test_two_wrong_answers_of_four_hundred_fail_whichever_groups_they_are_of() -> None:
    bad = {130: {"script": 1.0}, 371: {"greedy": 1.0}}
    found = list(heard(a_bench(400), [an_answer(nth, **bad.get(nth, {})) for nth in range(372)]))
    assert (found[370], found[371]) == (Verdict.INCONCLUSIVE, Verdict.FAIL)


def test_one_answer_that_is_wrong_in_two_signals_is_one_wrong_answer() -> None:
    answers = [an_answer(nth, **({"script": 1.0, "greedy": 1.0} if nth == 7 else {})) for nth in range(8)]
    assert last(a_bench(400), answers) is Verdict.INCONCLUSIVE


def test_golden_answers_that_were_wrong_too_make_it_take_more() -> None:
    bad = {130: {"script": 1.0}, 371: {"greedy": 1.0}}
    answers = [an_answer(nth, **bad.get(nth, {})) for nth in range(372)]
    assert last(a_bench(400, events=20), answers) is Verdict.INCONCLUSIVE


def test_a_pass_speaks_of_the_share_of_all_answers_over_all_groups() -> None:
    """Each group alone has a quarter of the answers that it takes to exclude 1.2 %."""
    found = list(heard(a_bench(400), [an_answer(nth) for nth in range(400)]))
    first = found.index(Verdict.PASS) + 1
    assert 4.605 / 0.012 < first < 400
    assert first % len(GROUPS) == 0


def test_a_signal_that_few_probes_of_a_group_are_scored_for_does_not_hold_a_pass_back() -> None:
    """A quarter of the answers is scored for `kl`: a fault of 16 % of all answers touches 64 % of those, or none."""
    probes = [f"d{nth}" for nth in range(4)]
    series = {name: SeriesKey(TARGET, "lab", "prose", name) for name in ("script", "kl")}
    judged = {"script": (QUIET, probes), "kl": (FAR, probes[:1])}
    yardsticks = [
        Yardstick(series[name], 1, detector.digest, dict.fromkeys(some, 0.0), golden=GOLDEN, events=0)
        for name, (detector, some) in judged.items()
    ]
    detectors = {detector.digest: detector for detector, _ in judged.values()}
    bench = BaselineBench(Rule(share=0.16, beta=0.05), yardsticks, detectors, {"prose": 40})
    for nth in range(40):
        digest = probes[nth % 4]
        scores = (Score("script", 1, 0.0), *((Score("kl", 1, 0.0),) if digest == "d0" else ()))
        seen = replace(an_answer(nth).observation, group="prose", probe_digest=digest)
        bench.hear([Judged(seen, scores)])
    assert (bench.judgement().verdict, bench.unspoken) == (Verdict.PASS, ())


def test_signals_too_noisy_for_the_share_are_named_and_a_pass_does_not_wait_for_them() -> None:
    bench = a_bench(400)
    assert (bench.unspoken, last(bench, [an_answer(nth) for nth in range(400)])) == (("logprob",), Verdict.PASS)


def test_signals_too_noisy_for_the_share_may_fail_the_target_all_the_same() -> None:
    answers = [an_answer(nth, logprob=float(nth % 5 == 0)) for nth in range(100)]
    assert Verdict.FAIL in set(heard(a_bench(400), answers))


def test_a_pass_waits_for_a_signal_that_could_exclude_the_share() -> None:
    rule = Rule(share=0.16, beta=0.01)
    answers = [an_answer(nth, logprob=float(nth == 3)) for nth in range(100)]
    clean, touched = (list(heard(a_bench(100, rule), some)) for some in ([an_answer(n) for n in range(100)], answers))
    assert clean.index(Verdict.PASS) < touched.index(Verdict.PASS)


def test_a_fault_in_one_group_alone_fails() -> None:
    answers = [an_answer(nth, logprob=float(nth % len(GROUPS) == 1)) for nth in range(40)]
    assert Verdict.FAIL in set(heard(a_bench(400), answers))


def test_without_a_signal_of_wrong_answers_the_others_have_all_of_alpha() -> None:
    few, whole = {"logprob": FAR}, {"logprob": FAR, "script": QUIET}
    answers = [an_answer(nth, logprob=float(nth % 4 == 0)) for nth in range(12)]
    alone, beside = a_bench(400, signals=few), a_bench(400, signals=whole)
    list(heard(alone, answers)), list(heard(beside, answers))
    assert alone.judgement().evidence > beside.judgement().evidence


@pytest.mark.parametrize(("rate", "able"), [(0.004, True), (0.4, False)])
def test_it_cannot_pass_where_golden_data_tell_no_share_from_healthy(rate: float, able: bool) -> None:
    bench = a_bench(400, signals={"capability": EventDetector(rate)})
    assert bench.can_pass is able
