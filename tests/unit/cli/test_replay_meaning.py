"""What a verdict says to a person."""

from canary.cli.replay import meaning
from canary.detect import Judgement, Rule, Verdict
from canary.verdict import Report


def passed(*unspoken: str) -> str:
    judgement = Judgement(Verdict.PASS, -2.0, 4.7, "prose/script", 0.02, 390)
    rule = Rule(0.012, beta=0.01)
    return meaning(Report("v", "mid/api/short", Verdict.PASS, judgement, rule, 400, 390, 0, (), (), unspoken))


def test_a_pass_says_which_faults_it_does_not_speak_of() -> None:
    assert passed("kl", "logprob").endswith("at most (but for one that only kl or logprob would show)")


def test_a_pass_that_speaks_of_everything_makes_no_exception() -> None:
    assert (
        passed()
        == "with a fault that shows in 1.2% of answers, the target would have passed with a chance of 1% at most"
    )
