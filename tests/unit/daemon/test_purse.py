from datetime import timedelta

from canary.daemon.purse import Purse, spent_today
from canary.records import Dialect, Endpoint, Limits, Observation, Target
from canary.store import MemoryStore
from canary.testing import FakeClock
from tests.contract.store_values import DAY, T0, TARGET, observation

TOKENS = 18  # of one answer of `store_values`
NOON = T0


def target(tokens_per_day: int | None) -> Target:
    model, platform, pool = TARGET.split("/")
    endpoint = Endpoint(Dialect.OPENAI_CHAT, "http://127.0.0.1:1/v1", model)
    return Target(model, platform, pool, endpoint, Limits(tokens_per_day=tokens_per_day))


def answer(i: int = 0) -> Observation:
    return observation(i)


def test_a_target_without_a_limit_may_always_be_asked() -> None:
    purse = Purse()
    for i in range(100):
        purse.spent(answer(i))
    assert purse.allows(target(None), NOON)


def test_a_target_that_spent_its_share_may_not_be_asked_again() -> None:
    purse, limited = Purse(), target(2 * TOKENS)
    allowed = []
    for i in range(3):
        allowed.append(purse.allows(limited, NOON))
        purse.spent(answer(i))
    assert allowed == [True, True, False]


def test_a_new_day_brings_a_new_share() -> None:
    purse, limited = Purse(), target(TOKENS)
    assert purse.allows(limited, NOON)
    purse.spent(answer())
    assert not purse.allows(limited, NOON + timedelta(hours=11))
    assert purse.allows(limited, NOON + timedelta(hours=12))


def test_what_was_spent_before_a_restart_is_remembered_but_not_that_of_yesterday() -> None:
    store, clock = MemoryStore(), FakeClock(NOON)
    with store.transaction() as tx:
        tx.add_observations([observation(0), observation(1, slot_time=NOON - DAY)])
    assert spent_today(store, [target(100)], clock.now()) == {TARGET: TOKENS}


def test_only_limited_targets_are_looked_up() -> None:
    assert spent_today(MemoryStore(), [target(None)], NOON) == {}


def test_a_reload_forgets_nothing_that_is_not_in_the_store_yet() -> None:
    purse, limited = Purse(), target(2 * TOKENS)
    assert purse.allows(limited, NOON)
    purse.spent(answer(0))
    purse.spent(answer(1))
    purse.recall({TARGET: TOKENS}, NOON)
    assert not purse.allows(limited, NOON)
