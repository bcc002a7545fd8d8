from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.alert.suspects import Suspect, rank
from canary.records import Change, ChangeKind, Interval, Scope

ONSET = datetime(2025, 8, 25, 12, tzinfo=UTC)
SPOTS = [
    (f"{model}/{platform}/{pool}", "eu")
    for model in ("mid", "small", "opus")
    for platform, pool in (("api", "short"), ("api", "long"), ("cloud", "short"))
]
HERE = Scope("mid", "api", "short")


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def around(best: datetime = ONSET, *, before: float = 10, after: float = 5) -> Interval:
    return Interval(best - minutes(before), best, best + minutes(after))


def change(
    name: str = "a change", *, before: float = 15, scope: Scope = HERE, kind: ChangeKind = ChangeKind.DEPLOY
) -> Change:
    """`before`: minutes before ONSET."""
    return Change(name, kind, ONSET - minutes(before), name, scope)


def ranked(*changes: Change, onset: Interval | None = None, scope: Scope = HERE) -> tuple[Suspect, ...]:
    return rank(onset or around(), scope, changes, SPOTS)


def probability(suspects: Sequence[Suspect], wanted: Change | None) -> float:
    return next(suspect.probability for suspect in suspects if suspect.change == wanted)


def of(wanted: Change, *others: Change, **terms: Interval | Scope) -> float:
    return probability(ranked(wanted, *others, **terms), wanted)  # type: ignore[arg-type]


names = st.none() | st.sampled_from(["mid", "small", "api", "cloud", "short", "long", "s*", "eu", "elsewhere"])
scopes = st.builds(Scope, names, names, names, names)
kinds = st.sampled_from([kind for kind in ChangeKind if kind is not ChangeKind.GATE])
lags = st.floats(-60.0, 20_000.0)
made = st.builds(lambda before, scope, kind: change(before=before, scope=scope, kind=kind), lags, scopes, kinds)
several = st.lists(made, max_size=6).map(lambda found: [replace(one, id=str(n)) for n, one in enumerate(found)])
touched = st.sampled_from(
    [HERE, Scope(), Scope("small"), Scope(platform="api"), Scope("opus", "api"), Scope(pool="s*")]
)


def test_a_gate_is_never_suspected() -> None:
    gate = change("gate", kind=ChangeKind.GATE)
    assert [one.change for one in ranked(gate)] == [None]


@given(several, touched)
def test_the_probabilities_sum_to_one(changes: list[Change], scope: Scope) -> None:
    assert sum(one.probability for one in ranked(*changes, scope=scope)) == pytest.approx(1.0, abs=1e-9)


@given(several, touched)
def test_every_change_and_no_change_is_ranked_once(changes: list[Change], scope: Scope) -> None:
    ids = [one.change.id if one.change else "none" for one in ranked(*changes, scope=scope)]
    assert sorted(ids) == sorted(["none", *(one.id for one in changes)])


@given(several, st.randoms(use_true_random=False))
def test_the_order_in_which_changes_were_recorded_is_of_no_account(changes: list[Change], rng: object) -> None:
    shuffled = list(changes)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert ranked(*shuffled) == ranked(*changes)


@given(several)
def test_the_order_of_spots_is_of_no_account(changes: list[Change]) -> None:
    assert rank(around(), HERE, changes, SPOTS[::-1]) == rank(around(), HERE, changes, SPOTS)


@given(several)
def test_the_most_probable_stands_first(changes: list[Change]) -> None:
    found = [one.probability for one in ranked(*changes)]
    assert found == sorted(found, reverse=True)


@given(kinds, st.floats(10.0, 10_000.0), st.floats(1.0, 5_000.0))
def test_the_longer_before_the_onset_the_less_probable(kind: ChangeKind, before: float, more: float) -> None:
    assert of(change(before=before, kind=kind)) > of(change(before=before + more, kind=kind))


@given(made, st.floats(5.0, 10_000.0))
def test_a_change_after_the_onset_cannot_be_it(decoy: Change, late: float) -> None:
    assert of(replace(decoy, at=ONSET + minutes(late))) == 0.0


def test_a_change_inside_the_interval_may_be_it() -> None:
    assert of(change(before=-2)) > 0.5


@given(made)
def test_a_change_wholly_elsewhere_cannot_be_it(decoy: Change) -> None:
    assert of(replace(decoy, scope=Scope("mid", "cloud"))) == 0.0


