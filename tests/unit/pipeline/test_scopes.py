import math
from collections import defaultdict
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.detect import EsrState, EventDetector, evidence, hierarchy, reset
from canary.pipeline.hearing import Bet, Hearing
from canary.pipeline.scopes import (
    Hierarchy,
    Level,
    hears,
    hierarchy_of,
    is_scope,
    members,
    of_place,
    place_of,
    scope_of,
    scopes_of,
)
from canary.records import Place, Scope, Score, SeriesKey
from canary.store.base import ScoreRow
from tests.unit.pipeline.stage import MINUTE, START


def series(target: str, group: str = "prose", signal: str = "script") -> SeriesKey:
    return SeriesKey(target, "eu", group, signal)


FLEET = [
    series(f"{model}/{platform}/{pool}", group)
    for model in ("mid", "opus")
    for platform in ("api", "cloud")
    for pool in ("a", "b")
    for group in ("prose", "code")
]


def test_a_fleet_of_many_kinds_is_watched_at_every_level() -> None:
    assert set(hierarchy_of(FLEET, replicas=True).levels) == set(Level)


def test_a_level_that_tells_no_more_than_a_narrower_one_is_left_out() -> None:
    one_platform = [key for key in FLEET if "/api/" in key.target]
    levels = hierarchy_of(one_platform, replicas=False).levels
    assert levels == (Level.POOL, Level.PAIR, Level.GROUP, Level.PLATFORM)  # model is pair, region is platform


def test_a_single_series_has_no_scopes() -> None:
    assert hierarchy_of(FLEET[:1], replicas=False) == Hierarchy()


def test_all_scopes_together_may_spend_as_much_as_the_series() -> None:
    assert hierarchy_of(FLEET, replicas=False).total == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("level", "target", "group"),
    [
        (Level.REPLICA, "mid/api/a", "*@r7"),
        (Level.POOL, "mid/api/a", "*"),
        (Level.PAIR, "mid/api/*", "*"),
        (Level.GROUP, "*/*/*", "prose"),
        (Level.PLATFORM, "*/api/*", "*"),
        (Level.MODEL, "mid/*/*", "*"),
        (Level.REGION, "*/*/*", "*"),
    ],
)
def test_a_scope_has_a_star_for_what_it_leaves_open(level: Level, target: str, group: str) -> None:
    assert scope_of(level, FLEET[0], "r7") == series(target, group)


def test_an_answer_that_names_no_replica_is_heard_in_none() -> None:
    tree = Hierarchy((Level.REPLICA, Level.POOL), 0.5)
    assert tree.scopes(FLEET[0], "") == (series("mid/api/a", "*"),)


def test_a_burst_is_heard_by_no_replica_for_which_answer_speaks_for_it_depends_on_its_score() -> None:
    tree = Hierarchy((Level.REPLICA, Level.POOL), 0.5)
    assert tree.scopes(series("mid/api/a", "onetoken@8"), "r7") == (series("mid/api/a", "*"),)


def test_a_model_may_have_slashes_in_its_name() -> None:
    assert scope_of(Level.PAIR, series("org/mid/api/a")) == series("org/mid/api/*", "*")


@given(st.sampled_from(FLEET), st.sampled_from([level for level in Level if level is not Level.REPLICA]))
def test_the_members_of_a_scope_are_those_that_are_heard_in_it(one: SeriesKey, level: Level) -> None:
    scope = scope_of(level, one)
    assert set(members(scope, FLEET)) == {key for key in FLEET if scope_of(level, key) == scope}


def test_a_series_is_its_own_member_alone() -> None:
    assert list(members(FLEET[0], FLEET)) == [FLEET[0]]


def test_series_and_scopes_are_told_apart() -> None:
    scopes = [scope_of(level, FLEET[0], "r7") for level in Level]
    assert ([is_scope(key) for key in FLEET], [is_scope(key) for key in scopes]) == ([False] * 16, [True] * 7)


def test_a_place_is_said_as_people_write_it() -> None:
    assert place_of(series("mid/api/a", "*@r7")) == Place(Scope("mid", "api", "a"), replica="r7")
    assert place_of(series("mid/api/a", "*@r7")).name == "mid/api/a, replica r7"
    assert place_of(series("*/api/*", "*")).name == "*/api/*"


@given(st.sampled_from(FLEET), st.sampled_from(Level))
def test_a_place_has_the_series_that_watches_it(one: SeriesKey, level: Level) -> None:
    for series in (one, scope_of(level, one, "r7")):
        assert of_place(place_of(series), like=one) == series


@pytest.mark.parametrize(("replica", "heard"), [("r7", True), ("r8", False), ("", False)])
def test_a_replica_hears_its_own_answers_alone(replica: str, *, heard: bool) -> None:
    assert hears(scope_of(Level.REPLICA, FLEET[0], "r7"), FLEET[0], replica) is heard


