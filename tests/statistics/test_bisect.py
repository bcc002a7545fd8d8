"""A bisection blames a sound part no more often than it promises, however the probes are allotted."""

from canary.detect import lower_share
from tests.unit.test_bisect import POOLS, REPLICAS, raced

SURE = 1e-4


def test_where_nothing_is_wrong_hardly_ever_a_part_is_blamed() -> None:
    """With wrong answers at the bound that golden answers leave open: 4.6 of 48,000."""
    rate = 4.6 / 48_000
    runs = 30
    blamed = sum(
        any(one.verdict.value == "fail" for one in raced(dict.fromkeys((*POOLS, *REPLICAS), rate), seed)[1].standings)
        for seed in range(runs)
    )
    assert lower_share(blamed, runs, SURE) <= 0.01


def test_the_part_that_carries_the_fault_is_found_and_no_other() -> None:
    runs = 20
    right = sum(
        raced({REPLICAS[1]: 0.4, POOLS[0]: 0.1 + 0.1}, seed)[1].carriers == (POOLS[0], REPLICAS[1])
        for seed in range(runs)
    )
    assert right >= 0.9 * runs
