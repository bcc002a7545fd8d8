import json
from dataclasses import replace
from typing import Any

import pytest

from canary.alert.incident import Policy, absorb, acknowledge
from canary.alert.message import Extras, render
from canary.alert.news import news
from canary.alert.suspects import Suspect, Suspects
from canary.records import Change, ChangeKind, Incident, NotificationKind, Scope, Symptom
from tests.unit.alert.findings import START, finding

OPENED, _ = absorb(None, finding(share=0.02), START, Policy())


def body(incident: Incident = OPENED, *suspects: Suspect) -> dict[str, Any]:
    made = render(incident, Extras(Suspects(suspects)), kind=NotificationKind.UPDATE, now=START)
    return dict(json.loads(json.dumps(made)))


def sized(share: float) -> Incident:
    return replace(OPENED, findings=(finding(share=share),))


def suspected(name: str, probability: float) -> Suspect:
    change = Change(name, ChangeKind.DEPLOY, START, name, Scope(), "ada")
    return Suspect(change, probability, "its scope fits")


def test_the_same_again_is_no_news() -> None:
    assert news(body(), body()) == ()


def test_another_signal_of_the_same_symptom_in_the_same_place_is_no_news() -> None:
    grown, _ = absorb(OPENED, finding("syntax_error", share=0.021), START, Policy())
    assert news(body(), body(grown)) == ()


def test_another_symptom_is_news() -> None:
    grown, _ = absorb(OPENED, finding("distance", Symptom.DEVIATION, share=0.02), START, Policy())
    assert news(body(), body(grown)) == ("it shows deviation too",)


def test_another_place_is_news() -> None:
    grown, _ = absorb(OPENED, finding(target="opus/api/tpu-2", share=0.02), START, Policy())
    assert news(body(), body(grown)) == ("it is on opus/api/* now, and was on opus/api/tpu-1",)


def test_how_loud_it_is_is_news() -> None:
    taken, _ = acknowledge(OPENED, "ann", START)
    assert news(body(), body(taken)) == ("it is a ticket now, and was a page",)


@pytest.mark.parametrize(("share", "told"), [(0.011, 0), (0.01, 1), (0.039, 0), (0.04, 1), (0.3, 1)])
def test_a_share_is_news_from_twice_or_half_of_what_was_told_on(share: float, told: int) -> None:
    assert len(news(body(), body(sized(share)))) == told


def test_a_prime_suspect_is_news_when_it_becomes_so() -> None:
    before = body(OPENED, suspected("a", 0.4), suspected("b", 0.3))
    after = body(OPENED, suspected("b", 0.6), suspected("a", 0.3))
    (told,) = news(before, after)
    assert told.startswith('suspected now: 60% deploy "b"')
    assert news(after, after) == ()
    assert news(after, before) == ()


def test_a_body_of_an_older_canary_is_understood() -> None:
    assert news({}, {}) == ()
