import math

import pytest

from canary.detect import EventDetector, Judgement, Rule, Verdict, judge, sequential, visible_share

RULE = Rule(share=0.05)
DETECTOR = EventDetector(1e-3)


def judged(**answers: list[int]) -> Judgement:
    states = {}
    for signal, events in answers.items():
        state = sequential.start(DETECTOR)
        for event in events:
            state = sequential.step(RULE, DETECTOR, state, float(event), 1.0, 0.0)
        states[signal] = state
    return judge(RULE, dict.fromkeys(answers, DETECTOR), states)


def test_quiet_answers_pass_once_they_exclude_the_share():
    assert judged(script=[0] * 50).verdict is Verdict.INCONCLUSIVE
    assert judged(script=[0] * 70).verdict is Verdict.PASS


def test_events_fail():
    assert judged(script=[0, 1, 0, 1, 1]).verdict is Verdict.FAIL


def test_one_bad_signal_fails_among_good_ones_and_is_named():
    judgement = judged(script=[0] * 70, syntax=[0] * 66 + [1] * 4, language=[0] * 70)
    assert (judgement.verdict, judgement.signal) == (Verdict.FAIL, "syntax")


def test_one_signal_with_few_answers_withholds_the_pass():
    assert judged(script=[0] * 70, syntax=[0] * 20).verdict is Verdict.INCONCLUSIVE


def test_more_signals_raise_the_bar_for_each():
    alone = judged(script=[1, 1]).evidence
    assert judged(script=[1, 1], syntax=[], language=[]).evidence == pytest.approx(
        math.log((math.exp(alone) + 2.0) / 3.0)
    )


def test_no_answer_is_inconclusive_and_blind():
    judgement = judged(script=[])
    assert (judgement.verdict, judgement.visible, judgement.answers) == (Verdict.INCONCLUSIVE, 1.0, 0)


def test_more_answers_would_have_seen_less():
    shares = [judged(script=[0] * n).visible for n in (5, 20, 60)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < 0.15


def test_a_signal_whose_healthy_rate_is_above_the_share_can_never_pass():
    noisy = EventDetector(0.2)
    state = sequential.start(noisy)
    for _ in range(500):
        state = sequential.step(RULE, noisy, state, 0.0, 1.0, 0.0)
    assert judge(RULE, {"syntax": noisy}, {"syntax": state}).verdict is Verdict.INCONCLUSIVE


def test_what_can_be_seen_does_not_depend_on_what_was_seen():
    def state(events: list[int]):
        seen = sequential.start(DETECTOR)
        for event in events:
            seen = sequential.step(RULE, DETECTOR, seen, float(event), 1.0, 0.0)
        return seen

    assert visible_share(RULE, DETECTOR, state([0] * 30), 2) == visible_share(RULE, DETECTOR, state([0] * 29 + [1]), 2)


def test_signals_and_states_must_be_the_same():
    with pytest.raises(ValueError, match="exactly"):
        judge(RULE, {"script": DETECTOR}, {})


@pytest.mark.parametrize("level", [{"share": 0.0}, {"alpha": 1.0}, {"beta": 0.0}, {"power": 1.0}])
def test_levels_out_of_range_are_refused(level):
    with pytest.raises(ValueError, match="must lie"):
        Rule(**({"share": 0.1} | level))


def test_watching_more_signals_sees_less_on_each():
    state = sequential.start(DETECTOR)
    for _ in range(60):
        state = sequential.step(RULE, DETECTOR, state, 0.0, 1.0, 0.0)
    assert visible_share(RULE, DETECTOR, state, 1000) > visible_share(RULE, DETECTOR, state, 1)