def test_a_hierarchy_reads_back_what_it_wrote() -> None:
    import json

    tree = hierarchy_of(FLEET, replicas=True)
    assert Hierarchy.of(json.loads(tree.to_json())) == tree


def test_a_hierarchy_that_says_nothing_of_overshoot_is_of_a_store_that_did_not_save_it() -> None:
    assert Hierarchy.of({"levels": ["pool"], "weight": 0.5}) == Hierarchy((Level.POOL,), 0.5, saves=False)


def test_a_scope_makes_the_step_of_each_member_by_its_own_outcomes() -> None:
    tree, hearing, state = Hierarchy((Level.GROUP,), 1.0), Hearing(), hierarchy.start()
    for nth, (key, rate) in enumerate(zip(FLEET[::2], (0.3, 0.01, 0.2, 0.05, 0.3, 0.1), strict=False)):
        one = bet_of(key, EventDetector(rate), tree, event=nth % 2 == 0, budget=0.05)
        hearing.hear([one], START + nth * MINUTE)
        state = hierarchy.step(state, one.value, math.log(0.05), one.outcomes)
        state = reset(state, evidence(state) >= 0.0)
    ((told, _, _),) = dict(hearing.states()).values()
    assert told.log_r.tobytes() == state.log_r.tobytes()


def bet_of(
    key: SeriesKey, detector: EventDetector, tree: Hierarchy, *, event: bool, replica: str = "", budget: float = 1e-3
) -> Bet:
    row = ScoreRow("s", key, START, Score("script", 1, 0.0), log_budget=math.log(budget), replica=replica)
    return Bet(row, detector.bet(float(event), 1.0, 0.0), tree, detector.bet_outcomes(1.0))


def bets(n: int, seed: int, rate: float = 0.01) -> list[Bet]:
    rng = np.random.default_rng(seed)
    detector = EventDetector(rate)
    tree = hierarchy_of(FLEET, replicas=True)
    return [
        bet_of(
            FLEET[int(rng.integers(len(FLEET)))],
            detector,
            tree,
            event=rng.random() < detector.healthy_event_rate(1.0),
            replica=f"r{rng.integers(3)}",
        )
        for _ in range(n)
    ]


@pytest.mark.parametrize("cut", [1, 7, 50])
def test_any_batching_leaves_the_same_states_to_the_bit(cut: int) -> None:
    answers = bets(100, seed=1)
    whole, part, kept = Hearing(), Hearing(), dict[SeriesKey, EsrState]()
    for nth, bet in enumerate(answers):
        whole.hear([bet], START + nth * MINUTE)
        part.hear([bet], START + nth * MINUTE)
        if nth % cut == 0:  # the batch ends
            kept |= {key: state for key, (state, _, _) in part.states()}
            part = Hearing(kept)
    kept |= {key: state for key, (state, _, _) in part.states()}
    once = {key: state for key, (state, _, _) in whole.states()}
    assert {key: state.log_r.tobytes() for key, state in kept.items()} == {
        key: state.log_r.tobytes() for key, state in once.items()
    }


def test_healthy_scopes_alarm_no_more_than_their_budget() -> None:
    """20 alarms may come in 40 fleets of 500 answers; more than 34 by chance in one of a thousand (Poisson)."""
    alarms = 0
    spent = 0.0
    for seed in range(40):
        hearing = Hearing()
        for nth, bet in enumerate(bets(500, seed)):
            alarms += len(hearing.hear([bet], START + nth * MINUTE).alarmed)
            spent += 1e-3 * (bet.hierarchy.total - 1.0)
    assert spent == pytest.approx(20.0)
    assert alarms <= 34


def test_a_fault_in_every_pool_is_heard_in_the_region_before_any_pool_alarms() -> None:
    rng = np.random.default_rng(5)
    detector = EventDetector(1e-4)
    pools = [series(f"mid/api/p{n}") for n in range(16)]
    tree = hierarchy_of(pools, replicas=False)
    assert tree.levels == (Level.PAIR,)
    hearing = Hearing()
    first: dict[int, int] = defaultdict(int)
    for nth in range(16 * 400):
        bet = bet_of(pools[nth % 16], detector, tree, event=rng.random() < 0.008, budget=1e-7)
        if hearing.hear([bet], START + timedelta(seconds=nth)).alarmed:
            first[nth // 16] += 1
            break
    assert min(first) < 100  # rounds; the first of 16 pools to alarm alone needs 147 by median


def test_every_scope_is_named_once_and_replicas_are_not() -> None:
    named = scopes_of(hierarchy_of(FLEET, replicas=True), FLEET)
    assert len(named) == len(set(named)) == 8 + 4 + 2 + 2 + 2 + 1  # pools, pairs, groups, platforms, models, region
    assert {scope_of(Level.POOL, key) for key in FLEET} < set(named)
