"""Which epoch judged when."""

from datetime import UTC, datetime, timedelta

from canary.hindsight.reign import Epochs, Group, Past, Reign, Switch
from canary.pipeline.watch import Rhythm

START = datetime(2025, 8, 25, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
A, B = ("mid/api/short", "prose"), ("mid/api/long", "prose")
RHYTHMS = tuple(Rhythm(target, group, (), MINUTE) for target, group in (A, B))


def reign(*switches: Switch, active: Epochs | None = None) -> Reign:
    return Reign(Past(100, START, START + 100 * MINUTE, switches), RHYTHMS, active or {})


def switch(seq: int, group: Group, epoch: int, after: int) -> Switch:
    return Switch(seq, START + seq * MINUTE, group, epoch, after)


def test_what_judged_from_the_start_is_in_force_from_the_first_observation() -> None:
    one = reign(switch(1, A, 1, 0), switch(4, B, 2, 0))
    assert one.reach(1)
    assert one.epochs == {A: 1, B: 2}


def test_a_target_that_was_added_later_takes_its_part_from_then_on() -> None:
    one = reign(switch(1, A, 1, 0), switch(50, B, 1, 0))
    one.reach(49)
    assert one.epochs == {A: 1}
    assert one.reach(50)
    assert one.epochs == {A: 1, B: 1}


def test_a_promotion_of_all_is_one_switch() -> None:
    one = reign(switch(1, A, 1, 0), switch(2, B, 1, 0), switch(51, A, 2, 49), switch(52, B, 2, 50))
    one.reach(51)
    assert one.epochs == {A: 2, B: 2}


def test_a_group_that_went_on_by_its_old_epoch_switches_by_itself() -> None:
    one = reign(switch(1, A, 1, 0), switch(2, B, 1, 0), switch(51, A, 2, 49), switch(54, B, 2, 52))
    one.reach(53)
    assert one.epochs == {A: 2, B: 1}


def test_what_nothing_judged_is_judged_by_the_active_baselines_from_the_start() -> None:
    assert reign(switch(1, A, 1, 0), active={A: 3, B: 3}).epochs == {B: 3}


def test_nothing_new_is_in_force_between_switches() -> None:
    one = reign(switch(1, A, 1, 0), switch(50, A, 2, 49))
    assert [one.reach(seq) for seq in (1, 2, 49, 50, 51)] == [True, False, False, True, False]
