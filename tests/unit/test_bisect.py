"""The race between the parts that may carry a fault."""

import numpy as np
import pytest

from canary.detect import EventDetector, Rule, Verdict
from canary.records import Yardstick
from canary.verdict.baseline import BaselineBench
from canary.verdict.bisect import Arm, Cell, Dimension, Found, Race, state, words
from tests.unit.test_verdict_bench import GOLDEN, GROUPS, SeriesKey, an_answer

TARGET = "mid/api/short"
SHARE = 0.1
QUIET = EventDetector(rate_upper=0.004)
POOLS = tuple(Arm(Dimension.POOL, f"mid/api/{name}") for name in ("short", "long"))
REPLICAS = tuple(Arm(Dimension.REPLICA, f"short-{nth}") for nth in range(4))
CELLS = (
    Cell(0, frozenset({POOLS[0]})),
    Cell(1, frozenset({POOLS[1]})),
    *(Cell(2 + nth, frozenset({arm})) for nth, arm in enumerate(REPLICAS)),
)


def a_bench(arms: int = 6) -> BaselineBench:
    rule = Rule(SHARE, 0.01 / arms, 0.05 / arms)
    keys = [SeriesKey(TARGET, "lab", group, name) for group in GROUPS for name in ("script", "greedy")]
    yardsticks = [Yardstick(key, 1, QUIET.digest, {"d": 0.0}, golden=GOLDEN) for key in keys]
    return BaselineBench(rule, yardsticks, {QUIET.digest: QUIET}, dict.fromkeys(GROUPS, 30))


def a_race(seed: int) -> Race:
    return Race({arm: a_bench() for arm in (*POOLS, *REPLICAS)}, CELLS, np.random.default_rng(seed))


def raced(bad: dict[Arm, float], seed: int, most: int = 1_000) -> tuple[int, Found]:
    """Until it is over; `bad` are the shares of wrong answers."""
    race, rng = a_race(seed), np.random.default_rng((seed, 1))
    for nth in range(most):
        if race.over:
            return nth, race.found()
        (arm,) = (cell := race.choose()).arms
        wrong = rng.random() < bad.get(arm, 0.0)
        race.hear(cell.arms, [an_answer(nth, script=float(wrong))])
    return most, race.found()


def test_the_replica_that_carries_it_is_named_and_the_others_are_clean() -> None:
    _, found = raced({REPLICAS[2]: 0.5, POOLS[0]: 0.125}, seed=1)
    assert found.carriers == (POOLS[0], REPLICAS[2])
    assert words(found, TARGET, SHARE) == "replica short-2 of mid/api/short carries it; the others are clean to 10 %"


def test_where_every_part_is_sound_all_are_clean() -> None:
    _, found = raced({}, seed=2)
    assert (found.verdict, found.clean) == (Verdict.PASS, True)
    assert "every part is clean to 10 %" in words(found, TARGET, SHARE)


def test_a_fault_in_all_alike_blames_none() -> None:
    _, found = raced(dict.fromkeys((*POOLS, *REPLICAS), 0.5), seed=3)
    assert (found.carriers, found.everywhere) == ((), True)
    assert "whatever the pool or replica" in words(found, TARGET, SHARE)


def test_a_budget_that_is_spent_says_what_is_most_suspect() -> None:
    _, found = raced({REPLICAS[0]: 1.0}, seed=4, most=4)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "most suspect" in words(found, TARGET, SHARE)


def test_a_fault_whose_neighbours_are_open_is_not_pinned_on_anybody() -> None:
    race = a_race(5)
    for nth in range(20):
        race.hear([REPLICAS[0]], [an_answer(nth, script=1.0)])
    found = race.found()
    assert (found.verdict, found.carriers, found.everywhere) == (Verdict.FAIL, (), False)
    assert "not clear yet" in words(found, TARGET, SHARE)


def test_the_suspect_gets_more_probes_than_the_others() -> None:
    race = a_race(6)
    for nth in range(2):
        race.hear([REPLICAS[1]], [an_answer(nth, script=float(nth == 1))])
    chosen = [race.choose() for _ in range(200)]
    assert sum(REPLICAS[1] in cell.arms for cell in chosen) > 100


def test_parts_beside_one_that_failed_come_first() -> None:
    race = a_race(7)
    for nth in range(20):
        race.hear([REPLICAS[0]], [an_answer(nth, script=1.0)])
    chosen = [race.choose() for _ in range(200)]
    assert sum(bool(cell.arms & set(REPLICAS[1:])) for cell in chosen) > 150


def test_a_part_that_is_decided_is_not_asked_again() -> None:
    race = a_race(8)
    for nth in range(20):
        race.hear([REPLICAS[0]], [an_answer(nth, script=1.0)])
    assert not any(REPLICAS[0] in race.choose().arms for _ in range(100))


def test_a_part_that_something_speaks_against_is_not_clean() -> None:
    class Torn:
        verdict, evidence, answers = Verdict.PASS, 3.0, 50

        def hear(self, turn: object) -> bool:
            return False

    assert state(Torn()) is Verdict.INCONCLUSIVE


def test_of_the_cells_that_ask_a_part_the_one_is_taken_that_asks_most_others_too() -> None:
    both, alone = Cell(0, frozenset({POOLS[0], REPLICAS[0]})), Cell(1, frozenset({POOLS[0]}))
    race = Race({arm: a_bench() for arm in (POOLS[0], REPLICAS[0])}, [both, alone], np.random.default_rng(9))
    assert {race.choose() for _ in range(50)} == {both}


def test_a_cell_that_is_dropped_is_not_chosen_any_more() -> None:
    race = a_race(10)
    race.drop(CELLS[0])
    assert CELLS[0] not in {race.choose() for _ in range(200)}


def test_when_nobody_can_be_asked_it_is_over() -> None:
    race = a_race(11)
    for cell in CELLS:
        race.drop(cell)
    assert race.over
    with pytest.raises(ValueError, match="decided"):
        race.choose()


def test_the_same_seed_asks_the_same() -> None:
    assert raced({REPLICAS[2]: 0.3}, seed=12) == raced({REPLICAS[2]: 0.3}, seed=12)