@pytest.mark.parametrize(
    "narrowing",
    [
        [Scope(), Scope(platform="api"), Scope("mid", "api"), Scope("mid", "api", "short")],
        [Scope(), Scope(pool="s*"), Scope("mid", pool="short"), Scope("mid", "api", "s*", "eu")],
    ],
)
def test_the_fewer_healthy_targets_a_change_covers_the_more_probable(narrowing: list[Scope]) -> None:
    found = [of(change(scope=scope)) for scope in narrowing]
    assert found == sorted(found)
    assert len(set(found)) == len(found)


def test_the_more_of_the_touched_targets_a_change_covers_the_more_probable() -> None:
    widening = [Scope("mid", "cloud"), Scope("mid", "api", "long"), Scope("mid", "api"), Scope("mid")]
    found = [of(change(scope=scope), scope=Scope("mid")) for scope in widening]
    assert found == sorted(found)


def test_a_change_of_part_of_the_touched_targets_stays_a_suspect() -> None:
    part = change(scope=Scope("mid", "api"))
    assert 0.05 < of(part, scope=Scope("mid")) < of(replace(part, scope=Scope("mid")), scope=Scope("mid"))


def test_a_spot_that_nobody_watches_says_nothing_of_a_wide_change() -> None:
    wide = change(scope=Scope())
    alone = [spot for spot in SPOTS if spot == ("mid/api/short", "eu")]
    assert probability(rank(around(), HERE, [wide], alone), wide) > of(wide)


def test_of_two_that_fit_alike_the_commoner_cause_is_more_probable() -> None:
    deploy, hardware = change("deploy"), change("hardware", kind=ChangeKind.HARDWARE)
    assert of(deploy, hardware) > 0.5 > of(hardware, deploy)


def test_a_rollout_that_is_under_way_for_hours_may_still_be_it() -> None:
    quick = change(before=240)
    slow = replace(quick, finished_at=ONSET + minutes(60))
    assert of(slow) > of(quick)


def test_two_changes_alike_share_the_suspicion() -> None:
    one, other = change("one"), change("other")
    assert of(one, other) == pytest.approx(of(other, one))


def test_of_many_changes_just_before_none_is_certain() -> None:
    many = [change(str(n), before=10 + n / 60, scope=Scope()) for n in range(200)]
    assert ranked(*many)[0].probability < 0.5


def test_without_a_change_there_is_one_answer() -> None:
    assert ranked() == (Suspect(None, 1.0, "none was recorded in the 14 days before"),)


def test_changes_older_than_the_look_back_are_not_suspected() -> None:
    assert ranked(change(before=20 * 24 * 60)) == ranked()


def test_a_change_of_last_week_leaves_the_cause_open() -> None:
    (first, second) = ranked(change(before=7 * 24 * 60))
    assert (first.change, first.reason) == (None, "something else; 1 change was recorded in the 14 days before")
    assert second.probability < 0.05


def test_a_scope_that_no_spot_lies_in_is_an_error() -> None:
    with pytest.raises(ValueError, match="none of the spots"):
        ranked(scope=Scope("nobody"))


@pytest.mark.parametrize(
    ("suspect", "scope", "reason"),
    [
        (
            change(before=3, kind=ChangeKind.ROUTING),
            HERE,
            "began 3 min after; covers exactly this target; routing changes are a common cause",
        ),
        (
            change(before=180, scope=Scope("mid"), kind=ChangeKind.HARDWARE),
            HERE,
            "began 3 h after; covers also 2 healthy targets; changes of hardware are a rare cause",
        ),
        (
            change(before=-2, scope=Scope("mid", "api")),
            Scope("mid"),
            "made 2 min after the likeliest onset, but it may have begun later; covers 2 of 3 touched targets; "
            "deploys are a common cause",
        ),
        (
            change(before=-30, scope=Scope("small")),
            HERE,
            "made when the fault had begun; covers nothing that is touched; deploys are a common cause",
        ),
        (
            replace(change(before=20, kind=ChangeKind.ROLLOUT), scope=Scope("mid"), finished_at=ONSET + minutes(5)),
            Scope("mid"),
            "began 20 min into it; covers exactly the 3 touched targets; rollouts are a common cause",
        ),
    ],
)
def test_the_reason_is_told_in_words(suspect: Change, scope: Scope, reason: str) -> None:
    assert next(one.reason for one in ranked(suspect, scope=scope) if one.change) == reason
