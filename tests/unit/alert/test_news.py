import json
from dataclasses import replace
from typing import Any

import pytest

from canary.alert.incident import Policy, absorb, acknowledge, recover
from canary.alert.message import FINDINGS_SHOWN, Extras, render
from canary.alert.news import news
from canary.alert.suspects import Suspect, Suspects
from canary.records import Blame, Change, ChangeKind, Incident, NotificationKind, Place, Scope, Symptom
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


def wide(*parts: tuple[str, float]) -> Incident:
    """Of 10 % over all pools, with findings of larger shares in some of them."""
    everywhere = replace(finding(share=0.1), blame=Blame(Place(Scope.of("opus/api/*")), "opus/api/a"))
    findings = [finding("distance", target=target, share=share) for target, share in parts]
    return replace(OPENED, pool="*", findings=(everywhere, *findings))


def test_a_far_stronger_fault_in_a_part_of_a_wide_one_is_news() -> None:
    after = body(wide(("opus/api/b", 0.64)))
    assert news(body(wide()), after) == ("it touches 64 % of answers on opus/api/b now, and 10 % were told",)
    assert news(after, body(wide(("opus/api/b", 0.66), ("opus/api/c", 0.7)))) == ()


def test_a_stronger_part_counts_even_when_it_is_not_among_the_findings_that_are_shown() -> None:
    many = [(f"opus/api/p{n}", 0.1) for n in range(FINDINGS_SHOWN)]
    assert len(news(body(wide(*many)), body(wide(*many, ("opus/api/b", 0.64))))) == 1


def test_a_part_that_has_recovered_is_no_news() -> None:
    over = wide(("opus/api/b", 0.64))
    over, _ = recover(over, over.findings[1].series, START)
    assert news(body(wide()), body(over)) == ()


def test_one_share_is_told_once_where_it_is_that_of_the_whole() -> None:
    assert news(body(sized(0.02)), body(sized(0.3))) == ("it touches 30 % now, and 2 % were told",)


def test_another_region_is_news() -> None:
    seen = finding(share=0.02)
    spread, _ = absorb(OPENED, replace(seen, series=replace(seen.series, region="us")), START, Policy())
    assert news(body(), body(spread)) == ("it is seen from us too",)
    assert news(body(spread), body(spread)) == ()


def test_a_prime_suspect_is_news_when_it_becomes_so() -> None:
    before = body(OPENED, suspected("a", 0.4), suspected("b", 0.3))
    after = body(OPENED, suspected("b", 0.6), suspected("a", 0.3))
    (told,) = news(before, after)
    assert told.startswith('suspected now: 60% deploy "b"')
    assert news(after, after) == ()


def test_a_suspect_that_was_named_as_prime_and_is_so_no_longer_is_news() -> None:
    before = body(OPENED, suspected("a", 0.98))
    assert news(before, body(OPENED, suspected("a", 0.4))) == ('no longer suspected: deploy "a"',)
    assert news(before, body(OPENED)) == ('no longer suspected: deploy "a"',)


def test_another_prime_suspect_is_told_once() -> None:
    (told,) = news(body(OPENED, suspected("a", 0.98)), body(OPENED, suspected("b", 0.98)))
    assert told.startswith("suspected now:")


def test_a_body_of_an_older_canary_is_understood() -> None:
    older = {name: value for name, value in body(wide()).items() if name not in {"regions", "peak"}}
    assert news({}, {}) == ()
    assert news(older, body(wide(("opus/api/b", 0.64)))) == ()
