from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.alert.incident import Policy, absorb, acknowledge
from canary.alert.routing import Hearer, Pace, Route, concerns, covers, group_of, hearers
from canary.records import Blame, Finding, Incident, Label, Place, Scope, Symptom, matcher
from tests.unit.alert.findings import START, finding


def incident(*findings: Finding) -> Incident:
    first, *rest = findings or (finding(),)
    made, _ = absorb(None, first, START, Policy())
    for other in rest:
        made, _ = absorb(made, other, START, Policy())
    return made


def wide(model: str | None = "opus", platform: str | None = None, pool: str | None = None) -> Incident:
    """One that spans all that is not named."""
    blame = Blame(Place(Scope(model, platform, pool)), "opus/api/tpu-1")
    return incident(replace(finding(), blame=blame))


def may(what: Incident, *texts: str) -> bool:
    return concerns(tuple(map(matcher, texts)), what)


def must(what: Incident, *texts: str) -> bool:
    return covers(tuple(map(matcher, texts)), what)


# -- matchers


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("model=opus", True),
        ("model=op*", True),
        ("model=OPUS", False),
        ("model=haiku|opus", True),
        ("model!=opus", False),
        ("model!=haiku|sonnet", True),
        ("pool=tpu-?", True),
        ("region=eu", True),
        ("group=prose", True),
        ("symptom=corr*", True),
        ("signal=stray_script", True),
        ("severity=page", True),
        ("severity=ticket", False),
    ],
)
def test_a_matcher_fits_a_label_or_does_not(text: str, fits: bool) -> None:
    assert (may(incident(), text), must(incident(), text)) == (fits, fits)


def test_all_matchers_have_to_fit_one_finding() -> None:
    both = incident(finding(), finding("distance", Symptom.DEVIATION, target="opus/api/gpu-1"))
    assert may(both, "symptom=deviation", "pool=gpu-1")
    assert not may(both, "symptom=corruption", "pool=gpu-1")


def test_what_spans_all_pools_may_be_in_any_and_must_be_in_none() -> None:
    assert may(wide(), "pool=tpu-1")
    assert may(wide(), "pool!=tpu-1")
    assert not must(wide(), "pool=tpu-1")
    assert not must(wide(), "pool!=tpu-1")
    assert must(wide(), "pool=*")


def test_a_silence_of_one_pool_does_not_cover_an_incident_that_stands_in_two() -> None:
    both = incident(finding(), finding("distance", Symptom.DEVIATION, target="opus/api/gpu-1"))
    assert not must(both, "pool=tpu-*")
    assert must(both, "pool=tpu-*|gpu-*")


def test_nothing_asked_for_matches_everything() -> None:
    assert may(incident())
    assert must(wide())


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("pool", "label=glob"),
        ("pool=", "label=glob"),
        ("pool==a", "label=glob"),
        ("pool=~a.*", "label=glob"),
        ("pool=a b", "label=glob"),
        ("colour=red", "no label"),
        ("pool=a||b", "empty alternative"),
        ("pool=" + "a" * 500, "label=glob"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_remedy(text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        matcher(text)


GLOBS = st.from_regex(r"[a-z0-9*?-]{1,6}(\|[a-z0-9*?-]{1,6}){0,2}", fullmatch=True)
MATCHERS = st.builds(
    lambda label, sign, globs: f"{label.value}{sign}{globs}",
    st.sampled_from(Label),
    st.sampled_from(["=", "!="]),
    GLOBS,
)


@given(MATCHERS)
def test_a_matcher_is_written_as_it_was_read(text: str) -> None:
    assert matcher(text).text == text


@given(st.lists(MATCHERS, max_size=3))
def test_what_must_match_may_match(texts: list[str]) -> None:
    for what in (incident(), wide(), wide(None)):
        assert may(what, *texts) or not must(what, *texts)


@given(MATCHERS)
def test_of_a_label_that_is_known_a_matcher_and_its_negation_are_opposites(text: str) -> None:
    opposite = text.replace("!=", "=") if "!=" in text else text.replace("=", "!=")
    assert must(incident(), text) != must(incident(), opposite)


# -- the tree


def names(root: Route, what: Incident | None = None) -> list[str]:
    return [one.receiver for one in hearers(root, what or incident())]


def leaf(name: str, *texts: str, go_on: bool = False) -> Route:
    return Route(name, tuple(map(matcher, texts)), go_on=go_on)


def test_where_no_child_matches_the_node_itself_is_told() -> None:
    assert names(Route("root", routes=(leaf("other", "model=haiku"),))) == ["root"]


def test_the_first_child_that_matches_is_told_and_nobody_after_it() -> None:
    assert names(Route("root", routes=(leaf("one"), leaf("two")))) == ["one"]


def test_a_child_that_continues_lets_the_next_be_told_too() -> None:
    assert names(Route("root", routes=(leaf("one", go_on=True), leaf("two"), leaf("three")))) == ["one", "two"]


def test_the_deepest_that_matches_is_told() -> None:
    inner = Route("pool", tuple(map(matcher, ["pool=tpu-*"])), routes=(leaf("deep", "symptom=corruption"),))
    assert names(Route("root", routes=(inner,))) == ["deep"]


def test_a_receiver_on_two_ways_is_told_once() -> None:
    assert names(Route("root", routes=(leaf("one", go_on=True), leaf("one")))) == ["one"]


def test_without_a_receiver_nobody_is_told() -> None:
    assert names(Route()) == []


def test_an_acknowledged_incident_is_a_ticket() -> None:
    taken, _ = acknowledge(incident(), "ann", START)
    assert names(Route("root", routes=(leaf("pager", "severity=page"),)), taken) == ["root"]


def test_the_pace_is_that_of_the_route() -> None:
    pace = Pace(repeat=timedelta(hours=1))
    assert hearers(Route("root", pace=pace), incident()) == (Hearer("root", pace),)


def test_without_group_by_an_incident_is_told_alone() -> None:
    assert group_of(Pace(), incident()) == ""


def test_incidents_that_share_the_labels_are_one_group() -> None:
    pace = Pace(group_by=(Label.MODEL,))
    here, there = incident(), incident(finding(target="opus/cloud/gpu-1"))
    assert group_of(pace, here) == group_of(pace, there) != group_of(pace, incident(finding(target="haiku/api/tpu-1")))


def test_a_group_by_nothing_takes_all() -> None:
    pace = Pace(group_by=())
    assert group_of(pace, incident()) == group_of(pace, incident(finding(target="haiku/api/tpu-1"))) != ""
