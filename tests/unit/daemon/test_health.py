from datetime import timedelta

import pytest

from canary.daemon.health import LAGGING, STUCK, Health
from canary.testing import FakeClock
from canary.web.status import Check


def failing(checks: tuple[Check, ...]) -> list[str]:
    return [check.name for check in checks if not check.ok]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def health(clock: FakeClock) -> Health:
    return Health(clock)


def unready(health: Health) -> list[str]:
    return failing(health.ready(config="digest", waiting=3))


def test_a_fresh_process_is_live_and_ready(health: Health) -> None:
    assert failing(health.live()) == unready(health) == []


def test_a_heartbeat_that_stopped_is_not_live(health: Health, clock: FakeClock) -> None:
    clock.advance(timedelta(seconds=STUCK))
    assert failing(health.live()) == ["heartbeat"]
    health.beat(lag=0.0)
    assert failing(health.live()) == []


def test_a_commit_that_never_ends_is_not_live(health: Health, clock: FakeClock) -> None:
    health.committing()
    clock.advance(timedelta(seconds=STUCK))
    health.beat(lag=0.0)
    assert failing(health.live()) == ["writer"]
    health.committed()
    assert failing(health.live()) == []


def test_a_writer_without_work_is_live(health: Health, clock: FakeClock) -> None:
    clock.advance(timedelta(days=1))
    health.beat(lag=0.0)
    assert failing(health.live()) == []


def test_a_store_that_is_away_makes_it_unready_but_not_dead(health: Health) -> None:
    health.store("it cannot be reached")
    assert (failing(health.live()), unready(health)) == ([], ["store"])
    health.store()
    assert unready(health) == []


def test_it_says_how_many_observations_wait_for_the_store(health: Health) -> None:
    health.store("it cannot be reached")
    details = [check.detail for check in health.ready(config="digest", waiting=3) if check.name == "store"]
    assert details == ["it cannot be reached, 3 wait"]


def test_an_event_loop_that_lags_makes_it_unready(health: Health) -> None:
    health.beat(lag=LAGGING)
    assert unready(health) == ["event loop"]


def test_a_draining_process_is_not_ready(health: Health) -> None:
    health.draining = True
    assert unready(health) == ["schedule"]
