"""Scenarios made at random fit together, whatever the seed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.drill.chance import drawn
from canary.drill.honesty import Attempt, Trial, shares


@given(st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_every_seed_makes_a_scenario_that_can_be_played(tmp_path_factory, seed):
    found = drawn(seed, tmp_path_factory.mktemp("drawn"))
    assert 1 <= len({truth.name for truth in found.truths}) <= 2
    assert all(found.begin < truth.began < truth.ended <= found.end for truth in found.truths)
    assert {expected.fault for expected in found.file.expect.incidents} == {truth.name for truth in found.truths}


def test_a_seed_makes_the_same_scenario_again(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    assert drawn(5, first).file == drawn(5, second).file != drawn(6, first).file


def test_changes_hide_the_cause_among_decoys(tmp_path):
    changes = drawn(5, tmp_path).file.changes
    assert sum(change.id.startswith("decoy") for change in changes) >= 2


@pytest.fixture
def played():
    caught = Trial("corruption", 0.5, found=True, placed=True, blamed=None, hours=1.0)
    missed = Trial("swap", 0.02, found=False, placed=False, blamed=None, hours=None)
    wide = Trial("misrouting", 0.3, found=True, placed=False, blamed=True, hours=9.0)
    return [Attempt(1, (caught, missed), 0, 0, 0.07), Attempt(2, (wide,), 1, 1, 0.07)]


def test_shares_count_what_came_of_the_faults(played):
    counts = [(share.count, share.of) for share in shares(played)]
    assert counts == [(2, 3), (2, 2), (1, 2), (1, 1), (1, 2), (1, 2)]


def test_shares_have_exact_bounds(played):
    low, high = shares(played)[1].bounds
    assert (round(low, 3), high) == (0.158, 1.0)


def test_nothing_played_bounds_nothing():
    assert {share.bounds for share in shares([])} == {(0.0, 1.0)}
