from canary.alert.incident import Policy, absorb
from canary.alert.routing import Match, ReceiverKind, ReceiverSpec, route
from tests.unit.alert.findings import START, finding

INCIDENT, _ = absorb(None, finding(), START, Policy())


def told(*match: Match) -> bool:
    receiver = ReceiverSpec("oncall", ReceiverKind.CONSOLE, match=match)
    return route([receiver], INCIDENT) == (receiver,)


def test_a_receiver_without_matchers_is_told_of_everything() -> None:
    assert told(Match())


def test_globs_match_labels() -> None:
    assert told(Match(model="op*", platform="api", pool="tpu-?", symptom="corr*"))


def test_one_label_that_does_not_match_is_enough_to_stay_silent() -> None:
    assert not told(Match(model="op*", pool="gpu-*"))


def test_one_of_several_matchers_is_enough_to_be_told() -> None:
    assert told(Match(model="haiku"), Match(symptom="corruption"))


def test_case_counts() -> None:
    assert not told(Match(model="OPUS"))


def test_a_secret_is_never_shown() -> None:
    receiver = ReceiverSpec("oncall", ReceiverKind.WEBHOOK, url="https://hooks/t0ken", secret="s3cret")
    assert "t0ken" not in repr(receiver)
    assert "s3cret" not in repr(receiver)
