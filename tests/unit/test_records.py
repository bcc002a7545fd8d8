from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.records import Scope

PARTS = st.none() | st.sampled_from(["mid", "api", "short", "shortest", "*", "sh*", "eu"])
SCOPES = st.builds(Scope, PARTS, PARTS, PARTS, PARTS)
NAMES = ["mid", "api", "short", "shortest", "eu"]
PLACES = [("/".join(names), region) for names in product(NAMES, repeat=3) for region in NAMES]


def test_a_scope_of_nothing_but_any_covers_everything() -> None:
    assert all(Scope().covers(*place) for place in PLACES)


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (Scope("mid", "api", "short"), True),
        (Scope(pool="sh*"), True),
        (Scope("mid", "api", "short", "us"), False),
        (Scope(model="small"), False),
        (Scope(platform="cloud"), False),
        (Scope(pool="long"), False),
    ],
)
def test_a_scope_covers_what_fits_every_part_of_it(scope: Scope, covered: bool) -> None:
    assert scope.covers("mid/api/short", "eu") is covered


def test_a_scope_tells_capitals_apart() -> None:
    assert not Scope("Mid").covers("mid/api/short", "eu")


@given(SCOPES, SCOPES)
def test_scopes_that_cover_the_same_place_overlap(one: Scope, other: Scope) -> None:
    both = any(one.covers(*place) and other.covers(*place) for place in PLACES)
    assert one.overlaps(other) or not both


@given(SCOPES, SCOPES)
def test_overlap_is_mutual(one: Scope, other: Scope) -> None:
    assert one.overlaps(other) == other.overlaps(one)


def test_a_scope_is_written_with_stars_and_a_region_only_where_it_has_one() -> None:
    assert [Scope("mid", "api").name, Scope(region="eu").name] == ["mid/api/*", "*/*/*/eu"]
